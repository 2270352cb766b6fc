"""What every 2-D input must be."""

from __future__ import annotations

import numpy as np

from napari_synth.core.errors import InputError


def check_plane(array: np.ndarray, what: str, kind: str) -> None:
    """Raise `InputError` when an array is not 2-D or has no pixels; ``what`` it is, and the ``kind`` that is needed."""
    if array.ndim != 2:
        raise InputError(
            f"{what} has {array.ndim} dimensions (shape {array.shape}), but a 2-D {kind} is needed.",
            "Choose one plane of it.",
        )
    if array.size == 0:
        raise InputError(f"{what} has no pixels (shape {array.shape}).", f"Choose another {kind}.")
