"""The interface between the training loop and an objective."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, ClassVar, TypeVar, cast

import numpy as np
import torch
from lightning_fabric import Fabric
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from napari_synth.datasets.pairs import LoadedPair, OptionSource, Pair, load_pairs
from napari_synth.models.card import ModelCard, TrainingData
from napari_synth.nets.folding import channels_last

Network = TypeVar("Network", bound=nn.Module)
MOST_SAMPLES = 4096
"""In a batch."""
MOST_CHANNELS = 512
"""Of a first layer."""
LONGEST_CROP = 4096
SHOWN = 25
"""On a GPU the losses are read once in so many steps, since reading them waits for it."""


class ObjectiveSettings(BaseModel):
    """What every objective can be told; each adds its own."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    steps: int = Field(10_000, ge=1, le=10**9)
    minutes: float = Field(0.0, ge=0, le=10**6)
    """Time after which the run ends, if its steps do not end before; 0: no limit. The learning rate
    follows what is farther."""
    batch_size: int = Field(4, ge=1, le=MOST_SAMPLES)
    learning_rate: float = Field(2e-4, gt=0)


class Objective(ABC):
    """Networks, optimisers and the loss of one architecture.

    The batch and the noise of a step depend on ``seed``, ``step`` and ``rank`` alone, so a resumed
    run continues exactly.
    """

    Settings: ClassVar[type[ObjectiveSettings]]
    presets: ClassVar[dict[str, dict[str, Any]]]
    ablations: ClassVar[dict[str, dict[str, Any]]] = {}
    """Settings that switch parts of the objective off, by name."""
    gpu_precision: ClassVar[str] = "32-true"
    """The precision on a GPU where none is asked for."""

    def __init__(self, settings: ObjectiveSettings, data: Path, seed: int):
        self.settings: Any = settings
        self.data = data
        self.seed = seed
        self.networks: dict[str, nn.Module] = {}
        self.optimizers: dict[str, torch.optim.Optimizer] = {}
        self.memories: dict[str, Any] = {}
        """Whatever else a resumed run needs, with ``state_dict`` and ``load_state_dict``."""
        self.remarks: list[str] = []
        """Sentences on what was left out of the data."""
        self.fabric: Fabric
        self._shown: dict[str, float] = {}

    def read(self, pairs: Iterable[Pair]) -> list[LoadedPair]:
        """Pairs to train on; see `load_pairs`."""
        loaded, remarks = load_pairs(pairs)
        self.remarks += remarks
        return loaded

    def first(self) -> tuple[str, dict[str, Any]] | None:
        """Architecture and settings of a model that must be trained before, or None."""
        return None

    def use(self, helper: Path) -> None:
        """Take the model file that `first` asked for."""
        raise NotImplementedError(f"{type(self).__name__} asks for no other model")

    def set_up(self, fabric: Fabric) -> None:
        """Hand networks and optimisers to Fabric: device, precision, several devices."""
        self.fabric = fabric
        for name, network in self.networks.items():
            self.networks[name] = fabric.setup_module(channels_last(network))
        for name, optimizer in self.optimizers.items():
            if fabric.device.type == "cuda":
                for group in optimizer.param_groups:
                    group["fused"] = True  # one kernel for all weights
            # Fabric's wrapper takes on the class of what it wraps.
            self.optimizers[name] = cast(torch.optim.Optimizer, fabric.setup_optimizers(optimizer))

    def plain(self, name: str) -> Any:
        """A network without Fabric's wrapper, in eval mode: one device may run it alone."""
        network: Any = self.networks[name]
        return getattr(network, "module", network).eval()

    def set_learning_rate(self, factor: float) -> None:
        """Scale the rate of every optimiser."""
        for optimizer in self.optimizers.values():
            for group in optimizer.param_groups:
                group["lr"] = self.settings.learning_rate * factor

    def at(self, position: float) -> None:
        """Make ready for a step at a position of the plan, in steps."""
        self.set_learning_rate(self.learning_rate_factor(position))

    @property
    def finished(self) -> bool:
        """Whether going on would be of no use."""
        return False

    def learning_rate_factor(self, step: float) -> float:
        """Constant for the first half, then linear to 0 (pix2pix' 100 + 100 epochs)."""
        factor: float = 2 * (1 - step / self.settings.steps)
        return min(1.0, factor)

    def optimise(self, name: str, loss: Tensor) -> None:
        """One step of one optimiser down the gradient of ``loss``."""
        self.optimizers[name].zero_grad()
        self.fabric.backward(loss)
        self.optimizers[name].step()

    def shown(self, step: int, losses: dict[str, Tensor]) -> dict[str, float]:
        """The losses of a step as numbers; on a GPU those of a step not long ago, for which nothing waits."""
        if self.fabric.device.type == "cpu" or not self._shown or step % SHOWN == 0:
            values = torch.stack([loss.detach().float() for loss in losses.values()]).tolist()
            self._shown = dict(zip(losses, values, strict=True))
        return self._shown

    @abstractmethod
    def step(self, step: int) -> dict[str, float]:
        """One optimisation step; returns the losses by name."""

    @abstractmethod
    def preview(self) -> np.ndarray:
        """A picture of what the model does now, ``(Y, X, 3)`` uint8."""

    @abstractmethod
    def card(self, model_id: str) -> ModelCard:
        """The card of the model as it is now, without its training record."""

    @abstractmethod
    def training_data(self) -> list[TrainingData]:
        """What it is trained on."""

    def complete(self) -> None:
        """Work out what the exported network holds beside what is trained; nothing for most."""
        return

    def start_from(self, weights: dict[str, Tensor]) -> None:
        """Take the weights of a trained model."""
        self.exported.load_state_dict(weights)

    def save_beside(self, path: Path) -> None:
        """Write what belongs to the model beside its weights file ``path``; nothing for most."""
        return

    @property
    def exported(self) -> nn.Module:
        """The network that a user loads: the first one."""
        network: nn.Module = self.plain(next(iter(self.networks)))
        return network


def training_data(source: OptionSource, files: int, held_out: int) -> TrainingData:
    """The entry of a model card for pairs or shapes from ``source``."""
    described = source.model_dump(include={"name", "source", "licence", "attribution"})
    return TrainingData(**described, files=files, held_out=held_out)


def adversarial_loss(logits: Tensor, target: float) -> Tensor:
    """Binary cross-entropy of a discriminator's logits against one target for all."""
    return binary_cross_entropy_with_logits(logits, torch.full_like(logits, target))


def least_squares_loss(outputs: Tensor, target: float) -> Tensor:
    """Mean squared distance of a discriminator's outputs to one target for all (Mao et al. 2017)."""
    return (outputs - target).square().mean()


def weighted_bce(logits: Tensor, target: Tensor, object_weight: float) -> Tensor:
    """Binary cross-entropy in which pixels of objects weigh ``object_weight`` times those of the background."""
    weight = torch.tensor(object_weight, device=logits.device)
    return binary_cross_entropy_with_logits(logits, target, pos_weight=weight)


def adversarial_optimizers(networks: dict[str, nn.Module], learning_rate: float) -> dict[str, torch.optim.Optimizer]:
    """Adam with betas (0.5, 0.999) for each network."""
    return {
        name: torch.optim.Adam(network.parameters(), learning_rate, betas=(0.5, 0.999))
        for name, network in networks.items()
    }


def seeded(build: Callable[[], Network], seed: int) -> Network:
    """Call ``build`` with torch's global seed set, and put the global state back."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return build()


def init_normal(network: Network) -> Network:
    """N(0, 0.02) for convolutions, N(1, 0.02) for norms (pix2pix, DCGAN)."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            nn.init.normal_(module.weight, 0.0, 0.02)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.BatchNorm2d) and module.affine:
            nn.init.normal_(module.weight, 1.0, 0.02)
    return network
