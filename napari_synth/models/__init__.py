"""A trained model as the user knows it: card, checkpoint file, registry, bundled weights."""
