"""Write the card of pbam-axons, a generator without weights.

python docs/scripts/make_pbam.py
"""

from __future__ import annotations

from napari_synth.datasets.axons import AppearanceSettings
from napari_synth.models.card import ModelCard
from napari_synth.models.checkpoint import SUFFIX, save_model
from napari_synth.models.registry import WEIGHTS_FOLDER

CARD = ModelCard(
    id="pbam-axons",
    title="Two-photon axons, physics-based",
    architecture="pbam",
    hyper=AppearanceSettings().model_dump(),
    role="generator",
    mask_meaning="foreground",
    licence="BSD-3-Clause",
    notes=(
        "Needs no training: Gaussian profile of the axon's width, brightness that varies along it, blur, white and "
        "coloured noise (the physics-based appearance model of Bass et al. 2019). The settings were chosen by eye."
    ),
)

if __name__ == "__main__":
    save_model(WEIGHTS_FOLDER / f"{CARD.id}{SUFFIX}", CARD, {})
