"""Objective of MetGAN: two generators, two discriminators, a frozen segmentor (Horvath et al. 2022)."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from pydantic import Field, model_validator
from torch import Tensor, nn
from torch.nn.functional import l1_loss

from napari_synth.core.seeds import derived_seed, numpy_rng, torch_generator
from napari_synth.datasets.mask_encoding import from_network, mask_plane
from napari_synth.datasets.pairs import describe
from napari_synth.datasets.triplets import Triplet, TripletSampler, load_triplets, shuffled
from napari_synth.models.architectures import build
from napari_synth.models.card import ModelCard, TrainingData, joint_licence
from napari_synth.models.registry import load_trained
from napari_synth.nets.discriminators import PatchGAN
from napari_synth.nets.metgan import TILE_MULTIPLE
from napari_synth.training.image_pool import ImagePool
from napari_synth.training.objectives.base import (
    LONGEST_CROP,
    MOST_CHANNELS,
    MOST_SAMPLES,
    Objective,
    ObjectiveSettings,
    adversarial_loss,
    init_normal,
    least_squares_loss,
    seeded,
    training_data,
    weighted_bce,
)
from napari_synth.training.previews import grid, label_picture

BETAS = (0.5, 0.999)
GAN_LOSSES: dict[str, Callable[[Tensor, float], Tensor]] = {
    "least-squares": least_squares_loss,
    "log": adversarial_loss,
}


class MetGANSettings(ObjectiveSettings):
    """Settings of `MetGANObjective`; a weight of 0 switches its term off."""

    crop: int = Field(256, ge=TILE_MULTIPLE, le=LONGEST_CROP, multiple_of=TILE_MULTIPLE)
    batch_size: int = Field(1, ge=1, le=MOST_SAMPLES)
    generator: Literal["metgan", "metgan-unet"] = "metgan"
    width: float = Field(1.0, gt=0, le=4)
    """Factor on the channels of MetGen."""
    blocks: int = Field(6, ge=6, le=7)
    """SPADE blocks of MetGen."""
    ngf: int = Field(64, ge=1, le=MOST_CHANNELS)
    """First channels of the U-Net that MetGen is compared with."""
    ndf: int = Field(64, ge=1, le=MOST_CHANNELS)
    gan: Literal["least-squares", "log"] = "least-squares"
    conditional: bool = False
    """A discriminator as that of pix2pix: it sees image and label beside the channel it judges, and has BatchNorm."""
    adversarial: float = Field(1.0, ge=0)
    cycle: float = Field(10.0, ge=0)
    segmentation: float = Field(100.0, ge=0)
    pair: float = Field(10.0, ge=0)
    segmentation_loss: Literal["bce", "l1"] = "bce"
    object_weight: float = Field(5.0, gt=0)
    """Weight of a pixel of an object against one of the background, in the BCE."""
    pool: int = Field(50, ge=0, le=100_000)
    shuffled_labels: float = Field(0.0, ge=0, le=1)
    """Share of the planes that get the label of another one."""
    freeze_norm_after: float = Field(1.0, ge=0, le=1)
    """Part of the steps after which BatchNorm keeps its statistics, so that the generator is trained
    with the very statistics it will render with."""
    segmentor_steps: int = Field(10_000, ge=1, le=10**9)
    segmentor_width: int = Field(16, ge=1, le=MOST_CHANNELS)
    segmentor_batch: int = Field(4, ge=1, le=MOST_SAMPLES)
    segmentor_crop: int = Field(256, ge=32, le=LONGEST_CROP, multiple_of=16)

    @model_validator(mode="after")
    def _norm_has_something_to_measure(self) -> MetGANSettings:
        if self.batch_size == 1 and self.crop == TILE_MULTIPLE:
            raise ValueError(f"a batch_size of 1 needs a crop of at least {2 * TILE_MULTIPLE}")
        return self


class MetGANObjective(Objective):
    """F: (anatomy, label) -> signal and G: (signal, label) -> anatomy.

    L = adversarial L_D + cycle L_cycle + segmentation L_segm + pair L_pair. Without a cycle there is
    nothing for G to do, so it is not made.
    """

    Settings = MetGANSettings
    presets: ClassVar[dict[str, dict[str, Any]]] = {
        "paper": {"steps": 200_000},
        "fast": {
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
        self.planes = load_triplets(data)
        self.anatomy, self.signal = self.planes.intensity("anatomy"), self.planes.intensity("signal")
        planes = shuffled(self.planes.training, s.shuffled_labels, seed)
        self.sampler = TripletSampler(planes, self.anatomy, self.signal, s.crop, seed)
        self.networks = {"generator": self._generator("generator", 1), "discriminator": self._discriminator("signal")}
        self.memories = {"pool": ImagePool(s.pool)}
        if s.cycle:
            self.networks["backward"] = self._generator("backward", 0)
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
        self.segmentor: nn.Module | None = None
        self._segmentor_id = ""

    def _generator(self, key: str, channel: int) -> nn.Module:
        """A new generator, whose last layer starts at the mean of the channel it makes."""
        network: Any = seeded(
            lambda: init_normal(build(self.settings.generator, **self._hyper)), derived_seed(self.seed, key)
        )
        with torch.no_grad():
            network.last_bias.fill_(float(np.arctanh(self.sampler.means[channel])))
        generator: nn.Module = network
        return generator

    def _discriminator(self, key: str) -> nn.Module:
        channels, norm = (3, "batch") if self.settings.conditional else (1, "instance")
        return seeded(
            lambda: init_normal(PatchGAN(channels, self.settings.ndf, norm)),
            derived_seed(self.seed, "discriminator", key),
        )

    @property
    def _hyper(self) -> dict[str, Any]:
        s = self.settings
        if s.generator == "metgan":
            return {"width": s.width, "blocks": s.blocks}
        return {"ngf": s.ngf, "levels": 6}

    def first(self) -> tuple[str, dict[str, Any]] | None:
        s = self.settings
        if not s.segmentation:
            return None
        return "signal-segmentor", {
            "steps": s.segmentor_steps,
            "width": s.segmentor_width,
            "batch_size": s.segmentor_batch,
            "crop": s.segmentor_crop,
        }

    def use(self, helper: Path) -> None:
        trained = load_trained(helper, "cpu")
        self.segmentor = trained.network  # in eval mode and without gradients
        self._segmentor_id = trained.card.id

    def _batch(self, step: int) -> tuple[Tensor, Tensor, Tensor]:
        """Mask, anatomy and signal."""
        arrays = self.sampler.batch(step, self.settings.batch_size, self.fabric.global_rank)
        device = self.fabric.device
        mask, anatomy, signal = (
            torch.from_numpy(array).to(device).contiguous(memory_format=torch.channels_last) for array in arrays
        )
        return mask, anatomy, signal

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
        assert self.segmentor is not None
        with self.fabric.autocast():
            logits = self.segmentor(signal)
        logits = logits.float()
        if self.settings.segmentation_loss == "l1":
            return l1_loss(torch.sigmoid(logits), mask)
        return weighted_bce(logits, mask, self.settings.object_weight)

    def step(self, step: int) -> dict[str, float]:
        s = self.settings
        self._prepare(step)
        if self.segmentor is not None:
            self.segmentor.to(self.fabric.device)
        mask, anatomy, signal = self._batch(step)
        noise = torch_generator(self.seed, "dropout", step, self.fabric.global_rank)
        rng = numpy_rng(self.seed, "pool", step, self.fabric.global_rank)

        discriminators = [net for name, net in self.networks.items() if "discriminator" in name]
        for network in discriminators:
            network.requires_grad_(False)
        made = self._made("generator", anatomy, mask, noise)
        losses = {"GAN": self._gan(self._judged("discriminator", made, anatomy, mask), 1.0)}
        pair, cycle = l1_loss(made, signal), torch.zeros(())
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
        return {"D": loss_d.item()} | {name: loss.item() for name, loss in losses.items()}

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

    @torch.no_grad()
    def _render(self, plane: Triplet, labels: np.ndarray) -> np.ndarray:
        """Signal as a grey picture."""
        device = self.fabric.device
        anatomy = torch.from_numpy(self.anatomy.to_network(plane.anatomy))[None, None].to(device)
        mask = torch.from_numpy(mask_plane(labels, "foreground"))[None, None].to(device)
        return from_network(self.plain("generator")(anatomy, mask).float()[0, 0].cpu().numpy())

    def preview(self) -> np.ndarray:
        rows = []
        for plane in (self.planes.held_out or self.planes.training)[:2]:
            part = _square(plane, 256)
            anatomy, real = (
                from_network(scale.to_network(image))
                for scale, image in ((self.anatomy, part.anatomy), (self.signal, part.signal))
            )
            moved = part.labels[:, ::-1].copy()
            rows.append([anatomy, label_picture(part.labels), self._render(part, part.labels), real])
            rows.append([anatomy, label_picture(moved), self._render(part, moved), real])
        return grid(rows)

    def card(self, model_id: str) -> ModelCard:
        return ModelCard(
            id=model_id,
            title=describe(self.data).title,
            architecture=self.settings.generator,
            hyper=self._hyper,
            role="generator",
            mask_meaning="foreground",
            condition_channels=["anatomy"],
            output_channel="signal",
            intensities={"anatomy": self.anatomy, "signal": self.signal},
            segmentor=self._segmentor_id,
            value_range=(self.signal.low, self.signal.high),
            tile_multiple=TILE_MULTIPLE,
            licence=joint_licence(self.training_data()),
        )

    def training_data(self) -> list[TrainingData]:
        planes = self.planes
        return [training_data(planes.source, len(planes.training), len(planes.held_out))]


def _square(plane: Triplet, side: int) -> Triplet:
    """The part of a plane with most objects, continued by reflection where the plane is smaller."""
    padding = [(0, max(side - n, 0)) for n in plane.labels.shape]
    anatomy, signal, labels = (
        np.pad(array, padding, "symmetric") for array in (plane.anatomy, plane.signal, plane.labels)
    )
    places = itertools.product(*(range(0, n - side + 1, 32) for n in labels.shape))
    y, x = max(places, key=lambda at: np.count_nonzero(labels[at[0] : at[0] + side, at[1] : at[1] + side]))
    part = np.s_[y : y + side, x : x + side]
    return Triplet(plane.stem, anatomy[part], signal[part], labels[part])
