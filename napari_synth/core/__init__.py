"""Errors, progress and cancel, devices, seeds, settings, safe writing. Imports nothing heavy."""
