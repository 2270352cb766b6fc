# ruff: noqa: E501
"""Files as programs write them, with what they must mean: for the tests, and for the table in docs/formats.md."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import imagecodecs
import numpy as np
import tifffile
from PIL import Image, ImageOps

SHAPE = (48, 40)


def labels() -> np.ndarray:
    """Three nuclei, two of which touch."""
    mask = np.zeros(SHAPE, np.uint8)
    mask[5:20, 4:16], mask[5:20, 16:30], mask[28:44, 10:33] = 1, 2, 3
    return mask


def binary() -> np.ndarray:
    return (labels() > 0).astype(np.uint8)


def rgb() -> np.ndarray:
    """A smooth picture without a symmetry."""
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    return np.stack([4 * y + x, 255 - 3 * y, 6 * x], -1).clip(0, 255).astype(np.uint8)


def grey() -> np.ndarray:
    return rgb()[..., 0]


@dataclass(frozen=True)
class Kind:
    """One way to store ``labels()``, ``binary()``, ``rgb()`` or ``grey()``.

    ``tolerance`` is the largest mean difference; ``remark`` a word of what is said, empty for nothing.
    """

    group: str
    name: str
    suffix: str
    write: Callable[[Path], object]
    meaning: Callable[[], np.ndarray]
    tolerance: float = 0.0
    remark: str = ""

    @property
    def is_mask(self) -> bool:
        return self.meaning in (labels, binary)


def _tif(array, **given):
    return lambda path: tifffile.imwrite(path, array, **given)


def _png(array, mode=None, **given):
    return lambda path: (
        Image.fromarray(array, mode).save(path, **given) if mode else Image.fromarray(array).save(path, **given)
    )


def _palette(indices, colours, **given):
    def write(path):
        image = Image.fromarray(indices)
        image.putpalette(bytes(np.asarray(colours, np.uint8).ravel()))
        image.save(path, **given)

    return write


def _exif(array, tag, **given):
    """Stored so that a viewer that obeys the tag shows ``array``: Pillow's transpose turns it upright."""

    def write(path):
        for steps in range(8):
            turned = np.rot90(array[:, ::-1] if steps > 3 else array, steps % 4)
            image = Image.fromarray(np.ascontiguousarray(turned))
            exif = Image.Exif()
            exif[274] = tag
            image.info["exif"] = exif.tobytes()
            image.getexif()[274] = tag
            shown = np.asarray(ImageOps.exif_transpose(image))
            if shown.shape == array.shape and (shown == array).all():
                image.save(path, exif=exif, **given)
                return
        raise AssertionError(tag)

    return write


def _turned_tif(tag, array):
    """TIFF 6.0: the corner where the first row and column of the stored pixels lie."""
    stored = {2: array[:, ::-1], 3: array[::-1, ::-1], 4: array[::-1], 5: array.swapaxes(0, 1),
              6: np.rot90(array), 7: array[::-1, ::-1].swapaxes(0, 1), 8: np.rot90(array, -1)}[tag]  # fmt: skip
    return _tif(np.ascontiguousarray(stored), extratags=[(274, 3, 1, tag, True)], metadata=None)


def _zarr(array, axes, version, scale=None, as_labels=False):
    def write(path):
        import zarr

        group = zarr.open_group(str(path), mode="w", zarr_format=2 if version == "0.4" else 3)
        entry = {
            "axes": [{"name": a, "type": "channel" if a == "c" else "space", "unit": "micrometer"} for a in axes],
            "datasets": [
                {"path": "0", "coordinateTransformations": [{"type": "scale", "scale": scale or [1.0] * len(axes)}]}
            ],
        }
        attributes = {"multiscales": [{"version": version, **entry}]}
        if version != "0.4":
            attributes = {"ome": {"version": version, "multiscales": [entry]}}
        group.attrs.update(attributes)
        group.create_array("0", data=array)
        if as_labels:
            child = group.create_group("labels")
            child.attrs.update({"labels": ["nuclei"]} if version == "0.4" else {"ome": {"labels": ["nuclei"]}})
            _zarr(labels(), "yx", version)(Path(path) / "labels" / "nuclei")

    return write


def _alpha(colour, opacity):
    mode = np.full((*SHAPE, 3), colour, np.uint8)
    return np.dstack([mode, opacity])


WHITE_FIRST = [(255, 255, 255), (200, 30, 30), (30, 200, 30), (30, 30, 200)]
BLACK_FIRST = [(0, 0, 0), (255, 0, 0), (0, 255, 0), (0, 0, 255)]
GREYS = [(0, 0, 0), (85, 85, 85), (170, 170, 170), (255, 255, 255)]

CODECS = ["lzw", "zlib", "packbits", "zstd", "lzma", "jpegxl", "png", "webp"]
L, B, R, G = labels, binary, rgb, grey


def _kinds() -> list[Kind]:
    a, b, c, g = labels(), 255 * binary(), rgb(), grey()
    ink = np.dstack([255 - c, np.zeros(SHAPE, np.uint8)])
    kinds = [Kind("TIFF codecs", f"mask, {codec}", ".tif", _tif(a, compression=codec), L) for codec in CODECS[:6]]
    kinds += [Kind("TIFF codecs", f"image, {codec}", ".tif", _tif(c, photometric="rgb", compression=codec), R)
              for codec in ("lzw", "jpegxl", "png")]  # fmt: skip
    kinds += [
        Kind("TIFF codecs", "image, JPEG in TIFF", ".tif", _tif(c, photometric="rgb", compression="jpeg"), R, 4),
        Kind("TIFF codecs", "mask, LZW with predictor", ".tif", _tif(a.astype(np.uint16), compression="lzw", predictor=2), L),
        Kind("TIFF codecs", "mask, tiles", ".tif", _tif(np.pad(a, ((0, 0), (0, 0))), tile=(16, 16), compression="zlib"), L),
        Kind("TIFF codecs", "mask, fax group 4", ".tif", _png(b > 0, compression="group4"), B),
        Kind("TIFF codecs", "mask, fax group 3", ".tif", _png(b > 0, compression="group3"), B),
        Kind("TIFF codecs", "mask, BigTIFF", ".tif", _tif(a, bigtiff=True), L),
        Kind("TIFF codecs", "mask, big endian, 32 bits", ".tiff", _tif(a.astype(np.uint32), byteorder=">"), L),
        Kind("Palette", "mask, PNG, white first", ".png", _palette(a, WHITE_FIRST), L),
        Kind("Palette", "mask, PNG, black first", ".png", _palette(a, BLACK_FIRST), L),
        Kind("Palette", "mask, PNG of 2 bits", ".png", _palette(a, BLACK_FIRST, bits=2), L),
        Kind("Palette", "mask, PNG with a transparent colour", ".png", _palette(a, BLACK_FIRST, transparency=0), L),
        Kind("Palette", "mask, BMP", ".bmp", _palette(a, WHITE_FIRST), L),
        Kind("Palette", "mask, TIFF", ".tif", _palette(a, WHITE_FIRST), L),
        Kind("Palette", "image in colours, PNG", ".png", lambda p: Image.fromarray(c).quantize(256).save(p), R, 12),
        Kind("Palette", "image in greys, PNG", ".png", _palette(g, np.repeat(np.arange(256)[:, None], 3, 1)), G),
        Kind("Palette", "image in greys reversed, TIFF", ".tif", _palette(255 - g, np.repeat(np.arange(255, -1, -1)[:, None], 3, 1)), G),
        Kind("White is zero", "mask, 1 bit", ".tif", _tif(~(b > 0), photometric="miniswhite", software="scanner", metadata=None), B, 0, "white as zero"),
        Kind("White is zero", "mask, 8 bit", ".tif", _tif(255 - b, photometric="miniswhite"), B, 0, "white as zero"),
        Kind("White is zero", "labels as shown", ".tif", _tif(255 - a, photometric="miniswhite"), L, 0, "white as zero"),
        Kind("White is zero", "labels as numbers", ".tif", _tif(a, photometric="miniswhite"), L, 0, "are the labels"),
        Kind("White is zero", "mask, ImageJ's inverting LUT", ".tif", _tif(b, imagej=True, photometric="miniswhite"), B, 0, "are the labels"),
        Kind("White is zero", "mask, boolean array of tifffile", ".tif", _tif(b > 0), B, 0, "are the labels"),
        Kind("White is zero", "image, 8 bit", ".tif", _tif(255 - g, photometric="miniswhite"), G, 0, "white as zero"),
        Kind("White is zero", "image, 16 bit", ".tif", _tif(65535 - g.astype(np.uint16), photometric="miniswhite"), G, 0, "white as zero"),
        Kind("Colours", "CMYK JPEG", ".jpg", lambda p: Image.fromarray(c).convert("CMYK").save(p, quality=95), R, 4, "CMYK"),
        Kind("Colours", "CMYK TIFF", ".tif", _tif(ink, photometric="separated"), R, 0, "CMYK"),
        Kind("Colours", "CMYK TIFF, planes", ".tif", _tif(np.moveaxis(ink, -1, 0).copy(), photometric="separated", planarconfig="separate"), R, 0, "CMYK"),
        Kind("Colours", "YCbCr TIFF", ".tif", lambda p: tifffile.imwrite(p, np.asarray(Image.fromarray(c).convert("YCbCr")), photometric="ycbcr"), R, 2, "YCbCr"),
        Kind("Colours", "RGB, planes", ".tif", _tif(np.moveaxis(c, -1, 0).copy(), photometric="rgb", planarconfig="separate"), R),
        Kind("Colours", "OME-TIFF, CYX", ".ome.tif", _tif(np.moveaxis(c, -1, 0).copy(), ome=True, photometric="minisblack", metadata={"axes": "CYX"}), R, 0, "red, green and blue"),
        Kind("Colours", "ImageJ composite of three", ".tif", _tif(np.moveaxis(c, -1, 0).copy(), imagej=True, metadata={"axes": "CYX"}), R, 0, "red, green and blue"),
        Kind("Colours", "NPY, channels first", ".npy", lambda p: np.save(p, np.moveaxis(c, -1, 0)), R, 0, "red, green and blue"),
        Kind("Colours", "PNG of 16 bits", ".png", lambda p: Path(p).write_bytes(imagecodecs.png_encode(c.astype(np.uint16) * 257)), R),
        Kind("Colours", "JPEG", ".jpg", _png(c, quality=95), R, 4),
        Kind("Colours", "BMP", ".bmp", _png(c), R),
        Kind("Alpha", "mask in alpha, white", ".png", _png(_alpha(255, b)), B, 0, "alpha channel is the mask"),
        Kind("Alpha", "mask in alpha, black", ".png", _png(_alpha(0, b)), B, 0, "alpha channel is the mask"),
        Kind("Alpha", "mask in alpha, grey PNG", ".png", _png(np.dstack([np.full(SHAPE, 9, np.uint8), b]), "LA"), B, 0, "alpha channel is the mask"),
        Kind("Alpha", "mask in alpha, TIFF", ".tif", _tif(_alpha(0, b), photometric="rgb", extrasamples=["unassalpha"]), B, 0, "alpha channel is the mask"),
        Kind("Alpha", "labels with opaque alpha", ".png", _png(np.dstack([a, a, a, np.full(SHAPE, 255, np.uint8)])), L),
        Kind("Alpha", "labels with an idle alpha", ".png", _png(np.dstack([a, a, a, g])), L, 0, "alpha channel"),
        Kind("Alpha", "image, RGBA", ".png", _png(np.dstack([c, np.full(SHAPE, 255, np.uint8)])), R),
        Kind("Alpha", "image, RGBA with holes", ".tif", _tif(np.dstack([c, b]), photometric="rgb", extrasamples=["unassalpha"]), R, 0, "not used"),
        Kind("Alpha", "image, grey with alpha", ".png", _png(np.dstack([g, np.full(SHAPE, 255, np.uint8)]), "LA"), G),
        Kind("Axes of length 1", "(1, Y, X)", ".tif", _tif(a[None]), L),
        Kind("Axes of length 1", "(Y, X, 1)", ".tif", _tif(a[..., None]), L),
        Kind("Axes of length 1", "(1, 1, 1, Y, X), OME", ".ome.tif", _tif(a[None, None, None], ome=True, metadata={"axes": "TZCYX"}), L),
        Kind("Axes of length 1", "(1, Y, X), ImageJ", ".tif", _tif(a[None], imagej=True), L),
        Kind("Axes of length 1", "(1, Y, X), NPY", ".npy", lambda p: np.save(p, a[None]), L),
        Kind("Axes of length 1", "(Y, X, 1), NPY", ".npy", lambda p: np.save(p, a[..., None]), L),
        Kind("Axes of length 1", "(1, Y, X, 3) image", ".tif", _tif(c[None], photometric="rgb"), R),
        Kind("Numbers", "PNG of 1 bit", ".png", _png(b > 0), B),
        Kind("Numbers", "PNG of 2 bits", ".png", lambda p: Path(p).write_bytes(_grey_png(a, 2)), L),
        Kind("Numbers", "PNG of 4 bits", ".png", lambda p: Path(p).write_bytes(_grey_png(a, 4)), L),
        Kind("Numbers", "PNG of 16 bits", ".png", _png(a.astype(np.uint16)), L),
        Kind("Numbers", "grey saved as RGB", ".png", _png(np.dstack([a, a, a])), L),
        Kind("Numbers", "whole floats", ".tif", _tif(a.astype(np.float32)), L),
        Kind("Numbers", "64-bit NPY", ".npy", lambda p: np.save(p, a.astype(np.int64)), L),
        Kind("Numbers", "boolean NPY", ".npy", lambda p: np.save(p, b > 0), B),
        Kind("Numbers", "NPZ called labels", ".npz", lambda p: np.savez(p, image=c, labels=a), L),
        Kind("Numbers", "NPZ of one array", ".npz", lambda p: np.savez_compressed(p, anything=a), L),
        Kind("Numbers", "one colour beside black", ".png", _png(np.dstack([b, 0 * b, 0 * b])), B, 0, "one colour"),
        Kind("OME-Zarr", "labels, 0.4", ".zarr", _zarr(a, "yx", "0.4"), L),
        Kind("OME-Zarr", "labels, 0.5", ".zarr", _zarr(a, "yx", "0.5"), L),
        Kind("OME-Zarr", "labels, tczyx", ".zarr", _zarr(a[None, None, None], "tczyx", "0.4"), L),
        Kind("OME-Zarr", "labels beside an image", ".zarr", _zarr(g, "yx", "0.5", as_labels=True), L),
        Kind("OME-Zarr", "image, cyx", ".zarr", _zarr(np.moveaxis(c, -1, 0).copy(), "cyx", "0.4"), R, 0, "red, green"),
        Kind("OME-Zarr", "image, yx", ".zarr", _zarr(g, "yx", "0.5"), G),
        Kind("Wrong suffix", "PNG called .tif", ".tif", lambda p: Image.fromarray(a).save(p, "PNG"), L),
        Kind("Wrong suffix", "TIFF called .png", ".png", lambda p: _rename(p, _tif(a)), L),
        Kind("Wrong suffix", "JPEG called .png", ".png", lambda p: Image.fromarray(c).save(p, "JPEG", quality=95), R, 4),
        Kind("Wrong suffix", "PNG called .JPG", ".JPG", lambda p: Image.fromarray(a).save(p, "PNG"), L),
        Kind("Wrong suffix", "BMP called .bmp in capitals", ".BMP", _png(c), R),
    ]  # fmt: skip
    kinds += [Kind("Orientation", f"PNG, tag {tag}", ".png", _exif(c, tag), R, 0, "set upright") for tag in range(2, 9)]
    kinds += [Kind("Orientation", f"TIFF mask, tag {tag}", ".tif", _turned_tif(tag, a), L, 0, "set upright")
              for tag in range(2, 9)]  # fmt: skip
    kinds += [Kind("Orientation", f"JPEG, tag {tag}", ".jpg", _exif(c, tag, quality=95), R, 4, "set upright")
              for tag in (3, 6, 8)]  # fmt: skip
    return kinds


def _rename(path: Path, write: Callable[[Path], object]) -> None:
    other = Path(path).with_suffix(".tif")
    write(other)
    other.rename(path)


def _grey_png(array: np.ndarray, bits: int) -> bytes:
    """A grey PNG of fewer than 8 bits, chunk by chunk as the specification says."""
    import struct
    import zlib

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    height, width = array.shape
    each = np.unpackbits(array[..., None], axis=-1)[..., -bits:].reshape(height, width * bits)
    rows = b"".join(b"\0" + row.tobytes() for row in np.packbits(each, axis=-1))
    head = struct.pack(">IIBBBBB", width, height, bits, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


KINDS = _kinds()
