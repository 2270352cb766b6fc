"""Rendering on an NVIDIA GPU: pixels from labels without a stop on the CPU, launched as one graph."""
