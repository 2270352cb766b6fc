"""What the dock "Is it helping?" does in the background, away from layers and widgets."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_synth.core.progress import CancelToken, OnProgress, Progress

if TYPE_CHECKING:
    from napari_synth.evaluation.pair_check.disagreements import Predicted
    from napari_synth.evaluation.pair_report import PairReport
    from napari_synth.evaluation.realism import RealismReport
    from napari_synth.evaluation.realism.battery import Line
    from napari_synth.evaluation.usefulness import HelpReport
    from napari_synth.evaluation.usefulness.tables import Point
    from napari_synth.ui.docks.doubts import Doubts


@dataclass(eq=False)
class HelpWork:
    """Train and compare segmenters; what is found so far is in ``points`` and ``report``."""

    doubts: Doubts
    settings: dict[str, Any]
    points: list[Point] = field(default_factory=list)
    report: HelpReport | None = None

    def __call__(self, on_progress: OnProgress, cancel: CancelToken) -> HelpReport:
        from dataclasses import replace

        from napari_synth.evaluation.usefulness import HelpRequest, does_it_help, time_left

        for name in ("real", "synthetic"):
            self.doubts.about_pairs(self.settings[name], on_progress, cancel)

        def found(report: HelpReport) -> None:
            self.report = report

        def left(progress: Progress) -> str:
            return time_left(progress).partition(", ")[2]

        return does_it_help(
            HelpRequest(**self.settings),
            lambda p: on_progress(replace(p, message=" · ".join(filter(None, [left(p), p.message])))),
            cancel,
            self.points.append,
            found,
        )


@dataclass(frozen=True, eq=False)
class RealismWork:
    """Compare how images look; what is found so far is in ``lines``."""

    settings: dict[str, Any]
    lines: list[Line] = field(default_factory=list)

    def __call__(self, on_progress: OnProgress, cancel: CancelToken) -> RealismReport:
        from napari_synth.evaluation.realism import RealismRequest, evaluate_realism

        return evaluate_realism(RealismRequest(**self.settings), on_progress, cancel, self.lines.append)


@dataclass(frozen=True, eq=False)
class PairsWork:
    """Look at every pair with a segmenter of real images."""

    settings: dict[str, Any]

    def __call__(self, on_progress: OnProgress, cancel: CancelToken) -> PairReport:
        from napari_synth.evaluation.pair_report import second_look

        return second_look(**self.settings, on_progress=on_progress, cancel=cancel)


@dataclass(frozen=True, eq=False)
class PredictionsWork:
    """Compare the masks of pairs with what another program found in their images."""

    pairs: Path
    predictions: Path

    def __call__(self, on_progress: OnProgress, cancel: CancelToken) -> list[Predicted]:
        from napari_synth.evaluation.pair_check.disagreements import compared_with

        found = []
        for one in compared_with(self.pairs, self.predictions):
            cancel.raise_if_cancelled()
            found.append(one)
            on_progress(Progress(len(found), len(found), message=one.stem))
        return found


@dataclass(frozen=True, eq=False)
class PictureWork:
    """Read an image and its mask."""

    image: Path
    mask: Path | None

    def __call__(self, on_progress: OnProgress, cancel: CancelToken) -> tuple[np.ndarray, np.ndarray | None]:
        from napari_synth.datasets.image_files import open_mask, read_image

        labels = None if self.mask is None else open_mask(self.mask, repair=True).pixels
        return read_image(self.image), labels
