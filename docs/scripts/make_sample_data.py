"""Make the samples of ``sample_data/``: masks of nuclei and axons, a two-channel phantom, and finished pairs.

python docs/scripts/make_sample_data.py
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from napari_synth.api import compose_masks, load_model
from napari_synth.core.recipe import FieldSettings, FileSource, ImageFileSource, image_hash, mask_hash
from napari_synth.core.recipe.sources import ConditionSource, MaskSource
from napari_synth.datasets.axons import AxonSettings, axon_mask
from napari_synth.datasets.image_files import read_channel, read_labels
from napari_synth.datasets.phantoms import PhantomSettings, two_channel_phantom
from napari_synth.exporting.formats.base import PixelSize
from napari_synth.exporting.formats.tiff import stored_labels, write_tiff
from napari_synth.models.defaults import DEFAULT_CAPSULES, DEFAULT_GENERATOR, DEFAULT_TWO_CHANNEL
from napari_synth.synthesis.recipes import masks_recipe

FOLDER = Path(__file__).parents[2] / "sample_data"
FIRST: dict[str, Any] = {"composer": 1, "sampler": "prior", "spread": 0.7, "count_sd": 0}
"""How fields were composed when these masks were made: whoever made something of them keeps the same masks."""
MASKS = {
    "nuclei_256": FieldSettings(count_mean=24, **FIRST),
    "nuclei_512": FieldSettings(height=512, width=512, count_mean=22, area_mean=850, **FIRST),
}
AXONS = {
    "axons_256": AxonSettings(axons=4.5, boutons=0.02, radius=2.0, bouton_radius=4.2),
    "axons_512": AxonSettings(height=512, width=512, axons=3, boutons=0.02, radius=2.0, bouton_radius=4.2),
}


@dataclass(frozen=True)
class Finished:
    """A pair with its recipe: mask and everything that makes the image of it."""

    name: str
    model: str
    source: MaskSource
    labels: np.ndarray
    option: str | None = None
    conditions: list[ConditionSource] = field(default_factory=list)
    condition: np.ndarray | None = None


def finished() -> Iterator[Finished]:
    """One for each kind of reader: pathology, cultured cells, axons, whole brains."""
    tissue = FieldSettings(count_mean=45, count_sd=0, area_mean=330, area_sd=120)
    crowd = FieldSettings(count_mean=40, count_sd=0, area_mean=620, spacing="clusters", cluster_size=9)
    for name, settings, option in (("tissue_he", tissue, "he"), ("crowded_cells", crowd, "fluorescence")):
        source, composed = next(compose_masks(settings, seed=21))
        yield Finished(name, DEFAULT_GENERATOR, source, composed.labels, option)
    axons = read_labels(FOLDER / "axons_256.tif")
    yield Finished("axons_two_photon", DEFAULT_CAPSULES, beside("axons_256.tif", axons), axons)
    anatomy = read_channel(FOLDER / "brain_256.tif", 0)
    neurons = read_labels(FOLDER / "brain_256_labels.tif")
    below = ImageFileSource(path="../../brain_256.tif", channel=0, sha256=image_hash(anatomy))
    source = beside("brain_256_labels.tif", neurons)
    yield Finished("neurons_in_brain", DEFAULT_TWO_CHANNEL, source, neurons, None, [below], anatomy)


def beside(file: str, labels: np.ndarray) -> FileSource:
    """A mask of this folder, as seen from the images of finished pairs."""
    return FileSource(path=f"../../{file}", sha256=mask_hash(labels))


def write_finished(pair: Finished) -> None:
    """``finished/images/NAME.tif`` with its recipe, and ``finished/masks/NAME.tif``."""
    model: Any = load_model(pair.model, "cpu")
    rendering = model.render(pair.labels, pair.option, 1, condition=pair.condition)
    options = [pair.option] if pair.option else []
    recipe = masks_recipe(pair.model, [pair.source], conditions=pair.conditions, options=options)
    recipe = recipe.model_copy(update={"model_sha256": model.sha256, "style": list(rendering.style) or None})
    image, channels = rendering.image, ()
    if pair.condition is not None:
        image = np.stack([pair.condition, image])
        channels = (model.card.condition_channels[0], model.card.output_channel)
    for kind in ("images", "masks"):
        (FOLDER / "finished" / kind).mkdir(parents=True, exist_ok=True)
    text, file = recipe.to_yaml(), f"{pair.name}.tif"
    write_tiff(FOLDER / "finished" / "masks" / file, stored_labels(pair.labels), text, PixelSize())
    write_tiff(FOLDER / "finished" / "images" / file, image, text, PixelSize(), channels=channels)


def main() -> None:
    """Write one TIFF per entry of `MASKS` and `AXONS`, the phantom, and the `finished` pairs."""
    for name, settings in MASKS.items():
        source, field = next(compose_masks(settings, seed=11))
        recipe = masks_recipe(DEFAULT_GENERATOR, [source])
        write_tiff(FOLDER / f"{name}.tif", stored_labels(field.labels), recipe.to_yaml(), PixelSize())
        print(f"{name}: {field.placed} nuclei")
    for name, settings in AXONS.items():
        labels = axon_mask(settings, seed=3)
        write_tiff(FOLDER / f"{name}.tif", stored_labels(labels), "", PixelSize())
        print(f"{name}: {labels.max()} axons")
    anatomy, signal, labels = two_channel_phantom(PhantomSettings(), seed=5)
    write_tiff(FOLDER / "brain_256.tif", np.stack([anatomy, signal]), "", PixelSize(), channels=("anatomy", "signal"))
    write_tiff(FOLDER / "brain_256_labels.tif", stored_labels(labels), "", PixelSize())
    print(f"brain_256: {np.unique(labels[labels > 0]).size} neurons")
    for pair in finished():
        write_finished(pair)
        print(f"finished: {pair.name}")


if __name__ == "__main__":
    main()
