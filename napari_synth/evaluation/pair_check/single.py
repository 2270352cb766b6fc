"""Masks without files: layers of the window, arrays of a script."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from napari_synth.core.errors import SynthError
from napari_synth.core.progress import CancelToken, OnProgress, Stopwatch, ignore_progress
from napari_synth.datasets.image_files import as_labels
from napari_synth.datasets.plausible import scatter, snapped, two_levels
from napari_synth.evaluation.pair_check.cures import MASK_CURES
from napari_synth.evaluation.pair_check.findings import Cure, Finding
from napari_synth.evaluation.pair_check.mask_faults import mask_faults


@dataclass(frozen=True, eq=False)
class CheckedMask:
    """One mask and what is wrong with it.

    Attributes
    ----------
    name : str
    findings : tuple of Finding
        Those that are serious, and hints.
    """

    name: str
    findings: tuple[Finding, ...]

    @property
    def curable(self) -> bool:
        """Whether `cured_mask` changes anything."""
        return any(finding.cures for finding in self.findings)


def check_masks(
    masks: Sequence[tuple[str, np.ndarray]],
    on_progress: OnProgress = ignore_progress,
    cancel: CancelToken | None = None,
) -> list[CheckedMask]:
    """Look for faults in masks that are no files, before they are rendered, exported or trained on.

    Parameters
    ----------
    masks : sequence of (str, ndarray)
        Name for the sentences, and labels ``(Y, X)``.
    on_progress, cancel
        Counts masks.

    Raises
    ------
    Cancelled
        If ``cancel`` was set.
    """
    watch = Stopwatch(len(masks), on_progress)
    checked = []
    for number, (name, labels) in enumerate(masks, 1):
        (cancel or CancelToken()).raise_if_cancelled()
        checked.append(CheckedMask(name, tuple(_faults(name, labels))))
        watch.report(number, name)
    return checked


def _faults(name: str, array: np.ndarray) -> Iterable[Finding]:
    path = Path(name.replace("/", "∕"))  # a layer may be called anything
    try:
        labels = as_labels(array, f"The mask {name}")
    except SynthError as error:
        return [Finding("unreadable", error.problem, (path,))]
    if not labels.any():
        return [Finding("empty", f"The mask {name} is empty.", (path,))]
    found = scatter(labels)
    if found.is_noise:
        said = f"The mask {name} has {found.values} different values scattered along edges."
        return [Finding("strange numbers", said, (path,), (Cure(path, "read"),))]
    return list(mask_faults(path, labels))


def cured_mask(labels: np.ndarray, findings: Iterable[Finding]) -> np.ndarray:
    """A copy of a mask with the cures of some findings.

    Parameters
    ----------
    labels : ndarray, shape (Y, X)
    findings : iterable of Finding
        Of `check_masks`.
    """
    labels = as_labels(labels)
    found = scatter(labels)
    if found.is_noise:
        foreground = two_levels(labels)
        labels = snapped(labels) if foreground is None else foreground.astype(np.int32)
    names = {cure.name: cure.arguments for finding in findings for cure in finding.cures}
    for name in MASK_CURES:
        if name in names:
            labels = MASK_CURES[name](labels, **names[name])
    return labels
