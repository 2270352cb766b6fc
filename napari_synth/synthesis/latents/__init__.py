"""Latent vectors: where they come from and ways between them."""
