"""Looks that stay what the start makes of them while others are trained.

All looks share their weights, so what is learned for one would change the others. Learning without forgetting (Li and
Hoiem 2016): they are compared with the start's.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from napari_synth.core.errors import InputError
from napari_synth.nets.styled import StyledPix2Pix, styled_input
from napari_synth.training.fine_tune.held_out import BLOCK, flat
from napari_synth.training.objectives.texture import spectral_distance

CODES = 0.1
"""Weight of codes beside images."""
SPECTRA = 0.02
"""Weight of the distance of spectra beside images: L1 alone is content with less grain."""


def looks_unchanged(names: Sequence[str], unchanged: str, batch_size: int) -> list[int]:
    """Numbers of the looks that stay as they are.

    Parameters
    ----------
    names : sequence of str
        Of all looks.
    unchanged : str
        Some of them, with commas between; empty: none.
    batch_size : int
        Each batch has samples of all looks.

    Raises
    ------
    InputError
        If there is no such look, none is left to train, or a batch is too small.
    """
    asked = {name.strip() for name in unchanged.split(",") if name.strip()}
    if asked and not asked < set(names):
        raise InputError(
            f"The looks that shall stay unchanged, {', '.join(sorted(asked))}, are not some of several.",
            f"Name one or more of {', '.join(names)}, but not all.",
        )
    if asked and batch_size < len(names):
        raise InputError(
            f"A batch of {batch_size} does not hold each of the {len(names)} looks.",
            f"Give --set batch_size={len(names)} or more.",
        )
    return [number for number, name in enumerate(names) if name in asked]


def apart_from_start(
    generator: nn.Module,
    encoder: nn.Module,
    start: StyledPix2Pix,
    conditions: Tensor,
    real: Tensor,
    noise: Tensor,
    draw: torch.Generator,
) -> Tensor:
    """How far images, their spectra and codes are from those of the start; both render one noise and style.

    Parameters
    ----------
    generator, encoder : Module
        In training.
    start : StyledPix2Pix
        In eval mode.
    conditions : Tensor, shape (B, C, H, W)
        Masks and options.
    real : Tensor, shape (B, 3, H, W)
        From which the start reads the styles.
    noise : Tensor, shape (B, periods, H, W)
    draw : torch.Generator
        Moves the styles within their uncertainty.
    """
    with torch.no_grad():
        code, log_variance = start.encoder(conditions, real)
        chance = torch.randn(code.shape, generator=draw, device=code.device)
        style = code + (log_variance / 2).exp() * chance
        wanted = start.drawn(conditions, noise, style)
    inputs = styled_input(conditions, noise, style)
    made = generator(inputs.contiguous(memory_format=torch.channels_last))
    images: Tensor = (made - wanted).abs().float().mean()
    codes: Tensor = (encoder(conditions, real)[0] - code).abs().mean()
    spectra = spectral_distance(flat(made.float()), flat(wanted.float()), BLOCK)
    return images + CODES * codes + SPECTRA * spectra
