"""napari-synth: paint or sample nuclei, pick a look, see the image, export the pairs.

>>> import napari_synth as ns
>>> model = ns.load_model("optional-pix2pix-nuclei")
>>> rendering = model.render(mask, option="he", seed=7)
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_PUBLIC = {
    "load_model": "napari_synth.api",
    "compose_masks": "napari_synth.api",
    "field_settings": "napari_synth.api",
    "fit_field": "napari_synth.api",
    "measure_masks": "napari_synth.api",
    "shape_library": "napari_synth.api",
    "export_recipe": "napari_synth.api",
    "replay": "napari_synth.api",
    "Intervention": "napari_synth.core.recipe",
    "RenderRequest": "napari_synth.synthesis.request",
    "Recipe": "napari_synth.core.recipe",
    "FieldSettings": "napari_synth.core.recipe",
    "read_recipe": "napari_synth.core.recipe",
}
__all__ = ["__version__", *_PUBLIC]


def __getattr__(name: str) -> Any:
    """Load public names on first use, so that importing the package costs nothing."""
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_PUBLIC[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
