"""Synthetic images that a model makes of the masks of real ones, to be compared with other real ones."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tifffile

from napari_synth.core.errors import InputError
from napari_synth.core.files import name_of, writing
from napari_synth.core.progress import CancelToken
from napari_synth.core.seeds import derived_seed, numpy_rng
from napari_synth.datasets.image_files import read_labels
from napari_synth.datasets.pairs import Pair, find_pairs, is_held_out
from napari_synth.evaluation.realism.sets import LEAST_GROUPS
from napari_synth.evaluation.usefulness.roles import groups_of, hold_out_rule
from napari_synth.models.registry import load_trained
from napari_synth.synthesis.generator import Generator
from napari_synth.synthesis.request import check_option

RENDERED = "rendered"
"""Folder in the report."""


@dataclass(frozen=True)
class Halves:
    """Names of the real pairs whose masks are rendered, and of those whose images are compared; no group in both.

    ``held_out`` says whether all are held out from training.
    """

    rendered: frozenset[str]
    compared: frozenset[str]
    held_out: bool


def two_halves(real: Path, groups: str, seed: int) -> Halves:
    """Part a folder by group; what ``dataset.yaml`` holds out where it holds out something, else everything.

    Raises
    ------
    InputError
        If there are too few groups.
    """
    pairs, rule = find_pairs(real), hold_out_rule(real)
    group_of = groups_of((pair.stem for pair in pairs), groups)
    held_out = {group_of[p.stem] for number, p in enumerate(pairs) if is_held_out(number, p.stem, rule)}
    names = sorted(held_out or set(group_of.values()))
    if len(names) < 2 * LEAST_GROUPS:
        raise InputError(
            f"{real} has {len(names)}{' held-out' * bool(held_out)} groups of images, too few to render the masks of "
            "one half and compare with the other.",
            f"Use at least {2 * LEAST_GROUPS}, or give a folder of synthetic pairs made of other masks.",
        )
    drawn = {names[i] for i in numpy_rng(seed, "rendered").permutation(len(names))[: len(names) // 2]}
    parts = (drawn, set(names) - drawn)
    rendered, compared = (frozenset(stem for stem, group in group_of.items() if group in part) for part in parts)
    return Halves(rendered, compared, bool(held_out))


def generator_of(model: str, option: str, real: Path, device: str) -> tuple[Generator, str]:
    """A generator by id or path, and its look: the one asked for, else that of the folder's name, else the first.

    Raises
    ------
    InputError
        If the model is none that renders masks alone, or has no such look.
    """
    generator = Generator(load_trained(model, device))
    card = generator.card
    if card.condition_channels:
        raise InputError(
            f"The model {card.id} needs an image beside each mask.", "Export its pairs and give their folder instead."
        )
    if not option and name_of(real) in card.options:
        option = name_of(real)
    number = check_option(card, option)
    return generator, card.options[number] if card.options else ""


def render_masks(
    real: Path, halves: Halves, generator: Generator, option: str, out: Path, seed: int, cancel: CancelToken
) -> str:
    """Write ``images/`` and ``masks/`` with a rendering of each mask of one half that has an object.

    Parameters
    ----------
    real : Path
        Folder of real pairs.
    halves : Halves
    generator : Generator
    option : str
        Its look.
    out : Path
    seed : int

    Returns
    -------
    str
        What was compared with what, in a sentence.
    """
    for old in out.glob("*/*.tif"):
        old.unlink()
    for pair in find_pairs(real):
        cancel.raise_if_cancelled()
        if pair.stem in halves.rendered and (labels := read_labels(pair.mask)).any():
            seed_of_it = derived_seed(seed, "realism", pair.stem)
            _write(out, pair, generator.render(labels, option or None, seed_of_it).image, labels)
    which = "held-out real images" if halves.held_out else "real images (none is held out; see dataset.yaml)"
    look = f", look {option}," if option else ""
    return f"{generator.card.id}{look} on the masks of one half of the {which}, beside the images of the other half."


def _write(out: Path, pair: Pair, image: np.ndarray, labels: np.ndarray) -> None:
    for kind, pixels in (("images", image), ("masks", labels)):
        with writing(out / kind / f"{pair.stem}.tif") as temporary:
            tifffile.imwrite(temporary, pixels, compression="zlib", photometric="rgb" if pixels.ndim == 3 else None)
