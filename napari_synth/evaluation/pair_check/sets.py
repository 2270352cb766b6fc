"""Faults that show when the pairs of a data set are compared."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from napari_synth.evaluation.pair_check.alignment import (
    REACH,
    SIDE,
    View,
    correlated,
    flattened,
    likeness_in_any_turn,
    normed,
    shrunk,
)
from napari_synth.evaluation.pair_check.cures import TURNS
from napari_synth.evaluation.pair_check.findings import Cure, Finding
from napari_synth.evaluation.pair_check.pixels import grey_and_labels

TELLING = 0.25
"""Correlation of image and mask from which alignment can be judged at all."""
SMALLEST_SHIFT = 3
SAME = 0.97
"""Correlation of thumbnails from which two images show the same."""
ENOUGH = 4
"""So many pairs tell how well a mask usually follows its image."""
UNRELATED = 0.15
"""Share of the usual correlation under which a mask does not follow its image."""
BLANK = 0.25
"""Share of the usual structure under which an image shows nothing."""
FULL = 0.6
"""Share of the usual structure from which an image shows something."""


@dataclass(frozen=True, eq=False)
class Viewed:
    """A pair of files and its `View`."""

    image: Path
    mask: Path
    held_out: bool
    view: View
    empty: bool


def set_faults(pairs: list[Viewed]) -> Iterator[Finding]:
    """The faults of pairs in relation to each other."""
    full = [pair for pair in pairs if not pair.empty]
    structure = float(np.median([pair.view.structure for pair in full])) if full else 0.0
    blank = [pair for pair in full if pair.view.structure < BLANK * structure and abs(pair.view.best) < TELLING]
    for pair in blank:
        yield _left_out("blank image", pair, f"The image {pair.image.name} shows no nuclei, but its mask has some.")
    for pair in pairs:
        if pair.empty and full and pair.view.structure >= FULL * structure:
            said = f"The mask {pair.mask.name} is empty, but its image shows as much as the others."
            yield _left_out("empty mask of nuclei", pair, said)
    yield from _alignment_faults([pair for pair in full if pair not in blank])
    yield from _duplicates([pair for pair in pairs if pair.view.structure >= BLANK * structure])


def _left_out(kind: str, pair: Viewed, sentence: str) -> Finding:
    files = (pair.image, pair.mask)
    return Finding(kind, sentence, files, tuple(Cure(file, "leave out") for file in files))


def _alignment_faults(pairs: list[Viewed]) -> Iterator[Finding]:
    """Shifted, turned, exchanged and wrong masks."""
    if not pairs:
        return
    usual = float(np.median([abs(pair.view.best) for pair in pairs]))
    strong = [pair.view.best for pair in pairs if abs(pair.view.best) >= usual]
    sign = 1.0 if np.sum(strong) > 0 else -1.0  # nuclei are brighter than what is around them, or darker
    if usual < TELLING:
        return
    suspects = []
    for pair in pairs:
        own, best, (down, right) = sign * pair.view.sharp, sign * pair.view.best, pair.view.shift
        far = max(abs(down), abs(right)) >= SMALLEST_SHIFT
        if far and best > 0.5 * usual and best - own > max(0.1, 0.1 * best):
            where = f"{abs(down)} pixels {'up' if down < 0 else 'down'}" if down else ""
            across = f"{abs(right)} pixels {'left' if right < 0 else 'right'}" if right else ""
            must = " and ".join(filter(None, (where, across)))
            yield Finding(
                "shifted",
                f"The mask {pair.mask.name} is shifted: it fits its image {must} of where it lies.",
                (pair.mask, pair.image),
                (Cure(pair.mask, "shift", {"down": down, "right": right}),),
            )
        elif own < 0.5 * usual:
            suspects.append(pair)
    yield from _misplaced(suspects, pairs, sign, usual)


def _misplaced(suspects: list[Viewed], pairs: list[Viewed], sign: float, usual: float) -> Iterator[Finding]:
    """Turned masks, and those that fit another image better."""
    partners: dict[Path, Viewed] = {}
    left = []
    for pair in suspects:
        how, fit = _best_turn(pair, sign)
        if fit > 0.6 * usual and fit > 2 * max(sign * pair.view.sharp, 0):
            yield Finding(
                "turned",
                f"The mask {pair.mask.name} is {how} against its image.",
                (pair.mask, pair.image),
                (Cure(pair.mask, "turn", {"how": how}),),
            )
        else:
            left.append(pair)
    for pair in left:
        partner = _better_image(pair, pairs, sign, usual)
        if partner is not None:
            partners[pair.mask] = partner
    told: set[Path] = set()
    for pair in left:
        partner = partners.get(pair.mask)
        if pair.mask in told:
            continue
        if partner is not None and (back := partners.get(partner.mask)) is not None and back.mask == pair.mask:
            told.add(partner.mask)
            yield Finding(
                "swapped",
                f"The masks {pair.mask.name} and {partner.mask.name} are exchanged.",
                (pair.mask, partner.mask),
                (Cure(pair.mask, "exchange", {"other": partner.mask}),),
            )
        elif partner is not None:
            said = f"The mask {pair.mask.name} belongs to the image {partner.image.name}, not to {pair.image.name}."
            yield _left_out("wrong pair", pair, said)
        elif len(pairs) >= ENOUGH and sign * pair.view.sharp < UNRELATED * usual:
            said = f"The mask {pair.mask.name} does not follow its image {pair.image.name} at all."
            yield _left_out("wrong pair", pair, said)


def _best_turn(pair: Viewed, sign: float) -> tuple[str, float]:
    """The turn of the mask that fits best, and how well."""
    grey, labels = grey_and_labels(pair.image, pair.mask)
    factor = max(min(labels.shape) // SIDE, 1)
    image, mask = normed(flattened(shrunk(grey, factor))), normed(flattened(shrunk(labels > 0, factor)))
    found = []
    for how, turn in TURNS.items():
        candidate = np.ascontiguousarray(turn(mask))
        if candidate.shape == image.shape:
            found.append((sign * float(np.vdot(image, candidate)), how))
    fit, how = max(found)
    return UNDOES.get(how, how), fit


UNDOES = {"turned by 90°": "turned by 270°", "turned by 270°": "turned by 90°"}
"""The turn that a mask had where another one brings it back."""


def _better_image(pair: Viewed, pairs: list[Viewed], sign: float, usual: float) -> Viewed | None:
    """The pair whose image a mask fits much better than its own."""
    others = [other for other in pairs if other is not pair and other.view.shape == pair.view.shape]
    if not others:
        return None
    fits = sign * np.stack([other.view.image for other in others]).reshape(len(others), -1) @ pair.view.mask.ravel()
    for index in np.argsort(fits)[::-1][:3]:
        other = others[int(index)]
        grey, _ = grey_and_labels(other.image, other.mask)
        _, labels = grey_and_labels(pair.image, pair.mask)
        factor = max(min(labels.shape) // SIDE, 1)
        image, mask = normed(flattened(shrunk(grey, factor))), normed(flattened(shrunk(labels > 0, factor)))
        _, best, _ = correlated(image, mask, REACH // factor)
        if sign * best > 0.6 * usual and sign * best > 2 * max(sign * pair.view.sharp, 0):
            return other
    return None


def _duplicates(pairs: list[Viewed]) -> Iterator[Finding]:
    """Images that show the same, turned or not; across training and held-out files first."""
    if len(pairs) < 2:
        return
    thumbnails = np.stack([pair.view.image for pair in pairs])
    for i, j in np.argwhere(np.triu(likeness_in_any_turn(thumbnails, thumbnails) > SAME, 1)):
        first, second = pairs[i], pairs[j]
        across = first.held_out != second.held_out
        trained = second if first.held_out else first
        if not across:
            trained = second
        where = ", one to train on and one held out" if across else ""
        yield Finding(
            "duplicate",
            f"The images {first.image.name} and {second.image.name} show the same{where}.",
            (first.image, second.image),
            (Cure(trained.image, "leave out"), Cure(trained.mask, "leave out")),
        )
