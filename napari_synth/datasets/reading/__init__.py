"""What is in an image file: one decoder per family of formats, one meaning for all of them."""
