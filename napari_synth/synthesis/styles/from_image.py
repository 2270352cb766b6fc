"""The style of an image: read by the model's encoder, then moved until what is rendered has the image's statistics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate

from napari_synth.core import arguments
from napari_synth.core.errors import InputError
from napari_synth.core.progress import Stopwatch
from napari_synth.core.recipe import Precision
from napari_synth.core.seeds import derived_seed
from napari_synth.datasets.mask_encoding import mask_plane, to_network, to_uint8_rgb
from napari_synth.nets.counter_noise import noise_planes
from napari_synth.nets.styled import COLOUR_STATISTICS, StyledPix2Pix, colour_statistics
from napari_synth.synthesis.network_io import network_of, option_channel
from napari_synth.synthesis.request import MAX_SIDE, Renderer, Steering, check_mask, check_option, render_error
from napari_synth.synthesis.styles.codes import bank_of
from napari_synth.synthesis.styles.nuclei_in import nuclear_direction, nuclei_in
from napari_synth.synthesis.threads import threads_for

if TYPE_CHECKING:
    from napari_synth.models.registry import TrainedModel

LEAST_SIDE = 64
READ_SIDE, READ_CROPS = 256, 4
FIT_SIDE, FIT_CROPS = 128, 2
STEPS = 20
RATE = 0.1
TIE = 0.001
"""How strongly the fitted code is held to the one that was read."""
FAR, APART = 3.0, 0.16
"""From this distance from the bank, or from this mean difference of colours in [-1, 1] on, the option is said not to
hold the image; or from half of both, and so on."""


class StyledRenderer(Renderer, Protocol):
    """What is needed of a `Generator`."""

    def network_for(self, precision: Precision, /) -> TrainedModel: ...


@dataclass(frozen=True)
class ImageStyle:
    """A style taken from an image.

    Attributes
    ----------
    code : tuple of float
        To be used as ``style``.
    distance : float
        To the nearest code of the option's bank, as a part of the largest distance between neighbours there.
    apart : float
        Mean difference between image and rendering of the mean and deviation of the colours inside and outside of
        the nuclei, in grey levels (0 to 255).
    remark : str
        One sentence where the image is unlike all that the option was trained on; else empty.
    """

    code: tuple[float, ...]
    distance: float
    apart: float
    remark: str


def style_from_image(
    generator: StyledRenderer,
    image: np.ndarray,
    option: str | None = None,
    mask: np.ndarray | None = None,
    steering: Steering | None = None,
) -> ImageStyle:
    """The style with which a generator renders most like an image.

    The encoder reads up to four crops of 256×256; gradient steps on the code then bring mean, deviation, fine
    contrast and patchiness of what is rendered, inside and outside of the nuclei, to those of the image.

    Parameters
    ----------
    generator : Generator
        Of a model with styles.
    image : ndarray, shape (Y, X), (Y, X, 3) or (Y, X, 4)
        8 or 16 bit or float; as in training, all but 8-bit RGB is stretched from its 0.1 to its 99.9 percentile.
    option : str, optional
        The first when not given.
    mask : ndarray, shape (Y, X), optional
        Its nuclei, as labels or bool. Without one they are found by the colours that the option gives nuclei.
    steering : Steering, optional
        ``on_progress`` and ``cancel`` are used.

    Raises
    ------
    InputError
        If the model has no styles, or the image has one colour, no nuclei, another size than the mask or a side
        below 64 pixels.
    """
    steering = steering or Steering()
    model, number = generator.network_for("exact"), check_option(generator.card, option)
    if not generator.card.style_size:
        raise InputError(f"The model {generator.card.id} has no styles.", "Use a model that has them.")
    pixels = _checked(image)
    plane = _plane(generator, pixels, option, mask)
    watch = Stopwatch(STEPS + 1, steering.on_progress)
    try:
        with threads_for(FIT_CROPS * FIT_SIDE**2, model.device):
            start, spread = _read(model, pixels, plane, number)
            fit = _Fit(model, pixels, plane, number)
            watch.report(1, "the style was read")
            code = fit.near(start, spread, steering, watch)
            apart = fit.apart(code)
    except RuntimeError as error:
        raise render_error(error, generator.device) from error
    distance = _distance(bank_of(model, number)[0], code.cpu().numpy())
    return ImageStyle(
        tuple(float(value) for value in code.cpu()),
        distance,
        127.5 * apart,
        _remark(generator, number, distance, apart),
    )


def _checked(image: np.ndarray) -> np.ndarray:
    """The image in the terms of the training, ``(Y, X, 3)`` uint8."""
    array = arguments.numbers(image, "image")
    if array.ndim == 3 and array.shape[-1] == 4:
        array = array[..., :3]
    if not (array.ndim == 2 or (array.ndim == 3 and array.shape[-1] == 3)):
        raise InputError(
            f"The image whose style is to be taken has the shape {array.shape}.", "Give one grey or RGB plane."
        )
    height, width = array.shape[:2]
    if min(height, width) < LEAST_SIDE or max(height, width) > MAX_SIDE:
        raise InputError(
            f"The image whose style is to be taken is {width}×{height} pixels.",
            f"Give one with sides from {LEAST_SIDE} to {MAX_SIDE} pixels.",
        )
    finite = array[np.isfinite(array)]
    if not finite.size or finite.min() == finite.max() or (array == array[0, 0]).all():
        raise InputError("The image whose style is to be taken has one colour.", "Give an image of nuclei.")
    return to_uint8_rgb(array)


def _plane(generator: StyledRenderer, pixels: np.ndarray, option: str | None, mask: np.ndarray | None) -> np.ndarray:
    """The mask channel of the image."""
    if mask is None:
        found = nuclei_in(pixels, nuclear_direction(generator, option))
        if not found.any():
            raise InputError(
                "No nuclei were found in the image whose style is to be taken.", "Give a mask of its nuclei with it."
            )
        return mask_plane(found.astype(np.int32), generator.card.mask_meaning)
    labels = check_mask(mask, what="The mask of the image whose style is to be taken")
    if labels.shape != pixels.shape[:2]:
        raise InputError(
            f"The image is {pixels.shape[1]}×{pixels.shape[0]} pixels but its mask is "
            f"{labels.shape[1]}×{labels.shape[0]}.",
            "Give the mask of the same image.",
        )
    return mask_plane(labels, generator.card.mask_meaning)


def _crops(image: np.ndarray, plane: np.ndarray, side: int, most: int, multiple: int) -> tuple[Tensor, Tensor]:
    """Those crops with nuclei whose share of nuclei is nearest to the median: masks and images, ``[N, C, s, s]``."""
    height, width = plane.shape
    side = max(min(side, height, width) // multiple, 1) * multiple
    pad = [(0, max(side - height, 0)), (0, max(side - width, 0))]
    image, plane = np.pad(image, [*pad, (0, 0)], "reflect"), np.pad(plane, pad, "reflect")
    rows, columns = (np.unique(np.linspace(0, n - side, -(-n // side)).astype(int)) for n in plane.shape)
    cuts = [np.s_[y : y + side, x : x + side] for y in rows for x in columns]
    shares = np.array([(plane[cut] > 0).mean() for cut in cuts])
    with_nuclei = np.flatnonzero(shares > 0)
    nearest = np.argsort(np.abs(shares[with_nuclei] - np.median(shares[with_nuclei])), kind="stable")[:most]
    chosen = [cuts[i] for i in with_nuclei[nearest]]
    masks = torch.from_numpy(np.stack([plane[cut] for cut in chosen]))[:, None]
    images = torch.from_numpy(np.stack([to_network(image[cut]) for cut in chosen]))
    return masks, images.permute(0, 3, 1, 2).contiguous()


def _conditions(model: TrainedModel, masks: Tensor, option: int) -> Tensor:
    """Mask and option planes of several masks ``[N, 1, s, s]``."""
    return torch.cat([option_channel(model, mask[None], option) for mask in masks]).to(model.device)


def _read(model: TrainedModel, image: np.ndarray, plane: np.ndarray, option: int) -> tuple[Tensor, Tensor]:
    """What the encoder sees: the code, and how uncertain each of its numbers is."""
    masks, images = _crops(image, plane, READ_SIDE, READ_CROPS, model.card.tile_multiple)
    with torch.inference_mode():
        encoder = network_of(model, StyledPix2Pix).encoder
        mean, log_variance = encoder(_conditions(model, masks, option), images.to(model.device))
    return mean.mean(0).clone(), (log_variance / 2).exp().mean(0).clone()


def statistics(mask: Tensor, image: Tensor) -> Tensor:
    """What is compared of images, ``[24]``, averaged over them.

    `colour_statistics`; doubled, of each colour: mean distance from 4×4 means inside and outside of the nuclei, and
    deviation of 8×8 means.
    """
    inside = mask.clamp(min=0)
    fine = (image - interpolate(avg_pool2d(image, 4), scale_factor=4.0, mode="nearest")).abs()
    contrasts = [(weight * fine).sum((2, 3)) / weight.sum((2, 3)).clamp(min=1) for weight in (inside, 1 - inside)]
    patchiness = avg_pool2d(image, 8).std((2, 3))
    return torch.cat([colour_statistics(mask, image), *(2 * part for part in (*contrasts, patchiness))], 1).mean(0)


class _Fit:
    """Crops of the image, and the same masks rendered with a code."""

    def __init__(self, model: TrainedModel, image: np.ndarray, plane: np.ndarray, option: int):
        masks, images = _crops(image, plane, FIT_SIDE, FIT_CROPS, model.card.tile_multiple)
        self._network = network_of(model, StyledPix2Pix)
        self._conditions = _conditions(model, masks, option)
        self._masks = masks.to(model.device)
        self._wanted = statistics(self._masks, images.to(model.device))
        periods, (height, width) = self._network.noise_periods, masks.shape[-2:]
        keys = [derived_seed("style of an image", crop) for crop in range(len(masks))]
        self._noise = torch.stack([noise_planes(key, periods, 0, 0, height, width, model.device) for key in keys])

    def _off(self, code: Tensor) -> Tensor:
        made = self._network.drawn(self._conditions, self._noise, code[None].expand(len(self._noise), -1))
        return (statistics(self._masks, made) - self._wanted).abs()

    def apart(self, code: Tensor) -> float:
        """Mean difference of the colour statistics, in [-1, 1]."""
        with torch.inference_mode():
            return float(self._off(code)[:COLOUR_STATISTICS].mean())

    def near(self, start: Tensor, spread: Tensor, steering: Steering, watch: Stopwatch) -> Tensor:
        """The best of the codes on the way down from ``start``."""
        code = start.clone().requires_grad_(True)
        optimiser = torch.optim.Adam([code], RATE)
        best, least = start, float("inf")
        for step in range(1, STEPS + 1):
            steering.cancel.raise_if_cancelled()
            loss = self._off(code).mean() + TIE * ((code - start) / spread.clamp(min=0.2)).square().mean()
            if float(loss.detach()) < least:
                best, least = code.detach().clone(), float(loss.detach())
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            watch.report(step + 1, "colours and contrasts are fitted")
        return best


def _distance(bank: np.ndarray, code: np.ndarray) -> float:
    """Distance to the nearest code of a bank, as a part of the largest between neighbours there."""
    apart = np.linalg.norm(bank[:, None] - bank[None], axis=-1)
    np.fill_diagonal(apart, np.inf)
    usual = float(apart.min(1).max()) if len(bank) > 1 else 1.0
    return float(np.linalg.norm(bank - code, axis=1).min()) / max(usual, 1e-6)


def _remark(generator: StyledRenderer, option: int, distance: float, apart: float) -> str:
    look = generator.card.looks[option]
    if distance / FAR + apart / APART < 1:
        return ""
    return (
        f"The image is unlike all that {look.title or look.name} was trained on: its colours stay "
        f"{127.5 * apart:.0f} of 255 grey levels away, and its style lies {distance:.1f} times as far from the bank as "
        "styles there lie from each other."
    )
