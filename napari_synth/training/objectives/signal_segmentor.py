"""Objective of the segmentor that MetGAN is trained against: weighted BCE + Dice on signal -> objects."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from monai.losses.dice import DiceLoss
from pydantic import Field

from napari_synth.core.seeds import derived_seed, numpy_rng
from napari_synth.datasets.triplets import TripletSampler, load_triplets
from napari_synth.models.architectures import build
from napari_synth.models.card import ModelCard, TrainingData, joint_licence
from napari_synth.training.objectives.base import (
    LONGEST_CROP,
    MOST_CHANNELS,
    Objective,
    ObjectiveSettings,
    seeded,
    training_data,
    weighted_bce,
)
from napari_synth.training.previews import picture_sheet


class SignalSegmentorSettings(ObjectiveSettings):
    """Settings of `SignalSegmentorObjective`."""

    learning_rate: float = Field(2e-3, gt=0)
    crop: int = Field(256, ge=32, le=LONGEST_CROP, multiple_of=16)
    width: int = Field(16, ge=1, le=MOST_CHANNELS)
    object_weight: float = Field(1.0, gt=0)
    """Weight of a pixel of an object against one of the background, in the BCE."""


class SignalSegmentorObjective(Objective):
    """Objects in the signal channel; brightness and contrast of each crop are varied."""

    Settings = SignalSegmentorSettings
    presets: ClassVar[dict[str, dict[str, Any]]] = {
        "paper": {"steps": 10_000, "batch_size": 4},
        "fast": {"steps": 1500, "crop": 128, "width": 8},
    }

    def __init__(self, settings: SignalSegmentorSettings, data: Path, seed: int):
        super().__init__(settings, data, seed)
        self.planes = load_triplets(data)
        self.remarks += self.planes.remarks
        self.intensity = self.planes.intensity("signal")
        anatomy = self.planes.intensity("anatomy")
        self.sampler = TripletSampler(self.planes.training, anatomy, self.intensity, settings.crop, seed)
        network = seeded(lambda: build("signal-unet", **self._hyper), derived_seed(seed, "segmentor"))
        self.networks = {"segmentor": network}
        self.optimizers = {"segmentor": torch.optim.Adam(network.parameters(), settings.learning_rate)}
        self._dice = DiceLoss(sigmoid=True)

    @property
    def _hyper(self) -> dict[str, Any]:
        return {"in_channels": 1, "width": self.settings.width}

    def step(self, step: int) -> dict[str, float]:
        rank = self.fabric.global_rank
        masks, _, signal = self.sampler.batch(step, self.settings.batch_size, rank)
        rng = numpy_rng(self.seed, "contrast", step, rank)
        gain = rng.uniform(0.8, 1.2, (len(signal), 1, 1, 1)).astype(np.float32)
        shift = rng.uniform(-0.1, 0.1, (len(signal), 1, 1, 1)).astype(np.float32)
        x = torch.from_numpy(signal * gain + shift).to(self.fabric.device)
        target = torch.from_numpy(masks).to(self.fabric.device)
        logits = self.networks["segmentor"].train()(x).float()
        bce = weighted_bce(logits, target, self.settings.object_weight)
        dice = self._dice(logits, target)
        self.optimise("segmentor", bce + dice)
        return {"BCE": bce.item(), "Dice loss": dice.item()}

    @torch.no_grad()
    def preview(self) -> np.ndarray:
        masks, _, signal = self.sampler.batch(0, 4)
        found = torch.sigmoid(self.plain("segmentor")(torch.from_numpy(signal).to(self.fabric.device)).float())
        columns = (127.5 * (signal + 1), 255 * masks, 255 * found.cpu().numpy())
        return picture_sheet([[column[i, 0].astype(np.uint8) for column in columns] for i in range(len(signal))])

    def card(self, model_id: str) -> ModelCard:
        return ModelCard(
            id=model_id,
            architecture="signal-unet",
            hyper=self._hyper,
            role="segmentor",
            mask_meaning="foreground",
            condition_channels=["signal"],
            intensities={"signal": self.intensity},
            value_range=(0, 1),
            tile_multiple=16,
            licence=joint_licence(self.training_data()),
        )

    def training_data(self) -> list[TrainingData]:
        planes = self.planes
        return [training_data(planes.source, len(planes.training), len(planes.held_out))]
