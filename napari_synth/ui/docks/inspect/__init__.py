"""The Inspect dock."""
