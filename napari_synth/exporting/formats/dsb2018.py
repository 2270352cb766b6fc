"""Data Science Bowl 2018 (BBBC038): ``stage1_ROLE/ID/images/ID.png`` and a PNG per nucleus in ``ID/masks``.

Source: the data set's own description at Kaggle and the Broad Bioimage Benchmark Collection.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

import numpy as np
from PIL import Image

from napari_synth.core.files import writing, writing_folder
from napari_synth.core.names import check_inside
from napari_synth.exporting.formats.base import Advice, Guide, Item, PairToWrite, Survey, Writer
from napari_synth.exporting.formats.outlines import boxed
from napari_synth.exporting.formats.png import write_png
from napari_synth.exporting.survey import MaskFacts

MANY_FILES = 10_000


class DsbWriter(Writer):
    """A folder per image with a mask file per nucleus, and the run lengths of all in one table per role."""

    title: ClassVar[str] = "Data Science Bowl 2018"
    trains: ClassVar[str] = "a Data Science Bowl 2018 model"

    def files(self, folder: Path, item: Item) -> tuple[Path, ...]:
        return (check_inside(folder, folder / f"stage1_{item.role or 'train'}" / item.stem),)

    def write(self, folder: Path, pair: PairToWrite) -> None:
        (place,) = self.files(folder, pair.item)
        with writing_folder(place) as temporary:
            (temporary / "masks").mkdir()
            whole = np.zeros(pair.labels.shape, np.uint8)
            for number, (y, x), nucleus in boxed(pair.labels):
                box = np.s_[y : y + nucleus.shape[0], x : x + nucleus.shape[1]]
                whole[box][nucleus] = 255
                Image.fromarray(whole).save(temporary / "masks" / f"{pair.item.stem}-{number:05d}.png")
                whole[box] = 0
            write_png(temporary / "images" / f"{pair.item.stem}.png", pair.image, pair.recipe_yaml)

    def finish(self, folder: Path, items: Iterable[Item]) -> tuple[Path, ...]:
        by_role: dict[str, list[Item]] = {}
        for item in items:
            by_role.setdefault(item.role or "train", []).append(item)
        written = []
        for role, its in by_role.items():
            path = folder / f"stage1_{role}_labels.csv"
            with writing(path) as temporary, temporary.open("w", encoding="ascii", newline="") as file:
                table = csv.writer(file, lineterminator="\n")
                table.writerow(("ImageId", "EncodedPixels"))
                for item in its:
                    (place,) = self.files(folder, item)
                    for mask in sorted((place / "masks").iterdir()):
                        table.writerow((item.stem, encoded(np.asarray(Image.open(mask)) > 0)))
            written.append(path)
        return tuple(written)

    def count_files(self, mask: MaskFacts) -> float:
        return mask.nuclei + 1

    def check(self, survey: Survey) -> list[Advice]:
        files = survey.pairs * (1 + survey.nuclei / max(len(survey.masks), 1))
        if files > MANY_FILES:
            return [Advice(f"This format has a file per nucleus: about {files:.0f} files, which some disks refuse.")]
        return []

    def guide(self, folder: Path, survey: Survey) -> Guide:
        lines = [
            "from pathlib import Path",
            "import numpy as np",
            "from skimage.io import imread",
            f"root = Path({str(folder.resolve())!r})",
            "for place in sorted((root / 'stage1_train').iterdir()):",
            "    image = imread(place / 'images' / f'{place.name}.png')",
            "    masks = [imread(path) > 0 for path in sorted((place / 'masks').glob('*.png'))]",
        ]
        return Guide(
            "\n".join(lines),
            "its own decoder of files and run lengths, scikit-image",
            ("Programs for the Data Science Bowl 2018 take stage1_train and stage1_train_labels.csv as they are.",),
        )


def encoded(nucleus: np.ndarray) -> str:
    """Runs as ``start length`` pairs, counted from 1 down the columns."""
    places = np.flatnonzero(nucleus.T.ravel())
    breaks = np.concatenate([[0], np.flatnonzero(np.diff(places) != 1) + 1, [len(places)]])
    starts = places[breaks[:-1]] + 1
    return " ".join(f"{start} {length}" for start, length in zip(starts, np.diff(breaks), strict=True))
