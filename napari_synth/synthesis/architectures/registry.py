"""Architectures that render, by name; loads without torch.

A new one is a network (`models.architectures`), a file with a record here and a line in `RECORDS`, and an
objective to train it (`training.objectives`).
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from napari_synth.core.errors import unknown_name
from napari_synth.synthesis.architectures.record import Architecture

if TYPE_CHECKING:
    from napari_synth.models.card import ModelCard
    from napari_synth.nets.capsule_stages import Stage

RECORDS: dict[str, str] = {
    "optional-pix2pix": "pix2pix:PIX2PIX",
    "pix2pix": "pix2pix:PIX2PIX",
    "pix2pix-resnet": "pix2pix_resnet:PIX2PIX_RESNET",
    "capspix2pix": "capspix2pix:CAPSPIX2PIX",
    "pbam": "pbam:PBAM",
    "metgan": "metgan:METGAN",
    "metgan-published": "metgan:METGAN",
    "metgan-unet": "metgan:METGAN_UNET",
    "foreign": "foreign:FOREIGN",
    "ising-gan": "ising:ISING",
}
"""Name to module (of this package, or with all its dots) and record; loaded only when asked for."""


def architecture(name: str) -> Architecture:
    """The record of an architecture.

    Raises
    ------
    InputError
        If there is none of this name.
    TypeError
        If its line in `RECORDS` leads to something else.
    """
    if name not in RECORDS:
        raise unknown_name("architecture that renders", name, list(RECORDS))
    module, attribute = RECORDS[name].split(":")
    record = getattr(import_module(module if "." in module else f"{__package__}.{module}"), attribute)
    if not isinstance(record, Architecture):
        raise TypeError(f"{RECORDS[name]} is a {type(record).__name__}, not an Architecture")
    return record


def stages_of(card: ModelCard) -> tuple[Stage, ...]:
    """Layers of a capsule network; empty for any other model."""
    return architecture(card.architecture).stages if card.architecture in RECORDS else ()


def has_noise(card: ModelCard) -> bool:
    """Whether another seed gives another image of the same mask."""
    return card.architecture in RECORDS and architecture(card.architecture).has_noise(card)
