"""The Nuclei dock."""
