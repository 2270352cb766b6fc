"""nnU-Net v2: ``nnUNet_raw/Dataset501_Synthetic`` with a border class, because nnU-Net knows no instances.

Source: nnunetv2 2.8.1, ``documentation/dataset_format.md`` and ``experiment_planning.verify_dataset_integrity``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

import numpy as np
from scipy import ndimage
from skimage.segmentation import find_boundaries, watershed

from napari_synth.core.errors import InputError
from napari_synth.core.files import writing
from napari_synth.core.names import check_inside
from napari_synth.exporting.formats.base import Advice, Guide, Item, PairToWrite, Survey, Writer
from napari_synth.exporting.formats.outlines import boxed
from napari_synth.exporting.formats.png import write_png
from napari_synth.exporting.formats.shell import quoted
from napari_synth.exporting.formats.tiff import stored_labels, write_tiff

DATASET = Path("nnUNet_raw") / "Dataset501_Synthetic"
INSIDE, BORDER = 1, 2
NEAR = np.ones((3, 3))
DECODER = (
    "from skimage.measure import label; from skimage.segmentation import watershed; labels = watershed("
    "prediction == 2, label(prediction == 1), connectivity=2, mask=prediction > 0)"
)
"""Instances from a prediction, as TRAIN.md has it."""
LOST = 0.5
"""IoU under which a nucleus does not come back."""
GOOD = 0.8
"""IoU under which the boundary of its neighbours is given up for a nucleus."""
Boxed = tuple[int, tuple[int, int], np.ndarray]
"""Number, corner and pixels of a nucleus."""


class NnUNetWriter(Writer):
    """PNG images, semantic labels with a border class, and the instances beside them."""

    title: ClassVar[str] = "nnU-Net v2"
    trains: ClassVar[str] = "nnU-Net"
    lossless: ClassVar[bool] = False
    two_channels: ClassVar[bool] = True

    def files(self, folder: Path, item: Item) -> tuple[Path, ...]:
        end = "Ts" if item.role == "test" else "Tr"
        root = folder / DATASET
        names = (
            root / f"images{end}" / f"{item.stem}_0000.png",
            root / f"labels{end}" / f"{item.stem}.png",
            root / f"instances{end}" / f"{item.stem}.tif",
        )
        for name in names:
            check_inside(folder, name)
        return names

    def write(self, folder: Path, pair: PairToWrite) -> None:
        image, semantic, instances = self.files(folder, pair.item)
        write_tiff(instances, stored_labels(pair.labels), pair.recipe_yaml, pair.pixel_size)
        write_png(semantic, with_borders(pair.labels))
        if pair.condition is not None:
            write_png(image.with_name(f"{pair.item.stem}_0001.png"), pair.image, pair.recipe_yaml)
        write_png(image, pair.image if pair.condition is None else pair.condition, pair.recipe_yaml)

    def finish(self, folder: Path, items: Iterable[Item]) -> tuple[Path, ...]:
        from PIL import Image

        items = list(items)
        training = [item for item in items if item.role != "test"]
        first = self.files(folder, (training or items)[0])[0]
        second = first.with_name(first.name.replace("_0000.png", "_0001.png"))
        with Image.open(first) as image:
            channels = ["red", "green", "blue"] if image.mode == "RGB" else ["image"]
        if second.is_file():
            channels = ["anatomy", "signal"]
        content = {
            "channel_names": {str(number): name for number, name in enumerate(channels)},
            "labels": {"background": 0, "nucleus": INSIDE, "border": BORDER},
            "numTraining": len(training),
            "file_ending": ".png",
            "overwrite_image_reader_writer": "NaturalImage2DIO",
        }
        written = [folder / DATASET / "dataset.json"]
        _save(written[0], content)
        folds = [
            {role: [item.stem for item in training if (item.role or "train") == role] for role in ("train", "val")}
        ]
        if all(folds[0].values()):
            written.append(folder / "splits_final.json")
            _save(written[1], folds)
        return tuple(written)

    def check(self, survey: Survey) -> list[Advice]:
        if survey.mixed:
            raise InputError(
                "nnU-Net wants one number of channels, but some of the looks are grey and others in colour.",
                "Export them into two folders, with --option.",
            )
        advice = [
            Advice(
                "nnU-Net knows no instances: it learns nuclei and borders, from which TRAIN.md makes instances again.",
                lost=True,
            )
        ]
        truth = [labels for labels in survey.labels if labels.any()]
        lost = fits = 0.0
        for labels in truth:
            found = overlaps(labels, instances_of(with_borders(labels)))
            lost += sum(fit < LOST for fit in found)
            fits += sum(found)
        nuclei = sum(len(np.unique(labels[labels > 0])) for labels in truth)
        if nuclei:
            told = (
                f"Of {nuclei} nuclei there and back {lost:.0f} are lost; the others keep an IoU of {fits / nuclei:.3f}."
            )
            advice.append(Advice(told, lost=lost > 0))
        return advice

    def guide(self, folder: Path, survey: Survey) -> Guide:
        root = folder.resolve()
        lines = [
            f"export nnUNet_raw={quoted(root / 'nnUNet_raw')}",
            f"export nnUNet_preprocessed={quoted(root / 'nnUNet_preprocessed')}",
            f"export nnUNet_results={quoted(root / 'nnUNet_results')}",
            "nnUNetv2_plan_and_preprocess -d 501 -c 2d --verify_dataset_integrity",
        ]
        notes = [
            "nnU-Net splits by itself into five folds, which would part the pairs of one mask; splits_final.json is "
            "the split of this export. Its one fold is fold 0.",
        ]
        if survey.has("train") and survey.has("val"):
            lines.append(f"cp {quoted(root / 'splits_final.json')} $nnUNet_preprocessed/{DATASET.name}/")
        else:
            notes = [
                "nnU-Net splits by itself into five folds, which part the looks and variants of one mask: export with "
                "--split to have splits_final.json beside."
            ]
        lines.append("nnUNetv2_train 501 2d 0")
        return Guide(
            "\n".join(lines),
            "nnunetv2 2.8.1 (verify_dataset_integrity, NaturalImage2DIO)",
            (
                *notes,
                f"Predictions have 0 background, 1 nucleus, 2 border. Instances: `{DECODER}`. True instances are in "
                "instancesTr and instancesTs.",
            ),
        )


def with_borders(labels: np.ndarray) -> np.ndarray:
    """Semantic labels: 1 inside of nuclei, 2 on their inner boundary.

    A nucleus that would not be found again, because its inside falls into pieces or it is all boundary, is drawn whole:
    it has a boundary only where its inside would meet that of another. One that would then take the boundary of its
    neighbour with it, as a line of one pixel along a nucleus does, has background in that place.

    Parameters
    ----------
    labels : ndarray, shape (Y, X), int

    Returns
    -------
    ndarray, shape (Y, X), uint8
    """
    border = find_boundaries(labels, connectivity=2, mode="inner") & (labels > 0)
    semantic = np.where(labels > 0, INSIDE, 0).astype(np.uint8)
    semantic[border] = BORDER
    nuclei = list(boxed(labels))
    _open(semantic, labels, [one for one in nuclei if _parted(semantic, one)])
    for mend, least in ((_open, LOST), (_set_apart, GOOD)):
        fits = overlaps(labels, instances_of(semantic))
        if poor := [one for one, fit in zip(nuclei, fits, strict=True) if fit < least]:
            mend(semantic, labels, poor)
    return semantic


def _parted(semantic: np.ndarray, one: Boxed) -> bool:
    """Whether the inside of a nucleus is not one piece."""
    _, (y, x), nucleus = one
    inside = semantic[y : y + nucleus.shape[0], x : x + nucleus.shape[1]] == INSIDE
    return bool(ndimage.label(inside & nucleus, NEAR)[1] != 1)


def _open(semantic: np.ndarray, labels: np.ndarray, nuclei: Iterable[Boxed]) -> None:
    """Draw nuclei whole, with a boundary only where their inside would meet that of others."""
    numbers, inside = np.pad(labels, 1), np.pad(semantic, 1) == INSIDE
    for number, (y, x), nucleus in nuclei:
        height, width = nucleus.shape
        near = np.s_[y : y + height + 2, x : x + width + 2]
        others = inside[near] & (numbers[near] != number)
        meets = ndimage.binary_dilation(others, NEAR)[1:-1, 1:-1] & nucleus
        if meets[nucleus].all():
            depth = ndimage.distance_transform_edt(np.pad(nucleus, 1))[1:-1, 1:-1]
            meets[np.unravel_index(depth.argmax(), depth.shape)] = False
        box = semantic[y : y + height, x : x + width]
        box[nucleus] = np.where(meets[nucleus], BORDER, INSIDE)
        inside[y + 1 : y + height + 1, x + 1 : x + width + 1][nucleus] = ~meets[nucleus]


def _set_apart(semantic: np.ndarray, labels: np.ndarray, nuclei: Iterable[Boxed]) -> None:
    """Make background of the boundary that nuclei would take from others."""
    found = instances_of(semantic)
    for number, (y, x), nucleus in nuclei:
        most = np.bincount(found[y : y + nucleus.shape[0], x : x + nucleus.shape[1]][nucleus]).argmax()
        other = (found == most) & (labels != number)
        if most and not (semantic[other] == INSIDE).any():
            semantic[other] = 0


def instances_of(semantic: np.ndarray) -> np.ndarray:
    """Instances from semantic labels: pieces of the inside, grown into the border in eight directions, int32.

    `DECODER` is the same for the user.
    """
    inside = ndimage.label(semantic == INSIDE, NEAR)[0]
    grown: np.ndarray = watershed(semantic == BORDER, inside, connectivity=2, mask=semantic > 0)
    return grown.astype(np.int32)


def overlaps(truth: np.ndarray, found: np.ndarray) -> list[float]:
    """IoU of each true nucleus with the one found that shares most pixels with it."""
    sizes = np.bincount(found.ravel())
    fits = []
    for _, (y, x), nucleus in boxed(truth):
        there = np.bincount(found[y : y + nucleus.shape[0], x : x + nucleus.shape[1]][nucleus])
        there[0] = 0
        best = int(there.argmax())
        shared = int(there[best])
        fits.append(shared / (int(nucleus.sum()) + int(sizes[best]) - shared) if shared else 0.0)
    return fits


def _save(path: Path, content: object) -> None:
    with writing(path) as temporary:
        temporary.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
