"""One segmenter of one arm."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from napari_synth.core.progress import CancelToken
from napari_synth.core.seeds import derived_seed, numpy_rng
from napari_synth.datasets.mask_encoding import to_network
from napari_synth.datasets.pairs import LoadedPair
from napari_synth.evaluation.usefulness.arms import Arm, Stage
from napari_synth.evaluation.usefulness.budgets import Budget
from napari_synth.evaluation.usefulness.request import MULTIPLE
from napari_synth.models.architectures import build
from napari_synth.nets.by_source import FEATURES, BySource
from napari_synth.training.crops import DeviceCrops

GAIN, SHIFT = 0.2, 0.1
"""Brightness and contrast of each crop are varied by up to this."""
OnStep = Callable[[int, Tensor], None]


class Data:
    """The pairs that are trained on, on a device."""

    def __init__(self, real: Sequence[LoadedPair], synthetic: Sequence[LoadedPair], crop: int, device: torch.device):
        self.real_share = len(real) / max(len(real) + len(synthetic), 1)
        self.device = device
        self._sources = {
            name: DeviceCrops([list(pairs)], crop, "foreground", 0)
            for name, pairs in (("real", real), ("synthetic", synthetic))
            if pairs
        }
        for crops in self._sources.values():
            crops.to(device)

    def batch(self, stage: Stage, size: int, step: int, seed: int) -> tuple[Tensor, Tensor, int]:
        """Images ``(B, 3, crop, crop)`` and masks ``(B, 1, crop, crop)``, the real ones first, and their number."""
        rng = numpy_rng(seed, "shares", step)
        real = rng.binomial(size, self.real_share) if stage.real is None else round(stage.real * size)
        parts = []
        for name, count in (("real", int(real)), ("synthetic", int(size - real))):
            if count:
                crops = self._sources[name]
                crops.seed = derived_seed(seed, name)
                parts.append(crops.batch(step, count))
        masks, images = (torch.cat([part[place] for part in parts]) for place in (0, 1))
        gain, shift = (
            torch.from_numpy(rng.uniform(low, high, (size, 1, 1, 1)).astype(np.float32)).to(self.device)
            for low, high in ((1 - GAIN, 1 + GAIN), (-SHIFT, SHIFT))
        )
        return images * gain + shift, masks, int(real)


def trained(
    arm: Arm, data: Data, budget: Budget, seed: int, on_step: OnStep, cancel: CancelToken | None = None
) -> nn.Module:
    """Train a segmenter of an arm.

    Parameters
    ----------
    arm : Arm
    data : Data
    budget : Budget
    seed : int
        Of this repeat: initial weights, crops and what is dropped; the same for each arm.
    on_step : callable
        Of the number of finished steps and the loss of the last.

    Raises
    ------
    Cancelled
    """
    cancel = cancel or CancelToken()
    device = data.device
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(derived_seed(seed, "weights"))
        network = _built(arm, budget).to(device).train()
        optimiser = torch.optim.Adam(network.parameters(), budget.rate, (budget.momentum, 0.999))
        for step, stage in enumerate(arm.steps(budget.steps)):
            cancel.raise_if_cancelled()
            for group in optimiser.param_groups:
                group["lr"] = budget.rate * stage.rate
            images, masks, real = data.batch(stage, budget.batch, step, seed)
            logits = network(images, real) if arm.by_source else network(images)
            loss = _loss(logits, masks, real, stage, budget.loss)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
            on_step(step + 1, loss)
    return network.eval()


def _built(arm: Arm, budget: Budget) -> nn.Module:
    """The network of the budget, of colour images; where the arm says so, with an entry for each kind of pairs."""
    if not arm.by_source:
        return build(budget.network, in_channels=3, **budget.hyper)
    return BySource(build(budget.network, in_channels=FEATURES, **budget.hyper))


def _loss(logits: Tensor, masks: Tensor, real: int, stage: Stage, kind: str) -> Tensor:
    if stage.weight is None or real in (0, len(masks)):
        return _plain(logits, masks, kind)
    of_real, of_synthetic = _plain(logits[:real], masks[:real], kind), _plain(logits[real:], masks[real:], kind)
    return stage.weight * of_real + (1 - stage.weight) * of_synthetic


def _plain(logits: Tensor, masks: Tensor, kind: str) -> Tensor:
    """BCE + 1 - Dice, or 1 - Dice with squared denominators, of a batch as one."""
    p = torch.sigmoid(logits)
    squared = kind == "squared-dice"
    total = (p * p).sum() + (masks * masks).sum() if squared else p.sum() + masks.sum()
    dice = 1 - (2 * (p * masks).sum() + 1) / (total + 1)
    return dice if squared else dice + binary_cross_entropy_with_logits(logits, masks)


@torch.inference_mode()
def probability(network: nn.Module, image: np.ndarray, device: torch.device) -> np.ndarray:
    """Of the foreground, ``(Y, X)`` uint8 with 255 for 1, of an image ``(Y, X, 3)`` uint8."""
    height, width = image.shape[:2]
    missing = [(0, -height % MULTIPLE), (0, -width % MULTIPLE), (0, 0)]
    x = torch.from_numpy(np.pad(to_network(image), missing, mode="symmetric").transpose(2, 0, 1).copy())[None]
    found = torch.sigmoid(network(x.to(device)))[0, 0, :height, :width].float()
    values: np.ndarray = (255 * found).round().to(torch.uint8).cpu().numpy()
    return values
