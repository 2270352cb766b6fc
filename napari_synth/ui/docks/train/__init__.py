"""The dock "My look"."""
