"""What the scores say, in a sentence that may say no."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import stats

from napari_synth.evaluation.metrics import METRICS
from napari_synth.evaluation.metrics.instances import Counts
from napari_synth.evaluation.statistics import Difference, crossed_bootstrap, holm, two_way
from napari_synth.evaluation.usefulness.tables import Score, paired, table

POOLED = {"ap50": ("50", "precision_of_all"), "ap75": ("75", "precision_of_all"), "pq": ("50", "panoptic"),
          "f1": ("50", "f1"), "matched-iou": ("50", "matched_iou")}  # fmt: skip
BASE = "real"
DRAWS = 2000


@dataclass(frozen=True)
class Comparison:
    """An arm against real pairs alone, in one figure.

    Attributes
    ----------
    arm, metric : str
    difference : Difference
        Over groups and repeats; its p is adjusted for the number of comparisons where it is not the question.
    repeats, groups : int
    wilcoxon : float
        p of Wilcoxon's test over the means of groups: a second opinion that knows nothing of repeats.
    pooled : Difference, optional
        Of the figure from counts of all images together.
    """

    arm: str
    metric: str
    difference: Difference
    repeats: int
    groups: int
    wilcoxon: float
    pooled: Difference | None = None


def compare(scores: Sequence[Score], metric: str, arm: str, draws: int = DRAWS) -> Comparison | None:
    """An arm against ``real``; None where there are fewer than two repeats or groups of both."""
    done = [{score.repeat for score in scores if score.arm == name} for name in (arm, BASE)]
    scores = [score for score in scores if score.repeat in done[0] & done[1]]
    d = paired(scores, metric, arm, BASE)
    if min(d.shape) < 2:
        return None
    means = d.mean(0)
    p = float(stats.wilcoxon(means).pvalue) if np.any(means) else 1.0
    pooled = _pooled(scores, metric, arm, draws) if metric in POOLED else None
    return Comparison(arm, metric, two_way(d), d.shape[0], d.shape[1], p, pooled)


def comparisons(scores: Sequence[Score], metric: str, endpoint: str) -> list[Comparison]:
    """Each arm that has scores against ``real``, the endpoint first, the others' p adjusted (Holm)."""
    arms = [arm for arm in dict.fromkeys(score.arm for score in scores) if arm not in (BASE, endpoint)]
    first = compare(scores, metric, endpoint)
    others = [found for arm in arms if (found := compare(scores, metric, arm)) is not None]
    adjusted = holm([found.difference.p for found in others])
    others = [
        replace(found, difference=replace(found.difference, p=p)) for found, p in zip(others, adjusted, strict=True)
    ]
    return [*([first] if first is not None else []), *others]


def sentence(comparison: Comparison) -> str:
    """The verdict."""
    d, name = comparison.difference, METRICS[comparison.metric].title.partition(":")[0]
    interval = f"{d.mean:+.3f} [{d.low:+.3f}, {d.high:+.3f}]"
    on = f"{comparison.groups} held-out groups, {comparison.repeats} repeats"
    if d.verdict == "unclear":
        return (
            f"{comparison.arm}: no measurable difference to real pairs alone: {name} {interval} ({on}); "
            f"this run could have seen a difference of {d.detectable:.3f}."
        )
    return f"{comparison.arm} {d.verdict}: {name} {interval} against real pairs alone ({on})."


def as_published(scores: Sequence[Score], metric: str, arm: str) -> tuple[float, float]:
    """Mean and standard deviation over repeats, as papers print them; it says nothing of new images."""
    values, _, _ = table(scores, metric, arm)
    defined = values[:, np.isfinite(values).all(0)]
    if not defined.size:
        return float("nan"), float("nan")
    means = defined.mean(1)
    return float(means.mean()), float(means.std())


def as_yaml(comparison: Comparison) -> dict[str, Any]:
    """A comparison as plain values."""
    d = comparison.difference
    values: dict[str, Any] = {
        "arm": comparison.arm,
        "metric": comparison.metric,
        "verdict": d.verdict,
        "difference": _rounded(d.mean),
        "interval": [_rounded(d.low), _rounded(d.high)],
        "p": _rounded(d.p, 6),
        "could_have_seen": _rounded(d.detectable),
        "repeats": comparison.repeats,
        "groups": comparison.groups,
        "wilcoxon_p": _rounded(comparison.wilcoxon, 6),
    }
    if comparison.pooled is not None:
        pooled = comparison.pooled
        values["pooled"] = {
            "difference": _rounded(pooled.mean),
            "interval": [_rounded(pooled.low), _rounded(pooled.high)],
        }
    return values


def _rounded(value: float, digits: int = 4) -> float:
    return round(float(value), digits)


def pooled_figure(scores: Sequence[Score], metric: str, arm: str) -> float:
    """A figure from the counts of all images and repeats of an arm; NaN where it has none."""
    counts = _counts(scores, metric, arm)
    if counts is None:
        return float("nan")
    return _figure(metric, counts[0].sum((1, 2)))


def _pooled(scores: Sequence[Score], metric: str, arm: str, draws: int) -> Difference | None:
    ours, theirs = _counts(scores, metric, arm), _counts(scores, metric, BASE)
    if ours is None or theirs is None or ours[1:] != theirs[1:]:
        return None
    (a, repeats, groups), (b, _, _) = ours, theirs

    def figure(rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        drawn = [np.einsum("kri,dr,di->dk", counts, rows, columns, optimize=True) for counts in (a, b)]
        return np.array([_figure(metric, ours) - _figure(metric, theirs) for ours, theirs in zip(*drawn, strict=True)])

    return crossed_bootstrap(figure, len(repeats), len(groups), draws=draws)


def _figure(metric: str, counts: np.ndarray) -> float:
    found, invented, missed, iou = counts
    value: float = getattr(Counts(found, invented, missed, iou), POOLED[metric][1])
    return value


def _counts(scores: Sequence[Score], metric: str, arm: str) -> tuple[np.ndarray, list[int], list[str]] | None:
    """Found, invented, missed objects and summed IoU, (4, repeats, groups), summed over the images of a group."""
    names = [f"{key}{POOLED[metric][0]}" for key in ("found", "invented", "missed", "iou")]
    chosen = [score for score in scores if score.arm == arm and score.metric in names]
    if not chosen:
        return None
    repeats, groups = sorted({score.repeat for score in chosen}), sorted({score.group for score in chosen})
    sums = np.zeros((4, len(repeats), len(groups)))
    row, column = ({key: place for place, key in enumerate(keys)} for keys in (repeats, groups))
    for score in chosen:
        sums[names.index(score.metric), row[score.repeat], column[score.group]] += score.value
    return sums, repeats, groups
