"""Objective of CapsPix2Pix: conditional GAN with smoothed labels + L1 (Bass et al. 2019)."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from lightning_fabric import Fabric
from pydantic import Field
from torch import Tensor, nn
from torch.nn.functional import l1_loss

from napari_synth.core.errors import InputError
from napari_synth.core.seeds import derived_seed, torch_generator
from napari_synth.datasets.pairs import PairSampler, describe, find_options
from napari_synth.models.card import ModelCard, TrainingData, joint_licence
from napari_synth.nets.capspix2pix import LATENT_SIZE, MULTIPLE, PLANE, CapsPix2PixGenerator
from napari_synth.nets.capsule_stages import STAGES
from napari_synth.nets.discriminators import DCGANDiscriminator
from napari_synth.training.ahead import Ahead, sent
from napari_synth.training.objectives.base import (
    MOST_CHANNELS,
    MOST_SAMPLES,
    Objective,
    ObjectiveSettings,
    adversarial_loss,
    adversarial_optimizers,
    init_normal,
    seeded,
    training_data,
)
from napari_synth.training.objectives.texture import (
    blurred,
    grey_value_distance,
    lattice_power,
    local_deviation,
    spectral_distance,
)
from napari_synth.training.previews import picture_sheet

REAL, FAKE = 0.9, 0.1


class CapsPix2PixSettings(ObjectiveSettings):
    """Settings of `CapsPix2PixObjective`; crops are always 256×256, the size of the latent plane."""

    batch_size: int = Field(1, ge=1, le=MOST_SAMPLES)
    width: int = Field(64, ge=1, le=MOST_CHANNELS)
    """Channels of the discriminator's first layer."""
    dropout: float = Field(0.5, ge=0, lt=1)
    l1: float = Field(1.0, ge=0)
    blurred_l1: float = Field(0.0, ge=0)
    """Weight of the L1 loss between images averaged over 3×3 pixels, most of their noise gone; 0 as published."""
    deviation: float = Field(0.0, ge=0)
    """Weight of the L1 loss between local deviations: noise as strong as at that place; 0 as published."""
    spectrum: float = Field(0.0, ge=0)
    """Weight of `spectral_distance`: noise as fine and as even as the real one; 0 as published."""
    lattice: float = Field(0.0, ge=0)
    """Weight of `lattice_power`, the grid that transposed convolutions leave; 0 as published."""
    grey_values: float = Field(0.0, ge=0)
    """Weight of `grey_value_distance`: as dark and as bright as the real image; 0 as published."""
    conv1: float = Field(0.0, ge=0)
    """Weight of `excess_length` of conv1 after a third of the steps, when `shorten` was called; 0 as published.

    conv1 is not squashed: where its vectors are long, their votes are all that the last routing hears,
    and the capsules between have no say. It draws the first axons, though, far sooner than they would."""
    start: Literal["normal", "balanced"] = "normal"
    """Weights to start from: N(0, 0.02) as published, or scaled by `balance`, which learns far sooner."""


class CapsPix2PixObjective(Objective):
    """Capsule generator against a DCGAN discriminator that sees image and mask."""

    Settings = CapsPix2PixSettings
    presets: ClassVar[dict[str, dict[str, Any]]] = {
        "paper": {"steps": 132_000},
        "fast": {
            "steps": 4_000,
            "start": "balanced",
            "dropout": 0.1,
            "blurred_l1": 20.0,
            "deviation": 20.0,
            "spectrum": 1.0,
            "lattice": 20_000.0,
            "grey_values": 20.0,
            "conv1": 20.0,
        },
    }

    def __init__(self, settings: CapsPix2PixSettings, data: Path, seed: int):
        super().__init__(settings, data, seed)
        self.options = find_options(data)
        if len(self.options) > 1:
            raise InputError(
                "CapsPix2Pix renders one look, but the data has several.", "Give the folder of one option."
            )
        pairs = self.read(self.options[0].training)
        self.sampler = PairSampler([pairs], PLANE, "foreground", seed)
        generator = seeded(lambda: init_normal(CapsPix2PixGenerator(settings.dropout)), derived_seed(seed, "generator"))
        discriminator = seeded(
            lambda: init_normal(DCGANDiscriminator(2, settings.width)), derived_seed(seed, "discriminator")
        )
        if settings.start == "balanced":
            balance(generator, *self._first_batch())
        self.networks = {"generator": generator, "discriminator": discriminator}
        self.optimizers = adversarial_optimizers(self.networks, settings.learning_rate)

    def _first_batch(self) -> tuple[Tensor, Tensor, Tensor]:
        masks, images, _ = self.sampler.batch(0, 2)
        z = torch.randn(2, LATENT_SIZE, generator=torch_generator(self.seed, "z", "balance"))
        return torch.from_numpy(masks), z, torch.from_numpy(images[:, :1].astype(np.float32) / 255)

    def learning_rate_factor(self, step: float) -> float:
        """Linear to 0 from the start, as in the paper."""
        factor: float = 1 - step / self.settings.steps
        return factor

    def latent(self, count: int, *keys: int | str) -> Tensor:
        """Latent vectors z ~ N(0, 1), shape ``(count, 100)``, for exactly these keys."""
        z = torch.randn(count, LATENT_SIZE, generator=torch_generator(self.seed, "z", *keys))
        return sent(z, self.fabric.device)

    def set_up(self, fabric: Fabric) -> None:
        super().set_up(fabric)
        self._batches = Ahead(self._batch, fabric.device)

    def _batch(self, step: int) -> tuple[Tensor, Tensor]:
        masks, images, _ = self.sampler.batch(step, self.settings.batch_size, self.fabric.global_rank)
        return torch.from_numpy(masks), torch.from_numpy(images[:, :1].astype(np.float32) / 255)

    def batch(self, step: int) -> tuple[Tensor, Tensor]:
        """Masks and grey images in [0, 1], each ``(B, 1, 256, 256)``."""
        masks, grey = self._batches(step)
        return sent(masks, self.fabric.device), sent(grey, self.fabric.device)

    def step(self, step: int) -> dict[str, float]:
        held_from = self.settings.steps // 3
        if self.settings.conv1 and step == held_from:
            self._shorten_conv1()
        generator, discriminator = self.networks["generator"].train(), self.networks["discriminator"].train()
        rank = self.fabric.global_rank
        masks, real = self.batch(step)
        z = self.latent(len(masks), step, rank)
        fake = generator(masks, z, torch_generator(self.seed, "dropout", step, rank)).float()

        on_real = discriminator(torch.cat([real, masks], 1)).float()
        on_fake = discriminator(torch.cat([fake.detach(), masks], 1)).float()
        loss_d = adversarial_loss(on_real, REAL) + adversarial_loss(on_fake, FAKE)
        self.optimise("discriminator", loss_d)

        discriminator.requires_grad_(False)
        loss_gan = adversarial_loss(discriminator(torch.cat([fake, masks], 1)).float(), 1.0)
        loss_l1 = l1_loss(fake, real)
        loss = loss_gan + self.settings.l1 * loss_l1 + self._texture_loss(fake, real, masks)
        if self.settings.conv1 and step >= held_from:
            plain = self.plain("generator")
            loss = loss + self.settings.conv1 * excess_length(plain.layer("conv1", plain.entry(masks, z)))
        self.optimise("generator", loss)
        discriminator.requires_grad_(True)
        return self.shown(step, {"D": loss_d, "GAN": loss_gan, "L1": loss_l1})

    def _shorten_conv1(self) -> None:
        generator = self.plain("generator")
        masks, z, _ = self._first_batch()
        shorten(generator, masks.to(self.fabric.device), z.to(self.fabric.device))
        for layer in (generator.conv1, generator.convcaps1):
            for parameter in layer.parameters():
                self.optimizers["generator"].state.pop(parameter, None)  # moments of gradients of another size

    def _texture_loss(self, fake: Tensor, real: Tensor, masks: Tensor) -> Tensor:
        """What the publication has not; see the settings."""
        settings, total = self.settings, fake.new_zeros(())
        if settings.blurred_l1:
            total = total + settings.blurred_l1 * l1_loss(blurred(fake), blurred(real))
        if settings.deviation:
            total = total + settings.deviation * l1_loss(local_deviation(fake), local_deviation(real))
        if settings.spectrum:
            total = total + settings.spectrum * spectral_distance(fake, real)
        if settings.lattice:
            total = total + settings.lattice * lattice_power(fake)
        if settings.grey_values:
            total = total + settings.grey_values * grey_value_distance(fake, real, masks)
        return total

    @torch.no_grad()
    def preview(self) -> np.ndarray:
        """Mask, real image and three z of three crops."""
        generator = self.plain("generator")
        rows = []
        for number in range(3):
            masks, images, _ = self.sampler.batch(number, 1)
            mask = torch.from_numpy(masks).to(self.fabric.device)
            made = [generator(mask, self.latent(1, "preview", k)).float()[0, 0].cpu().numpy() for k in range(3)]
            pictures = [masks[0, 0], images[0, 0] / 255, *made]
            rows.append([(255 * picture).astype(np.uint8) for picture in pictures])
        return picture_sheet(rows)

    def card(self, model_id: str) -> ModelCard:
        return ModelCard(
            id=model_id,
            title=describe(self.data).title,
            architecture="capspix2pix",
            hyper={"dropout": self.settings.dropout, "beyond": "blocks"},
            role="generator",
            mask_meaning="foreground",
            latent_size=LATENT_SIZE,
            tile_multiple=MULTIPLE,
            licence=joint_licence(self.training_data()),
        )

    def training_data(self) -> list[TrainingData]:
        return [training_data(o.source, len(o.training), len(o.held_out)) for o in self.options]


def excess_length(x: Tensor) -> Tensor:
    """Mean over capsules ``[B, I, C, H, W]`` of the length beyond 1, where a squashed capsule ends."""
    return torch.relu(x.norm(dim=2) - 1).mean()


@torch.no_grad()
def shorten(generator: CapsPix2PixGenerator, masks: Tensor, z: Tensor) -> None:
    """Make 99 % of conv1's vectors on a batch at most as long as a capsule may be, in place.

    convcaps1 takes them as much stronger instead, so that nothing changes but their weight in the last routing.
    """
    lengths = generator.layer("conv1", generator.entry(masks, z)).norm(dim=2)
    factor = max(1.0, float(np.percentile(lengths.cpu(), 99)))
    generator.conv1.weight /= factor
    generator.conv1.get_parameter("bias").div_(factor)
    generator.convcaps1.conv.weight *= factor


@torch.no_grad()
def balance(generator: CapsPix2PixGenerator, masks: Tensor, z: Tensor, images: Tensor) -> None:
    """Scale the weights of each layer so that its capsules are half present on a batch, in place.

    Squash maps a short vector of length n to n²: with weights of N(0, 0.02) the capsules vanish layer
    by layer, the first image is one grey, and the gradients vanish likewise. Here every layer in turn is
    scaled until its capsules have a mean length near 0.5 (conv1: a standard deviation of 1), and the
    image starts at the mean brightness of the real ones (the idea of layer-sequential unit variance,
    Mishkin & Matas 2016). conv1 reads the latent plane at its own pixel alone, so that the noise begins
    white: a random kernel of this weight, which takes thousands of steps to change, gives it streaks.
    """
    of_plane = generator.conv1.weight[:, 0]
    middle = of_plane.shape[-1] // 2
    strength = of_plane.flatten(1).norm(dim=1) * of_plane[:, middle, middle].sign()
    of_plane.zero_()
    of_plane[:, middle, middle] = strength
    x = generator.entry(masks, z)
    maps: dict[str, Tensor] = {}
    for stage in STAGES:
        layer = getattr(generator, stage.name)
        weight = layer.weight if stage.name == "conv1" else layer.conv.weight
        read = torch.cat([maps[name] for name in stage.inputs], dim=1) if stage.inputs else x
        for _ in range(3):
            activation = generator.layer(stage.name, read)
            if stage.name == "conv1":
                weight /= activation.std()
            else:
                length = activation.norm(dim=2).mean().clamp(1e-12, 0.999)
                weight *= ((1 - length) / length).sqrt()
        maps[stage.name] = generator.layer(stage.name, read)
    last = maps[STAGES[-1].name][:, 0]
    weight, bias = generator.conv2.weight, generator.conv2.get_parameter("bias")
    weight /= nn.functional.conv2d(last, weight).std()
    bias.copy_(torch.logit(images.mean(), eps=1e-3) - nn.functional.conv2d(last, weight).mean())
