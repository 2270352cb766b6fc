"""Objective of MetGAN: two generators, two discriminators, a frozen segmentor (Horvath et al. 2022)."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from lightning_fabric import Fabric
from pydantic import Field, model_validator
from torch import Tensor, nn
from torch.nn.functional import l1_loss

from napari_synth.core.seeds import derived_seed, numpy_rng, torch_generator
from napari_synth.nets.discriminators import PatchGAN
from napari_synth.nets.metgan import TILE_MULTIPLE
from napari_synth.training.ahead import Ahead, sent
from napari_synth.training.image_pool import ImagePool
from napari_synth.training.objectives.base import (
    MOST_CHANNELS,
    MOST_SAMPLES,
    adversarial_loss,
    init_normal,
    least_squares_loss,
    seeded,
    weighted_bce,
)
from napari_synth.training.objectives.triplets import TripletSettings, TripletsObjective

BETAS = (0.5, 0.999)
GAN_LOSSES: dict[str, Callable[[Tensor, float], Tensor]] = {
    "least-squares": least_squares_loss,
    "log": adversarial_loss,
}


class MetGANSettings(TripletSettings):
    """Settings of `MetGANObjective`; a weight of 0 switches its term off."""

    batch_size: int = Field(1, ge=1, le=MOST_SAMPLES)
    generator: Literal["metgan", "metgan-unet"] = "metgan"
    ngf: int = Field(64, ge=1, le=MOST_CHANNELS)
    """First channels of the U-Net that MetGen is compared with."""
    gan: Literal["least-squares", "log"] = "least-squares"
    conditional: bool = False
    """A discriminator as that of pix2pix: it sees image and label beside the channel it judges, and has BatchNorm."""
    cycle: float = Field(10.0, ge=0)
    pair: float = Field(10.0, ge=0)
    segmentation_loss: Literal["bce", "l1"] = "bce"
    pool: int = Field(50, ge=0, le=100_000)
    freeze_norm_after: float = Field(1.0, ge=0, le=1)
    """Part of the steps after which BatchNorm keeps its statistics, so that the generator is trained
    with the very statistics it will render with."""

    @model_validator(mode="after")
    def _norm_has_something_to_measure(self) -> MetGANSettings:
        if self.batch_size == 1 and self.crop == TILE_MULTIPLE:
            raise ValueError(f"a batch_size of 1 needs a crop of at least {2 * TILE_MULTIPLE}")
        return self


class MetGANObjective(TripletsObjective):
    """F: (anatomy, label) -> signal and G: (signal, label) -> anatomy.

    L = adversarial L_D + cycle L_cycle + segmentation L_segm + pair L_pair. Without a cycle there is
    nothing for G to do, so it is not made.
    """

    Settings = MetGANSettings
    presets: ClassVar[dict[str, dict[str, Any]]] = {
        "paper": {"steps": 200_000},
        "paper-fast": {
            "steps": 1500,
            "crop": 128,
            "batch_size": 2,
            "learning_rate": 5e-4,
            "width": 0.25,
            "ngf": 16,
            "ndf": 24,
            "freeze_norm_after": 0.5,
            "segmentor_steps": 1500,
            "segmentor_width": 8,
            "segmentor_crop": 128,
        },
    }
    ablations: ClassVar[dict[str, dict[str, Any]]] = {
        "conditional-only": {"cycle": 0.0, "segmentation": 0.0},
        "cycle-only": {"pair": 0.0, "segmentation": 0.0},
        "no-segmentor": {"segmentation": 0.0},
        "no-pair": {"pair": 0.0},
        "pix2pix": {
            "generator": "metgan-unet",
            "conditional": True,
            "gan": "log",
            "cycle": 0.0,
            "segmentation": 0.0,
            "pair": 100.0,
            "pool": 0,
        },
        "cyclegan": {"generator": "metgan-unet", "segmentation": 0.0, "pair": 0.0},
    }

    def __init__(self, settings: MetGANSettings, data: Path, seed: int):
        super().__init__(settings, data, seed)
        s = settings
        self.networks = {
            "generator": self.build_generator("generator", 1),
            "discriminator": self._discriminator("signal"),
        }
        self.memories = {"pool": ImagePool(s.pool)}
        if s.cycle:
            self.networks["backward"] = self.build_generator("backward", 0)
            self.networks["discriminator_anatomy"] = self._discriminator("anatomy")
            self.memories["pool_anatomy"] = ImagePool(s.pool)
        parts: dict[str, list[nn.Module]] = {"generators": [], "discriminators": []}
        for name, network in self.networks.items():
            parts["discriminators" if "discriminator" in name else "generators"].append(network)
        self.optimizers = {
            name: torch.optim.Adam(
                itertools.chain(*(network.parameters() for network in networks)), s.learning_rate, betas=BETAS
            )
            for name, networks in parts.items()
        }
        self._gan = GAN_LOSSES[s.gan]

    def _discriminator(self, key: str) -> nn.Module:
        channels, norm = (3, "batch") if self.settings.conditional else (1, "instance")
        return seeded(
            lambda: init_normal(PatchGAN(channels, self.settings.ndf, norm)),
            derived_seed(self.seed, "discriminator", key),
        )

    @property
    def architecture(self) -> str:
        name: str = self.settings.generator
        return name

    @property
    def hyper(self) -> dict[str, Any]:
        s = self.settings
        if s.generator == "metgan":
            return {"width": s.width, "blocks": s.blocks}
        return {"ngf": s.ngf, "levels": 6}

    def set_up(self, fabric: Fabric) -> None:
        super().set_up(fabric)
        size, rank = self.settings.batch_size, fabric.global_rank
        self._batches = Ahead(lambda step: self.sampler.batch(step, size, rank), fabric.device)

    def batch(self, step: int) -> tuple[Tensor, Tensor, Tensor]:
        """Mask, anatomy and signal."""
        device = self.fabric.device
        mask, anatomy, signal = (
            sent(torch.from_numpy(array), device).contiguous(memory_format=torch.channels_last)
            for array in self._batches(step)
        )
        return mask, anatomy, signal

    def made(self, anatomy: Tensor, mask: Tensor) -> Tensor:
        signal: Tensor = self.plain("generator")(anatomy, mask)
        return signal

    def _made(self, name: str, image: Tensor, mask: Tensor, noise: torch.Generator) -> Tensor:
        """What a generator makes of an image; dropout is the noise of the U-Net alone."""
        network = self.networks[name]
        made: Tensor = network(image, mask) if self.settings.generator == "metgan" else network(image, mask, noise)
        return made.float()

    def _judged(self, name: str, made: Tensor, image: Tensor, mask: Tensor) -> Tensor:
        shown = torch.cat([image, mask, made], dim=1) if self.settings.conditional else made
        outputs: Tensor = self.networks[name](shown)
        return outputs.float()

    def _prepare(self, step: int) -> None:
        frozen = step >= self.settings.freeze_norm_after * self.settings.steps
        for network in self.networks.values():
            network.train()
            for module in network.modules():
                if frozen and isinstance(module, nn.BatchNorm2d):
                    module.eval()

    def segmentation_loss(self, signal: Tensor, mask: Tensor) -> Tensor:
        """How far the frozen segmentor's answer to a signal is from a mask."""
        logits = self.segmented(signal)
        if self.settings.segmentation_loss == "l1":
            return l1_loss(torch.sigmoid(logits), mask)
        return weighted_bce(logits, mask, self.settings.object_weight)

    def step(self, step: int) -> dict[str, float]:
        s = self.settings
        self._prepare(step)
        mask, anatomy, signal = self.batch(step)
        noise = torch_generator(self.seed, "dropout", step, self.fabric.global_rank)
        rng = numpy_rng(self.seed, "pool", step, self.fabric.global_rank)

        discriminators = [net for name, net in self.networks.items() if "discriminator" in name]
        for network in discriminators:
            network.requires_grad_(False)
        made = self._made("generator", anatomy, mask, noise)
        losses = {"GAN": self._gan(self._judged("discriminator", made, anatomy, mask), 1.0)}
        pair = l1_loss(made, signal)
        cycle = torch.zeros_like(pair)
        made_anatomy = None
        if s.cycle:
            made_anatomy = self._made("backward", signal, mask, noise)
            judged = self._judged("discriminator_anatomy", made_anatomy, signal, mask)
            losses["GAN"] = losses["GAN"] + self._gan(judged, 1.0)
            cycle = l1_loss(self._made("backward", made, mask, noise), anatomy)
            cycle = cycle + l1_loss(self._made("generator", made_anatomy, mask, noise), signal)
            pair = pair + l1_loss(made_anatomy, anatomy)
        losses |= {"pair": pair, "cycle": cycle}
        if s.segmentation:
            losses["segmentation"] = self.segmentation_loss(made, mask)
        weights = {"GAN": s.adversarial, "pair": s.pair, "cycle": s.cycle, "segmentation": s.segmentation}
        self.optimise(
            "generators", sum((weights[n] * loss for n, loss in losses.items() if weights[n]), start=0 * pair)
        )

        for network in discriminators:
            network.requires_grad_(True)
        loss_d = self._discriminator_loss("discriminator", "pool", signal, made, anatomy, mask, rng)
        if made_anatomy is not None:
            loss_d = loss_d + self._discriminator_loss(
                "discriminator_anatomy", "pool_anatomy", anatomy, made_anatomy, signal, mask, rng
            )
        self.optimise("discriminators", loss_d)
        return self.shown(step, {"D": loss_d, **losses})

    def _discriminator_loss(
        self,
        name: str,
        pool: str,
        real: Tensor,
        made: Tensor,
        image: Tensor,
        mask: Tensor,
        rng: np.random.Generator,
    ) -> Tensor:
        """Halved, as in pix2pix and CycleGAN; older images come with the image and mask they were made of."""
        given = self.memories[pool].exchange(torch.cat([image, mask, made.detach()], dim=1), rng)
        on_real = self._judged(name, real, image, mask)
        on_made = self._judged(name, given[:, 2:], given[:, :1], given[:, 1:2])
        return 0.5 * (self._gan(on_real, 1.0) + self._gan(on_made, 0.0))
