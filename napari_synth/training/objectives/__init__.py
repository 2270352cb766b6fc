"""What each architecture minimises. A new one is a file here and a line in `OBJECTIVES`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_synth.core.registry import Registry

if TYPE_CHECKING:
    from napari_synth.training.objectives.base import Objective

OBJECTIVES: Registry[str] = Registry(
    "architecture to train",
    {
        "optional-pix2pix": "pix2pix:Pix2PixObjective",
        "pix2pix": "pix2pix:Pix2PixObjective",
        "capspix2pix": "capspix2pix:CapsPix2PixObjective",
        "metgan": "metgan:MetGANObjective",
        "signal-segmentor": "signal_segmentor:SignalSegmentorObjective",
        "dvae": "dvae:DVAEObjective",
        "unet": "unet:UNetObjective",
    },
)
"""Name to module (of this package, or with all its dots) and class; loaded only when asked for."""


def objective_class(architecture: str) -> type[Objective]:
    """The objective registered for an architecture (imported on demand)."""
    from importlib import import_module

    module, name = OBJECTIVES[architecture].split(":")
    found: type[Objective] = getattr(import_module(module if "." in module else f"{__name__}.{module}"), name)
    return found
