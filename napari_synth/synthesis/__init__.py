"""From mask and recipe to image."""
