"""What was found about the look of synthetic images, in words, numbers and a page."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from napari_synth.core.files import writing
from napari_synth.evaluation.realism.battery import APART, Line
from napari_synth.evaluation.realism.classifier import Difference, Told, in_words
from napari_synth.evaluation.realism.distances import RINGS_FROM, spectra
from napari_synth.evaluation.realism.memory import Neighbours
from napari_synth.evaluation.realism.sets import Patches
from napari_synth.evaluation.report import Page, png
from napari_synth.evaluation.report.plots import histograms, lines, points

SCORES_NAME, MAP_NAME, VERDICT_NAME, PAGE_NAME = "scores.csv", "map.csv", "verdict.yaml", "report.html"
HARD, EASY = 0.65, 0.9
"""AUC up to which, and from which, the words are said."""
PAIRS_SHOWN = 3


@dataclass(frozen=True)
class MapPoint:
    """An image on the map."""

    set: str
    path: Path
    group: str
    x: float
    y: float


@dataclass(frozen=True, eq=False)
class RealismReport:
    """What a comparison found.

    Attributes
    ----------
    folder : Path
    lines : sequence of Line
    told : Told
    differences : sequence of Difference
        Features that differ, most telling first.
    neighbours : Neighbours
    map : sequence of MapPoint
    spectra : mapping
        Mean log10 power over periods, by set.
    remarks : sequence of str
    counts : tuple of int
        Real and synthetic images, real and synthetic patches.
    recall : Recall, optional
        Of the trained classifier.
    agreement : tuple of float, optional
        Dice of masks and segmentation, of synthetic and of real images.
    """

    folder: Path
    lines: Sequence[Line]
    told: Told
    differences: Sequence[Difference]
    neighbours: Neighbours
    map: Sequence[MapPoint]
    spectra: Mapping[str, tuple[list[float], list[float]]]
    remarks: Sequence[str]
    counts: tuple[int, int, int, int]
    recall: Any = None
    agreement: tuple[float, float] | None = None

    @property
    def sentence(self) -> str:
        """How well they are told apart, and by what."""
        auc, p = self.told.auc, self.told.p
        if p >= 0.05:
            how = f"A simple classifier cannot tell synthetic from real images (AUC {auc:.2f}, p {p:.2f})."
        elif auc < HARD:
            how = f"Synthetic images are hard to tell from real ones (AUC {auc:.2f})."
        elif auc < EASY:
            how = f"A simple classifier often tells synthetic from real images (AUC {auc:.2f})."
        else:
            how = f"A simple classifier tells synthetic from real images easily (AUC {auc:.2f})."
        return f"{how} {in_words(self.differences) if p < 0.05 else ''}".strip()

    @property
    def warnings(self) -> list[str]:
        """What else is not as in real images."""
        found = []
        copies = self.neighbours.copies
        if copies:
            made, real, likeness = copies[0]
            found.append(
                f"{len(copies)} synthetic image{'s' * (len(copies) != 1)} may be copies of real ones: "
                f"{made.path.name} is like {real.path.name} ({likeness:.2f})."
            )
        if self.neighbours.alike:
            found.append("Synthetic images are more alike than real ones.")
        if self.told.trivial > EASY:
            found.append(
                f"Brightness and contrast alone tell them apart (AUC {self.told.trivial:.2f}): look at exposure first."
            )
        return found

    @property
    def brief(self) -> str:
        """The sentence, warnings, and which distances stand out."""
        apart = [line.title.partition(" (")[0] for line in self.lines if line.apart]
        found = f"Differ more than real images among themselves: {', '.join(dict.fromkeys(apart))}." if apart else ""
        return "\n".join(filter(None, [self.sentence, *self.warnings, found, *self.remarks]))

    @property
    def text(self) -> str:
        """The sentence, warnings, and a line for each distance."""
        rows = [
            f"{line.title}: {line.value:.4g} [{line.low:.4g}, {line.high:.4g}]; "
            f"two real halves {line.floor:.4g} ± {line.spread:.2g} (z {line.z:+.1f})"
            for line in self.lines
        ]
        return "\n".join([self.sentence, *self.warnings, *rows, *self._details(), *self.remarks])

    def _details(self) -> list[str]:
        found = []
        if not self.neighbours.copies:
            found.append("No copy of a real image was found, which does not prove that nothing was memorised.")
        if self.recall is not None:
            r = self.recall
            found.append(
                f"A trained classifier tells {r.real:.2f} ± {r.real_sd:.2f} of real and {r.synthetic:.2f} ± "
                f"{r.synthetic_sd:.2f} of synthetic patches right (0.5: cannot tell)."
            )
        if self.agreement is None:
            found.append("Mask agreement was not measured: name a segmenter trained on real images (--segmentor).")
        else:
            made, real = self.agreement
            found.append(f"Mask agreement: {made / max(real, 1e-9):.2f} (Dice {made:.2f} synthetic, {real:.2f} real).")
        found.append("Realism says nothing of how useful images are: napari-synth evaluate help answers that.")
        return found

    def save(self) -> None:
        """Write ``scores.csv``, ``map.csv``, ``verdict.yaml`` and ``report.html``."""
        rows: list[list[Any]] = [["name", "value", "low", "high", "floor", "floor_sd", "z"]]
        rows += [[x.name, x.value, x.low, x.high, x.floor, x.spread, x.z] for x in self.lines]
        rows.append(["auc", self.told.auc, "", "", 0.5, self.told.chance, ""])
        _table(self.folder / SCORES_NAME, rows)
        places = [[p.set, p.path.name, p.group, round(p.x, 4), round(p.y, 4)] for p in self.map]
        _table(self.folder / MAP_NAME, [["set", "file", "group", "x", "y"], *places])
        found = {
            "sentence": self.sentence,
            "warnings": self.warnings,
            "auc": round(self.told.auc, 4),
            "p": round(self.told.p, 4),
            "differences": [{"feature": d.feature, "words": d.words, "by": round(d.by, 3)} for d in self.differences],
            "z": {line.name: round(line.z, 2) for line in self.lines},
            "remarks": [*self._details(), *self.remarks],
        }
        with writing(self.folder / VERDICT_NAME) as temporary:
            temporary.write_text(yaml.safe_dump(found, sort_keys=False, allow_unicode=True), encoding="utf-8")
        self._page().save(self.folder / PAGE_NAME)

    def _page(self) -> Page:
        page = Page("How real do they look?")
        page.verdict(self.sentence, "good" if self.told.p >= 0.05 else "bad" if self.told.auc > EASY else "")
        for warning in self.warnings:
            page.text(warning)
        a, b, c, d = self.counts
        page.text(f"{a} real and {b} synthetic images, {c} and {d} patches.", note=True)
        page.heading("What differs")
        page.table(
            ["feature", "in words", "by (sd of real)"], [[x.feature, x.words, f"{x.by:+.2f}"] for x in self.differences]
        )
        page.heading("Distances")
        page.table(
            ["distance", "synthetic [95 %]", "two real halves", "z"],
            [
                [
                    line.title,
                    f"{line.value:.4g} [{line.low:.4g}, {line.high:.4g}]",
                    f"{line.floor:.4g} ± {line.spread:.2g}",
                    f"{line.z:+.1f}",
                ]
                for line in self.lines
            ],
        )
        page.text(
            f"Of random halves by group. z over {APART:.0f}: synthetic images differ more than real ones among "
            "themselves. Numbers of other sets or other patches cannot be put beside these.",
            note=True,
        )
        page.figure(lines(self.spectra, "cycles per 100 pixels", "log10 power"), "Spectra")
        near = self.neighbours
        likeness = {"real to real": near.of_real, "synthetic to synthetic": near.of_synthetic,
                    "synthetic to real": near.across}  # fmt: skip
        page.figure(histograms({k: list(v) for k, v in likeness.items()}, "likeness"), "Nearest neighbours")
        clouds = {name: np.array([(p.x, p.y) for p in self.map if p.set == name]) for name in ("real", "synthetic")}
        page.figure(points(clouds, "first component", "second component"), "Map of the 18 features")
        page.heading("Nearest real images")
        for made, real, likeness_ in near.nearest[:PAIRS_SHOWN]:
            caption = f"{made.path.name} (synthetic) and {real.path.name} (real): {likeness_:.2f}"
            page.picture(png(_beside(made.pixels, real.pixels)), caption)
        for detail in (*self._details(), *self.remarks):
            page.text(detail, note=True)
        return page


def spectrum_curves(real: Patches, synthetic: Patches) -> dict[str, tuple[list[float], list[float]]]:
    """Mean log10 power over frequency, by set."""
    side = real.pixels.shape[1]
    frequency = [100 * ring / side for ring in range(RINGS_FROM, side // 2)]
    return {
        name: (frequency, [float(value) for value in spectra(patches).mean(0)])
        for name, patches in (("real", real), ("synthetic", synthetic))
    }


def _beside(first: np.ndarray, second: np.ndarray, most: int = 256) -> np.ndarray:
    pictures = [image if image.ndim == 3 else np.repeat(image[..., None], 3, -1) for image in (first, second)]
    height = min(most, *(image.shape[0] for image in pictures))
    return np.concatenate([image[:height, :most] for image in pictures], 1)


def _table(path: Path, rows: Sequence[Sequence[Any]]) -> None:
    with writing(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
