"""Fields of nuclei: sample shapes, place them, keep every instance apart."""
