"""How long and how often each arm is trained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from napari_synth.core.registry import Registry


@dataclass(frozen=True)
class Budget:
    """What the trainings of a comparison have in common.

    Attributes
    ----------
    steps, batch, crop : int
        Updates, crops of each, and their side in pixels, a multiple of 16.
    arms : tuple of str
        Compared by default.
    repeats : int
        Trainings of each arm, each with initial weights and a training subset of its own.
    network : str
        A key of `models.architectures.ARCHITECTURES` that gives one logit per pixel.
    hyper : dict
        What it is built with, beside the channels.
    rate : float
        Of Adam.
    momentum : float
    loss : {'bce-dice', 'squared-dice'}
    note : str
        What to keep in mind of its results.
    """

    steps: int
    batch: int
    crop: int
    arms: tuple[str, ...]
    repeats: int
    network: str
    hyper: dict[str, Any]
    rate: float
    momentum: float = 0.9
    loss: Literal["bce-dice", "squared-dice"] = "bce-dice"
    note: str = ""


BUDGETS: Registry[Budget] = Registry(
    "budget",
    {
        "quick": Budget(
            300, 8, 128, ("real", "synthetic", "joint"), 3, "unet", {"width": 16}, 1e-3,
            note="quick: only large differences can be seen",
        ),
        "standard": Budget(
            1000, 8, 128, ("real", "synthetic", "balanced", "joint", "finetune"), 5, "unet", {"width": 16}, 1e-3
        ),
        "paper": Budget(
            66_000, 32, 64, ("real", "synthetic", "finetune"), 10, "plain-unet", {}, 1e-5, 0.5, "squared-dice",
            note="network and training of CapsPix2Pix's comparison, for days on a graphics card",
        ),
    },
)  # fmt: skip
"""``paper``: U-Net without norms, Adam 1e-5 (0.5, 0.999), 1 - Dice with squared denominators, 66,000 steps."""
