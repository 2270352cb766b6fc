"""The styles that come with a model, read without torch."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from safetensors import safe_open

from napari_synth.models.registry import model_card, resolve_model


@dataclass(frozen=True, eq=False)
class StyleBank:
    """Codes of training images.

    Attributes
    ----------
    codes, spreads : ndarray, shape (option, member, number), float32
        The codes, and how uncertain each of their numbers is.
    """

    codes: np.ndarray
    spreads: np.ndarray


def style_bank(name: str | Path) -> StyleBank | None:
    """The bank of a bundled id or a path; None for a model without styles."""
    if not model_card(name).style_size:
        return None
    path = resolve_model(name)
    return _bank_of(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=8)
def _bank_of(path: Path, modified: int) -> StyleBank:
    with safe_open(str(path), "numpy") as file:
        return StyleBank(*(file.get_tensor(key).astype(np.float32) for key in ("bank", "bank_spread")))
