"""Temporary: the names that move here."""

from napari_synth.synthesis.live.canvas import Mode  # noqa: F401
