"""All that touches napari's events and private parts."""
