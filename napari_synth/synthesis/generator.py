"""Render a mask: the one path from labels to image, for window, Python, command line and export."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_synth.core.errors import InputError, WorkError, unknown_name
from napari_synth.core.seeds import torch_generator
from napari_synth.datasets.encoding import from_network, mask_plane
from napari_synth.datasets.files import as_labels

if TYPE_CHECKING:
    from pathlib import Path

    import torch

    from napari_synth.models.card import ModelCard
    from napari_synth.models.registry import TrainedModel

MAX_SIDE = 1024


@dataclass(frozen=True)
class RenderRequest:
    """All that an image depends on, beside the model.

    Attributes
    ----------
    mask : ndarray, shape (Y, X)
        Instance labels or bool.
    option : str, optional
        One of the card's options; the first when not given.
    seed : int, optional
        Seed of the noise; None switches it off.
    """

    mask: np.ndarray
    option: str | None = None
    seed: int | None = None


@dataclass(frozen=True)
class Rendering:
    """A rendered image.

    Attributes
    ----------
    image : ndarray, shape (Y, X) or (Y, X, 3), uint8
    seconds : float
        Time the render took.
    option : str
        The option used; empty for a model without options.
    seed : int or None
    """

    image: np.ndarray
    seconds: float
    option: str
    seed: int | None


def check_mask(mask: np.ndarray) -> np.ndarray:
    """Labels that can be rendered, ``(Y, X)`` int32.

    Raises
    ------
    InputError
        If the mask is not 2-D, is empty, holds NaN or fractions, or is larger than `MAX_SIDE`.
    """
    labels = as_labels(mask)
    height, width = labels.shape
    if max(height, width) > MAX_SIDE:
        raise InputError(
            f"The mask is {width}×{height} pixels; the largest that can be rendered is {MAX_SIDE}×{MAX_SIDE}.",
            "Crop it into smaller pieces.",
        )
    if not labels.any():
        raise InputError("The mask is empty.", "Paint or sample at least one nucleus.")
    return labels


def check_option(card: ModelCard, option: str | None) -> int:
    """Number of an option; the first when none is named.

    Raises
    ------
    InputError
        If the model has no such option.
    """
    names = card.options
    if option in (None, ""):
        return 0
    if option not in names:
        raise unknown_name("option", str(option), names)
    return names.index(str(option))


class Generator:
    """A trained generator, ready to render.

    Parameters
    ----------
    trained : TrainedModel
        A model whose card says ``role='generator'``.
    """

    def __init__(self, trained: TrainedModel):
        import torch

        if trained.card.role != "generator":
            raise InputError(
                f"{trained.card.id} does not render images (it is a {trained.card.role} model).",
                "Choose a generator; see: napari-synth models list.",
            )
        self._trained = trained
        self._network: Any = trained.network.to(memory_format=torch.channels_last)

    @property
    def card(self) -> ModelCard:
        return self._trained.card

    @property
    def sha256(self) -> str:
        return self._trained.sha256

    @property
    def path(self) -> Path:
        return self._trained.path

    @property
    def device(self) -> str:
        return self._trained.device.type

    def render(self, mask: np.ndarray, option: str | None = None, seed: int | None = None) -> Rendering:
        """Image of a mask; see `RenderRequest` and `run`."""
        return self.run(RenderRequest(mask, option, seed))

    def run(self, request: RenderRequest) -> Rendering:
        """Render a request; the same request gives the same image on the same device.

        The mask is continued by reflection to the size the network accepts and the image cropped
        back.

        Raises
        ------
        InputError
            If the mask or option cannot be used.
        WorkError
            If the device runs out of memory.
        """
        labels = check_mask(request.mask)
        number = check_option(self.card, request.option)
        start = time.perf_counter()
        try:
            image = self._image(labels, number, request.seed)
        except RuntimeError as error:
            raise _render_error(error, self.device) from error
        look = self.card.looks[number] if self.card.looks else None
        if look is not None and not look.rgb:
            image = image.astype(np.float32).mean(-1).round().astype(np.uint8)
        name = look.name if look is not None else ""
        return Rendering(image, time.perf_counter() - start, name, request.seed)

    def _image(self, labels: np.ndarray, number: int, seed: int | None) -> np.ndarray:
        import torch

        height, width = labels.shape
        with torch.inference_mode():
            x = self._inputs(_padded(labels, self.card.tile_multiple), number).to(self._trained.device)
            noise = None if seed is None else torch_generator(seed, "render")
            out = self._network(x.contiguous(memory_format=torch.channels_last), noise)
            values = out[0, :, :height, :width].permute(1, 2, 0).float().cpu().numpy()
        return from_network(values)

    def _inputs(self, labels: np.ndarray, number: int) -> torch.Tensor:
        import torch

        from napari_synth.nets.pix2pix import option_plane

        mask = torch.from_numpy(mask_plane(labels, self.card.mask_meaning))[None, None]
        if self.card.hyper.get("in_channels") == 1:
            return mask
        plane = option_plane(torch.tensor([number]), len(self.card.options), *mask.shape[-2:])
        return torch.cat([mask, plane], dim=1)


def _padded(labels: np.ndarray, multiple: int) -> np.ndarray:
    missing = [(0, -side % multiple) for side in labels.shape]
    return np.pad(labels, missing, mode="symmetric")


def _render_error(error: RuntimeError, device: str) -> WorkError:
    if "out of memory" in str(error).lower() or "not enough memory" in str(error).lower():
        return WorkError(f"The {device} device ran out of memory while rendering.", "Use a smaller mask or the CPU.")
    return WorkError(f"Rendering failed on {device}: {error}.", "Try the device cpu and report this.")
