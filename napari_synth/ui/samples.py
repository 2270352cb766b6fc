"""The sample masks under File ▸ Open Sample; they work offline and without torch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from napari_synth.datasets.image_files import read_channel, read_labels
from napari_synth.models.card import Structure
from napari_synth.ui.docks.synthesize.model_of_mask import STRUCTURE_KEY

PACKAGE = Path(__file__).resolve().parents[1]


def sample_folder() -> Path:
    """Where the samples lie: in the package, or beside it in a source tree."""
    inside = PACKAGE / "sample_data"
    return inside if inside.is_dir() else PACKAGE.parent / "sample_data"


def _mask(name: str, structure: Structure) -> list[tuple[Any, dict[str, Any], str]]:
    labels = read_labels(sample_folder() / f"{name}.tif").astype("uint16")
    metadata = {"sample": f"{name}.tif", STRUCTURE_KEY: structure}
    return [(labels, {"name": name, "metadata": metadata}, "labels")]


def nuclei_256() -> list[tuple[Any, dict[str, Any], str]]:
    """A field of 256×256 pixels."""
    return _mask("nuclei_256", "nucleus")


def nuclei_512() -> list[tuple[Any, dict[str, Any], str]]:
    """A field of 512×512 pixels."""
    return _mask("nuclei_512", "nucleus")


def axons_256() -> list[tuple[Any, dict[str, Any], str]]:
    """A field of axons of 256×256 pixels."""
    return _mask("axons_256", "axon")


def axons_512() -> list[tuple[Any, dict[str, Any], str]]:
    """A field of axons of 512×512 pixels."""
    return _mask("axons_512", "axon")


def brain_256() -> list[tuple[Any, dict[str, Any], str]]:
    """A two-channel phantom of 256×256 pixels: anatomy, the signal over it, and its labels."""
    name = "brain_256"
    anatomy, signal = (read_channel(sample_folder() / f"{name}.tif", channel) for channel in (0, 1))
    labels = read_labels(sample_folder() / f"{name}_labels.tif").astype("uint16")
    metadata = {"sample": f"{name}.tif"}
    over = {"colormap": "magenta", "blending": "additive", "visible": False}
    return [
        (anatomy, {"name": "anatomy", "colormap": "gray", "metadata": metadata}, "image"),
        (signal, {"name": "measured signal", "metadata": metadata, **over}, "image"),
        (labels, {"name": "neurons", "metadata": metadata | {STRUCTURE_KEY: "neuron"}}, "labels"),
    ]
