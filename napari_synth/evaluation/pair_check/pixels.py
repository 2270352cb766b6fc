"""A pair as the doctor looks at it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from napari_synth.datasets.image_files import open_image, open_mask


def grey_of(image: np.ndarray) -> np.ndarray:
    """Grey values ``(Y, X)`` float32; NaN and infinity become the darkest one."""
    grey = image.mean(-1, dtype=np.float32) if image.ndim == 3 else image.astype(np.float32)
    finite = np.isfinite(grey)
    return grey if finite.all() else np.where(finite, grey, grey[finite].min())


def grey_and_labels(image: Path, mask: Path) -> tuple[np.ndarray, np.ndarray]:
    """Grey values and labels of two files."""
    return grey_of(open_image(image).pixels), open_mask(mask, repair=True).pixels
