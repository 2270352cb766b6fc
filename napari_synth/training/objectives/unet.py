"""Objective of the segmentation U-Net: BCE + Dice on image -> foreground."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from monai.losses.dice import DiceLoss
from pydantic import Field
from torch.nn.functional import binary_cross_entropy_with_logits

from napari_synth.core.seeds import derived_seed, numpy_rng
from napari_synth.datasets.pairs import PairSampler, find_options
from napari_synth.models.architectures import build
from napari_synth.models.card import ModelCard, TrainingData, joint_licence
from napari_synth.training.objectives.base import (
    LONGEST_CROP,
    MOST_CHANNELS,
    Objective,
    ObjectiveSettings,
    seeded,
    training_data,
)
from napari_synth.training.previews import picture_sheet


class UNetSettings(ObjectiveSettings):
    """Settings of `UNetObjective`."""

    learning_rate: float = Field(1e-3, gt=0)
    crop: int = Field(192, ge=32, le=LONGEST_CROP, multiple_of=16)
    width: int = Field(16, ge=1, le=MOST_CHANNELS)


class UNetObjective(Objective):
    """Foreground segmentation; brightness and contrast of each crop are varied."""

    Settings = UNetSettings
    presets: ClassVar[dict[str, dict[str, Any]]] = {
        "paper": {"steps": 26_400, "batch_size": 32},
        "fast": {"steps": 3000},
    }

    def __init__(self, settings: UNetSettings, data: Path, seed: int):
        super().__init__(settings, data, seed)
        self.options = find_options(data)
        pairs = [self.read(option.training) for option in self.options]
        self.sampler = PairSampler(pairs, settings.crop, "foreground", seed)
        network = seeded(lambda: build("unet", width=settings.width), derived_seed(seed, "unet"))
        self.networks = {"unet": network}
        self.optimizers = {"unet": torch.optim.Adam(network.parameters(), settings.learning_rate)}
        self._dice = DiceLoss(sigmoid=True)

    def batch(self, step: int, rank: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Images of changed contrast, and masks in {0, 1}; each ``(B, 1, crop, crop)`` float32."""
        masks, images, _ = self.sampler.batch(step, self.settings.batch_size, rank)
        rng = numpy_rng(self.seed, "contrast", step, rank)
        gain = rng.uniform(0.8, 1.2, (len(images), 1, 1, 1)).astype(np.float32)
        shift = rng.uniform(-0.1, 0.1, (len(images), 1, 1, 1)).astype(np.float32)
        x = torch.from_numpy((images.astype(np.float32) / 127.5 - 1) * gain + shift)
        return x.to(self.fabric.device), torch.from_numpy(masks).to(self.fabric.device)

    def step(self, step: int) -> dict[str, float]:
        x, target = self.batch(step, self.fabric.global_rank)
        logits = self.networks["unet"].train()(x).float()
        bce, dice = binary_cross_entropy_with_logits(logits, target), self._dice(logits, target)
        self.optimise("unet", bce + dice)
        return {"BCE": bce.item(), "Dice loss": dice.item()}

    @torch.no_grad()
    def preview(self) -> np.ndarray:
        network = self.plain("unet")
        masks, images, _ = self.sampler.batch(0, 2 * len(self.options))
        x = torch.from_numpy(images.astype(np.float32) / 127.5 - 1).to(self.fabric.device)
        found = (255 * torch.sigmoid(network(x).float())).cpu().numpy().astype(np.uint8)
        return picture_sheet(
            [
                [image.transpose(1, 2, 0), (255 * mask[0]).astype(np.uint8), predicted[0]]
                for image, mask, predicted in zip(images, masks, found, strict=True)
            ]
        )

    def card(self, model_id: str) -> ModelCard:
        return ModelCard(
            id=model_id,
            architecture="unet",
            hyper={"width": self.settings.width},
            role="segmentor",
            mask_meaning="foreground",
            value_range=(0, 1),
            tile_multiple=16,
            licence=joint_licence(self.training_data()),
        )

    def training_data(self) -> list[TrainingData]:
        return [training_data(o.source, len(o.training), len(o.held_out)) for o in self.options]
