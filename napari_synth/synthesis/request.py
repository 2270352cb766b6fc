"""Temporary: the names that move here."""

from napari_synth.synthesis.generator import (  # noqa: F401
    Rendering,
    RenderRequest,
    check_condition,
    check_mask,
    check_option,
)
