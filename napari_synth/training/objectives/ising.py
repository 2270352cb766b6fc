"""Objective of Ising-GAN: image and mask from noise, the mask smoothed by an Ising term."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from lightning_fabric import Fabric
from pydantic import Field
from torch import Tensor, nn
from torch.nn.functional import interpolate, relu

from napari_synth.core.errors import InputError
from napari_synth.core.seeds import derived_seed, numpy_rng
from napari_synth.datasets.mask_encoding import from_network
from napari_synth.datasets.pairs import LoadedPair, describe, find_options
from napari_synth.models.architectures import build
from napari_synth.models.card import Look, ModelCard, TrainingData, joint_licence
from napari_synth.nets.ising import GROUP, IMAGE_CHANNELS, SMOOTHNESS, IsingDiscriminator, IsingGenerator, indecision
from napari_synth.training.augment import Augmentation
from napari_synth.training.averaged import AveragedNetwork
from napari_synth.training.crops import SCALED_SHARE, DeviceCrops
from napari_synth.training.objectives.base import (
    MOST_CHANNELS,
    MOST_SAMPLES,
    Objective,
    ObjectiveSettings,
    adversarial_loss,
    seeded,
    training_data,
)
from napari_synth.training.previews import picture_sheet, thumbnail

FEWEST, FEW = 8, 30
"""Images of a look below which training is refused, or warned about."""
DECISIVE_FROM = 2 / 3
"""Part of the training after which grey masks cost."""
PREVIEW_PAIRS = 8
MASK_MEANING = "foreground"

log = logging.getLogger(__name__)


class IsingSettings(ObjectiveSettings):
    """Settings of `IsingObjective`."""

    batch_size: int = Field(64, ge=2, le=MOST_SAMPLES)
    size: Literal[64, 128, 256, 512] = 256
    """Side of the pairs in pixels."""
    width: int = Field(64, ge=8, le=MOST_CHANNELS)
    """Channels of the generator where its branches part."""
    ndf: int = Field(32, ge=1, le=MOST_CHANNELS)
    """Channels of the discriminator's first layer."""
    latent_size: int = Field(100, ge=1, le=1024)
    residual: bool = True
    upsampling: Literal["transposed", "resize"] = "transposed"
    noise: bool = False
    """Planes of noise in the image branch; see `nets.ising.Doubling`."""
    smoothness: Literal["laplacian", "tv", "none"] = "laplacian"
    """What keeps the mask smooth; see `nets.ising`."""
    smooth_weight: float = Field(1.5, ge=0)
    decisive: float = Field(0.0, ge=0)
    """Weight of `indecision` during the last third."""
    modern: bool = False
    """A discriminator with spectral norm that judges patches too, and the hinge loss."""
    augment: bool = False
    """The discriminator sees real and generated pairs shifted, with holes and in other colours, alike."""
    average: float = Field(0.0, ge=0, lt=1)
    """Decay of the averaged weights that are kept; 0: the weights of the last step."""
    whole: bool = False
    """Every image resized as a whole, instead of crops."""
    scaled: bool = False
    """Crops are scaled up and down; see `DeviceCrops`."""
    beta1: float = Field(0.9, ge=0, lt=1)
    discriminator_rate: float = Field(1.0, gt=0)
    """Learning rate of the discriminator as a multiple of the generator's."""
    rate_falls: bool = True
    """The learning rate falls to 0 over the second half."""


MODERN: dict[str, Any] = {
    "upsampling": "resize",
    "noise": True,
    "smoothness": "tv",
    "decisive": 0.1,
    "modern": True,
    "augment": True,
    "average": 0.999,
    "scaled": True,
    "beta1": 0.5,
}


class IsingObjective(Objective):
    """Generator of pairs against a discriminator that sees image and mask.

    As published there is one model per look; with several looks one network learns all, told the number of
    the look, and the discriminator has an output for each.
    """

    Settings = IsingSettings
    gpu_precision = "bf16-mixed"
    presets: ClassVar[dict[str, dict[str, Any]]] = {
        "paper": {"steps": 40_000, "whole": True, "rate_falls": False},
        "fast": MODERN | {"steps": 10_000, "size": 64, "batch_size": 32, "ndf": 16, "smoothness": "laplacian"},
        "gpu": MODERN | {"steps": 20_000, "size": 256, "batch_size": 16, "width": 96},
    }
    ablations: ClassVar[dict[str, dict[str, Any]]] = {
        "vanilla": {"smoothness": "none", "decisive": 0.0},
        "no_residual": {"residual": False},
        "laplacian": {"smoothness": "laplacian", "decisive": 0.0},
        "tv": {"smoothness": "tv", "decisive": 0.0},
    }

    def __init__(self, settings: IsingSettings, data: Path, seed: int):
        super().__init__(settings, data, seed)
        self.options = find_options(data)
        for option in self.options:
            _check_count(option.source.name, len(option.training))
        pairs = [self.read(option.training) for option in self.options]
        self._rgb = [any(pair.rgb for pair in option) for option in pairs]
        if settings.whole:
            pairs = [[_resized(pair, settings.size) for pair in option] for option in pairs]
        self.pairs = DeviceCrops(
            pairs,
            settings.size,
            MASK_MEANING,
            seed,
            scaled_share=SCALED_SHARE if settings.scaled else 0.0,
            group=GROUP if settings.modern else 1,
        )
        self._done = 0.0
        looks = len(self.options)
        generator = seeded(lambda: init_xavier(build("ising-gan", **self._hyper)), derived_seed(seed, "generator"))
        discriminator = seeded(
            lambda: init_xavier(IsingDiscriminator(settings.size, settings.ndf, looks, settings.modern)),
            derived_seed(seed, "discriminator"),
        )
        self.networks = {"generator": generator, "discriminator": discriminator}
        self.optimizers = {
            name: torch.optim.Adam(network.parameters(), settings.learning_rate, betas=(settings.beta1, 0.999))
            for name, network in self.networks.items()
        }
        self._averaged = AveragedNetwork(generator, settings.average) if settings.average else None
        if self._averaged:
            self.memories["average"] = self._averaged

    @property
    def _hyper(self) -> dict[str, Any]:
        s = self.settings
        return {
            "size": s.size,
            "latent_size": s.latent_size,
            "looks": len(self.options),
            "width": s.width,
            "residual": s.residual,
            "upsampling": s.upsampling,
            "noise": s.noise,
        }

    def set_up(self, fabric: Fabric) -> None:
        super().set_up(fabric)
        self.pairs.to(fabric.device)
        if self._averaged:
            self._averaged.to(fabric.device)

    def start_from(self, weights: dict[str, Tensor]) -> None:
        self.networks["generator"].load_state_dict(weights)
        super().start_from(weights)

    def set_learning_rate(self, factor: float) -> None:
        super().set_learning_rate(factor)
        for group in self.optimizers["discriminator"].param_groups:
            group["lr"] *= self.settings.discriminator_rate

    def learning_rate_factor(self, step: float) -> float:
        self._done = step / self.settings.steps  # by steps or by time, as the loop counts
        return super().learning_rate_factor(step) if self.settings.rate_falls else 1.0

    def codes(self, count: int, *keys: int | str) -> Tensor:
        """Codes z ~ U[-1, 1], shape (count, latent_size), for exactly these keys."""
        z = numpy_rng(self.seed, "z", *keys).uniform(-1, 1, (count, self.settings.latent_size))
        return torch.from_numpy(z.astype(np.float32)).to(self.fabric.device)

    def _planes(self, count: int, *keys: int | str) -> list[Tensor]:
        """Planes of noise, on the device, for exactly these keys."""
        device = self.fabric.device
        draw = torch.Generator(device).manual_seed(derived_seed(self.seed, "noise", *keys))
        sides = self.exported.noise_sides
        return [torch.randn(count, 1, side, side, generator=draw, device=device) for side in sides]

    def step(self, step: int) -> dict[str, float]:
        s, rank = self.settings, self.fabric.global_rank
        generator, discriminator = self.networks["generator"].train(), self.networks["discriminator"].train()
        masks, images, numbers = self.pairs.batch(step, s.batch_size, rank)
        real = torch.cat([images, 2 * masks - 1], 1)
        fake = generator(self.codes(len(real), step, rank), numbers, self._planes(len(real), step, rank)).float()
        mask = fake[:, IMAGE_CHANNELS:]
        seen = self._seen(step, rank)
        seen_fake = seen(fake)

        loss_d = self._loss_d(discriminator(seen(real), numbers), discriminator(seen_fake.detach(), numbers))
        self.optimise("discriminator", loss_d)

        discriminator.requires_grad_(False)
        loss_g = self._loss_g(discriminator(seen_fake, numbers))
        smooth = SMOOTHNESS[s.smoothness](mask) if s.smoothness != "none" else mask.new_zeros(())
        grey = indecision(mask)
        decisive = s.decisive if self._done >= DECISIVE_FROM else 0.0
        self.optimise("generator", loss_g + s.smooth_weight * smooth + decisive * grey)
        discriminator.requires_grad_(True)
        if self._averaged:
            self._averaged.update(getattr(generator, "module", generator))
        values = torch.stack([loss_d, loss_g, smooth, grey]).tolist()  # one wait for the device, not four
        return dict(zip(("D", "G", "smooth", "grey"), values, strict=True))

    def _seen(self, step: int, rank: int) -> Any:
        """What happens to pairs before the discriminator sees them."""
        s = self.settings
        if not s.augment:
            return lambda pairs: pairs
        draw = torch.Generator(self.fabric.device).manual_seed(derived_seed(self.seed, "augment", step, rank))
        change = Augmentation((s.batch_size, IMAGE_CHANNELS, s.size, s.size), draw)
        return lambda pairs: torch.cat(
            [change.images(pairs[:, :IMAGE_CHANNELS]), change.conditions(pairs[:, IMAGE_CHANNELS:])], 1
        )

    def _loss_d(self, on_real: list[Tensor], on_fake: list[Tensor]) -> Tensor:
        """Published: cross-entropy; modern: hinge, mean over whole and patches."""
        if not self.settings.modern:
            return adversarial_loss(on_real[0].float(), 1.0) + adversarial_loss(on_fake[0].float(), 0.0)
        verdicts = zip(on_real, on_fake, strict=True)
        losses = [relu(1 - a.float()).mean() + relu(1 + b.float()).mean() for a, b in verdicts]
        return torch.stack(losses).mean()

    def _loss_g(self, on_fake: list[Tensor]) -> Tensor:
        if not self.settings.modern:
            return adversarial_loss(on_fake[0].float(), 1.0)
        return -torch.stack([verdict.float().mean() for verdict in on_fake]).mean()

    @property
    def exported(self) -> IsingGenerator:
        """The averaged generator, where there is one."""
        network: Any = self._averaged.network if self._averaged else self.plain("generator")
        generator: IsingGenerator = network
        return generator

    @torch.no_grad()
    def _draw(self, number: int, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Pairs of a look: images (count, Y, X, 3) uint8 and masks (count, Y, X) in (-1, 1)."""
        device = self.fabric.device
        keys = "preview", number
        numbers = torch.full((count,), number, device=device)
        pairs = self.exported(self.codes(count, *keys), numbers, self._planes(count, *keys)).cpu()
        images = from_network(pairs[:, :IMAGE_CHANNELS].permute(0, 2, 3, 1).numpy())
        return images, pairs[:, IMAGE_CHANNELS].numpy()

    def preview(self) -> np.ndarray:
        rows = []
        for number in range(len(self.options)):
            images, masks = self._draw(number, PREVIEW_PAIRS)
            rows += [list(images), list(from_network(masks))]
        return picture_sheet(rows)

    def card(self, model_id: str) -> ModelCard:
        looks, notes = [], []
        for number, option in enumerate(self.options):
            images, masks = self._draw(number, 1)
            source = option.source
            picture = thumbnail(images[0], masks[0] > 0)
            looks.append(Look(name=source.name, title=source.title, rgb=self._rgb[number], thumbnail=picture))
            if len(option.training) < FEW:
                notes.append(f"{source.name} was learned from {len(option.training)} images only.")
        return ModelCard(
            id=model_id,
            title=describe(self.data).title,
            architecture="ising-gan",
            hyper=self._hyper,
            role="pairs",
            mask_meaning=MASK_MEANING,
            looks=looks,
            latent_size=self.settings.latent_size,
            licence=joint_licence(self.training_data()),
            notes=" ".join(notes),
        )

    def training_data(self) -> list[TrainingData]:
        return [training_data(o.source, len(o.training), len(o.held_out)) for o in self.options]


def _resized(pair: LoadedPair, size: int) -> LoadedPair:
    """The whole pair as a square: the image bilinear, the mask nearest."""
    image = torch.from_numpy(pair.image).permute(2, 0, 1)[None].float()
    labels = torch.from_numpy(pair.labels)[None, None].double()
    image = interpolate(image, (size, size), mode="bilinear", antialias=True, align_corners=False)
    labels = interpolate(labels, (size, size), mode="nearest-exact")
    image = image[0].permute(1, 2, 0).round().clamp(0, 255).byte()
    return replace(pair, image=image.numpy(), labels=labels[0, 0].int().numpy())


def _check_count(name: str, count: int) -> None:
    """Refuse, or warn of, so few images that the discriminator knows them by heart.

    Raises
    ------
    InputError
        If there are fewer than `FEWEST`.
    """
    if count < FEWEST:
        raise InputError(
            f"The look {name} has {count} images to train on; pairs from noise need {FEWEST} or more.",
            "Add images, or leave this look out.",
        )
    if count < FEW:
        log.warning("The look %s has only %d images: pairs made of it will resemble them.", name, count)


def init_xavier(network: nn.Module) -> nn.Module:
    """Xavier uniform with gain 1 for weights, 0 for biases."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            normed = getattr(module, "parametrizations", None)
            nn.init.xavier_uniform_(normed.weight.original if normed else module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    return network
