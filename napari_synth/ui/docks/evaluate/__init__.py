"""The dock "Is it helping?"."""
