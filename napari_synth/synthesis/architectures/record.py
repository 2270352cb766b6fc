"""What the program knows of an architecture beside its network; loads without torch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_synth.core.recipe import Precision

if TYPE_CHECKING:
    from napari_synth.models.card import ModelCard
    from napari_synth.models.registry import TrainedModel
    from napari_synth.nets.capsule_stages import Stage
    from napari_synth.synthesis.live.follower import Follower
    from napari_synth.synthesis.network_io import Forward
    from napari_synth.synthesis.tiles import Tiler

WHOLE_PIXELS = 1024 * 1024


def not_followed(model: TrainedModel, limit: int, precision: Precision) -> None:
    """For an architecture whose every image is a new one."""


def noisy(card: ModelCard) -> bool:
    """For an architecture that always has noise."""
    return True


def blended(card: ModelCard) -> bool:
    """For an architecture whose image depends on the size of its tiles."""
    return False


@dataclass(frozen=True)
class Architecture:
    """How an architecture renders; `models.architectures` builds its network under the same name.

    The module of a record must not import torch: what computes is imported where it is called.

    Attributes
    ----------
    forward : callable
        `Forward`: an image in one piece.
    tiler : callable, optional
        `Tiler`: an image of any size; without it `whole_pixels` is the largest.
    whole_pixels : int
        Most pixels that are rendered in one piece.
    follower : callable
        Given the model as it computes with the precision, the bytes that may be kept, and the precision:
        the `Follower` of its masks, or None where each render is a new one.
    stages : tuple of Stage
        Layers that can be looked at and changed, in order; empty for a network without capsules.
    has_noise : callable
        Given the card, whether another seed gives another image. The card says how long the latent vector is.
    exact_tiles : callable
        Given the card, whether tiles on a GPU are exactly parts of the whole, so that they may have any size.
    """

    forward: Forward
    tiler: Tiler | None = None
    whole_pixels: int = WHOLE_PIXELS
    follower: Callable[[TrainedModel, int, Precision], Follower | None] = not_followed
    stages: tuple[Stage, ...] = ()
    has_noise: Callable[[ModelCard], bool] = noisy
    exact_tiles: Callable[[ModelCard], bool] = blended
