"""Objective of (Optional) Pix2Pix: conditional GAN + L1 (Isola et al. 2017, eq. 4)."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from lightning_fabric import Fabric
from pydantic import Field, model_validator
from torch import nn
from torch.nn.functional import l1_loss

from napari_synth.core.seeds import derived_seed, torch_generator
from napari_synth.datasets.mask_encoding import from_network, mask_plane
from napari_synth.datasets.pairs import PairSampler
from napari_synth.models.architectures import build
from napari_synth.models.hyper import MOST_LEVELS, Upsampling
from napari_synth.nets.discriminators import PatchGAN
from napari_synth.training.ahead import Ahead, sent
from napari_synth.training.objectives.base import (
    MOST_CHANNELS,
    adversarial_loss,
    adversarial_optimizers,
    init_normal,
    seeded,
)
from napari_synth.training.objectives.pairs import PairsObjective, PairsSettings


class Pix2PixSettings(PairsSettings):
    """Settings of `Pix2PixObjective`."""

    ngf: int = Field(64, ge=1, le=MOST_CHANNELS)
    ndf: int = Field(64, ge=1, le=MOST_CHANNELS)
    upsampling: Upsampling = "transposed"
    dropout: float = Field(0.5, ge=0, lt=1)
    dropout_blocks: int = Field(3, ge=0, le=MOST_LEVELS)
    head_dropout: float = Field(0.0, ge=0, lt=1)
    l1: float = Field(100.0, ge=0)
    freeze_norm_after: float = Field(1.0, ge=0, le=1)
    """Part of the steps after which the generator's BatchNorm keeps its statistics, so that it is
    trained with the very statistics it will render with."""

    @model_validator(mode="after")
    def _network_fits_the_crop(self) -> Pix2PixSettings:
        if self.crop % 2**self.levels:
            raise ValueError(f"with {self.levels} levels the crop must be a multiple of {2**self.levels}")
        if self.upsampling == "resize" and self.ngf < 2:
            raise ValueError("upsampling 'resize' needs an ngf of 2 or more")
        return self


class Pix2PixObjective(PairsObjective):
    """Generator against a 70x70 PatchGAN that sees mask, option and image."""

    Settings = Pix2PixSettings
    presets: ClassVar[dict[str, dict[str, Any]]] = {
        "paper": {"batch_size": 1, "steps": 200_000},
        "fast": {
            "steps": 10_000,
            "crop": 192,
            "ngf": 48,
            "levels": 5,
            "upsampling": "resize",
            "l1": 25.0,
            "freeze_norm_after": 0.5,
        },
    }

    def __init__(self, settings: Pix2PixSettings, data: Path, seed: int):
        super().__init__(settings, data, seed)
        self.sampler = PairSampler(self.take_pairs(), settings.crop, settings.mask_meaning, seed)
        in_channels = 1 + self.option_planes
        generator = seeded(
            lambda: init_normal(build("optional-pix2pix", **self.hyper)), derived_seed(seed, "generator")
        )
        discriminator = seeded(
            lambda: init_normal(PatchGAN(in_channels + 3, settings.ndf)), derived_seed(seed, "discriminator")
        )
        self.networks = {"generator": generator, "discriminator": discriminator}
        self.optimizers = adversarial_optimizers(self.networks, settings.learning_rate)

    @property
    def hyper(self) -> dict[str, Any]:
        s = self.settings
        return {
            "in_channels": 1 + self.option_planes,
            "out_channels": 3,
            "ngf": s.ngf,
            "levels": s.levels,
            "upsampling": s.upsampling,
            "dropout": s.dropout,
            "dropout_blocks": s.dropout_blocks,
            "head_dropout": s.head_dropout,
        }

    def set_up(self, fabric: Fabric) -> None:
        super().set_up(fabric)
        size, rank = self.settings.batch_size, fabric.global_rank
        self._batches = Ahead(lambda step: self.sampler.batch(step, size, rank), fabric.device)

    def step(self, step: int) -> dict[str, float]:
        s, device = self.settings, self.fabric.device
        generator, discriminator = self.networks["generator"], self.networks["discriminator"]
        rank = self.fabric.global_rank
        masks, images, numbers = (sent(torch.from_numpy(array), device) for array in self._batches(step))
        real = images.float() / 127.5 - 1
        real = real.contiguous(memory_format=torch.channels_last)
        x = self.inputs(masks, numbers)
        x = x.contiguous(memory_format=torch.channels_last)

        generator.train()
        if step >= s.freeze_norm_after * s.steps:
            for module in generator.modules():
                if isinstance(module, nn.BatchNorm2d):
                    module.eval()
        fake = generator(x, torch_generator(self.seed, "dropout", step, rank)).float()

        on_real = discriminator(torch.cat([x, real], 1)).float()
        on_fake = discriminator(torch.cat([x, fake.detach()], 1)).float()
        loss_d = 0.5 * (adversarial_loss(on_real, 1.0) + adversarial_loss(on_fake, 0.0))
        self.optimise("discriminator", loss_d)

        discriminator.requires_grad_(False)
        loss_gan = adversarial_loss(discriminator(torch.cat([x, fake], 1)).float(), 1.0)
        loss_l1 = l1_loss(fake, real)
        self.optimise("generator", loss_gan + s.l1 * loss_l1)
        discriminator.requires_grad_(True)
        return self.shown(step, {"D": loss_d, "GAN": loss_gan, "L1": loss_l1})

    @torch.no_grad()
    def render(self, labels: np.ndarray, number: int) -> np.ndarray:
        generator = self.plain("generator")
        mask = torch.from_numpy(mask_plane(labels, self.settings.mask_meaning))[None, None].to(self.fabric.device)
        x = self.inputs(mask, torch.tensor([number], device=mask.device))
        out = generator(x, torch_generator(self.seed, "preview")).float()
        return from_network(out[0].permute(1, 2, 0).cpu().numpy())
