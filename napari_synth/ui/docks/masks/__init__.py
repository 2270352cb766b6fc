"""The Masks dock."""
