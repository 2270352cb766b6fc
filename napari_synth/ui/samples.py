"""The samples under File ▸ Open Sample: masks, and finished pairs; they work offline and without torch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from napari_synth.datasets.image_files import open_image, read_channel, read_labels
from napari_synth.models.card import Structure
from napari_synth.ui.docks.synthesize.model_of_mask import STRUCTURE_KEY
from napari_synth.ui.opened import EXPORTED_KEY

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


def tissue_he() -> list[tuple[Any, dict[str, Any], str]]:
    """A finished pair: crowded tissue in H&E."""
    return _finished("tissue_he")


def crowded_cells() -> list[tuple[Any, dict[str, Any], str]]:
    """A finished pair: clusters of cells in fluorescence."""
    return _finished("crowded_cells")


def axons_two_photon() -> list[tuple[Any, dict[str, Any], str]]:
    """A finished pair: axons under two photons."""
    return _finished("axons_two_photon")


def neurons_in_brain() -> list[tuple[Any, dict[str, Any], str]]:
    """A finished pair: neurons put into the anatomy of a brain."""
    return _finished("neurons_in_brain", channel=1)


def _finished(name: str, channel: int | None = None) -> list[tuple[Any, dict[str, Any], str]]:
    """The image, of which the window brings back the rest as of any exported file; without a window, the mask too."""
    import napari

    from napari_synth.ui.napari_bridge.window import open_column

    path = sample_folder() / "finished" / "images" / f"{name}.tif"
    image = open_image(path).pixels if channel is None else read_channel(path, channel)
    shown = (image, {"name": name, "metadata": {EXPORTED_KEY: str(path)}}, "image")
    viewer = napari.current_viewer()
    if viewer is not None:
        open_column(viewer)
        return [shown]
    labels = read_labels(path.parents[1] / "masks" / path.name).astype("uint16")
    return [shown, (labels, {"name": f"{name} mask"}, "labels")]
