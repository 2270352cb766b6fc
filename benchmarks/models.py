"""The bundled generators, and what they are measured on."""

from __future__ import annotations

import numpy as np

from napari_synth.core.recipe import Precision
from napari_synth.models.registry import bundled_cards
from napari_synth.synthesis.architectures.registry import architecture
from napari_synth.synthesis.request import RenderRequest
from napari_synth.ui.samples import axons_256, brain_256, nuclei_256

GENERATORS = [name for name, card in bundled_cards().items() if card.role == "generator"]
NETWORKS = [name for name in GENERATORS if architecture(bundled_cards()[name].architecture).tiler is not None]
"""Those that compute with a network, and so in tiles."""


def enlarged(plane: np.ndarray, size: int) -> np.ndarray:
    """A plane continued by reflection, or cut, to ``size`` squared."""
    return np.pad(plane, [(0, max(0, size - side)) for side in plane.shape], mode="symmetric")[:size, :size]


def sample_request(name: str, size: int, precision: Precision = "exact") -> RenderRequest:
    """The sample that goes with a bundled generator, ``size`` squared, under seed 1."""
    card = bundled_cards()[name]
    if card.condition_channels:
        (anatomy, *_), _, (labels, *_) = brain_256()
        return RenderRequest(enlarged(labels, size), condition=enlarged(anatomy, size), precision=precision)
    ((labels, *_),) = nuclei_256() if card.mask_meaning == "foreground-gap" else axons_256()
    return RenderRequest(enlarged(labels, size), seed=1, precision=precision)
