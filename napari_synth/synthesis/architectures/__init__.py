"""What each architecture needs to render."""
