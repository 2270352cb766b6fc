"""Objective of the shape DVAE: (sum of BCE + beta * KL) / batch (Sirinaovakul 2018)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from pydantic import Field
from torch.nn.functional import binary_cross_entropy_with_logits

from napari_synth.core.seeds import derived_seed, numpy_rng, torch_generator
from napari_synth.datasets.pairs import describe
from napari_synth.datasets.shape_library import LIBRARY_SUFFIX, common_side, model_library, training_shapes
from napari_synth.models.architectures import build
from napari_synth.models.card import ModelCard, TrainingData, joint_licence
from napari_synth.models.checkpoint import SUFFIX, file_hash
from napari_synth.training.objectives.base import MOST_SAMPLES, Objective, ObjectiveSettings, seeded, training_data
from napari_synth.training.previews import picture_sheet


class DVAESettings(ObjectiveSettings):
    """Settings of `DVAEObjective`."""

    batch_size: int = Field(40, ge=2, le=MOST_SAMPLES)
    learning_rate: float = Field(1e-3, gt=0)
    latent_size: int = Field(10, ge=1, le=512)
    beta: float = Field(3.0, ge=0)
    turn: bool = True
    """Flip and turn the shapes by multiples of 90 degrees."""


class DVAEObjective(Objective):
    """Variational autoencoder on a library of nucleus shapes; every 10th shape is held out."""

    Settings = DVAESettings
    presets: ClassVar[dict[str, dict[str, Any]]] = {
        "paper": {"steps": 45_000, "turn": False},
        "fast": {"steps": 12_000},
    }

    def __init__(self, settings: DVAESettings, data: Path, seed: int):
        super().__init__(settings, data, seed)
        self._data: list[TrainingData] = []
        self._title = describe(data).title
        shapes = []
        for source, training, held_out in training_shapes(data):
            shapes.append(training.shapes)
            self._data.append(training_data(source, len(training), len(held_out)))
        self.shapes = np.concatenate(shapes)
        network = seeded(lambda: build("dvae", latent_size=settings.latent_size), derived_seed(seed, "dvae"))
        self.networks = {"dvae": network}
        self.optimizers = {"dvae": torch.optim.Adam(network.parameters(), settings.learning_rate)}

    def batch(self, step: int, rank: int) -> np.ndarray:
        """Shapes in {0, 1}, ``(B, 1, Y, X)`` float32."""
        rng = numpy_rng(self.seed, "shapes", step, rank)
        batch: np.ndarray = self.shapes[rng.integers(len(self.shapes), size=self.settings.batch_size)]
        if self.settings.turn:
            turns, flips = rng.integers(4, size=len(batch)), rng.integers(2, size=len(batch))
            batch = np.stack(
                [np.rot90(shape, k)[:, :: 1 - 2 * flip] for shape, k, flip in zip(batch, turns, flips, strict=True)]
            )
        return batch[:, None].astype(np.float32)

    def step(self, step: int) -> dict[str, float]:
        s, rank = self.settings, self.fabric.global_rank
        network = self.networks["dvae"].train()
        x = torch.from_numpy(self.batch(step, rank)).to(self.fabric.device)
        logits, mean, log_variance = network(x, torch_generator(self.seed, "latent", step, rank))
        logits, mean, log_variance = logits.float(), mean.float(), log_variance.float()
        reconstruction = binary_cross_entropy_with_logits(logits, x, reduction="sum") / len(x)
        divergence = -0.5 * (1 + log_variance - mean.square() - log_variance.exp()).sum() / len(x)
        loss = reconstruction + s.beta * divergence
        self.optimise("dvae", loss)
        wrong = ((logits > 0) != (x > 0.5)).sum().item() / len(x)
        return {"BCE": reconstruction.item(), "KL": divergence.item(), "wrong px": wrong}

    @torch.no_grad()
    def preview(self) -> np.ndarray:
        network = self.plain("dvae")
        shapes = torch.from_numpy(self.shapes[:: len(self.shapes) // 12][:12, None]).float()
        decoded = torch.sigmoid(network(shapes.to(self.fabric.device))[0].float())
        z = torch.randn(36, self.settings.latent_size, generator=torch_generator(self.seed, "preview"))
        sampled = network.decode(z.to(self.fabric.device)).float()
        pictures = [(255 * batch[:, 0].cpu().numpy()).astype(np.uint8) for batch in (shapes, decoded, sampled)]
        rows = [list(pictures[0]), list(pictures[1]), *(list(pictures[2][i : i + 12]) for i in (0, 12, 24))]
        return picture_sheet(rows)

    def card(self, model_id: str) -> ModelCard:
        return ModelCard(
            id=model_id,
            title=self._title,
            architecture="dvae",
            hyper={"latent_size": self.settings.latent_size},
            role="shapes",
            latent_size=self.settings.latent_size,
            shape_side=common_side(self.shapes),
            value_range=(0, 1),
            licence=joint_licence(self._data),
        )

    @torch.no_grad()
    def save_beside(self, path: Path) -> None:
        """The library that samplers draw from: some of the training shapes with their codes."""
        library = model_library(self.data)
        if not len(library):
            return  # every shape is cut off straight: nothing to sample from
        x = torch.from_numpy(library.shapes[:, None]).float()
        network = self.plain("dvae")
        codes = [
            [part.float().cpu() for part in network.encode(batch.to(self.fabric.device))] for batch in x.split(256)
        ]
        mean, log_variance = (torch.cat(parts).numpy() for parts in zip(*codes, strict=True))
        coded = replace(library, codes=mean, log_variances=log_variance, coded_by=file_hash(path))
        coded.save(path.with_name(path.name.removesuffix(SUFFIX) + LIBRARY_SUFFIX))

    def training_data(self) -> list[TrainingData]:
        return self._data
