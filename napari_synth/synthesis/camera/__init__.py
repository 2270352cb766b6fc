"""What the optics and the camera of a microscope do to an image."""

from napari_synth.synthesis.camera.photograph import (
    GreyRange,
    grey_range_of,
    photograph,
    photograph_part,
    photographed_box,
    reach,
)

__all__ = ["GreyRange", "grey_range_of", "photograph", "photograph_part", "photographed_box", "reach"]
