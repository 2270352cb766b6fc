"""Masks that outlive a crash."""
