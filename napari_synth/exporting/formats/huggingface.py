"""Hugging Face ``imagefolder``: ``train/images``, ``train/masks`` and ``train/metadata.jsonl``.

Source: datasets 5.2.0, "Create an image dataset", section ImageFolder.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

import numpy as np

from napari_synth.core.errors import InputError
from napari_synth.core.files import writing
from napari_synth.core.names import check_inside
from napari_synth.exporting.formats.base import Advice, Guide, Item, PairToWrite, Survey, Writer
from napari_synth.exporting.formats.png import write_png
from napari_synth.exporting.formats.sequential import sequential
from napari_synth.exporting.tables import PAIRS_NAME

FOLDERS = {"": "train", "train": "train", "val": "validation", "test": "test"}
MOST = np.iinfo(np.uint16).max
CARD = """---
task_categories:
- image-segmentation
tags:
- biology
- synthetic
---
# Synthetic nuclei

These images are synthetic: napari-synth made them from their masks. `label` holds instances, 0 is background.
"""


class HuggingFaceWriter(Writer):
    """PNG images and 16-bit PNG masks, with one line of JSON per pair."""

    title: ClassVar[str] = "Hugging Face imagefolder"
    trains: ClassVar[str] = "a model with Hugging Face datasets"

    def files(self, folder: Path, item: Item) -> tuple[Path, ...]:
        place = folder / FOLDERS[item.role]
        names = (place / "images" / f"{item.stem}.png", place / "masks" / f"{item.stem}.png")
        return check_inside(folder, names[0]), check_inside(folder, names[1])

    def write(self, folder: Path, pair: PairToWrite) -> None:
        image, mask = self.files(folder, pair.item)
        write_png(mask, sixteen_bits(pair.labels, pair.item.stem), pair.recipe_yaml)
        write_png(image, pair.image, pair.recipe_yaml)

    def finish(self, folder: Path, items: Iterable[Item]) -> tuple[Path, ...]:
        about = _rows(folder)
        lines: dict[str, list[str]] = {}
        for item in items:
            image, mask = self.files(folder, item)
            names = {"image_file_name": f"images/{image.name}", "label_file_name": f"masks/{mask.name}"}
            lines.setdefault(FOLDERS[item.role], []).append(json.dumps(names | about.get(item.stem, {})))
        written = []
        for role, its in lines.items():
            written.append(folder / role / "metadata.jsonl")
            with writing(written[-1]) as temporary:
                temporary.write_text("".join(f"{line}\n" for line in its), encoding="utf-8")
        card = folder / "README.md"
        with writing(card) as temporary:
            temporary.write_text(CARD, encoding="utf-8")
        return (*written, card)

    def check(self, survey: Survey) -> list[Advice]:
        if any(mask.largest_number > MOST for mask in survey.masks):
            return [Advice("Numbers above 65535 do not fit PNG and are written from 1 without gaps.")]
        return []

    def guide(self, folder: Path, survey: Survey) -> Guide:
        lines = [
            "from datasets import load_dataset",
            f"pairs = load_dataset('imagefolder', data_dir={str(folder.resolve())!r})",
            "pairs['train'][0]['image'], pairs['train'][0]['label']  # label: 16-bit instances",
        ]
        return Guide(
            "\n".join(lines),
            "datasets 5.2.0 (load_dataset)",
            ("This is Python; the other columns are those of manifest.csv.",),
        )


def sixteen_bits(labels: np.ndarray, name: str) -> np.ndarray:
    """Labels as uint16, numbered anew where a number does not fit.

    Raises
    ------
    InputError
        If there are more nuclei than 16 bits count.
    """
    if labels.max(initial=0) > MOST:
        labels = sequential(labels)
    if labels.max(initial=0) > MOST:
        raise InputError(
            f"The mask {name} has {labels.max()} nuclei; PNG masks hold {MOST}.",
            "Choose tiff, cellpose, stardist, coco, dsb2018 or ome-zarr, or split the mask.",
        )
    return labels.astype(np.uint16)


def _rows(folder: Path) -> dict[str, dict[str, str | int | float]]:
    """The lines of ``manifest.csv`` by stem, numbers as numbers."""
    path = folder / PAIRS_NAME
    if not path.is_file():
        return {}
    with path.open(encoding="utf-8", newline="") as file:
        rows = {row["stem"]: row for row in csv.DictReader(file)}
    numbers = {"index": int, "n_nuclei": int, "area_median": float, "synthetic": int}
    return {stem: {key: numbers.get(key, str)(value) for key, value in row.items()} for stem, row in rows.items()}
