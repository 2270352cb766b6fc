"""One loop for all models, one objective per architecture."""
