"""What the objectives of a generator from the mask alone have in common: pairs by option, pictures, the card."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from napari_synth.core.meanings import MaskMeaning
from napari_synth.datasets.pairs import LoadedPair, describe, find_options, load_pair
from napari_synth.models.card import Look, ModelCard, TrainingData, joint_licence
from napari_synth.models.hyper import MOST_LEVELS
from napari_synth.nets.pix2pix import option_plane
from napari_synth.training.objectives.base import LONGEST_CROP, Objective, ObjectiveSettings, training_data
from napari_synth.training.previews import label_picture, picture_sheet, thumbnail


class PairsSettings(ObjectiveSettings):
    """Settings of a `PairsObjective`."""

    crop: int = Field(256, ge=32, le=LONGEST_CROP)
    levels: int = Field(8, ge=2, le=MOST_LEVELS)
    mask_meaning: MaskMeaning = "foreground-gap"


class PairsObjective(Objective):
    """Pairs of mask and image, one set per option, and a generator that reads the mask."""

    def __init__(self, settings: PairsSettings, data: Path, seed: int):
        super().__init__(settings, data, seed)
        self.options = find_options(data)
        self._pairs = [self.read(option.training) for option in self.options]
        self._rgb = [any(pair.rgb for pair in option) for option in self._pairs]
        self._examples = [
            [load_pair(pair) for pair in option.held_out[:2]] or loaded[:2]
            for option, loaded in zip(self.options, self._pairs, strict=True)
        ]

    def take_pairs(self) -> list[list[LoadedPair]]:
        """The training pairs of each option; handed out once, so that their memory can be freed."""
        pairs, self._pairs = self._pairs, []
        return pairs

    @property
    def option_planes(self) -> int:
        """1 where there are several options, else 0."""
        return 1 if len(self.options) > 1 else 0

    def inputs(self, masks: Tensor, numbers: Tensor) -> Tensor:
        """``[mask, option plane]``, or the mask alone where there is one option."""
        if not self.option_planes:
            return masks
        plane = option_plane(numbers, len(self.options), *masks.shape[-2:])
        return torch.cat([masks, plane.to(masks)], dim=1)

    @property
    @abstractmethod
    def hyper(self) -> dict[str, Any]:
        """What the network is built with."""

    @abstractmethod
    def render(self, labels: np.ndarray, number: int) -> np.ndarray:
        """What the model makes of a mask for an option, ``(Y, X, 3)`` uint8."""

    def example_row(self, number: int, labels: np.ndarray, image: np.ndarray) -> list[np.ndarray]:
        """The pictures of one example in the preview."""
        return [label_picture(labels), image, self.render(labels, number)]

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
            row: list[np.ndarray] = []
            for pair in pairs:
                row += self.example_row(number, *self._example(pair))
            rows.append(row)
        return picture_sheet(rows)

    def card(self, model_id: str) -> ModelCard:
        looks = []
        for number, option in enumerate(self.options):
            labels, _ = self._example(self._examples[number][0])
            looks.append(
                Look(
                    name=option.source.name,
                    title=option.source.title,
                    rgb=self._rgb[number],
                    thumbnail=thumbnail(self.render(labels, number), labels),
                )
            )
        return ModelCard(
            id=model_id,
            title=describe(self.data).title,
            architecture="optional-pix2pix",
            hyper=self.hyper,
            role="generator",
            mask_meaning=self.settings.mask_meaning,
            looks=looks,
            tile_multiple=2**self.settings.levels,
            licence=joint_licence(self.training_data()),
        )

    def training_data(self) -> list[TrainingData]:
        return [training_data(o.source, len(o.training), len(o.held_out)) for o in self.options]
