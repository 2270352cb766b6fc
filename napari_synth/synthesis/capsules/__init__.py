"""Capsules of a network: what to keep of them, what to change, what they see."""
