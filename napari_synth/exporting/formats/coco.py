"""COCO instances: ``images/ROLE/``, ``annotations/instances_ROLE.json`` with polygons, ``…_rle.json`` with runs.

Sources: cocodataset.org, "Data format"; pycocotools 2.0.11.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import tifffile

from napari_synth.core.files import writing
from napari_synth.core.names import check_inside
from napari_synth.exporting.formats.base import Advice, Guide, Item, PairToWrite, Survey, Writer
from napari_synth.exporting.formats.outlines import boxed, column_runs, compressed_counts, edge_outline, pieces
from napari_synth.exporting.formats.png import write_png
from napari_synth.exporting.formats.tiff import stored_labels, write_tiff
from napari_synth.exporting.survey import total

CATEGORY = {"id": 1, "name": "nucleus", "supercategory": "cell"}
USUAL_DETECTIONS = 100


class CocoWriter(Writer):
    """PNG images, label maps to make the annotations of, and one JSON file per role and kind of segmentation."""

    title: ClassVar[str] = "COCO (Detectron2, MMDet)"
    trains: ClassVar[str] = "Detectron2, MMDetection"

    def files(self, folder: Path, item: Item) -> tuple[Path, ...]:
        role = item.role or "train"
        names = (folder / "images" / role / f"{item.stem}.png", folder / "masks" / role / f"{item.stem}.tif")
        return check_inside(folder, names[0]), check_inside(folder, names[1])

    def write(self, folder: Path, pair: PairToWrite) -> None:
        image, mask = self.files(folder, pair.item)
        write_tiff(mask, stored_labels(pair.labels), pair.recipe_yaml, pair.pixel_size)
        write_png(image, pair.image, pair.recipe_yaml)

    def finish(self, folder: Path, items: Iterable[Item]) -> tuple[Path, ...]:
        by_role: dict[str, list[Item]] = {}
        for item in items:
            by_role.setdefault(item.role or "train", []).append(item)
        written = []
        for role, its in by_role.items():
            for ending, kind in (("", "polygon"), ("_rle", "rle")):
                path = folder / "annotations" / f"instances_{role}{ending}.json"
                with writing(path) as temporary:
                    temporary.write_text(json.dumps(self._annotations(folder, its, kind)), encoding="utf-8")
                written.append(path)
        return tuple(written)

    def _annotations(self, folder: Path, items: Iterable[Item], kind: str) -> dict[str, Any]:
        images: list[dict[str, Any]] = []
        annotations: list[dict[str, Any]] = []
        for item in items:
            image, mask = self.files(folder, item)
            labels = tifffile.imread(mask)
            number = len(images) + 1
            height, width = labels.shape
            images.append({"id": number, "file_name": image.name, "width": width, "height": height})
            for one in (polygons if kind == "polygon" else runs)(labels):
                common = {"id": len(annotations) + 1, "image_id": number, "category_id": 1, "iscrowd": 0}
                annotations.append(common | one)
        about = {"description": "Synthetic images of napari-synth", "version": "1.0"}
        return {
            "info": about, "licenses": [], "images": images, "categories": [CATEGORY], "annotations": annotations,
        }  # fmt: skip

    def check(self, survey: Survey) -> list[Advice]:
        advice = []
        if holed := total(survey.masks, "holed"):
            text = f"{survey.share(holed)} have holes: polygons lose them; instances_*_rle.json keeps them."
            advice.append(Advice(text, lost=True))
        most = max((mask.nuclei for mask in survey.masks), default=0)
        if most > USUAL_DETECTIONS:
            advice.append(
                Advice(
                    f"Images have up to {most} nuclei; COCOeval counts the best {USUAL_DETECTIONS} unless maxDets is "
                    "set, as in TRAIN.md."
                )
            )
        return advice

    def guide(self, folder: Path, survey: Survey) -> Guide:
        held = next((role for role in ("val", "test") if survey.has(role)), "train")
        root = folder.resolve()
        lines = ["from detectron2.data.datasets import register_coco_instances"]
        for role in dict.fromkeys(("train", held)):
            annotations, images = root / "annotations" / f"instances_{role}.json", root / "images" / role
            lines.append(f"register_coco_instances('nuclei_{role}', {{}}, {str(annotations)!r}, {str(images)!r})")
        lines += [
            "# With pycocotools, or in your evaluator:",
            "# evaluation = COCOeval(truth, found, 'segm'); evaluation.params.maxDets = [1, 10, 1000]",
        ]
        return Guide(
            "\n".join(lines),
            "pycocotools 2.0.11 (COCO.annToMask, COCOeval); Detectron2 itself was not run",
            (
                "This is Python, for the beginning of your training script; the names nuclei_train and so on go into "
                "DATASETS of its configuration. MMDetection takes the same JSON files and folders.",
                "COCOeval counts 100 detections per image unless told otherwise: set maxDets = [1, 10, 1000].",
                "instances_*.json have polygons, instances_*_rle.json the exact pixels.",
            ),
        )


def polygons(labels: np.ndarray) -> Iterable[dict[str, Any]]:
    """Each nucleus as the outlines of its pieces along the edges of pixels."""
    for _, (y, x), nucleus in boxed(labels):
        outlines = [(edge_outline(piece) + np.array([x, y])).ravel().tolist() for piece in pieces(nucleus)]
        yield {"segmentation": outlines} | _measured(nucleus, y, x)


def runs(labels: np.ndarray) -> Iterable[dict[str, Any]]:
    """Each nucleus as run lengths down the columns, exactly."""
    boxes = {number: (place, nucleus) for number, place, nucleus in boxed(labels)}
    for number, starts, lengths in column_runs(labels):
        (y, x), nucleus = boxes[number]
        counts = compressed_counts(starts, lengths, labels.size)
        yield {"segmentation": {"size": list(labels.shape), "counts": counts}} | _measured(nucleus, y, x)


def _measured(nucleus: np.ndarray, y: int, x: int) -> dict[str, Any]:
    height, width = nucleus.shape
    return {"area": int(nucleus.sum()), "bbox": [float(x), float(y), float(width), float(height)]}
