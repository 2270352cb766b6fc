"""Make the samples of ``sample_data/``: masks of nuclei and axons, and a two-channel phantom.

python docs/scripts/make_sample_data.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from napari_synth.api import compose_masks
from napari_synth.core.recipe import FieldSettings
from napari_synth.datasets.axons import AxonSettings, axon_mask
from napari_synth.datasets.phantoms import PhantomSettings, two_channel_phantom
from napari_synth.exporting.formats.base import PixelSize
from napari_synth.exporting.formats.tiff import stored_labels, write_tiff
from napari_synth.models.defaults import DEFAULT_GENERATOR
from napari_synth.synthesis.recipes import masks_recipe

FOLDER = Path(__file__).parents[2] / "sample_data"
MASKS = {
    "nuclei_256": FieldSettings(count_mean=24, count_sd=0),
    "nuclei_512": FieldSettings(height=512, width=512, count_mean=22, count_sd=0, area_mean=850),
}
AXONS = {
    "axons_256": AxonSettings(axons=4.5, boutons=0.02, radius=2.0, bouton_radius=4.2),
    "axons_512": AxonSettings(height=512, width=512, axons=3, boutons=0.02, radius=2.0, bouton_radius=4.2),
}


def main() -> None:
    """Write one TIFF per entry of `MASKS` and `AXONS`."""
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
    print(f"brain_256: {labels.max()} neurons")


if __name__ == "__main__":
    main()
