"""napari-synth: paint or sample nuclei, pick a look, see the image, export the pairs.

>>> import napari_synth as ns
>>> model = ns.load_model("optional-pix2pix-nuclei")
>>> rendering = model.render(mask, option="he", seed=7)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from napari_synth.api import (
        check_pairs,
        compose_masks,
        export,
        field_settings,
        fit_field,
        load_model,
        measure_masks,
        recipe_of,
        replay,
        shape_library,
        style_of,
        train,
    )
    from napari_synth.core.recipe import CameraSettings, FieldSettings, Intervention, Recipe, read_recipe
    from napari_synth.evaluation.microscope.ask import fit_camera
    from napari_synth.evaluation.questions import does_it_help, evaluate_realism, fine_tune
    from napari_synth.exporting.given_camera import camera_of
    from napari_synth.exporting.in_shards import export_shards, finish_export, verify_export
    from napari_synth.exporting.pair_dataset import PairDataset
    from napari_synth.synthesis.camera import photograph
    from napari_synth.synthesis.generator import Generator
    from napari_synth.synthesis.request import Rendering, RenderRequest

__all__ = [
    "CameraSettings",
    "FieldSettings",
    "Generator",
    "Intervention",
    "PairDataset",
    "Recipe",
    "RenderRequest",
    "Rendering",
    "__version__",
    "camera_of",
    "check_pairs",
    "compose_masks",
    "does_it_help",
    "evaluate_realism",
    "export",
    "export_shards",
    "field_settings",
    "fine_tune",
    "finish_export",
    "fit_camera",
    "fit_field",
    "load_model",
    "measure_masks",
    "photograph",
    "read_recipe",
    "recipe_of",
    "replay",
    "shape_library",
    "style_of",
    "train",
    "verify_export",
]

_ELSEWHERE = {
    "PairDataset": "exporting.pair_dataset",
    "export_shards": "exporting.in_shards",
    "finish_export": "exporting.in_shards",
    "verify_export": "exporting.in_shards",
    "fit_camera": "evaluation.microscope.ask",
    "camera_of": "exporting.given_camera",
    "photograph": "synthesis.camera",
    "CameraSettings": "core.recipe",
    "FieldSettings": "core.recipe",
    "Intervention": "core.recipe",
    "Recipe": "core.recipe",
    "read_recipe": "core.recipe",
    "does_it_help": "evaluation.questions",
    "evaluate_realism": "evaluation.questions",
    "fine_tune": "evaluation.questions",
    "Generator": "synthesis.generator",
    "RenderRequest": "synthesis.request",
    "Rendering": "synthesis.request",
}
"""Modules of the public names that are not in `api`."""


def __getattr__(name: str) -> object:
    """Load public names on first use, so that importing the package costs nothing."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_ELSEWHERE.get(name, 'api')}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
