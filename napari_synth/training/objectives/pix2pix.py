"""Objective of (Optional) Pix2Pix: conditional GAN + L1 (Isola et al. 2017, eq. 4)."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn.functional import l1_loss

from napari_synth.core.seeds import derived_seed, torch_generator
from napari_synth.datasets.mask_encoding import from_network, mask_plane
from napari_synth.datasets.pairs import LoadedPair, PairSampler, describe, find_options, load_pair
from napari_synth.models.architectures import build
from napari_synth.models.card import Look, ModelCard, TrainingData, joint_licence
from napari_synth.nets.discriminators import PatchGAN
from napari_synth.nets.pix2pix import option_plane
from napari_synth.training.objectives.base import (
    Objective,
    ObjectiveSettings,
    adversarial_loss,
    adversarial_optimizers,
    init_normal,
    seeded,
    training_data,
)
from napari_synth.training.previews import grid, label_picture, thumbnail


class Pix2PixSettings(ObjectiveSettings):
    """Settings of `Pix2PixObjective`."""

    crop: int = Field(256, ge=32)
    ngf: int = Field(64, ge=1)
    ndf: int = Field(64, ge=1)
    levels: int = Field(8, ge=2)
    upsampling: str = "transposed"
    dropout: float = Field(0.5, ge=0, lt=1)
    dropout_blocks: int = Field(3, ge=0)
    head_dropout: float = Field(0.0, ge=0, lt=1)
    l1: float = Field(100.0, ge=0)
    mask_meaning: str = "foreground-gap"
    freeze_norm_after: float = Field(1.0, ge=0, le=1)
    """Part of the steps after which the generator's BatchNorm keeps its statistics, so that it is
    trained with the very statistics it will render with."""


class Pix2PixObjective(Objective):
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
        self.options = find_options(data)
        pairs = [self.read(option.training) for option in self.options]
        self.sampler = PairSampler(pairs, settings.crop, settings.mask_meaning, seed)
        self._rgb = [any(pair.rgb for pair in option) for option in pairs]
        self._examples = [
            [load_pair(pair) for pair in option.held_out[:2]] or loaded[:2]
            for option, loaded in zip(self.options, pairs, strict=True)
        ]
        in_channels = 1 + self._planes
        generator = seeded(
            lambda: init_normal(build("optional-pix2pix", **self._hyper)), derived_seed(seed, "generator")
        )
        discriminator = seeded(
            lambda: init_normal(PatchGAN(in_channels + 3, settings.ndf)), derived_seed(seed, "discriminator")
        )
        self.networks = {"generator": generator, "discriminator": discriminator}
        self.optimizers = adversarial_optimizers(self.networks, settings.learning_rate)

    @property
    def _planes(self) -> int:
        return 1 if len(self.options) > 1 else 0

    @property
    def _hyper(self) -> dict[str, Any]:
        s = self.settings
        return {
            "in_channels": 1 + self._planes,
            "out_channels": 3,
            "ngf": s.ngf,
            "levels": s.levels,
            "upsampling": s.upsampling,
            "dropout": s.dropout,
            "dropout_blocks": s.dropout_blocks,
            "head_dropout": s.head_dropout,
        }

    def inputs(self, masks: Tensor, numbers: Tensor) -> Tensor:
        """``[mask, option plane]``, or the mask alone where there is one option."""
        if not self._planes:
            return masks
        plane = option_plane(numbers, len(self.options), *masks.shape[-2:])
        return torch.cat([masks, plane.to(masks)], dim=1)

    def step(self, step: int) -> dict[str, float]:
        s, device = self.settings, self.fabric.device
        generator, discriminator = self.networks["generator"], self.networks["discriminator"]
        rank = self.fabric.global_rank
        masks, images, numbers = self.sampler.batch(step, s.batch_size, rank)
        real = torch.from_numpy(images).to(device).float() / 127.5 - 1
        real = real.contiguous(memory_format=torch.channels_last)
        x = self.inputs(torch.from_numpy(masks).to(device), torch.from_numpy(numbers).to(device))
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
        return {"D": loss_d.item(), "GAN": loss_gan.item(), "L1": loss_l1.item()}

    @torch.no_grad()
    def _render(self, labels: np.ndarray, number: int) -> np.ndarray:
        generator = self.plain("generator")
        mask = torch.from_numpy(mask_plane(labels, self.settings.mask_meaning))[None, None].to(self.fabric.device)
        x = self.inputs(mask, torch.tensor([number], device=mask.device))
        out = generator(x, torch_generator(self.seed, "preview")).float()
        return from_network(out[0].permute(1, 2, 0).cpu().numpy())

    def _example(self, pair: LoadedPair) -> tuple[np.ndarray, np.ndarray]:
        multiple = 2**self.settings.levels
        size = max(256 // multiple, 1) * multiple
        labels, image = (
            np.pad(array, [(0, max(size - n, 0)) for n in array.shape[:2]] + [(0, 0)] * (array.ndim - 2), "symmetric")
            for array in (pair.labels, pair.image)
        )
        return labels[:size, :size], image[:size, :size]

    def preview(self) -> np.ndarray:
        rows = []
        for number, pairs in enumerate(self._examples):
            row = []
            for pair in pairs:
                labels, image = self._example(pair)
                row += [label_picture(labels), image, self._render(labels, number)]
            rows.append(row)
        return grid(rows)

    def card(self, model_id: str) -> ModelCard:
        looks = []
        for number, option in enumerate(self.options):
            labels, _ = self._example(self._examples[number][0])
            looks.append(
                Look(
                    name=option.source.name,
                    title=option.source.title,
                    rgb=self._rgb[number],
                    thumbnail=thumbnail(self._render(labels, number), labels),
                )
            )
        return ModelCard(
            id=model_id,
            title=describe(self.data).title,
            architecture="optional-pix2pix",
            hyper=self._hyper,
            role="generator",
            mask_meaning=self.settings.mask_meaning,
            looks=looks,
            tile_multiple=2**self.settings.levels,
            licence=joint_licence(self.training_data()),
        )

    def training_data(self) -> list[TrainingData]:
        return [training_data(o.source, len(o.training), len(o.held_out)) for o in self.options]
