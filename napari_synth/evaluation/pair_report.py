"""The second look at a folder of synthetic pairs, as a report with a traffic light per pair."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml

from napari_synth.core.files import holds_other, writing
from napari_synth.core.locks import LOCK_NAME, holding
from napari_synth.core.progress import CancelToken, OnProgress, ignore_progress
from napari_synth.datasets.pairs import find_pairs, load_pair
from napari_synth.evaluation.metrics.masks import dice
from napari_synth.evaluation.pair_check.second_look import Light, Limits, Look, limits_from, look_at_all
from napari_synth.evaluation.report import Page, outlined, png
from napari_synth.evaluation.usefulness.segmenter import segmentor_for

SEGMENTOR_NAME = "segmentor.safetensors"
SHOWN = 8
ORDER: tuple[Light, ...] = ("red", "yellow", "green")
NAMES = ("scores.csv", "verdict.yaml", "report.html")


@dataclass(frozen=True, eq=False)
class PairReport:
    """What a segmenter of real images sees in synthetic pairs.

    Attributes
    ----------
    folder, synthetic : Path
    looks : sequence of Look
        Worst first.
    limits : Limits
    real_dice : float
        Of the segmenter on real pairs that it was not trained on.
    """

    folder: Path
    synthetic: Path
    looks: Sequence[Look]
    limits: Limits
    real_dice: float

    @property
    def lights(self) -> Counter[Light]:
        """Pairs of each light."""
        return Counter(self.limits.light(look) for look in self.looks)

    @property
    def agreement(self) -> float:
        """Mean Dice of masks and what is seen, of synthetic over real pairs."""
        return float(np.mean([look.dice for look in self.looks])) / max(self.real_dice, 1e-9) if self.looks else np.nan

    @property
    def sentence(self) -> str:
        """How many are right."""
        lights = self.lights
        return (
            f"{lights['green']} of {len(self.looks)} pairs agree, {lights['yellow']} need a look, "
            f"{lights['red']} do not agree (mask agreement {self.agreement:.2f}; real pairs: 1)."
        )

    @property
    def text(self) -> str:
        """The sentence, and a line for each pair that is not green."""
        bad = [look for look in self.looks if self.limits.light(look) != "green"]
        return "\n".join(
            [self.sentence, *(f"{self.limits.light(x)}: {x.stem}: {self.limits.sentence(x)}." for x in bad)]
        )

    @property
    def brief(self) -> str:
        """The sentence and the worst pairs."""
        return "\n".join(self.text.splitlines()[: 1 + SHOWN])

    def save(self) -> None:
        """Write ``scores.csv``, ``verdict.yaml`` and ``report.html``."""
        with writing(self.folder / NAMES[0]) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["pair", "light", "dice", "down", "right", "area_bias", "unlabelled", "unseen", "objects"])
            for x in self.looks:
                values = (*x.shift, round(x.area_bias, 4), len(x.unlabelled), len(x.unseen), x.objects)
                writer.writerow([x.stem, self.limits.light(x), round(x.dice, 4), *values])
        found = {
            "sentence": self.sentence,
            "lights": {light: self.lights[light] for light in ORDER},
            "limits": dict(zip(("shift", "area_bias", "unlabelled", "unseen"), self.limits.values, strict=True)),
            "mask_agreement": round(self.agreement, 4),
        }
        with writing(self.folder / NAMES[1]) as temporary:
            temporary.write_text(yaml.safe_dump(found, sort_keys=False, allow_unicode=True), encoding="utf-8")
        self._page().save(self.folder / NAMES[2])

    def _page(self) -> Page:
        page = Page("Do images and masks agree?")
        page.verdict(self.sentence, "good" if not self.lights["red"] else "bad")
        files = {pair.stem: pair for pair in find_pairs(self.synthetic)}
        for look in self.looks[:SHOWN]:
            pair = load_pair(files[look.stem])
            caption = f"{look.stem} ({self.limits.light(look)}): {self.limits.sentence(look)}"
            page.picture(png(outlined(pair.image, pair.labels)), caption)
        page.table(
            ["pair", "light", "Dice", "shift", "area", "nuclei without label", "labels without nucleus"],
            [
                [x.stem, self.limits.light(x), f"{x.dice:.2f}", f"{x.shift[0]}, {x.shift[1]}", f"{x.area_bias:+.0%}",
                 str(len(x.unlabelled)), str(len(x.unseen))]
                for x in self.looks
            ],
        )  # fmt: skip
        return page


def second_look(
    real: Path,
    synthetic: Path,
    out: Path,
    *,
    groups: str = "",
    steps: int = 0,
    width: int = 0,
    seed: int = 1,
    device: str = "auto",
    overwrite: bool = False,
    on_progress: OnProgress = ignore_progress,
    cancel: CancelToken | None = None,
) -> PairReport:
    """Train a segmenter on real pairs, unless ``out`` holds one, and look at each synthetic pair with it.

    Parameters
    ----------
    real, synthetic : Path
        Folders with ``images/`` and ``masks/``.
    out : Path
    groups : str
        See `usefulness.roles.groups_of`.
    steps, width : int
        Of the segmenter; 0: as the budget ``quick`` has them.

    Raises
    ------
    InputError
        If the folders cannot be used or ``out`` holds something else.
    """
    known = {*NAMES, SEGMENTOR_NAME, LOCK_NAME}
    if out.is_dir() and not overwrite and any(path.name not in known for path in out.iterdir()):
        raise holds_other(out, "files")
    find_pairs(synthetic)
    with holding(out / LOCK_NAME, f"The report {out}"):
        if overwrite:
            (out / SEGMENTOR_NAME).unlink(missing_ok=True)
        eyes = segmentor_for(real, out / SEGMENTOR_NAME, groups, steps, seed, device, on_progress, cancel, width)
        probability = eyes.segmentor.probability
        limits = limits_from(eyes.others, probability)
        looks = list(look_at_all(synthetic, probability, on_progress, cancel))
        looks.sort(key=lambda look: -float((look.figures / np.array(limits.values)).max()))
        scores = [dice(pair.labels, probability(pair.image) > 0.5) for pair in eyes.others if pair.labels.any()]
        report = PairReport(out, synthetic, looks, limits, float(np.mean(scores)))
        report.save()
    return report
