"""The answer to "does it help?", and its files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import yaml

from napari_synth.core.files import writing
from napari_synth.evaluation.metrics import METRICS
from napari_synth.evaluation.report import Page
from napari_synth.evaluation.report.plots import intervals, lines
from napari_synth.evaluation.usefulness.arms import ARMS
from napari_synth.evaluation.usefulness.scoring import OF_OBJECTS, OF_PIXELS
from napari_synth.evaluation.usefulness.tables import Point, Score, write_rows
from napari_synth.evaluation.usefulness.verdict import (
    POOLED,
    Comparison,
    as_published,
    as_yaml,
    comparisons,
    pooled_figure,
    sentence,
)

SCORES_NAME, CURVES_NAME, VERDICT_NAME, SPLIT_NAME = "scores.csv", "curves.csv", "verdict.yaml", "split.csv"
PAGE_NAME = "report.html"
SHOWN = (*OF_OBJECTS, *OF_PIXELS)
RUNS = "runs"
KINDS = {"helps": "good", "hurts": "bad", "unclear": ""}


def picture_file(folder: Path, arm: str) -> Path:
    """Where the picture of what an arm finds lies."""
    return folder / RUNS / f"{arm}.png"


@dataclass(frozen=True)
class HelpReport:
    """What a comparison found so far.

    Attributes
    ----------
    folder : Path
    scores : sequence of Score
    points : sequence of Point
        Losses.
    metric, endpoint : str
        The figure and the arm of the question.
    remarks : sequence of str
    counts : mapping
        Images to ``train``, ``val`` and ``test``, and ``synthetic`` pairs.
    finished, planned : int
        Trainings.
    """

    folder: Path
    scores: Sequence[Score]
    points: Sequence[Point]
    metric: str
    endpoint: str
    remarks: Sequence[str]
    counts: Mapping[str, int]
    finished: int
    planned: int

    @property
    def complete(self) -> bool:
        """Whether all trainings are finished."""
        return self.finished == self.planned

    @cached_property
    def comparisons(self) -> list[Comparison]:
        """Each arm against ``real``, the endpoint first if it has an interval already."""
        return comparisons(self.scores, self.metric, self.endpoint)

    @property
    def verdict(self) -> str:
        """``helps``, ``hurts``, ``unclear``, or ``unfinished``."""
        first = next(iter(self.comparisons), None)
        return first.difference.verdict if first is not None and first.arm == self.endpoint else "unfinished"

    @property
    def sentence(self) -> str:
        """The answer to the question of the run."""
        if self.verdict == "unfinished":
            return f"{self.finished} of {self.planned} trainings are finished: too few for an answer."
        return sentence(self.comparisons[0])

    @property
    def arms(self) -> list[str]:
        """With scores, in the order of the run."""
        return list(dict.fromkeys(score.arm for score in self.scores))

    @property
    def text(self) -> str:
        """The answer and a line for each other arm."""
        lines = [self.sentence, *(sentence(other) for other in self.comparisons[1:]), *self.remarks]
        return "\n".join(lines if self.verdict != "unfinished" else [self.sentence, *self.remarks])

    @property
    def brief(self) -> str:
        """What a panel shows."""
        return self.text

    def save(self) -> None:
        """Write ``scores.csv``, ``curves.csv``, ``verdict.yaml`` and ``report.html``."""
        write_rows(self.folder / SCORES_NAME, self.scores, Score)
        write_rows(self.folder / CURVES_NAME, self.points, Point)
        found = {
            "sentence": self.sentence,
            "verdict": self.verdict,
            "trainings": f"{self.finished} of {self.planned}",
            "images": dict(self.counts),
            "comparisons": [as_yaml(one) for one in self.comparisons],
            "arms": {arm: self._means(arm) for arm in self.arms},
            "remarks": list(self.remarks),
        }
        with writing(self.folder / VERDICT_NAME) as temporary:
            temporary.write_text(yaml.safe_dump(found, sort_keys=False, allow_unicode=True), encoding="utf-8")
        self._page().save(self.folder / PAGE_NAME)

    def _means(self, arm: str) -> dict[str, float]:
        metrics = [name for name in SHOWN if any(score.metric == name for score in self.scores)]
        means = {name: round(as_published(self.scores, name, arm)[0], 4) for name in metrics}
        pooled = {f"pooled-{name}": pooled_figure(self.scores, name, arm) for name in metrics if name in POOLED}
        return means | {name: round(value, 4) for name, value in pooled.items()}

    def _page(self) -> Page:
        page = Page("Does it help?")
        page.verdict(self.sentence, KINDS.get(self.verdict, ""))
        c = self.counts
        page.text(
            f"{c['train']} real images to train on, {c['val']} to choose settings, {c['test']} to test on; "
            f"{c['synthetic']} synthetic pairs; {self.finished} of {self.planned} trainings finished."
        )
        for remark in self.remarks:
            page.text(remark, note=True)
        title = METRICS[self.metric].title
        if self.comparisons:
            page.heading("Difference to real pairs alone")
            rows = [(x.arm, x.difference.mean, x.difference.low, x.difference.high) for x in self.comparisons]
            page.figure(intervals(rows, title), "Mean and 95 % interval over groups of images and repeats")
            for other in self.comparisons[1:]:
                page.text(sentence(other))
        page.heading("Figures")
        metrics = [name for name in SHOWN if any(score.metric == name for score in self.scores)]
        page.table(["arm", *(METRICS[name].title for name in metrics)], [self._row(arm, metrics) for arm in self.arms])
        page.text(
            "Means over groups of test images, ± standard deviation over repeats as papers print it: that speaks of "
            "other trainings on these images, not of other images. Images where nothing is defined are left out.",
            note=True,
        )
        for arm in self.arms:
            page.text(f"{arm}: {ARMS[arm].title}.", note=True)
        pictures = [(arm, picture_file(self.folder, arm)) for arm in self.arms]
        if any(path.is_file() for _, path in pictures):
            page.heading("Some test images: blue as labelled, orange as found")
            for arm, path in pictures:
                if path.is_file():
                    page.picture(path.read_bytes(), arm)
        page.heading("Training")
        page.figure(lines(self._curves(), "step", "loss"), "Loss of each arm, first repeat")
        return page

    def _row(self, arm: str, metrics: Sequence[str]) -> list[str]:
        figures = (as_published(self.scores, name, arm) for name in metrics)
        return [arm, *(f"{mean:.3f} ± {sd:.3f}" for mean, sd in figures)]

    def _curves(self) -> dict[str, tuple[list[float], list[float]]]:
        first = min((point.repeat for point in self.points), default=1)
        return {
            arm: (
                [float(point.step) for point in self.points if (point.arm, point.repeat) == (arm, first)],
                [point.loss for point in self.points if (point.arm, point.repeat) == (arm, first)],
            )
            for arm in self.arms
        }
