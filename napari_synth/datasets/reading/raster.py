"""PNG, JPEG and BMP."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
from PIL import Image

from napari_synth.datasets.reading.colours import rgb_of_cmyk
from napari_synth.datasets.reading.orientation import TAG, upright
from napari_synth.datasets.reading.stored import Stored, check_size, damaged

KINDS = ("PNG", "JPEG", "BMP")
DEEP = 16
"""Bits of a sample for which Pillow would keep the upper eight."""


def read_raster(path: Path) -> Stored:
    """Decode a PNG, JPEG or BMP file."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with Image.open(path, formats=KINDS) as image:
            mode, bits = image.mode, _png_bits(path)
            deep = bits == DEEP and mode in ("RGB", "RGBA", "LA")
            check_size(path, (image.height, image.width, len(image.getbands())), _itemsize(mode, deep))
            pixels = _deep(path) if deep else np.asarray(image)
            palette = _palette(image) if mode == "P" else None
            alpha = _palette_alpha(image, pixels) if mode == "P" else None
            orientation = int(image.getexif().get(TAG, 1))
    remarks = []
    if mode == "CMYK":
        pixels = rgb_of_cmyk(pixels)
        remarks.append(f"{path.name} is stored in CMYK and was converted to RGB.")
    if mode.startswith("I"):
        pixels = pixels.astype(np.uint16 if pixels.min() >= 0 and pixels.max() < 2**16 else np.int32)
    if mode == "L" and bits in (2, 4):
        pixels = pixels // (255 // (2**bits - 1))  # the decoder spreads small numbers over the whole range
    if pixels.ndim == 3 and pixels.shape[-1] in (2, 4):
        alpha, pixels = pixels[..., -1], pixels[..., :-1]
    if pixels.ndim == 3 and pixels.shape[-1] == 1:
        pixels = pixels[..., 0]
    if pixels.ndim not in (2, 3):
        raise damaged(path)
    if orientation in range(2, 9):
        pixels = upright(pixels, orientation)
        alpha = None if alpha is None else upright(alpha, orientation)
        remarks.append(f"{path.name} says that it lies turned (orientation {orientation}) and was set upright.")
    return Stored(path, pixels, "YXS"[: pixels.ndim], palette=palette, alpha=alpha, remarks=tuple(remarks))


def _itemsize(mode: str, deep: bool) -> int:
    """Bytes of a value, unpacked."""
    return 4 if mode in ("I", "F") else 2 if deep or mode.startswith("I") else 1


def _png_bits(path: Path) -> int:
    """Bits per sample of a PNG file; 8 for the others."""
    with path.open("rb") as file:
        head = file.read(25)
    return head[24] if len(head) == 25 and head.startswith(b"\x89PNG") else 8


def _deep(path: Path) -> np.ndarray:
    """A colour PNG of 16 bits."""
    import imagecodecs

    return np.asarray(imagecodecs.png_decode(path.read_bytes()))


def _palette(image: Image.Image) -> np.ndarray:
    colours = np.array(image.getpalette("RGB") or [0, 0, 0], np.uint8)
    return colours.reshape(-1, 3)


def _palette_alpha(image: Image.Image, indices: np.ndarray) -> np.ndarray | None:
    """Opacity of each pixel where the palette has transparent colours."""
    transparency = image.info.get("transparency")
    if transparency is None:
        return None
    table = np.full(256, 255, np.uint8)
    if isinstance(transparency, bytes):
        table[: len(transparency)] = np.frombuffer(transparency, np.uint8)
    else:
        table[int(transparency)] = 0
    opacity: np.ndarray = table[indices]
    return opacity
