"""What each architecture minimises. A new one is a file here and a line in `OBJECTIVES`."""

from __future__ import annotations

from napari_synth.core.errors import unknown_name
from napari_synth.training.objectives.base import Objective

OBJECTIVES = {
    "optional-pix2pix": "pix2pix:Pix2PixObjective",
    "pix2pix": "pix2pix:Pix2PixObjective",
    "capspix2pix": "capspix2pix:CapsPix2PixObjective",
    "metgan": "metgan:MetGANObjective",
    "signal-segmentor": "signal_segmentor:SignalSegmentorObjective",
    "dvae": "dvae:DVAEObjective",
    "ising-gan": "ising:IsingObjective",
    "unet": "unet:UNetObjective",
}


def objective_class(architecture: str) -> type[Objective]:
    """The objective registered for an architecture (imported on demand)."""
    from importlib import import_module

    if architecture not in OBJECTIVES:
        raise unknown_name("architecture to train", architecture, sorted(OBJECTIVES))
    module, name = OBJECTIVES[architecture].split(":")
    return getattr(import_module(f"{__name__}.{module}"), name)
