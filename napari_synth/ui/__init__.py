"""The window: moves data between napari and the floors below."""
