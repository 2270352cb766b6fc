"""Objective of Optional Pix2Pix with styles: a conditional VAE-GAN whose discriminator has a head per option.

A mask does not say what lies between the nuclei, so one answer must not be asked for by L1. The noise planes and
the style code hold what the mask leaves open: images whose style was read off the real image are compared with
it by the discriminator's features and coarse means (Wang et al. 2018; Zhu et al. 2017), all others are judged
by the discriminator alone.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import torch
from lightning_fabric import Fabric
from pydantic import Field, field_validator, model_validator
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d
from torch.optim.swa_utils import get_ema_multi_avg_fn

from napari_synth.core.seeds import derived_seed
from napari_synth.datasets.mask_encoding import from_network, mask_plane
from napari_synth.models.architectures import build
from napari_synth.models.hyper import MOST_LEVELS
from napari_synth.nets.counter_noise import drawn_planes, noise_planes
from napari_synth.nets.discriminators import TwoScaleDiscriminator
from napari_synth.nets.pix2pix import Pix2PixGenerator
from napari_synth.nets.styled import StyledPix2Pix, StyleEncoder, periods_of, styled_input
from napari_synth.training.augment import Augmentation
from napari_synth.training.crops import DeviceCrops
from napari_synth.training.objectives.base import (
    LONGEST_CROP,
    MOST_CHANNELS,
    MOST_SAMPLES,
    adversarial_optimizers,
    init_normal,
    seeded,
)
from napari_synth.training.objectives.pairs import PairsObjective, PairsSettings
from napari_synth.training.previews import label_picture
from napari_synth.training.styles import StyleMemory, greedy_medoids, read_styles

UNET: dict[str, Any] = {"upsampling": "resize", "dropout": 0.0}
BANK_CROPS = 160
READING_BATCH = 16
COARSE = 8


class StyledSettings(PairsSettings):
    """Settings of `StyledObjective`; weights of the losses as in its `StyledObjective.step`."""

    batch_size: int = Field(8, ge=1, le=MOST_SAMPLES)
    crop: int = Field(256, ge=64, le=LONGEST_CROP, multiple_of=2)
    levels: int = Field(5, ge=2, le=MOST_LEVELS)
    ngf: int = Field(48, ge=2, le=MOST_CHANNELS)
    ndf: int = Field(64, ge=1, le=MOST_CHANNELS)
    discriminator_rate: float = Field(4e-4, gt=0)
    noise_periods: str = "1,4,16"
    style_size: int = Field(8, ge=1, le=64)
    bank_size: int = Field(40, ge=1, le=BANK_CROPS)
    memory: int = Field(128, ge=1, le=MOST_SAMPLES)
    """Codes per option from which styles without an image are drawn; see `StyleMemory`."""
    drawn_share: float = Field(1 / 3, ge=0, le=1)
    """Part of the samples with such a style."""
    features: float = Field(10.0, ge=0)
    coarse: float = Field(10.0, ge=0)
    kl: float = Field(0.02, ge=0)
    style: float = Field(1.0, ge=0)
    """Weight of reading a drawn style off the image made with it again (BicycleGAN's latent regression)."""
    average: float = Field(0.999, ge=0, lt=1)
    """How slowly the exported weights follow the trained ones."""

    @field_validator("noise_periods")
    @classmethod
    def _whole_numbers(cls, text: str) -> str:
        if not all(part.isdigit() and int(part) for part in text.split(",")):
            raise ValueError("write whole numbers with commas between, such as 1,4,16")
        return text

    @model_validator(mode="after")
    def _fitting_crop(self) -> Self:
        if self.crop % 2**self.levels:
            raise ValueError(f"crop must be a multiple of {2**self.levels} for {self.levels} levels")
        return self


class StyledObjective(PairsObjective):
    """Generator and style encoder against a discriminator at two scales."""

    Settings = StyledSettings
    gpu_precision = "bf16-mixed"
    presets: ClassVar[dict[str, dict[str, Any]]] = {
        "fast": {"steps": 3000, "crop": 128, "batch_size": 4, "ngf": 32, "ndf": 32},
        "gpu": {"steps": 60_000, "minutes": 12.0, "batch_size": 16},
    }

    def __init__(self, settings: StyledSettings, data: Path, seed: int):
        super().__init__(settings, data, seed)
        s, options = settings, len(self.options)
        self.crops = DeviceCrops(self.take_pairs(), s.crop, s.mask_meaning, seed)
        self._periods = periods_of(s.noise_periods)
        self._conditions = 1 + self.option_planes
        self.networks = {
            "generator": seeded(self._generator, derived_seed(seed, "generator")),
            "encoder": seeded(
                lambda: init_normal(StyleEncoder(self._conditions, s.style_size)), derived_seed(seed, "encoder")
            ),
            "discriminator": seeded(
                lambda: TwoScaleDiscriminator(self._conditions + 3, options, s.ndf),
                derived_seed(seed, "discriminator"),
            ),
        }
        self.optimizers = adversarial_optimizers(self.networks, s.learning_rate)
        self.average: Any = build("optional-pix2pix", **self.hyper).eval().requires_grad_(False)
        self._memory = seeded(lambda: StyleMemory(options, s.memory, s.style_size), derived_seed(seed, "memory"))
        self.memories = {"average": self.average, "styles": self._memory}
        self._tensors: list[tuple[Tensor, Tensor]] = []
        self._follow(0.0)

    def _generator(self) -> nn.Module:
        s = self.settings
        channels = self._conditions + len(self._periods) + s.style_size
        return init_normal(Pix2PixGenerator(channels, 3, ngf=s.ngf, levels=s.levels, **UNET))

    @property
    def hyper(self) -> dict[str, Any]:
        s = self.settings
        return {
            "in_channels": self._conditions,
            "out_channels": 3,
            "noise_periods": s.noise_periods,
            "style_size": s.style_size,
            "options": len(self.options),
            "bank_size": s.bank_size,
            "ngf": s.ngf,
            "levels": s.levels,
        } | UNET

    def set_up(self, fabric: Fabric) -> None:
        super().set_up(fabric)
        self.crops.to(fabric.device)
        self.average.to(fabric.device, memory_format=torch.channels_last)
        self._memory.to(fabric.device)
        self._tensors = []

    @property
    def exported(self) -> StyledPix2Pix:
        network: StyledPix2Pix = self.average
        return network

    def start_from(self, weights: dict[str, Tensor]) -> None:
        self.average.load_state_dict(weights)
        with torch.no_grad():
            for trained, averaged in self._followed():
                for name, tensor in trained.items():
                    tensor.copy_(averaged[name])

    def set_learning_rate(self, factor: float) -> None:
        super().set_learning_rate(factor)
        for group in self.optimizers["discriminator"].param_groups:
            group["lr"] = self.settings.discriminator_rate * factor

    def _followed(self) -> list[tuple[dict[str, Tensor], dict[str, Tensor]]]:
        """The tensors of the trained networks, each with those of its average by the same names."""
        averaged = self.average.state_dict()
        pairs = []
        for name, prefix in (("generator", ""), ("encoder", "encoder.")):
            network: Any = self.networks[name]
            trained = getattr(network, "module", network).state_dict()
            pairs.append((trained, {key: averaged[prefix + key] for key in trained}))
        return pairs

    @torch.no_grad()
    def _follow(self, kept: float) -> None:
        """Move the averages, of weights and of BatchNorm's statistics, towards the trained ones."""
        if not self._tensors:
            for trained, averaged in self._followed():
                self._tensors += [(averaged[key], trained[key]) for key in trained]
        floats = [pair for pair in self._tensors if pair[0].is_floating_point()]
        get_ema_multi_avg_fn(kept)([mean for mean, _ in floats], [now for _, now in floats], 0)
        for count, now in self._tensors:
            if not count.is_floating_point():
                count.copy_(now)

    def step(self, step: int) -> dict[str, float]:
        """One step of the discriminator, then one of generator and encoder.

        Discriminator: hinge loss. Generator and encoder: adversarial + ``features`` x feature matching +
        ``coarse`` x L1 of 8x8 means + ``kl`` x KL of the code from N(0, 1) + ``style`` x L1 between a drawn
        style and the one read off its image; the second and third only where the style came from the image.
        """
        s = self.settings
        generator, encoder, discriminator = (self.networks[n] for n in ("generator", "encoder", "discriminator"))
        rank, device = self.fabric.global_rank, self.fabric.device
        draw = torch.Generator(device).manual_seed(derived_seed(self.seed, "styled", step, rank))
        masks, real, numbers = self.batch(step, rank)
        x, real = (t.contiguous(memory_format=torch.channels_last) for t in (self.inputs(masks, numbers), real))

        self.training_mode(generator)
        mean, log_variance = encoder(x, real)
        spread = (log_variance / 2).exp()
        wanted, wanted_spread = self._memory.draw(numbers, draw)
        is_drawn = torch.rand(len(numbers), 1, generator=draw, device=device) < s.drawn_share
        chance = torch.randn(mean.shape, generator=draw, device=device)
        style = torch.where(is_drawn, wanted + wanted_spread * chance, mean + spread * chance)
        noise = drawn_planes(len(numbers), self._periods, s.crop, s.crop, draw)
        inputs = styled_input(x, noise, style)
        fake = generator(inputs.contiguous(memory_format=torch.channels_last))

        augment = Augmentation(real.shape, draw)
        seen = augment.conditions(x)
        seen_real, seen_fake = (
            torch.cat([seen, augment.images(image)], 1).contiguous(memory_format=torch.channels_last)
            for image in (real, fake)
        )
        both = torch.cat([seen_real, seen_fake.detach()])
        _, logits = discriminator(both, torch.cat([numbers, numbers]))
        loss_d = hinge_loss(logits)
        self.optimise("discriminator", loss_d)

        discriminator.requires_grad_(False)
        encoder.requires_grad_(False)
        features, logits = discriminator(seen_fake, numbers)
        with torch.no_grad():
            real_features, _ = discriminator(seen_real, numbers)
        with self.fabric.autocast():
            read_again, _ = getattr(encoder, "module", encoder)(x, fake)
        encoder.requires_grad_(True)
        discriminator.requires_grad_(True)
        from_image = (~is_drawn).float()
        loss_gan = -torch.stack([map_.mean() for map_ in logits]).mean()
        matches = [weighted_l1(a, b, from_image) for a, b in zip(features, real_features, strict=True)]
        loss_features = torch.stack(matches).mean()
        loss_coarse = weighted_l1(avg_pool2d(fake, COARSE), avg_pool2d(real, COARSE), from_image)
        loss_kl = -0.5 * (1 + log_variance - mean.square() - log_variance.exp()).sum(1).mean()
        loss_style = weighted_l1(read_again, wanted, is_drawn.float())
        more = self.more_terms(masks, real, fake, from_image, step)
        loss = loss_gan + s.features * loss_features + s.coarse * loss_coarse + s.kl * loss_kl + s.style * loss_style
        loss = sum(more.values(), loss)
        for name in ("generator", "encoder"):
            self.optimizers[name].zero_grad()
        self.fabric.backward(loss)
        for name in ("generator", "encoder"):
            self.optimizers[name].step()

        self._memory.keep(numbers, mean, spread, draw)
        self._follow(min(s.average, (step + 1) / (step + 20)))
        parts = {"D": loss_d, "GAN": loss_gan, "features": loss_features, "coarse": loss_coarse, "KL": loss_kl}
        return self.shown(step, {**parts, "style": loss_style, **more})

    def batch(self, step: int, rank: int) -> tuple[Tensor, Tensor, Tensor]:
        """Masks, images and options of a step; see `DeviceCrops.batch`."""
        return self.crops.batch(step, self.settings.batch_size, rank)

    def training_mode(self, generator: nn.Module) -> None:
        """Make the generator ready for a step."""
        generator.train()

    def more_terms(self, masks: Tensor, real: Tensor, fake: Tensor, from_image: Tensor, step: int) -> dict[str, Tensor]:
        """Further terms of the generator's loss by name, with their weights; none here.

        Parameters
        ----------
        masks : Tensor, shape (B, 1, H, W)
        real, fake : Tensor, shape (B, 3, H, W)
        from_image : Tensor, shape (B, 1)
            1 where the style was read off the real image, else 0.
        step : int
        """
        return {}

    def complete(self) -> None:
        """Fill the bank: of the codes of upright training crops those that lie in their middles."""
        exported = self.exported
        for number in range(len(self.options)):
            starts = range(0, BANK_CROPS, READING_BATCH)
            batches = (self.crops.upright(number, range(start, start + READING_BATCH)) for start in starts)
            numbers = torch.full((READING_BATCH,), number, device=self.fabric.device)
            codes, spreads = read_styles(
                exported.encoder, [(self.inputs(mask, numbers), image) for mask, image in batches]
            )
            chosen = greedy_medoids(codes, self.settings.bank_size)
            exported.bank[number] = torch.from_numpy(codes[chosen])
            exported.bank_spread[number] = torch.from_numpy(spreads[chosen])

    @torch.no_grad()
    def _drawn(self, labels: np.ndarray, number: int, image: np.ndarray | None, member: int) -> np.ndarray:
        """An image in the style of ``image``, or of a member of the bank."""
        device, network = self.fabric.device, self.exported
        mask = torch.from_numpy(mask_plane(labels, self.settings.mask_meaning))[None, None].to(device)
        x = self.inputs(mask, torch.tensor([number], device=device))
        style = network.bank[number, member % self.settings.bank_size][None]
        if image is not None:
            real = torch.from_numpy(image).to(device).permute(2, 0, 1)[None].float() / 127.5 - 1
            style, _ = network.encoder(x, real)
        key = derived_seed(self.seed, "preview", member)
        height, width = labels.shape
        noise = noise_planes(key, self._periods, 0, 0, height, width, device)
        made = network.drawn(x, noise[None], style)
        return from_network(made[0].permute(1, 2, 0).float().cpu().numpy())

    def render(self, labels: np.ndarray, number: int) -> np.ndarray:
        return self._drawn(labels, number, None, 0)

    def example_row(self, number: int, labels: np.ndarray, image: np.ndarray) -> list[np.ndarray]:
        """Mask, real image, the same style, three of the bank."""
        places = (1, self.settings.bank_size // 2, self.settings.bank_size - 1)
        styles = [self._drawn(labels, number, None, place) for place in places]
        return [label_picture(labels), image, self._drawn(labels, number, image, 0), *styles]


def hinge_loss(logits: list[Tensor]) -> Tensor:
    """Hinge loss of a discriminator: mean over scales of maps whose first half is of real images, the rest made."""
    parts = []
    for map_ in logits:
        real, made = map_.float().chunk(2)
        parts.append(torch.relu(1 - real).mean() + torch.relu(1 + made).mean())
    return torch.stack(parts).mean()


def weighted_l1(one: Tensor, other: Tensor, weight: Tensor) -> Tensor:
    """Mean absolute difference, in which each sample counts with its weight ``[B, 1]``."""
    apart = (one.float() - other.float()).abs().flatten(1).mean(1)
    return (weight[:, 0] * apart).mean()
