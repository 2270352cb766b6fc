"""Whether a look looks more like held-out real images than the one it started from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from napari_synth.core.errors import InputError
from napari_synth.core.progress import CancelToken
from napari_synth.core.seeds import derived_seed
from napari_synth.datasets.mask_encoding import to_network
from napari_synth.datasets.pairs import LoadedPair
from napari_synth.evaluation.metrics import METRICS
from napari_synth.evaluation.realism.battery import line
from napari_synth.evaluation.realism.distances import DISTANCES, Distance
from napari_synth.evaluation.realism.sets import LEAST_GROUPS, SIDES, Patches, Picture, cut, in_colour_or_grey, side_for
from napari_synth.synthesis.generator import Generator
from napari_synth.synthesis.styles.nuclei_in import nuclei_in

PATCHES = 100
"""Of each set."""
LEAST_PARTS = 4
"""Parts of images without which there is no floor."""
MOST_RENDERED = 40
"""Images per set."""
CLEAR = 2.0
"""Standard deviations of the floor by which a distance must fall."""
LINES = ("grey-values", "exposure", "spectrum", "features")
"""Of the distances those that few patches are enough for."""
HEADLINES = ("kid", "features")
"""The distance that decides: the first of these that could be measured."""
SHORT = {"kid": "KID", "features": "The distance of 18 features"}


@dataclass(frozen=True)
class Change:
    """A distance from held-out real images before and after, and what two halves of those differ by."""

    name: str
    title: str
    before: float
    now: float
    floor: float
    spread: float

    @property
    def fell(self) -> bool:
        """Whether it fell by more than `CLEAR` standard deviations of the floor."""
        return self.before - self.now > CLEAR * self.spread


@dataclass(frozen=True)
class LookVerdict:
    """What a look is worth.

    Attributes
    ----------
    look, start : str
        The new look, and the one it began as.
    changes : tuple of Change
    agreement : float
        Dice of the masks and the nuclei found in images made of them, over that of real images; 0 if unknown.
    remarks : tuple of str
    """

    look: str
    start: str
    changes: tuple[Change, ...]
    agreement: float
    remarks: tuple[str, ...]

    @property
    def headline(self) -> Change | None:
        """The distance that decides; None where too little was held out."""
        by_name = {change.name: change for change in self.changes}
        return next((by_name[name] for name in HEADLINES if name in by_name), None)

    @property
    def helped(self) -> bool:
        """Whether the distance that decides fell clearly."""
        return self.headline is not None and self.headline.fell

    @property
    def sentence(self) -> str:
        """The verdict in words."""
        head = self.headline
        if head is None:
            return f"{self.look}: too little was held out to say whether it helped."
        moved = "fell" if head.now < head.before else "rose"
        verdict = "it helped" if self.helped else "it did not help"
        others = sum(change.fell for change in self.changes)
        agree = f" Masks and images agree to {self.agreement:.2f} of what real ones do." if self.agreement else ""
        return (
            f"{self.look}: {SHORT[head.name]} from held-out real images {moved} "
            f"from {head.before:.3g} to {head.now:.3g} (floor {head.floor:.2g} ± {head.spread:.2g}): {verdict}. "
            f"{others} of {len(self.changes)} distances fell clearly.{agree}"
        )

    def as_figures(self) -> dict[str, float]:
        """For a model card."""
        found = {}
        for change in self.changes:
            for part in ("before", "now", "floor", "spread"):
                found[f"{self.look}.{change.name}.{part}"] = float(f"{getattr(change, part):.4g}")
        return found | ({f"{self.look}.agreement": round(self.agreement, 4)} if self.agreement else {})

    def as_record(self) -> dict[str, Any]:
        """For a file of JSON."""
        return asdict(self) | {"sentence": self.sentence, "helped": self.helped}


def judge(
    look: str,
    start_look: str,
    held_out: Sequence[LoadedPair],
    before: Generator,
    now: Generator,
    seed: int = 1,
    deep: bool = True,
    cancel: CancelToken | None = None,
) -> LookVerdict:
    """Compare renderings of held-out masks by two models with the real images of these masks.

    Parameters
    ----------
    look, start_look : str
        Options of ``now`` and of ``before``.
    held_out : sequence of LoadedPair
        What neither this look nor its early stop was trained on, or at least the former.
    before, now : Generator
    seed : int
        Styles and noise are drawn by it.
    deep : bool
        KID with ImageNet features too, where the extra ``evaluate`` is installed; half a minute.
    cancel : CancelToken, optional
    """
    cancel = cancel or CancelToken()
    grey = not next(one for one in now.card.looks if one.name == look).rgb
    pairs = list(held_out)[:MOST_RENDERED]
    real = _parts([(f"{number}", pair.image, pair.labels) for number, pair in enumerate(pairs)], grey)
    remarks = []
    if len(pairs) < LEAST_GROUPS:
        remarks.append("The floor comes from parts of the same few images, so it is too low rather than too high.")
    if len({picture.group for picture in real}) < LEAST_PARTS:
        return LookVerdict(look, start_look, (), 0.0, ("Too little was held out to measure realism.",))
    rounds = -(-PATCHES // max(len(real), 1)) if len(pairs) < LEAST_GROUPS else 1
    made = [
        list(_rendered(generator, option, pairs, min(rounds, MOST_RENDERED), seed, cancel))
        for generator, option in ((before, start_look), (now, look))
    ]
    sets = [real, *(_parts(images, grey) for images in made)]
    side = side_for([picture for pictures in sets for picture in pictures])
    patches = [cut(pictures, side, seed, PATCHES) for pictures in sets]
    changes = tuple(_changes(patches, seed, deep, cancel))
    if deep and "kid" not in {change.name for change in changes}:
        remarks.append("KID was not measured: it needs pip install 'napari-synth[evaluate]'.")
    agreement = _agreement(pairs, [(image, labels) for _, image, labels in made[1]])
    return LookVerdict(look, start_look, changes, agreement, tuple(remarks))


def _rendered(
    generator: Generator, option: str, pairs: Sequence[LoadedPair], rounds: int, seed: int, cancel: CancelToken
) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    for turn in range(max(rounds, 1)):
        for number, pair in enumerate(pairs):
            cancel.raise_if_cancelled()
            image = generator.render(pair.labels, option, derived_seed(seed, "judged", turn, number)).image
            yield f"{turn}-{number}", image, pair.labels


def _parts(images: Sequence[tuple[str, np.ndarray, np.ndarray]], grey: bool) -> list[Picture]:
    """Images as pictures of a group each; few of them in squares, which are groups of their own."""
    found = [Picture(Path(name), name, in_colour_or_grey(image, not grey), labels) for name, image, labels in images]
    if len(found) >= LEAST_GROUPS and len({name.split("-")[-1] for name, _, _ in images}) >= LEAST_GROUPS:
        return found
    return [part for picture in found for part in _squares(picture)]


def _squares(picture: Picture) -> Iterator[Picture]:
    side = SIDES[-1]
    height, width = (n // side for n in picture.labels.shape)
    for row in range(height):
        for column in range(width):
            window = np.s_[row * side : (row + 1) * side, column * side : (column + 1) * side]
            name = f"{picture.path}-{row}-{column}"
            yield Picture(Path(name), name, picture.pixels[window], picture.labels[window])


def _changes(patches: Sequence[Patches], seed: int, deep: bool, cancel: CancelToken) -> Iterator[Change]:
    real, before, now = patches
    for name in LINES:
        cancel.raise_if_cancelled()
        distance = DISTANCES[name]
        yield _change(name, distance, patches, [distance.describe(one) for one in (real, before, now)], seed)
    if not deep:
        return
    try:
        from napari_synth.evaluation.realism.deep import KID, imagenet_features

        samples = [imagenet_features(one, cancel) for one in patches]
    except InputError:
        return
    yield _change("kid", KID, patches, samples, seed)


def _change(
    name: str, distance: Distance, patches: Sequence[Patches], samples: Sequence[np.ndarray], seed: int
) -> Change:
    groups = [one.groups for one in patches]
    before, now = (line(name, distance, samples[0], samples[other], groups[0], groups[other], seed) for other in (1, 2))
    return Change(name, distance.title, before.value, now.value, now.floor, now.spread)


def _agreement(pairs: Sequence[LoadedPair], made: Sequence[tuple[np.ndarray, np.ndarray]]) -> float:
    """Dice of masks and of nuclei found by their colours in images made of them, over that of real images."""
    direction = _direction(pairs)
    dice = METRICS["dice"].function
    scores = []
    for images in ([(pair.image, pair.labels) for pair in pairs], made):
        found = []
        for image, labels in images:
            if labels.any():
                found.append(dice(labels, nuclei_in(in_colour_or_grey(image, True), direction)))
        scores.append(float(np.mean(found)) if found else 0.0)
    return scores[1] / scores[0] if scores[0] > 0 else 0.0


def _direction(pairs: Sequence[LoadedPair]) -> np.ndarray:
    """Fisher's discriminant of the colours of nuclei against the rest, nuclei high, ``(3,)``."""
    colours = np.concatenate([to_network(pair.image).reshape(-1, 3) for pair in pairs])
    inside = np.concatenate([pair.labels.ravel() > 0 for pair in pairs])
    within = np.cov(colours[inside].T) + np.cov(colours[~inside].T)
    apart = colours[inside].mean(0) - colours[~inside].mean(0)
    direction = np.linalg.solve(within + (0.01 * np.trace(within) + 1e-9) * np.eye(3), apart)
    unit: np.ndarray = direction / max(float(np.linalg.norm(direction)), 1e-12)
    return unit
