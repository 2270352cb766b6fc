"""What each architecture minimises. A new one is a file here and a line in `OBJECTIVES`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_synth.core.errors import unknown_name
from napari_synth.core.registry import Registry

if TYPE_CHECKING:
    from napari_synth.training.objectives.base import Objective

OBJECTIVES: Registry[tuple[str, ...]] = Registry(
    "architecture to train",
    {
        "optional-pix2pix": (
            "styled:StyledObjective",
            "pix2pix:Pix2PixObjective",
            "napari_synth.training.fine_tune.objective:FineTuneObjective",
        ),
        "pix2pix": ("pix2pix:Pix2PixObjective",),
        "capspix2pix": ("capspix2pix:CapsPix2PixObjective",),
        "metgan": ("metgan_hinge:HingeMetGANObjective", "metgan:MetGANObjective"),
        "signal-segmentor": ("signal_segmentor:SignalSegmentorObjective",),
        "dvae": ("dvae:DVAEObjective",),
        "ising-gan": ("ising:IsingObjective",),
        "unet": ("unet:UNetObjective",),
    },
)
"""Name to modules (of this package, or with all their dots) and classes; loaded only when asked for.
Of several objectives for one architecture, the first that has the preset is taken."""


def objective_class(architecture: str, preset: str = "paper") -> type[Objective]:
    """The objective registered for an architecture and a preset of it (imported on demand).

    Raises
    ------
    InputError
        If there is no such architecture, or none of its objectives has the preset.
    """
    from importlib import import_module

    known: set[str] = set()
    for entry in OBJECTIVES[architecture]:
        module, name = entry.split(":")
        found: type[Objective] = getattr(import_module(module if "." in module else f"{__name__}.{module}"), name)
        if preset in found.presets:
            return found
        known |= set(found.presets)
    raise unknown_name("preset", preset, sorted(known))
