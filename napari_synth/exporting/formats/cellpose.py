"""Cellpose: ``train/NAME.tif`` beside ``train/NAME_masks.tif``.

Source: cellpose 4.2.1.1, ``cellpose.io.load_train_test_data`` and ``cellpose.train``.
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from napari_synth.core.errors import InputError
from napari_synth.core.names import check_inside
from napari_synth.exporting.formats.base import Advice, Guide, Item, PairToWrite, Survey, Writer
from napari_synth.exporting.formats.shell import command, quoted
from napari_synth.exporting.formats.tiff import write_labels_and_image

MIN_NUCLEI = 5
"""Default of ``--min_train_masks``."""


class CellposeWriter(Writer):
    """Image and label map side by side in one folder per role."""

    title: ClassVar[str] = "Cellpose"
    trains: ClassVar[str] = "Cellpose"
    exact: ClassVar[bool] = True
    two_channels: ClassVar[bool] = True

    def files(self, folder: Path, item: Item) -> tuple[Path, ...]:
        place = folder / (item.role or "train")
        names = (place / f"{item.stem}.tif", place / f"{item.stem}_masks.tif")
        return check_inside(folder, names[0]), check_inside(folder, names[1])

    def write(self, folder: Path, pair: PairToWrite) -> None:
        image, mask = self.files(folder, pair.item)
        _check_no_flows(image.parent)
        write_labels_and_image(image, mask, pair)

    def check(self, survey: Survey) -> list[Advice]:
        few = sum(mask.nuclei < MIN_NUCLEI for mask in survey.masks)
        advice = []
        if few:
            advice.append(
                Advice(
                    f"{few} of {len(survey.masks)} masks have fewer than {MIN_NUCLEI} nuclei, which Cellpose drops "
                    "unless it is started with --min_train_masks 1, as in TRAIN.md."
                )
            )
        if survey.two_channels:
            advice.append(Advice("Cellpose 4 takes the channels as they come: first the anatomy, then the signal."))
        return advice

    def guide(self, folder: Path, survey: Survey) -> Guide:
        tested = next((role for role in ("val", "test") if survey.has(role)), "")
        parts = ["python -m cellpose --train", f"--dir {quoted(folder / 'train')}"]
        if tested:
            parts.append(f"--test_dir {quoted(folder / tested)}")
        parts.append("--mask_filter _masks --n_epochs 100 --learning_rate 1e-5 --weight_decay 0.1")
        if any(mask.nuclei < MIN_NUCLEI for mask in survey.masks):
            parts[-1] += " --min_train_masks 1"
        return Guide(
            command(*parts),
            "cellpose 4.2.1.1 (cellpose.io.load_train_test_data)",
            (
                "Keep the paths absolute: relative ones are the commonest fault there.",
                "On a GPU add --use_gpu; training starts from the weights cpsam_v2, which Cellpose fetches itself.",
            ),
        )


def _check_no_flows(folder: Path) -> None:
    """Refuse flows of other masks, which Cellpose would train on instead of these."""
    flows = next(folder.glob("*_flows.tif"), None) if folder.is_dir() else None
    if flows is not None:
        raise InputError(
            f"{flows} holds flows of an earlier training, which Cellpose would use instead of new masks.",
            "Remove the *_flows.tif there, or choose another folder.",
        )
