"""TIFF, BigTIFF, ImageJ TIFF and OME-TIFF."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import tifffile

from napari_synth.core.errors import InputError
from napari_synth.datasets.reading.colours import rgb_of_cmyk, rgb_of_ycbcr
from napari_synth.datasets.reading.orientation import TAG, upright
from napari_synth.datasets.reading.stored import PixelSize, Stored, check_size, damaged

logging.getLogger("tifffile").setLevel(logging.CRITICAL)  # its complaints would stand between ours

PHOTOMETRIC = tifffile.PHOTOMETRIC
SHOWN = {PHOTOMETRIC.MINISBLACK, PHOTOMETRIC.MINISWHITE, PHOTOMETRIC.RGB, PHOTOMETRIC.PALETTE, PHOTOMETRIC.MASK}
TO_RGB = {PHOTOMETRIC.SEPARATED: rgb_of_cmyk, PHOTOMETRIC.YCBCR: rgb_of_ycbcr}
UNITS = {"micron": 1.0, "um": 1.0, "µm": 1.0, "μm": 1.0, "\\u00B5m": 1.0, "nm": 1e-3, "mm": 1e3, "cm": 1e4}
"""Micrometres in a unit."""
LETTERS = {"I": "Q", "R": "Z", "A": "Q", "H": "Q", "E": "Q", "P": "Q"}


def read_tiff(path: Path) -> Stored:
    """Decode the first image of a TIFF file at full resolution."""
    with tifffile.TiffFile(path) as tif:
        if not tif.series:
            raise damaged(path)
        series = tif.series[0]
        page = series.keyframe
        if page.dtype is None:
            raise damaged(path)
        for shape in (series.shape, page.chunks):  # one tile can be larger than the image that it covers
            check_size(path, shape, page.dtype.itemsize)
        _check_complete(path, tif)
        pixels, axes = np.asarray(series.asarray()), "".join(LETTERS.get(axis, axis) for axis in series.axes)
        several = len([other for other in tif.series if other.shape == series.shape])
        stored = _shown(Stored(path, pixels, axes, _pixel_size(tif, page)), page, _numbers_first(tif, page))
        tag = page.tags.get(TAG)
        orientation = int(tag.value) if tag is not None else 1
    if several > 1:
        stored = stored.remarked(f"{path.name} holds {several} images; the first one is read.")
    return _upright(stored, orientation) if orientation in range(2, 9) else stored


def _check_complete(path: Path, tif: tifffile.TiffFile) -> None:
    """Refuse a file that ends before its pixels do."""
    size = path.stat().st_size
    for page in tif.series[0].pages:
        if page is not None and any(
            offset + count > size for offset, count in zip(page.dataoffsets, page.databytecounts, strict=False)
        ):
            raise damaged(path)


def _numbers_first(tif: tifffile.TiffFile, page: tifffile.TiffPage) -> bool:
    """Whether the program that wrote a white-is-zero file means its numbers and not what is shown.

    ImageJ has an inverting look-up table; tifffile writes every boolean array so.
    """
    return bool(tif.is_imagej) or (page.dtype == bool and page.software.startswith("tifffile"))


def _shown(stored: Stored, page: tifffile.TiffPage, numbers_first: bool) -> Stored:
    """The pixels in the colours that a viewer shows, or an `InputError` that names the colour model."""
    path, pixels, photometric = stored.path, stored.pixels, PHOTOMETRIC(page.photometric)
    coded = page.compression in (tifffile.COMPRESSION.JPEG, tifffile.COMPRESSION.OJPEG)
    if photometric == PHOTOMETRIC.PALETTE and page.colormap is not None:
        colours = (np.asarray(page.colormap) >> 8).astype(np.uint8).T
        return Stored(path, pixels, stored.axes, stored.pixel_size, palette=colours)
    if photometric == PHOTOMETRIC.MINISWHITE and pixels.dtype.kind in "bu":
        bits = int(page.bitspersample) if isinstance(page.bitspersample, int) else pixels.dtype.itemsize * 8
        shown = ~pixels if pixels.dtype.kind == "b" else (2**bits - 1 - pixels).astype(pixels.dtype)
        remark = f"{path.name} is stored with white as zero and is read as it is shown."
        return Stored(
            path,
            shown,
            stored.axes,
            stored.pixel_size,
            as_stored=pixels,
            numbers_first=numbers_first,
            remarks=(remark,),
        )
    if photometric in TO_RGB and "S" in stored.axes and pixels.dtype == np.uint8:
        pixels = np.moveaxis(pixels, stored.axes.index("S"), -1)
        axes = stored.axes.replace("S", "") + "S"
        if photometric == PHOTOMETRIC.YCBCR and coded:
            return Stored(path, pixels, axes, stored.pixel_size)
        name = "CMYK" if photometric == PHOTOMETRIC.SEPARATED else "YCbCr"
        rgb = TO_RGB[photometric](pixels)
        return Stored(path, rgb, axes, stored.pixel_size).remarked(f"{path.name}: {name} was converted to RGB.")
    if photometric not in SHOWN and "S" in stored.axes:
        name = getattr(photometric, "name", str(photometric))
        raise InputError(f"The colours of {path.name} are stored as {name}.", "Save it as RGB or grey.")
    if "S" in stored.axes:
        return _without_alpha(stored, page)
    return stored


def _without_alpha(stored: Stored, page: tifffile.TiffPage) -> Stored:
    """Samples last, the alpha channel apart."""
    place = stored.axes.index("S")
    pixels = np.moveaxis(stored.pixels, place, -1)
    axes = stored.axes.replace("S", "")
    samples = pixels.shape[-1]
    colours = 3 if page.photometric == PHOTOMETRIC.RGB else 1
    if samples == colours + 1 and (page.extrasamples or samples in (2, 4)):
        alpha, pixels = pixels[..., -1], pixels[..., :-1]
    elif samples == colours or (colours == 1 and samples == 3):
        alpha = None
    else:
        return Stored(stored.path, np.moveaxis(pixels, -1, 0), "C" + axes, stored.pixel_size)
    if pixels.shape[-1] == 1:
        return Stored(stored.path, pixels[..., 0], axes, stored.pixel_size, alpha=alpha)
    return Stored(stored.path, pixels, axes + "S", stored.pixel_size, alpha=alpha)


def _upright(stored: Stored, orientation: int) -> Stored:
    places = (stored.axes.index("Y"), stored.axes.index("X"))

    def turned(pixels: np.ndarray | None) -> np.ndarray | None:
        return None if pixels is None else upright(pixels, orientation, places)

    size = stored.pixel_size
    return Stored(
        stored.path,
        upright(stored.pixels, orientation, places),
        stored.axes,
        PixelSize(size.x, size.y, size.unit) if orientation > 4 else size,
        stored.palette,
        turned(stored.alpha),
        turned(stored.as_stored),
        stored.numbers_first,
        stored.remarks,
    ).remarked(f"{stored.path.name} says that it lies turned (orientation {orientation}) and was set upright.")


def _pixel_size(tif: tifffile.TiffFile, page: tifffile.TiffPage) -> PixelSize:
    """In micrometres, as far as a microscope's program wrote it; the resolution for printers says nothing."""
    if tif.ome_metadata:
        return _ome_pixel_size(tif.ome_metadata)
    unit = (tif.imagej_metadata or {}).get("unit")
    micrometres = UNITS.get(str(unit))
    if micrometres is None and page.tags.get("ResolutionUnit") and page.tags["ResolutionUnit"].value == 3:
        micrometres = UNITS["cm"]
    sides = []
    for name in ("YResolution", "XResolution"):
        tag = page.tags.get(name)
        if micrometres is None or tag is None or not all(tag.value):
            return PixelSize()
        sides.append(micrometres * tag.value[1] / tag.value[0])
    return PixelSize(sides[0], sides[1], "µm")


def _ome_pixel_size(xml: str) -> PixelSize:
    from xml.etree import ElementTree

    try:
        pixels = next(element for element in ElementTree.fromstring(xml).iter() if element.tag.endswith("}Pixels"))
        sides = [
            float(pixels.attrib[f"PhysicalSize{axis}"]) * UNITS[pixels.attrib.get(f"PhysicalSize{axis}Unit", "µm")]
            for axis in "YX"
        ]
    except (ElementTree.ParseError, StopIteration, KeyError, ValueError):
        return PixelSize()
    return PixelSize(sides[0], sides[1], "µm")
