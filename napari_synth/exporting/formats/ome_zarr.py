"""OME-Zarr 0.5: ``ROLE/NAME.ome.zarr`` with the image and its labels.

Source: ngff.openmicroscopy.org/0.5, sections multiscales and labels.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from napari_synth.core.files import writing_folder
from napari_synth.core.names import check_inside
from napari_synth.exporting.formats.base import Advice, Guide, Item, PairToWrite, PixelSize, Survey, Writer
from napari_synth.exporting.survey import MaskFacts

VERSION = "0.5"
SMALLEST_SIDE = 256
"""Levels are added until the longer side is not above this."""
CHUNK = 1024
MANY = 10_000
UNITS = {"um": "micrometer", "µm": "micrometer", "micron": "micrometer", "nm": "nanometer", "mm": "millimeter"}


class OmeZarrWriter(Writer):
    """A Zarr group per pair."""

    title: ClassVar[str] = "OME-Zarr 0.5"
    two_channels: ClassVar[bool] = True

    def files(self, folder: Path, item: Item) -> tuple[Path, ...]:
        return (check_inside(folder, folder / (item.role or "train") / f"{item.stem}.ome.zarr"),)

    def write(self, folder: Path, pair: PairToWrite) -> None:
        import zarr

        (place,) = self.files(folder, pair.item)
        image = pair.image if pair.condition is None else np.stack([pair.condition, pair.image])
        image = np.moveaxis(image, -1, 0) if pair.condition is None and image.ndim == 3 else image
        image = image[None] if image.ndim == 2 else image
        dtype = np.uint32 if pair.labels.max(initial=0) > np.iinfo(np.uint16).max else np.uint16
        labels: np.ndarray = pair.labels.astype(dtype)
        with writing_folder(place) as temporary:
            root = zarr.open_group(temporary, mode="w", zarr_format=3)
            levels = _pyramid(image)
            _write_levels(root, levels, ("c", "y", "x"), pair, pair.item.stem)
            if pair.recipe_yaml:
                root.attrs["napari_synth"] = pair.recipe_yaml
            group = root.create_group("labels")
            group.attrs["ome"] = {"version": VERSION, "labels": ["nuclei"]}
            nuclei = group.create_group("nuclei")
            _write_levels(nuclei, [labels[:: 2**n, :: 2**n] for n in range(len(levels))], ("y", "x"), pair, "nuclei")
            values, areas = np.unique(labels[labels > 0], return_counts=True)
            properties = [{"label-value": int(v), "area": int(a)} for v, a in zip(values, areas, strict=True)]
            about = {"version": VERSION, "source": {"image": "../../"}, "properties": properties}
            nuclei.attrs["ome"] = {**nuclei.attrs["ome"], "image-label": about}  # type: ignore[dict-item]

    def count_files(self, mask: MaskFacts) -> float:
        count = 3
        for level in range(_levels(*mask.shape)):
            height, width = (math.ceil(math.ceil(side / 2**level) / CHUNK) for side in mask.shape)
            count += 2 * (height * width + 1)
        return count

    def check(self, survey: Survey) -> list[Advice]:
        if survey.pairs > MANY:
            return [Advice(f"{survey.pairs} Zarr groups are many small files; WebDataset shards suit so many pairs.")]
        return []

    def guide(self, folder: Path, survey: Survey) -> Guide:
        lines = [
            "from pathlib import Path",
            "import zarr",
            f"for path in sorted(Path({str((folder / 'train').resolve())!r}).glob('*.ome.zarr')):",
            "    image = zarr.open_array(path / '0')[:]                   # (c, y, x)",
            "    labels = zarr.open_array(path / 'labels' / 'nuclei' / '0')[:]  # (y, x)",
        ]
        return Guide(
            "\n".join(lines),
            "ome-zarr-models 1.7 (v05.Image, labels), ome-zarr 0.18.0 (reader)",
            ("napari, Fiji (n5-viewer) and QuPath open these; a training script reads the arrays as above.",),
        )


def _levels(height: int, width: int) -> int:
    count, side = 1, max(height, width)
    while side > SMALLEST_SIDE:
        count, side = count + 1, -(-side // 2)
    return count


def _pyramid(image: np.ndarray) -> list[np.ndarray]:
    """The image and its halves, each the mean of 2 × 2 pixels of the one before."""
    levels = [image]
    for _ in range(_levels(*image.shape[1:]) - 1):
        even = np.pad(levels[-1], [(0, 0), *((0, side % 2) for side in levels[-1].shape[1:])], mode="edge")
        channels, height, width = even.shape
        mean = even.reshape(channels, height // 2, 2, width // 2, 2).mean((2, 4))
        levels.append(np.round(mean).astype(image.dtype) if image.dtype.kind in "iu" else mean.astype(image.dtype))
    return levels


def _write_levels(group: Any, levels: list[np.ndarray], names: tuple[str, ...], pair: PairToWrite, title: str) -> None:
    datasets = []
    for number, level in enumerate(levels):
        chunks = tuple(min(side, CHUNK) for side in level.shape)
        group.create_array(str(number), data=np.ascontiguousarray(level), chunks=chunks, dimension_names=names)
        size = {"c": 1.0, "y": pair.pixel_size.y * 2**number, "x": pair.pixel_size.x * 2**number}
        scale = {"type": "scale", "scale": [size[name] for name in names]}
        datasets.append({"path": str(number), "coordinateTransformations": [scale]})
    axes = [_axis(name, pair.pixel_size) for name in names]
    group.attrs["ome"] = {"version": VERSION, "multiscales": [{"name": title, "axes": axes, "datasets": datasets}]}


def _axis(name: str, size: PixelSize) -> dict[str, str]:
    if name == "c":
        return {"name": "c", "type": "channel"}
    unit = UNITS.get(size.unit)
    return {"name": name, "type": "space"} | ({"unit": unit} if unit else {})
