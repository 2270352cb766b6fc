"""Metrics of images and masks."""
