"""Hashes of what goes into a recipe, and the versions that made it."""

from __future__ import annotations

import hashlib
from importlib.metadata import PackageNotFoundError, version

import numpy as np


def mask_hash(labels: np.ndarray) -> str:
    """SHA-256 of a label image: its shape and its int32 values."""
    digest = hashlib.sha256(str(labels.shape).encode())
    digest.update(np.ascontiguousarray(labels, np.int32).tobytes())
    return digest.hexdigest()


def image_hash(image: np.ndarray) -> str:
    """SHA-256 of an image: its shape, dtype and values."""
    digest = hashlib.sha256(f"{image.shape} {image.dtype.name}".encode())
    digest.update(np.ascontiguousarray(image).tobytes())
    return digest.hexdigest()


def versions() -> dict[str, str]:
    """Versions of the programs an image depends on."""
    found = {}
    for name in ("napari-synth", "torch", "numpy"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "unknown"
    return found
