"""What the doctor found, in words, and the cured copy."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

from napari_synth.core.errors import Cancelled, InputError
from napari_synth.core.files import user_path, writing
from napari_synth.core.progress import CancelToken, OnProgress, Stopwatch, ignore_progress
from napari_synth.datasets.image_files import open_image, open_mask
from napari_synth.datasets.listing import output_name, stem_of
from napari_synth.evaluation.pair_check.cures import MASK_CURES
from napari_synth.evaluation.pair_check.findings import Cure, Finding

LARGEST = np.iinfo(np.uint16).max


@dataclass(frozen=True)
class Report:
    """The findings on a data folder.

    Attributes
    ----------
    folder : Path
    pairs : int
        Pairs looked at.
    findings : tuple of Finding
    """

    folder: Path
    pairs: int
    findings: tuple[Finding, ...]

    @property
    def text(self) -> str:
        """A line for each finding, with what can be done."""
        what = f"{self.pairs} pair{'s' * (self.pairs != 1)} in {self.folder}"
        if not self.findings:
            return f"{what}: nothing found."
        lines = [f"{what}: {len(self.findings)} finding{'s' * (len(self.findings) != 1)}."]
        for finding in self.findings:
            lines.append(f"{'!' if finding.serious else '-'} {finding.sentence} {finding.advice}")
        return "\n".join(lines)

    @property
    def serious(self) -> tuple[Finding, ...]:
        """Those from which a model would learn something wrong."""
        return tuple(finding for finding in self.findings if finding.serious)

    def repair(
        self,
        copy: str | Path,
        kinds: Iterable[str] | None = None,
        on_progress: OnProgress = ignore_progress,
        cancel: CancelToken | None = None,
    ) -> list[Path]:
        """Copy the folder and apply the cures to the copy.

        Parameters
        ----------
        copy : str or Path
            A folder that does not exist or is empty.
        kinds : iterable of str, optional
            Faults to cure; all that have a cure if not given.
        on_progress, cancel
            Counts files that are cured.

        Returns
        -------
        list of Path
            Files of the copy that differ from the original or were left out.

        Raises
        ------
        InputError
            If the copy would lie in the folder or over something else.
        Cancelled
            If ``cancel`` was set; the copy is removed.
        """
        target = user_path(copy)
        if target.resolve().is_relative_to(self.folder.resolve()):
            raise InputError(f"The copy {target} lies in the folder to copy.", "Name another place.")
        if target.exists() and (not target.is_dir() or any(target.iterdir())):
            raise InputError(f"{target} already exists.", "Name a new folder for the copy.")
        wanted = None if kinds is None else set(kinds)
        cures = [cure for f in self.findings if wanted is None or f.kind in wanted for cure in f.cures]
        shutil.copytree(self.folder, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".*"))
        try:
            return _apply(self.folder, target, cures, on_progress, cancel or CancelToken())
        except Cancelled:
            shutil.rmtree(target)
            raise


def _apply(root: Path, target: Path, cures: list[Cure], on_progress: OnProgress, cancel: CancelToken) -> list[Path]:
    by_file: dict[Path, list[Cure]] = {}
    for cure in cures:
        by_file.setdefault(cure.file, []).append(cure)
    changed: list[Path] = []
    exchanged = {c.file: c.arguments["other"] for c in cures if c.name == "exchange"}
    sources = exchanged | {other: mask for mask, other in exchanged.items()}
    files = list(dict.fromkeys([*by_file, *sources]))
    watch = Stopwatch(len(files), on_progress)
    for number, file in enumerate(files, 1):
        cancel.raise_if_cancelled()
        place = target / file.relative_to(root)
        names = {cure.name: cure.arguments for cure in by_file.get(file, [])}
        if "leave out" in names:
            _remove(place)
        elif "planes" in names:
            _split(file, place, names["planes"]["planes"])
        else:
            labels = open_mask(sources.get(file, file), repair=True).pixels
            for name in MASK_CURES:
                if name in names:
                    labels = MASK_CURES[name](labels, **names[name])
            _write_mask(place, labels)
        changed.append(place)
        watch.report(number, file.name)
    return changed


def _remove(place: Path) -> None:
    shutil.rmtree(place) if place.is_dir() else place.unlink(missing_ok=True)


def _write_mask(place: Path, labels: np.ndarray) -> None:
    """Plain labels in place of a file of the copy."""
    _remove(place)
    _write(place.with_name(output_name(stem_of(place), ".tif")), _smallest(labels))


def _smallest(labels: np.ndarray) -> np.ndarray:
    return labels.astype(np.uint32 if labels.max(initial=0) > LARGEST else np.uint16)


def _write(path: Path, array: np.ndarray) -> None:
    given: dict[str, Any] = {"photometric": "rgb"} if array.ndim == 3 else {"photometric": "minisblack"}
    with writing(path) as temporary:
        tifffile.imwrite(temporary, array, compression="zlib", **given)


def _split(file: Path, place: Path, planes: int) -> None:
    """A file for each plane of a stack."""
    is_mask = place.parent.name in ("masks", "labels")
    digits = len(str(planes - 1))
    for plane in range(planes):
        array = _smallest(open_mask(file, plane, repair=True).pixels) if is_mask else open_image(file, plane).pixels
        _write(place.with_name(output_name(f"{stem_of(place)}_{plane:0{digits}d}", ".tif")), array)
    _remove(place)
