"""Every touch of napari's events, its private API and Qt threads."""
