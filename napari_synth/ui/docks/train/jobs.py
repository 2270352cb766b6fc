"""What the dock "My look" does in the background, away from layers and widgets."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from napari_synth.core.errors import InputError
from napari_synth.core.files import writing_folder
from napari_synth.core.names import FORBIDDEN
from napari_synth.core.progress import CancelToken, OnProgress, Progress, Stopwatch
from napari_synth.training.fine_tune import process
from napari_synth.training.fine_tune.progress_file import ProgressReader
from napari_synth.training.fine_tune.request import FineTuneRequest
from napari_synth.ui.docks.train.run_state import Run, read_run

if TYPE_CHECKING:
    from napari_synth.datasets.modalities import Looks
    from napari_synth.ui.docks.doubts import Doubts
    from napari_synth.ui.napari_bridge.layer_pairs import LayerPair

LONGEST_STEM = 60
WIDEST = 720
"""Pixels of a picture in the dock."""
Following = tuple[Run, ProgressReader, subprocess.Popen[bytes] | None]


@dataclass(frozen=True, eq=False)
class Given:
    """Pairs in a folder, or in layers that are written into one.

    Attributes
    ----------
    request : FineTuneRequest
        Its ``data`` is the folder, unless there are layers.
    layers : sequence of LayerPair
    """

    request: FineTuneRequest
    layers: Sequence[LayerPair] = ()

    def on_disk(self, on_progress: OnProgress, cancel: CancelToken) -> FineTuneRequest:
        """The request on files; one look has the chosen name, several those of their folders."""
        from napari_synth.datasets.pairs import find_options

        request = self.request
        if self.layers:
            request = replace(request, data=write_pairs(self.layers, request.out.parent, on_progress, cancel))
        several = len(find_options(request.data)) > 1
        return replace(request, look="" if several else request.look)


@dataclass(frozen=True)
class Planned:
    """What was found out before a training.

    Attributes
    ----------
    pairs : int
    serious, others : tuple of str
        What the label doctor found.
    sentence : str
        What it will take.
    """

    pairs: int
    serious: tuple[str, ...]
    others: tuple[str, ...]
    sentence: str


@dataclass(frozen=True, eq=False)
class PlanWork:
    """Let the label doctor look, then measure a few steps in another process."""

    given: Given
    doubts: Doubts

    def __call__(self, on_progress: OnProgress, cancel: CancelToken) -> Planned:
        from napari_synth.evaluation.pair_check import check_pairs

        request = self.given.on_disk(on_progress, cancel)
        report = check_pairs(request.data, on_progress, cancel)
        self.doubts.told(request.data, report.findings)
        on_progress(Progress(report.pairs, report.pairs, "measuring a few steps"))
        sentence = process.plan_in_words(request, cancel)
        others = tuple(finding.sentence for finding in report.findings if not finding.serious)
        return Planned(report.pairs, tuple(finding.sentence for finding in report.serious), others, sentence)


@dataclass(frozen=True, eq=False)
class StartWork:
    """Start the training in another process, once the label doctor has looked."""

    given: Given
    doubts: Doubts

    def __call__(self, on_progress: OnProgress, cancel: CancelToken) -> Following:
        out = self.given.request.out
        if process.begun(out):
            run, reader = read_run(out)
            if run.running or run.resumable:
                return run, reader, None
        request = self.given.on_disk(on_progress, cancel)
        self.doubts.about_pairs(request.data, on_progress, cancel)
        cancel.raise_if_cancelled()
        started = process.start(replace(request, check=False))
        return Run(out), ProgressReader(request.progress_path), started


@dataclass(frozen=True, eq=False)
class GoOnWork:
    """Go on with a training that was stopped or interrupted."""

    out: Path

    def __call__(self, on_progress: OnProgress, cancel: CancelToken) -> Following:
        request = process.remembered(self.out)
        if request is None:
            raise InputError(
                f"Nothing beside {self.out} tells how it was trained.", "Begin anew, with another name for the look."
            )
        run, reader = read_run(self.out)
        return run, reader, None if run.running else process.start(request)


@dataclass(frozen=True, eq=False)
class ReadRunWork:
    """Read what the files of a training tell."""

    out: Path

    def __call__(self, on_progress: OnProgress, cancel: CancelToken) -> Following:
        return *read_run(self.out), None


@dataclass(frozen=True)
class FoundLooks:
    """Looks of a mixed folder, and a strip of examples of each, ``(Y, X, 3)`` uint8."""

    looks: Looks
    strips: tuple[np.ndarray, ...]


@dataclass(frozen=True, eq=False)
class FindLooksWork:
    """Divide the images of a folder into looks."""

    folder: Path
    count: int | None

    def __call__(self, on_progress: OnProgress, cancel: CancelToken) -> FoundLooks:
        from napari_synth.datasets.modalities import find_looks, image_files

        files = image_files(self.folder)
        on_progress(Progress(0, 2, f"comparing {len(files)} images"))
        looks = find_looks(files, self.count)
        cancel.raise_if_cancelled()
        on_progress(Progress(1, 2, "choosing examples"))
        return with_strips(looks)


@dataclass(frozen=True, eq=False)
class StripsWork:
    """Choose examples of looks again."""

    looks: Looks

    def __call__(self, on_progress: OnProgress, cancel: CancelToken) -> FoundLooks:
        return with_strips(self.looks)


@dataclass(frozen=True, eq=False)
class WriteLooksWork:
    """Write looks as the folder that training reads; how many images and masks were copied."""

    looks: Looks
    folder: Path

    def __call__(self, on_progress: OnProgress, cancel: CancelToken) -> tuple[int, int]:
        from napari_synth.datasets.found_looks import masks_beside, write_looks

        masks = masks_beside(self.looks.files[0].parent)
        written = write_looks(self.looks, self.folder, masks, on_progress=on_progress, cancel=cancel)
        return written.images, written.masks


def with_strips(looks: Looks) -> FoundLooks:
    """Looks with their examples."""
    from napari_synth.datasets.found_looks import example_strip

    return FoundLooks(looks, tuple(np.split(example_strip(looks), len(looks.names))))


def write_pairs(layers: Sequence[LayerPair], folder: Path, on_progress: OnProgress, cancel: CancelToken) -> Path:
    """A new folder in ``folder`` with these pairs, named by what they hold; the same pairs are not written twice."""
    from napari_synth.datasets.image_files import PixelSize
    from napari_synth.exporting.formats.tiff import stored_labels, write_tiff

    digest = hashlib.sha256()
    pairs: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    for layer in layers:
        stem = _free_stem(layer.name, pairs)
        pairs[stem] = image, labels = np.asarray(layer.image), stored_labels(np.asarray(layer.labels))
        for array in (image, labels):
            digest.update(f"{stem} {array.shape} {array.dtype}".encode())
            digest.update(np.ascontiguousarray(array).data)
    target = folder / f"pairs-{digest.hexdigest()[:8]}"
    if target.is_dir():
        return target
    watch = Stopwatch(len(pairs), on_progress)
    with writing_folder(target) as temporary:
        for number, (stem, (image, labels)) in enumerate(pairs.items(), 1):
            cancel.raise_if_cancelled()
            write_tiff(temporary / "masks" / f"{stem}.tif", labels, "", PixelSize())
            write_tiff(temporary / "images" / f"{stem}.tif", _stored(image), "", PixelSize())
            watch.report(number, stem)
    return target


def _stored(image: np.ndarray) -> np.ndarray:
    """Without transparency, and with grey values that an ImageJ TIFF holds."""
    image = image[..., :3] if image.ndim == 3 else image
    if image.dtype == bool:
        return 255 * image.astype(np.uint8)
    return image if image.dtype in (np.uint8, np.uint16, np.float32) else image.astype(np.float32)


def _free_stem(name: str, others: dict[str, tuple[np.ndarray, np.ndarray]]) -> str:
    """A name of a layer as that of a file that none of the others has."""
    plain = "".join("-" if one in FORBIDDEN or not one.isprintable() else one for one in name)
    stem = plain[:LONGEST_STEM].strip(". ") or "image"
    number, free = 1, stem
    while free in others:
        number += 1
        free = f"{stem}-{number}"
    return free


def read_sheet(path: Path) -> np.ndarray:
    """The pictures in a file, ``(Y, X, 3)`` uint8, at most `WIDEST` pixels wide."""
    from PIL import Image

    with Image.open(path) as file:
        picture = file.convert("RGB")
    if picture.width > WIDEST:
        picture = picture.resize((WIDEST, round(picture.height * WIDEST / picture.width)), Image.Resampling.LANCZOS)
    return np.asarray(picture)
