"""Image-label pairs on disk, one small writer per format."""
