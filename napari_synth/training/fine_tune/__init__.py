"""My look: a few pairs of one's own teach a trained generator with styles a look of its own."""
