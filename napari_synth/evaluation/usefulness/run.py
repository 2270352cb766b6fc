"""Train the arms, score them, and write what is finished: a run that is stopped goes on."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
import torch
import yaml
from torch import Tensor

from napari_synth.core.devices import out_of_memory, resolve_device
from napari_synth.core.errors import Cancelled, WorkError
from napari_synth.core.files import holds_other, writing
from napari_synth.core.locks import LOCK_NAME, holding
from napari_synth.core.progress import CancelToken, OnProgress, Progress, Stopwatch, ignore_progress
from napari_synth.core.recipe import RECIPE_NAME, image_hash, mask_hash, versions
from napari_synth.core.seeds import derived_seed
from napari_synth.core.untrusted import load_yaml
from napari_synth.evaluation.report import outlined, png
from napari_synth.evaluation.report.pictures import MADE, REAL
from napari_synth.evaluation.usefulness.arms import ARMS
from napari_synth.evaluation.usefulness.budgets import Budget
from napari_synth.evaluation.usefulness.report import RUNS, SPLIT_NAME, HelpReport, picture_file
from napari_synth.evaluation.usefulness.request import HelpRequest, Sets, read_sets
from napari_synth.evaluation.usefulness.scoring import chosen, scores
from napari_synth.evaluation.usefulness.tables import Point, Score, read_rows, write_rows
from napari_synth.evaluation.usefulness.training import Data, probability, trained

PREDICTIONS = "predictions"
POINTS = 60
"""Of a curve."""
PICTURES, PICTURE_SIDE = 3, 256
OnPoint = Callable[[Point], None]
OnReport = Callable[[HelpReport], None]


def does_it_help(
    request: HelpRequest,
    on_progress: OnProgress = ignore_progress,
    cancel: CancelToken | None = None,
    on_point: OnPoint = lambda _: None,
    on_report: OnReport = lambda _: None,
) -> HelpReport:
    """Whether synthetic pairs make a segmenter better on real images it never saw.

    Every arm trains the same network from the same initial weights on the same real images for the same
    number of updates, per repeat. What is finished is kept in ``out``: another call with the same request
    goes on there.

    Parameters
    ----------
    request : HelpRequest
    on_progress, cancel
        Counts updates. Cancelling keeps what is finished and reports on it.
    on_point : callable
        Called with the `Point` of a loss now and then, for live curves.
    on_report : callable
        Called with the `HelpReport` so far after each training.

    Returns
    -------
    HelpReport
        Its `sentence` is the answer.

    Raises
    ------
    InputError
        For a request or folders that cannot be compared; see `request.read_sets`.
    WorkError
        If the report's folder is in use or cannot be written, or memory runs out.
    """
    budget = request.plan()
    device = resolve_device(request.device)
    sets = read_sets(request)
    with holding(request.out / LOCK_NAME, f"The report {request.out}"):
        _prepare(request, sets)
        run = _Run(request, budget, sets, device, on_point)
        try:
            return run.all(on_progress, cancel or CancelToken(), on_report)
        except RuntimeError as error:
            if not out_of_memory(error):
                raise
            raise WorkError("There is not enough memory for this training.", "Use a smaller width.") from error


@dataclass(eq=False)
class _Run:
    request: HelpRequest
    budget: Budget
    sets: Sets
    device: torch.device
    on_point: OnPoint

    def all(self, on_progress: OnProgress, cancel: CancelToken, on_report: OnReport) -> HelpReport:
        """Repeat after repeat, so that what is finished can be compared."""
        tasks = [(arm, repeat) for repeat in range(1, self.budget.repeats + 1) for arm in self.budget.arms]
        lengths = {arm: ARMS[arm].count(self.budget.steps) for arm in self.budget.arms}
        found = [task for task in tasks if self._file(*task).is_file()]
        done = sum(lengths[arm] for arm, _ in found)
        watch = Stopwatch(sum(lengths[arm] for arm, _ in tasks), on_progress, found=done)
        for arm, repeat in tasks:
            if (arm, repeat) in found:
                continue
            try:
                self._train(arm, repeat, watch, done, cancel)
            except Cancelled:
                break
            done += lengths[arm]
            on_report(self.report())
        report = self.report()
        report.save()
        return report

    def report(self) -> HelpReport:
        """Of all that is finished."""
        rows: list[Score] = []
        points: list[Point] = []
        for repeat in range(1, self.budget.repeats + 1):
            for arm in self.budget.arms:
                if self._file(arm, repeat).is_file():
                    rows += read_rows(self._file(arm, repeat), Score)
                    points += read_rows(self._file(arm, repeat, "-curve"), Point)
        metric = self.request.metric or ("ap50" if self.sets.instances else "dice")
        remarks = [*self.sets.remarks, *([self.budget.note] if self.budget.note else [])]
        counts = {role: sum(one.role == role for one in self.sets.roles) for role in ("train", "val", "test")}
        if self.request.images:
            counts |= {"train": self.request.images, "val": len(self.sets.val)}
        counts["synthetic"] = len(self.sets.synthetic)
        planned = len(self.budget.arms) * self.budget.repeats
        finished = len({(row.arm, row.repeat) for row in points})
        return HelpReport(
            self.request.out, rows, points, metric, self.request.endpoint, remarks, counts, finished, planned
        )

    def _file(self, arm: str, repeat: int, end: str = "") -> Path:
        return self.request.out / RUNS / f"{arm}-{repeat}{end}.csv"

    def _train(self, arm: str, repeat: int, watch: Stopwatch, done: int, cancel: CancelToken) -> None:
        seed = derived_seed(self.request.seed, "repeat", repeat)
        kind = ARMS[arm]
        real = self.sets.subset(self.request.images, seed) if kind.real else []
        made = self.sets.synthetic if kind.synthetic else []
        steps, points = kind.count(self.budget.steps), list[Point]()
        every = max(steps // POINTS, 1)

        def on_step(step: int, loss: Tensor) -> None:
            if step % every == 0 or step == steps:
                points.append(Point(arm, repeat, step, round(loss.item(), 5)))
                self.on_point(points[-1])
                watch.report(done + step, self._message(arm, repeat))

        data = Data(real, made, self.budget.crop, self.device)
        network = trained(kind, data, self.budget, seed, on_step, cancel)
        val, test = self.sets.val, self.sets.test
        settings = chosen(val, [probability(network, x.image, self.device) for x in val], self.sets.instances)
        cancel.raise_if_cancelled()
        found = [probability(network, x.image, self.device) for x in test]
        figures = scores(test, found, settings, self.sets.instances)
        if self.request.predictions:
            for pair, values in zip(test, found, strict=True):
                self._write_prediction(arm, repeat, pair.stem, settings.objects(values))
        rows = [
            Score(arm, repeat, pair.stem, group, metric, round(float(value), 6))
            for pair, group, row in zip(test, self.sets.groups, figures, strict=True)
            for metric, value in row.items()
        ]
        if repeat == 1:
            self._write_picture(arm, [settings.objects(values) for values in found[:PICTURES]])
        write_rows(self._file(arm, repeat, "-curve"), points, Point)
        write_rows(self._file(arm, repeat), rows, Score)

    def _message(self, arm: str, repeat: int) -> str:
        return f"{arm}, repeat {repeat} of {self.budget.repeats}"

    def _write_picture(self, arm: str, found: list[np.ndarray]) -> None:
        """Corners of some test images with the outlines of what is labelled and what was found."""
        corner = np.s_[:PICTURE_SIDE, :PICTURE_SIDE]
        parts = [
            outlined(outlined(pair.image[corner], pair.labels[corner], REAL), objects[corner], MADE)
            for pair, objects in zip(self.sets.test, found, strict=False)
        ]
        height = min(part.shape[0] for part in parts)
        with writing(picture_file(self.request.out, arm)) as temporary:
            temporary.write_bytes(png(np.concatenate([part[:height] for part in parts], 1)))

    def _write_prediction(self, arm: str, repeat: int, stem: str, labels: np.ndarray) -> None:
        path = self.request.out / PREDICTIONS / f"{arm}-{repeat}" / f"{stem}.tif"
        with writing(path) as temporary:
            tifffile.imwrite(temporary, labels.astype(np.uint16 if labels.max(initial=0) < 65536 else np.int32))


def time_left(progress: Progress) -> str:
    """Such as ``0.9 s per step, about 45 min left``; empty until it has been measured."""
    if not progress.rate:
        return ""
    left = (progress.total - progress.done) / progress.rate
    said = f"{left / 3600:.1f} h" if left > 5400 else f"{left / 60:.0f} min" if left > 90 else f"{left:.0f} s"
    return f"{1 / progress.rate:.2g} s per step, about {said} left"


def _prepare(request: HelpRequest, sets: Sets) -> None:
    """Begin the report, or go on with it; refuse it when it is another one's."""
    plan, path = _plan(request, sets), request.out / RECIPE_NAME
    if path.is_file():
        old = load_yaml(path.read_text(encoding="utf-8", errors="replace"), str(path), "Choose another folder.")
        if isinstance(old, dict) and {**old, "versions": None} == {**plan, "versions": None}:
            return
        if not request.overwrite:
            raise holds_other(request.out, "reports")
    elif any(found.name != LOCK_NAME for found in request.out.iterdir()) and not request.overwrite:
        raise holds_other(request.out, "files")
    for old_file in sorted((request.out / RUNS).glob("*.csv")):
        old_file.unlink()
    _write_split(request.out / SPLIT_NAME, sets)
    with writing(path) as temporary:
        temporary.write_text(yaml.safe_dump(plan, sort_keys=False, allow_unicode=True), encoding="utf-8")


def _plan(request: HelpRequest, sets: Sets) -> dict[str, Any]:
    """Everything the scores depend on, as plain values; the device does not belong to it."""
    settings = {key: str(value) if isinstance(value, Path) else value for key, value in asdict(request).items()}
    for name in ("out", "device", "predictions", "overwrite", "arms", "repeats"):  # more arms and repeats go on
        settings.pop(name)
    every = [*sets.train, *sets.val, *sets.test, *sets.synthetic]
    pixels = "".join(image_hash(pair.image) + mask_hash(pair.labels) for pair in every)
    settings["data"] = image_hash(np.frombuffer(pixels.encode(), np.uint8))
    return {"does it help": settings, "versions": versions()}


def _write_split(path: Path, sets: Sets) -> None:
    by_stem = {pair.stem: pair for pair in (*sets.train, *sets.val, *sets.test)}
    with writing(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["file", "hash", "group", "role"])
        for one in sets.roles:
            loaded = by_stem.get(one.pair.stem)
            writer.writerow(
                [one.pair.image.name, "" if loaded is None else image_hash(loaded.image), one.group, one.role]
            )
