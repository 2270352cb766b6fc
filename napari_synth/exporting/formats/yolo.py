"""YOLO segmentation: ``images/ROLE/NAME.png``, ``labels/ROLE/NAME.txt``, ``data.yaml``.

Source: ultralytics 8.4.190, ``data.utils.verify_image_label`` and ``polygon2mask``.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

import numpy as np
import yaml

from napari_synth.core.files import writing
from napari_synth.core.names import check_inside
from napari_synth.exporting.formats.base import Advice, Guide, Item, PairToWrite, Survey, Writer
from napari_synth.exporting.formats.outlines import border_chain, boxed
from napari_synth.exporting.formats.png import write_png
from napari_synth.exporting.formats.sequential import largest_part
from napari_synth.exporting.formats.shell import command, quoted
from napari_synth.exporting.survey import total

FEWEST_POINTS = 3


class YoloWriter(Writer):
    """8-bit images, and a line with the border of each nucleus."""

    title: ClassVar[str] = "YOLO (Ultralytics)"
    trains: ClassVar[str] = "YOLO"
    lossless: ClassVar[bool] = False

    def files(self, folder: Path, item: Item) -> tuple[Path, ...]:
        role = item.role or "train"
        names = (folder / "images" / role / f"{item.stem}.png", folder / "labels" / role / f"{item.stem}.txt")
        return check_inside(folder, names[0]), check_inside(folder, names[1])

    def write(self, folder: Path, pair: PairToWrite) -> None:
        image, text = self.files(folder, pair.item)
        with writing(text) as temporary:
            temporary.write_text("".join(f"{row}\n" for row in rows(pair.labels)), encoding="ascii")
        write_png(image, eight_bits(pair.image), pair.recipe_yaml)

    def finish(self, folder: Path, items: Iterable[Item]) -> tuple[Path, ...]:
        roles = {item.role or "train" for item in items}
        held = {"val": "val" if "val" in roles else "test" if "test" in roles else "train"}
        places = {role: f"images/{role}" for role in ("train", "val", "test") if role in roles}
        content = {"path": str(folder.resolve())} | places | {"val": f"images/{held['val']}", "names": {0: "nucleus"}}
        path = folder / "data.yaml"
        with writing(path) as temporary:
            temporary.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
        return (path,)

    def check(self, survey: Survey) -> list[Advice]:
        advice = []
        if holed := total(survey.masks, "holed"):
            advice.append(Advice(f"{survey.share(holed)} have holes: YOLO has none, so they are filled.", lost=True))
        if parted := total(survey.masks, "parted"):
            advice.append(
                Advice(
                    f"{survey.share(parted)} have several pieces: YOLO keeps one outline, the largest piece.", lost=True
                )
            )
        if survey.dtype != "uint8":
            advice.append(Advice(f"YOLO reads 8 bits: {survey.dtype} is divided by 256.", lost=True))
        return advice

    def guide(self, folder: Path, survey: Survey) -> Guide:
        most = max((mask.nuclei for mask in survey.masks), default=0)
        size = max((side for mask in survey.masks for side in mask.shape), default=640)
        rounded = -(-size // 32) * 32
        found = ["yolo segment train", f"data={quoted(folder / 'data.yaml')}", f"model=yolo11n-seg.pt imgsz={rounded}"]
        return Guide(
            command(*found),
            "ultralytics 8.4.190 (polygon2mask) and OpenCV 5.0; training itself was not run",
            (
                f"Images have up to {most} nuclei: predict and validate with max_det={max(300, 2 * most)}.",
                "Ultralytics is AGPL-3.0, and fetches the weights yolo11n-seg.pt itself.",
                "data.yaml names this folder; when it is moved, change `path` there.",
            ),
        )


def rows(labels: np.ndarray) -> Iterable[str]:
    """A line per nucleus: class 0, then the middles of its border pixels as parts of width and height."""
    height, width = labels.shape
    for _, (y, x), nucleus in boxed(labels):
        chain = border_chain(largest_part(nucleus)) + np.array([x + 0.5, y + 0.5])
        chain = np.concatenate([chain, np.repeat(chain[-1:], max(FEWEST_POINTS - len(chain), 0), 0)])
        yield "0 " + " ".join(f"{value:.6f}" for value in (chain / (width, height)).ravel())


def eight_bits(image: np.ndarray) -> np.ndarray:
    """An image as uint8; 16 bits are divided by 256, the same for all images."""
    return (image >> 8).astype(np.uint8) if image.dtype == np.uint16 else image
