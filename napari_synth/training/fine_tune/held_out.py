"""What of a few pairs is not trained on, and how far renderings of it are from the real images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from napari_synth.core.errors import InputError
from napari_synth.datasets.pairs import LoadedPair, OptionPairs, load_pair, named
from napari_synth.training.objectives.texture import grey_value_distance, spectral_distance

LEAST_SIDE = 64
"""Of an image to train on, in pixels."""
WHOLE_PAIR_FROM = 4
"""From so many pairs on one of them is held out, else a part of each."""
HELD_SHARE = 4
"""Of each pair one part in so many is held out."""
MOST_COVERED = 0.98
"""Share of nuclei above which a mask says nothing of where they are not."""
MOST_HELD = 8
"""Held-out pairs that are read, of those a rule names."""
BLOCK = 64


@dataclass(frozen=True)
class Divided:
    """The pairs of a look.

    Attributes
    ----------
    training, held_out : list of LoadedPair
        The latter is what the run is watched by; pairs, or parts of them.
    sentence : str
        Which these are.
    """

    training: list[LoadedPair]
    held_out: list[LoadedPair]
    sentence: str


def divided_option(
    option: OptionPairs, pairs: Sequence[LoadedPair], most: int = MOST_HELD
) -> tuple[Divided, list[str]]:
    """The pairs of an option, read, as what is trained on and what is held out, and what is to be said of them.

    Parameters
    ----------
    option : OptionPairs
        The files it holds out are read, ``most`` of them.
    pairs : sequence of LoadedPair
        Those of its training files.

    Raises
    ------
    InputError
        If they cannot be trained on; see `checked`.
    """
    look = option.source.name
    usable, remarks = checked(look, pairs)
    given = usable_held_out([load_pair(pair) for pair in option.held_out[:most]])
    found = divided(look, usable, given)
    return found, [*remarks, found.sentence]


def divided(look: str, pairs: Sequence[LoadedPair], given: Sequence[LoadedPair] = ()) -> Divided:
    """Pairs to train on, and what is held out: the ``given`` ones, one of four or more, or a part of each.

    Raises
    ------
    InputError
        If they cannot be trained on; see `checked`.
    """
    pairs = list(pairs)
    if given:
        return Divided(pairs, list(given), f"Held out of {look}: {named([pair.stem for pair in given])}.")
    if len(pairs) >= WHOLE_PAIR_FROM:
        held = pairs[most_typical(pairs)]
        training = [pair for pair in pairs if pair is not held]
        return Divided(training, [held], f"Held out of {look}: {held.stem}.")
    parts = [_in_two(pair) for pair in pairs]
    held_parts = [part for _, part in parts if part is not None and part.labels.any()]
    if not held_parts:
        return Divided(pairs, pairs, f"The images of {look} are too small to hold a part of them out.")
    sentence = f"Held out of {look}: a quarter of each image, since there are fewer than {WHOLE_PAIR_FROM} pairs."
    return Divided([first for first, _ in parts], held_parts, sentence)


def most_typical(pairs: Sequence[LoadedPair]) -> int:
    """The pair whose colours, mean and deviation, are nearest to the medians of all: an odd one is to be learned."""
    colours = np.array([[*pair.image.mean((0, 1)), *pair.image.std((0, 1))] for pair in pairs])
    return int(np.abs(colours - np.median(colours, 0)).sum(1).argmin())


def _in_two(pair: LoadedPair) -> tuple[LoadedPair, LoadedPair | None]:
    """A pair without one end of its longer side, and that end; the whole pair where it is too short."""
    height, width = pair.labels.shape
    along = 1 if width >= height else 0
    side = max(height, width)
    end = max(side // HELD_SHARE, LEAST_SIDE)
    if side - end < LEAST_SIDE:
        return pair, None
    first, last = (
        replace(pair, labels=labels, image=image)
        for labels, image in zip(
            np.split(pair.labels, [side - end], along), np.split(pair.image, [side - end], along), strict=True
        )
    )
    return (first, last) if first.labels.any() else (pair, None)


def checked(look: str, pairs: Sequence[LoadedPair]) -> tuple[list[LoadedPair], list[str]]:
    """The pairs of a look that can be trained on, and what is to be said of them.

    Raises
    ------
    InputError
        If some are grey and some in colour, one is too small, or the masks cover everything.
    """
    if len({pair.rgb for pair in pairs}) > 1:
        grey, colour = (next(pair.stem for pair in pairs if pair.rgb is rgb) for rgb in (False, True))
        raise InputError(
            f"In the look {look} the image {grey} is grey and {colour} is in colour.",
            "Give images of one kind, or put them into two looks.",
        )
    for pair in pairs:
        if min(pair.labels.shape) < LEAST_SIDE:
            height, width = pair.labels.shape
            raise InputError(
                f"The image {pair.stem} is {width}×{height} pixels; a side must have {LEAST_SIDE} or more.",
                "Give larger images, or leave it out.",
            )
    full = [pair.stem for pair in pairs if (pair.labels > 0).mean() > MOST_COVERED]
    usable = [pair for pair in pairs if pair.stem not in full]
    if not usable:
        raise InputError(
            f"In the look {look} the masks ({named(full)}) cover the whole image: nothing is background.",
            "Give masks in which the background is 0.",
        )
    remarks = [_left_out(full)] if full else []
    if len(usable) == 1:
        remarks.append(f"{look} has one pair: what is learned is that image. Three to ten pairs are better.")
    return usable, remarks


def _left_out(full: list[str]) -> str:
    which = f"The mask {full[0]} covers" if len(full) == 1 else f"The masks {named(full)} cover"
    return f"{which} the whole image and {'is' if len(full) == 1 else 'are'} left out."


def usable_held_out(pairs: Sequence[LoadedPair]) -> list[LoadedPair]:
    """Those of the held-out pairs that have nuclei and background and are large enough."""
    return [
        pair
        for pair in pairs
        if pair.labels.any() and (pair.labels > 0).mean() <= MOST_COVERED and min(pair.labels.shape) >= LEAST_SIDE
    ]


def distances(made: Tensor, real: Tensor, masks: Tensor) -> Tensor:
    """How far images are from the real ones of the same masks, where noise does not count: three numbers.

    Of the grey values inside and outside the nuclei, of the spectra, and of the means of 8×8 pixels.

    Parameters
    ----------
    made, real : Tensor, shape (B, C, H, W)
        In [-1, 1]; sides of 64 or more.
    masks : Tensor, shape (B, 1, H, W)
    """
    one, other = flat(made), flat(real)
    every = masks.expand(-1, made.shape[1], -1, -1).flatten(0, 1)[:, None]
    coarse = (avg_pool2d(made, 8) - avg_pool2d(real, 8)).abs().mean()
    return torch.stack([grey_value_distance(one, other, every), spectral_distance(one, other, BLOCK), coarse])


def flat(images: Tensor) -> Tensor:
    """Each channel as an image of its own, ``(B * C, 1, H, W)``."""
    return images.flatten(0, 1)[:, None]
