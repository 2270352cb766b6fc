"""CapsPix2Pix as published (Bass et al. 2019)."""

from __future__ import annotations

from napari_synth.models.card import ModelCard
from napari_synth.models.importers.base import Imported, Importer, Names, State, renamed


def convert(state: State, model_id: str, options: list[str]) -> Imported:
    """The generator; its layers that are never used are left out."""
    names: Names = {"fc": "fc", "conv1": "conv1", "conv2": "conv2"}
    names |= {f"convcaps{i}.conv2d": f"convcaps{i}.conv" for i in (1, 2, 3, 4, 5, 6, 8, 9, 10)}
    names |= {f"deconvcaps{i}.deconv2d": f"deconvcaps{i}.conv" for i in (1, 2, 3)}
    card = ModelCard(
        id=model_id,
        architecture="capspix2pix",
        role="generator",
        mask_meaning="foreground",
        latent_size=100,
        network_range=(0, 1),
        tile_multiple=8,
    )
    return Imported(renamed(state, names, r"\.bn\.|^convcaps7\.|^recon"), card)


CAPSPIX2PIX = Importer("CapsPix2Pix (Bass et al. 2019)", convert)
