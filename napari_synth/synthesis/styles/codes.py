"""Styles of Optional Pix2Pix: a member of the bank, a code of one's own, or one drawn from the bank by the seed.

A code drawn from N(0, 1) leaves what real images give, so a style is drawn near those of training images, as in
training (`training.styles.StyleMemory`).
"""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral
from typing import TYPE_CHECKING

import numpy as np

from napari_synth.core.errors import InputError
from napari_synth.core.recipe import Style
from napari_synth.core.seeds import numpy_rng

if TYPE_CHECKING:
    from napari_synth.models.card import ModelCard
    from napari_synth.models.registry import TrainedModel

NEIGHBOURS = 3
"""With one of so many codes near it a drawn code is mixed."""


def check_style(card: ModelCard, style: int | Sequence[float] | np.ndarray | None) -> Style | None:
    """A style as a number of the bank or as a code of the right length; None where none is asked for.

    Raises
    ------
    InputError
        If the model has no styles, the number lies beyond its bank, or the code has another length or is not
        finite.
    """
    if style is None:
        return None
    if not card.style_size:
        raise InputError(f"The model {card.id} has no styles.", "Leave the style out.")
    if isinstance(style, Integral):
        return _check_member(card, int(style))
    try:
        code = np.asarray(style, np.float32)
    except (TypeError, ValueError) as error:
        raise InputError(f"The style {style!r} is no number and no list of numbers.", _wanted(card)) from error
    if code.shape != (card.style_size,):
        raise InputError(f"The style has shape {code.shape}.", _wanted(card))
    if not np.isfinite(code).all():
        raise InputError("The style contains NaN or infinity.", _wanted(card))
    return tuple(float(number) for number in code)


def _check_member(card: ModelCard, member: int) -> int:
    if not 0 <= member < card.styles:
        raise InputError(f"The style {member} lies beyond the {card.styles} of {card.id}.", _wanted(card))
    return member


def _wanted(card: ModelCard) -> str:
    return f"Give a number from 0 to {card.styles - 1}, or {card.style_size} finite numbers."


def style_code(bank: np.ndarray, spread: np.ndarray, style: Style | None, seed: int | None) -> np.ndarray:
    """The code that a checked style stands for.

    Parameters
    ----------
    bank, spread : ndarray, shape (member, number), float32
        Codes of training images of one option, and how uncertain each number is.
    style : int or tuple of float, optional
        A member, or the code itself. Where there is none, a member is drawn, in half of the cases mixed with
        one of those nearest to it, and moved within its spread.
    seed : int, optional
        Draws it; without one it is the member that lies in the middle of the others.

    Returns
    -------
    ndarray, shape (number,), float32
    """
    if isinstance(style, tuple):
        return np.array(style, np.float32)
    if isinstance(style, int):
        member_code: np.ndarray = bank[style]
        return member_code
    apart = np.linalg.norm(bank[:, None] - bank[None], axis=-1)
    if seed is None:
        middle: np.ndarray = bank[apart.sum(1).argmin()]
        return middle
    rng = numpy_rng(seed, "style")
    member = int(rng.integers(len(bank)))
    nearest = np.argsort(apart[member], kind="stable")[1 : NEIGHBOURS + 1]
    other = int(rng.choice(nearest)) if len(nearest) else member
    share = max(0.0, 2 * rng.random() - 1)
    mixed = bank[member] + share * (bank[other] - bank[member])
    drawn: np.ndarray = (mixed + spread[member] * rng.standard_normal(bank.shape[1])).astype(np.float32)
    return drawn


def style_for(model: TrainedModel, style: Style | None, option: int, seed: int | None) -> np.ndarray:
    """The code of a style, ``(style_size,)`` float32; of length 0 for a model without styles.

    Raises
    ------
    InputError
        See `check_style`.
    """
    checked = check_style(model.card, style)
    if not model.card.style_size:
        return np.zeros(0, np.float32)
    return style_code(*bank_of(model, option), checked, seed)


def bank_of(model: TrainedModel, option: int) -> tuple[np.ndarray, np.ndarray]:
    """Codes of an option and the spread of their numbers, ``(member, number)`` float32 each."""
    from napari_synth.nets.styled import StyledPix2Pix
    from napari_synth.synthesis.network_io import network_of

    network = network_of(model, StyledPix2Pix)
    bank, spread = (table[option].float().cpu().numpy() for table in (network.bank, network.bank_spread))
    return bank, spread
