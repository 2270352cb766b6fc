"""What the label doctor says by itself, before pairs are exported or learnt from: only what spoils a training."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from napari_synth.core.progress import CancelToken, OnProgress, Stopwatch, ignore_progress
from napari_synth.datasets.image_files import read_labels
from napari_synth.evaluation.pair_check.check import check_pairs, holds_pairs
from napari_synth.evaluation.pair_check.findings import Finding, grouped
from napari_synth.evaluation.pair_check.single import check_masks
from napari_synth.masks.meaning import structure_of

AT_FIRST = 40
"""Files of masks that are looked at before the first pair: some two seconds for 512² pixels and 150 nuclei."""
NO_INSTANCES = "binary"
"""A fault of masks of nuclei that are exported: nearly every trainer learns single nuclei from them."""


def faults_before_training(
    folder: str | Path, on_progress: OnProgress = ignore_progress, cancel: CancelToken | None = None
) -> tuple[Finding, ...]:
    """What is serious in a folder that a model is to learn from; nothing where it holds no pairs.

    Raises
    ------
    Cancelled
        If ``cancel`` was set.
    """
    if not holds_pairs(Path(folder)):
        return ()
    return tuple(finding for finding in check_pairs(folder, on_progress, cancel).findings if finding.serious)


def faults_before_export(
    masks: Sequence[tuple[str, np.ndarray | Path]],
    on_progress: OnProgress = ignore_progress,
    cancel: CancelToken | None = None,
) -> tuple[Finding, ...]:
    """What is serious in masks of the user that are to be exported.

    Only the masks themselves are looked at, one after the other; `MaskWatch` is for many of them.

    Parameters
    ----------
    masks : sequence of (str, ndarray or Path)
        Name for the sentences, and labels ``(Y, X)`` or their file.
    on_progress, cancel
        Counts masks.

    Raises
    ------
    InputError
        If a file cannot be read.
    Cancelled
        If ``cancel`` was set.
    """
    watch = Stopwatch(len(masks), on_progress)
    found: list[Finding] = []
    for number, (name, mask) in enumerate(masks, 1):
        (cancel or CancelToken()).raise_if_cancelled()
        found += spoiling(name, read_labels(mask) if isinstance(mask, Path) else mask)
        watch.report(number, name)
    return tuple(grouped(found))


class MaskWatch:
    """Looks at files of masks that are exported: at some before the first pair, at the others in their turn.

    Parameters
    ----------
    files : sequence of Path
    at_first : int, optional
        How many before the first pair; `AT_FIRST` when not given.

    Attributes
    ----------
    files : tuple of Path
    first : tuple of Path
        ``at_first`` of them at most, at even distances, for `faults_before_export`.
    """

    def __init__(self, files: Sequence[Path], at_first: int | None = None):
        self.files = tuple(dict.fromkeys(files))
        total = len(self.files)
        count = min(total, AT_FIRST if at_first is None else at_first)
        self.first = tuple(self.files[number * total // count] for number in range(count))
        self._due = {path.resolve() for path in self.files} - {path.resolve() for path in self.first}
        self._found: list[Finding] = []

    def look_at(self, path: Path, labels: np.ndarray) -> None:
        """Look at a mask that is about to be exported, unless that was done."""
        if path.resolve() in self._due:
            self.hear(path, spoiling(path, labels))

    def hear(self, path: Path, found: Sequence[Finding]) -> None:
        """Take what `spoiling` found in a mask elsewhere, unless that was done."""
        if path.resolve() in self._due:
            self._due.discard(path.resolve())
            self._found += found

    @property
    def found(self) -> tuple[Finding, ...]:
        """What is serious in the masks that were looked at in their turn."""
        return tuple(grouped(self._found))


def spoiling(name: str | Path, labels: np.ndarray) -> list[Finding]:
    """What is serious in one mask ``(Y, X)``, for an export of it; the name of a path is that of its file."""
    name = name.name if isinstance(name, Path) else name
    return [finding for finding in check_masks([(name, labels)])[0].findings if _spoils(finding, labels)]


def _spoils(finding: Finding, labels: np.ndarray) -> bool:
    """Whether a trainer learns something wrong from it; single axons are told apart by nobody."""
    return finding.serious or (finding.kind == NO_INSTANCES and structure_of(labels) == "nucleus")
