"""What all objectives of two-channel models share: planes, the segmentor that comes first, preview and card."""

from __future__ import annotations

import itertools
from abc import abstractmethod
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn

from napari_synth.core.seeds import derived_seed
from napari_synth.datasets.mask_encoding import from_network, mask_plane
from napari_synth.datasets.pairs import describe
from napari_synth.datasets.triplets import Triplet, TripletSampler, load_triplets, shuffled
from napari_synth.models.architectures import build
from napari_synth.models.card import ModelCard, TrainingData, joint_licence
from napari_synth.models.registry import load_trained
from napari_synth.nets.metgan import TILE_MULTIPLE
from napari_synth.training.objectives.base import (
    LONGEST_CROP,
    MOST_CHANNELS,
    MOST_SAMPLES,
    Objective,
    ObjectiveSettings,
    init_normal,
    seeded,
    training_data,
)
from napari_synth.training.previews import label_picture, picture_sheet


class TripletSettings(ObjectiveSettings):
    """Settings of `TripletsObjective`."""

    crop: int = Field(256, ge=TILE_MULTIPLE, le=LONGEST_CROP, multiple_of=TILE_MULTIPLE)
    width: float = Field(1.0, gt=0, le=4)
    """Factor on the channels of MetGen."""
    blocks: int = Field(6, ge=6, le=7)
    """SPADE blocks of MetGen."""
    ndf: int = Field(64, ge=1, le=MOST_CHANNELS)
    adversarial: float = Field(1.0, ge=0)
    segmentation: float = Field(100.0, ge=0)
    object_weight: float = Field(5.0, gt=0)
    """Weight of a pixel of an object against one of the background, in the segmentor's term."""
    shuffled_labels: float = Field(0.0, ge=0, le=1)
    """Share of the planes that get the label of another one."""
    segmentor_steps: int = Field(10_000, ge=1, le=10**9)
    segmentor_width: int = Field(16, ge=1, le=MOST_CHANNELS)
    segmentor_batch: int = Field(4, ge=1, le=MOST_SAMPLES)
    segmentor_crop: int = Field(256, ge=32, le=LONGEST_CROP, multiple_of=16)


class TripletsObjective(Objective):
    """(Anatomy, label) -> signal, with a frozen segmentor of the signal that looks for the label in it."""

    def __init__(self, settings: TripletSettings, data: Path, seed: int):
        super().__init__(settings, data, seed)
        self.planes = load_triplets(data)
        self.remarks += self.planes.remarks
        self.anatomy, self.signal = self.planes.intensity("anatomy"), self.planes.intensity("signal")
        planes = shuffled(self.planes.training, settings.shuffled_labels, seed)
        self.sampler = TripletSampler(planes, self.anatomy, self.signal, settings.crop, seed)
        self.segmentor: nn.Module | None = None
        self._segmentor_id = ""

    @property
    def architecture(self) -> str:
        """Name of the generator's architecture."""
        return "metgan"

    @property
    @abstractmethod
    def hyper(self) -> dict[str, Any]:
        """Arguments of the generator's builder."""

    @abstractmethod
    def made(self, anatomy: Tensor, mask: Tensor) -> Tensor:
        """The signal that the exported network makes, without dropout; each ``[B, 1, H, W]``."""

    def build_generator(self, key: str, channel: int) -> nn.Module:
        """A new generator, whose last layer starts at the mean of the channel it makes."""
        network: Any = seeded(lambda: init_normal(build(self.architecture, **self.hyper)), derived_seed(self.seed, key))
        with torch.no_grad():
            network.last_bias.fill_(float(np.arctanh(self.sampler.means[channel])))
        generator: nn.Module = network
        return generator

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

    def segmented(self, signal: Tensor) -> Tensor:
        """The frozen segmentor's logits, float32."""
        assert self.segmentor is not None
        with self.fabric.autocast():
            logits: Tensor = self.segmentor.to(self.fabric.device)(signal)
        return logits.float()

    @torch.no_grad()
    def _render(self, plane: Triplet, labels: np.ndarray) -> np.ndarray:
        """Signal as a grey picture."""
        device = self.fabric.device
        anatomy = torch.from_numpy(self.anatomy.to_network(plane.anatomy))[None, None].to(device)
        mask = torch.from_numpy(mask_plane(labels, "foreground"))[None, None].to(device)
        return from_network(self.made(anatomy, mask).float()[0, 0].cpu().numpy())

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
        return picture_sheet(rows)

    def card(self, model_id: str) -> ModelCard:
        return ModelCard(
            id=model_id,
            title=describe(self.data).title,
            architecture=self.architecture,
            hyper=self.hyper,
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
