"""Objective of MetGAN with noise planes: nothing is compared with the real signal pixel by pixel.

Neither anatomy nor label says how bright an object is or where a grain lies, so an L1 loss makes objects of one
brightness, and a cycle back to the anatomy weaves the anatomy into the background, where the way back reads it.
Here noise planes hold what is left open, discriminators at two scales judge label and signal together, and only
what noise does not move is compared: the sums over areas, grey values, spectra (`texture`) and features.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import torch
from lightning_fabric import Fabric
from pydantic import Field, model_validator
from torch import Tensor
from torch.optim.swa_utils import get_ema_multi_avg_fn

from napari_synth.core.seeds import derived_seed
from napari_synth.models.architectures import build
from napari_synth.nets.counter_noise import drawn_planes
from napari_synth.nets.discriminators import TwoScaleDiscriminator
from napari_synth.nets.metgan import NOISE_PERIODS
from napari_synth.training.augment import Augmentation
from napari_synth.training.objectives.base import (
    LONGEST_CROP,
    MOST_CHANNELS,
    MOST_SAMPLES,
    adversarial_optimizers,
    seeded,
)
from napari_synth.training.objectives.metgan_terms import (
    area_distance,
    beyond_range,
    blobs,
    feature_distance,
    grey_values_of_bands,
    inside_distance,
    likeness,
    margin_loss,
    profile_distance,
    relief,
    unevenness,
)
from napari_synth.training.objectives.styled import hinge_loss
from napari_synth.training.objectives.texture import blurred, lattice_power, spectral_distance
from napari_synth.training.objectives.triplets import TripletSettings, TripletsObjective
from napari_synth.training.plane_crops import PlaneCrops

LATTICE_BLOCK = 32
"""Pixels on a side of the blocks of `texture.lattice_power`: four in the smallest crop."""


class HingeMetGANSettings(TripletSettings):
    """Settings of `HingeMetGANObjective`; a weight of 0 switches its term off."""

    batch_size: int = Field(8, ge=2, le=MOST_SAMPLES)
    width: float = Field(0.25, gt=0, le=4)
    at_least: int = Field(16, ge=1, le=MOST_CHANNELS)
    """Channels that a stage of MetGen's image path keeps at any width."""
    segmentation: float = Field(10.0, ge=0)
    features: float = Field(10.0, ge=0)
    """Weight of `feature_distance`."""
    area: float = Field(10.0, ge=0)
    """Weight of `area_distance`: haze where the anatomy has tissue."""
    spectrum: float = Field(5.0, ge=0)
    """Weight of `texture.spectral_distance`: grain as fine and as even as the real one."""
    grey_values: float = Field(5.0, ge=0)
    """Weight of `grey_values_of_bands`: objects and background as dark and as bright as the real ones."""
    profile: float = Field(10.0, ge=0)
    """Weight of `profile_distance`: objects as bright in their middles and as soft at their edges as real ones."""
    lattice: float = Field(10_000.0, ge=0)
    """Weight of `texture.lattice_power`: no grid."""
    relief: float = Field(20.0, ge=0)
    """Weight of `relief`: grain without a side."""
    variety: float = Field(4.0, ge=0)
    """Weight of `likeness` between the first two of a batch, which differ in their noise alone."""
    foreign_labels: float = Field(0.375, ge=0, lt=1)
    """Share of a batch with labels of another place, judged by discriminators and segmentor alone."""
    lesions: float = Field(0.125, ge=0, lt=1)
    """Share of a batch with large blobs in the label, a part of ``foreign_labels``, which neither discriminators nor
    segmentor see: no real signal has such objects. They must lie in the range of real ones (`beyond_range`) and be
    even (`unevenness`)."""
    evenness: float = Field(20.0, ge=0)
    """Weight of `unevenness`: large blobs as even as tissue."""
    average: float = Field(0.999, ge=0, lt=1)
    """How slowly the exported weights follow the trained ones."""
    segmentor_steps: int = Field(1500, ge=1, le=10**9)
    segmentor_width: int = Field(8, ge=1, le=MOST_CHANNELS)
    segmentor_crop: int = Field(128, ge=32, le=LONGEST_CROP, multiple_of=16)

    @model_validator(mode="after")
    def _shares_fit(self) -> HingeMetGANSettings:
        if self.lesions > self.foreign_labels:
            raise ValueError("lesions are a part of foreign_labels and cannot be more")
        if self.batch_size - round(self.foreign_labels * self.batch_size) < 2:
            raise ValueError("foreign_labels leaves fewer than two labels of their own in a batch")
        return self


class HingeMetGANObjective(TripletsObjective):
    """F: (anatomy, label, noise) -> signal against two discriminators that see label and signal."""

    Settings = HingeMetGANSettings
    presets: ClassVar[dict[str, dict[str, Any]]] = {
        "gpu": {"steps": 60_000, "minutes": 12.0, "learning_rate": 3e-4},
        "fast": {"steps": 2900, "crop": 128, "ndf": 24, "at_least": 8, "learning_rate": 4e-4},
    }

    def __init__(self, settings: HingeMetGANSettings, data: Path, seed: int):
        super().__init__(settings, data, seed)
        self.networks = {
            "generator": self.build_generator("generator", 1),
            "discriminator": seeded(
                lambda: TwoScaleDiscriminator(2, 1, settings.ndf), derived_seed(seed, "discriminator")
            ),
        }
        self.optimizers = adversarial_optimizers(self.networks, settings.learning_rate)
        self.average: Any = build("metgan", **self.hyper).eval().requires_grad_(False)
        self.average.load_state_dict(self.networks["generator"].state_dict())
        self.memories = {"average": self.average}

    @property
    def hyper(self) -> dict[str, Any]:
        s = self.settings
        return {"width": s.width, "blocks": s.blocks, "at_least": s.at_least, "noise": True}

    def set_up(self, fabric: Fabric) -> None:
        super().set_up(fabric)
        self.average.to(fabric.device, memory_format=torch.channels_last)
        self._crops = PlaneCrops(self.sampler.arrays, self.settings.crop, self.seed, fabric.device)

    @property
    def exported(self) -> Any:
        return self.average

    def start_from(self, weights: dict[str, Tensor]) -> None:
        self.average.load_state_dict(weights)
        self.networks["generator"].load_state_dict(weights)

    def made(self, anatomy: Tensor, mask: Tensor) -> Tensor:
        draw = torch.Generator(anatomy.device).manual_seed(derived_seed(self.seed, "preview"))
        height, width = mask.shape[-2:]
        signal: Tensor = self.average(anatomy, mask, drawn_planes(len(mask), NOISE_PERIODS, height, width, draw))
        return signal

    @torch.no_grad()
    def _follow(self, kept: float) -> None:
        """Move the average, of weights and of BatchNorm's statistics, towards the trained generator.

        The unit vectors of the spectral norm are copied: a mean of two is shorter than 1.
        """
        network: Any = self.networks["generator"]
        now = getattr(network, "module", network).state_dict()
        averaged = self.average.state_dict(keep_vars=True)
        floats = [k for k, t in now.items() if t.is_floating_point() and not k.endswith(("._u", "._v"))]
        get_ema_multi_avg_fn(kept)([averaged[key] for key in floats], [now[key] for key in floats], 0)
        for key in now.keys() - set(floats):
            averaged[key].copy_(now[key])

    def batch(self, step: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Mask, anatomy, signal, and the mask that is asked for: another one in the last of the batch.

        With ``variety`` the first two are the same.
        """
        s, rank = self.settings, self.fabric.global_rank
        crops = self._crops.batch(s.batch_size, step, rank)
        if s.variety:
            crops[1] = crops[0]
        mask, anatomy, signal = (
            crops[:, i : i + 1].contiguous(memory_format=torch.channels_last) for i in range(crops.shape[1])
        )
        foreign, with_blobs = (round(share * s.batch_size) for share in (s.foreign_labels, s.lesions))
        asked = mask.clone()
        if foreign:
            asked[-foreign:] = self._crops.batch(foreign, step, rank, "labels")[:, :1]
        if with_blobs:
            draw = torch.Generator().manual_seed(derived_seed(self.seed, "lesions", step, rank))
            large = blobs(with_blobs, s.crop, draw).to(asked.device)
            asked[-with_blobs:] = torch.maximum(asked[-with_blobs:], large)
        return mask, anatomy, signal, asked

    def step(self, step: int) -> dict[str, float]:
        """One step of the discriminators by the hinge loss, then one of the generator.

        Generator, where the label has no large blobs: ``adversarial`` x -D + ``segmentation`` x `margin_loss` of an
        image that is by chance less sharp, since a pattern of single pixels must be no object to the segmentor; and
        where the label is that of the place ``features`` x `feature_distance` + ``area`` x `area_distance` +
        ``spectrum`` x `texture.spectral_distance` + ``profile`` x `profile_distance` + ``lattice`` x
        `texture.lattice_power` + ``grey_values`` x `grey_values_of_bands`; where it is not, ``grey_values`` x
        `inside_distance`, or where it has large blobs ``grey_values`` x `beyond_range` + ``evenness`` x `unevenness`;
        and ``variety`` x `likeness` + ``relief`` x `relief`.
        """
        s, device = self.settings, self.fabric.device
        generator, discriminator = self.networks["generator"].train(), self.networks["discriminator"]
        draw = torch.Generator(device).manual_seed(derived_seed(self.seed, "hinge", step, self.fabric.global_rank))
        mask, anatomy, signal, asked = self.batch(step)
        planes = drawn_planes(len(mask), NOISE_PERIODS, s.crop, s.crop, draw)
        made = generator(anatomy, asked, planes).float()

        own, judged = (len(mask) - round(share * len(mask)) for share in (s.foreign_labels, s.lesions))
        change = Augmentation(signal[:judged].shape, draw)
        seen_real = torch.cat([change.conditions(mask[:judged]), change.images(signal[:judged])], 1)
        seen_made = torch.cat([change.conditions(asked[:judged]), change.images(made[:judged])], 1)
        numbers = torch.zeros(2 * judged, dtype=torch.int64, device=device)
        features, logits = discriminator(torch.cat([seen_real, seen_made.detach()]), numbers)
        loss_d = hinge_loss(logits)
        self.optimise("discriminator", loss_d)

        discriminator.requires_grad_(False)
        of_real = [layer[:judged].detach() for layer in features]
        of_made, logits = discriminator(seen_made, numbers[:judged])
        discriminator.requires_grad_(True)
        losses = {"GAN": -torch.stack([map_.float().mean() for map_ in logits]).mean()}
        losses["features"] = feature_distance([f[:own] for f in of_made], [f[:own] for f in of_real])
        losses |= beside_real(made[:own], signal[:own], mask[:own]) | {"relief": relief(made, asked)}
        if own < judged:
            losses["inside"] = inside_distance(made[own:judged], asked[own:judged], signal[:own], mask[:own])
        if judged < len(mask):
            of_lesions = (made[judged:], asked[judged:], signal[:own], mask[:own])
            losses["range"], losses["uneven"] = beyond_range(*of_lesions), unevenness(*of_lesions)
        if s.variety:
            losses["likeness"] = likeness(made[:1], made[1:2], mask[:1])
        if s.segmentation:
            share = torch.rand(judged, 1, 1, 1, generator=draw, device=device)
            seen = torch.lerp(made[:judged], blurred(made[:judged]), share)
            losses["segmentation"] = margin_loss(self.segmented(seen), asked[:judged], s.object_weight)
        weights = {
            "GAN": s.adversarial, "features": s.features, "area": s.area, "spectrum": s.spectrum,
            "profile": s.profile, "lattice": s.lattice, "relief": s.relief, "grey values": s.grey_values,
            "inside": s.grey_values, "range": s.grey_values, "uneven": s.evenness, "likeness": s.variety,
            "segmentation": s.segmentation,
        }  # fmt: skip
        self.optimise("generator", torch.stack([weights[name] * loss for name, loss in losses.items()]).sum())
        self._follow(min(s.average, (step + 1) / (step + 20)))
        return self.shown(step, {"D": loss_d, **losses})


def beside_real(made: Tensor, signal: Tensor, mask: Tensor) -> dict[str, Tensor]:
    """The terms of signals whose label is that of the place, by name, without their weights."""
    return {
        "area": area_distance(made, signal),
        "spectrum": spectral_distance(made, signal),
        "profile": profile_distance(made, signal, mask),
        # Below 0 it would reward a grid that changes its sign from block to block.
        "lattice": lattice_power(made, block=LATTICE_BLOCK).relu(),
        "grey values": grey_values_of_bands(made, signal, mask),
    }
