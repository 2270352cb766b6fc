"""Look at every pair of a data folder."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from napari_synth.core.errors import InputError, SynthError
from napari_synth.core.files import entries, existing_folder, text_named
from napari_synth.core.progress import CancelToken, OnProgress, Stopwatch, ignore_progress
from napari_synth.datasets.image_files import count_planes, open_image, open_mask
from napari_synth.datasets.listing import image_files, stem_of
from napari_synth.datasets.pairs import describe, is_held_out
from napari_synth.evaluation.pair_check.alignment import view
from napari_synth.evaluation.pair_check.cures import inverted
from napari_synth.evaluation.pair_check.findings import Cure, Finding, grouped
from napari_synth.evaluation.pair_check.mask_faults import labels_background, mask_faults
from napari_synth.evaluation.pair_check.pixels import grey_of
from napari_synth.evaluation.pair_check.report import Report
from napari_synth.evaluation.pair_check.sets import Viewed, set_faults
from napari_synth.evaluation.pair_check.unlabelled import missing_nuclei

FEW_MISSING = 3
"""Nuclei without a label from which it is worth a hint."""
PLAIN = "read with care"
FOLDERS = (("images", "masks"), ("signal", "labels"))
"""Names of the folders of images and of their masks."""


@dataclass(frozen=True)
class Files:
    """The files of one stem in one set; either may be missing."""

    stem: str
    image: Path | None
    mask: Path | None
    held_out: bool


def check_pairs(
    folder: str | Path, on_progress: OnProgress = ignore_progress, cancel: CancelToken | None = None
) -> Report:
    """Look for faults in a folder of pairs, before anything is trained on them.

    Parameters
    ----------
    folder : str or Path
        ``images/`` and ``masks/``, or one folder with these per option, or a folder of masks alone.
    on_progress, cancel
        Counts pairs.

    Returns
    -------
    Report
        What was found, and `Report.repair` to cure a copy.

    Raises
    ------
    InputError
        If the folder does not exist or holds no masks.
    Cancelled
        If ``cancel`` was set.

    Examples
    --------
    >>> report = ns.check_pairs("my-data")
    >>> print(report.text)
    """
    root = existing_folder(folder, "data folder")
    cancel = cancel or CancelToken()
    findings: list[Finding] = []
    total = 0
    sets = list(_sets(root))
    found = [_listed(images, masks, held_out) for images, masks, held_out in sets]
    watch = Stopwatch(sum(len(files) for files, _ in found), on_progress)
    for files, faults in found:
        findings += faults
        viewed: list[Viewed] = []
        with ThreadPoolExecutor(os.cpu_count() or 1) as threads:
            for mine, one in threads.map(_look, files):
                if cancel.cancelled:
                    threads.shutdown(cancel_futures=True)
                cancel.raise_if_cancelled()
                findings += mine
                viewed += [one] if one is not None else []
                total += 1
                watch.report(total, "")
        findings += set_faults(viewed)
    return Report(root, total, tuple(grouped(findings)))


def holds_pairs(root: Path) -> bool:
    """Whether a folder has images and masks that `check_pairs` can compare."""
    if not root.is_dir():
        return False
    folders = [root, *(path for path in entries(root) if path.is_dir())]
    return any((folder / images).is_dir() for folder in folders for images, _ in FOLDERS)


def _sets(root: Path) -> Iterator[tuple[Path | None, Path, str]]:
    """Folders of images and of masks, and the rule of what is held out."""
    rules = {option.name: option.hold_out for option in describe(root).options}
    folders = [root, *(text_named(p) for p in entries(root) if p.is_dir() and not p.name.startswith("."))]
    some = False
    for folder in folders:
        for images, masks in FOLDERS:
            if (folder / masks).is_dir():
                some = True
                held_out = rules.get(folder.name, "") or (next(iter(rules.values()), "") if folder == root else "")
                yield (folder / images if (folder / images).is_dir() else None), folder / masks, held_out
    if not some:
        if not image_files(root):
            raise InputError(f"The folder {root} holds neither masks nor images/ and masks/.", "Check the path.")
        yield None, root, ""


def _listed(images: Path | None, masks: Path, rule: str) -> tuple[list[Files], list[Finding]]:
    """The files of a set by stem, and what is wrong with their names."""
    faults: list[Finding] = []
    mask_of = _stems(masks, faults)
    if images is None:
        return [Files(stem, None, paths[0], False) for stem, paths in mask_of.items() if len(paths) == 1], faults
    image_of = _stems(images, faults)
    listed = []
    for index, (stem, (image, *others)) in enumerate(image_of.items()):
        if others or len(mask_of.get(stem, [])) > 1:
            continue
        if stem not in mask_of:
            sentence = f"The image {image.name} has no mask in {masks.name}/."
            faults.append(Finding("no mask", sentence, (image,), (Cure(image, "leave out"),)))
            continue
        listed.append(Files(stem, image, mask_of[stem][0], is_held_out(index, stem, rule)))
    for stem, (mask, *_) in mask_of.items():
        if stem not in image_of:
            sentence = f"The mask {mask.name} has no image in {images.name}/."
            faults.append(Finding("no image", sentence, (mask,), (Cure(mask, "leave out"),)))
    return listed, faults


def _stems(folder: Path, faults: list[Finding]) -> dict[str, list[Path]]:
    """The files of a folder by stem; several of one stem are a fault."""
    by_stem: dict[str, list[Path]] = {}
    for path in image_files(folder):
        by_stem.setdefault(stem_of(path), []).append(path)
    for paths in by_stem.values():
        if len(paths) > 1:
            names = " and ".join(path.name for path in paths)
            faults.append(Finding("doubled name", f"{names} in {folder.name}/ have one name.", tuple(paths)))
    return by_stem


def _look(files: Files) -> tuple[list[Finding], Viewed | None]:
    """The faults of one pair, and what is kept of it to compare it with others."""
    mask, image = files.mask, files.image
    assert mask is not None
    findings: list[Finding] = []
    labels = _labels(files, findings)
    if labels is None:
        return findings, None
    if not labels.any() and image is None:
        return [
            *findings,
            Finding("empty", f"The mask {mask.name} is empty.", (mask,), (Cure(mask, "leave out"),)),
        ], None
    if labels.any():
        findings += mask_faults(mask, labels)
        if labels_background(labels):
            labels = inverted(labels)
    if image is None:
        return findings, None
    grey = _grey(image, findings)
    if grey is None:
        return findings, None
    if grey.shape != labels.shape:
        return [*findings, _size_fault(image, mask, grey.shape, labels.shape)], None
    if not labels.any():
        cures = (Cure(mask, "leave out"), Cure(image, "leave out"))
        findings.append(Finding("empty", f"The mask {mask.name} is empty.", (mask, image), cures))
    elif (missing := missing_nuclei(grey, labels)) >= FEW_MISSING:
        said = f"The image {image.name} shows about {missing} nuclei that its mask does not have."
        findings.append(Finding("unlabelled", said, (image, mask)))
    return findings, Viewed(image, mask, files.held_out, view(grey, labels), not labels.any())


def _labels(files: Files, findings: list[Finding]) -> np.ndarray | None:
    """The labels of a mask, repaired where that is possible; None where nothing can be done."""
    mask = files.mask
    assert mask is not None
    try:
        reading = open_mask(mask)
    except SynthError as error:
        try:
            if (planes := count_planes(mask)) > 1:
                findings.append(_stack(files, planes))
                return None
            labels = open_mask(mask, repair=True).pixels
        except SynthError:
            findings.append(Finding("unreadable", error.problem, (mask,)))
            return None
        findings.append(Finding("strange numbers", error.problem, (mask,), (Cure(mask, "read"),)))
        return labels
    if reading.remarks:
        noise = any("scattered" in remark for remark in reading.remarks)
        kind = "strange numbers" if noise else PLAIN
        findings.append(Finding(kind, " ".join(reading.remarks), (mask,), (Cure(mask, "read"),)))
    return reading.pixels


def _stack(files: Files, planes: int) -> Finding:
    mask, image = files.mask, files.image
    assert mask is not None
    paths = tuple(path for path in (mask, image) if path is not None)
    try:
        alike = image is None or count_planes(image) == planes
    except SynthError:
        alike = False
    cures = tuple(Cure(path, "planes", {"planes": planes}) for path in paths) if alike else ()
    return Finding("stack", f"The mask {mask.name} is a stack of {planes} planes.", paths, cures)


def _grey(image: Path, findings: list[Finding]) -> np.ndarray | None:
    try:
        return grey_of(open_image(image).pixels)
    except SynthError as error:
        findings.append(Finding("unreadable", error.problem, (image,)))
        return None


def _size_fault(image: Path, mask: Path, wanted: tuple[int, ...], found: tuple[int, ...]) -> Finding:
    (height, width), (h, w) = wanted, found
    said = f"The image {image.name} is {width}×{height} pixels but its mask is {w}×{h}."
    both = (mask, image)
    larger, smaller = max(height, h), min(height, h)
    if height * w == width * h and larger % smaller == 0:
        return Finding("sizes differ", said, both, (Cure(mask, "scale", {"height": height, "width": width}),))
    return Finding("sizes differ", said, both, _leave_out(both))


def _leave_out(files: Iterable[Path]) -> tuple[Cure, ...]:
    return tuple(Cure(file, "leave out") for file in files)
