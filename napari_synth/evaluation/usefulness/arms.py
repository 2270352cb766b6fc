"""The arms of the comparison: what a segmenter is trained on. A new one is a line in `ARMS`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from napari_synth.core.registry import Registry

Source = Literal["real", "synthetic"]


@dataclass(frozen=True)
class Stage:
    """A stretch of training.

    Attributes
    ----------
    length : float
        Part of the planned steps.
    real : float, optional
        Part of each batch that is real; None: as many as there are real files among all.
    weight : float, optional
        Weight of the real loss, the synthetic one having the rest; None: all samples weigh the same.
    rate : float
        Factor of the learning rate.
    """

    length: float = 1.0
    real: float | None = 1.0
    weight: float | None = None
    rate: float = 1.0


@dataclass(frozen=True)
class Arm:
    """What one of the compared segmenters is trained on.

    Attributes
    ----------
    title : str
    stages : tuple of Stage
    by_source : bool
        Whether the network has an entry of its own for each kind of pairs; see `nets.by_source`.
    """

    title: str
    stages: tuple[Stage, ...]
    by_source: bool = False

    @property
    def synthetic(self) -> bool:
        """Whether it needs synthetic pairs."""
        return any(stage.real != 1 for stage in self.stages)

    @property
    def real(self) -> bool:
        """Whether real pairs are trained on."""
        return any(stage.real != 0 for stage in self.stages)

    def steps(self, planned: int) -> Iterator[Stage]:
        """The stage of each step."""
        for stage in self.stages:
            for _ in range(round(stage.length * planned)):
                yield stage

    def count(self, planned: int) -> int:
        """Steps of the whole training."""
        return sum(round(stage.length * planned) for stage in self.stages)


ARMS: Registry[Arm] = Registry(
    "arm",
    {
        "real": Arm("real pairs alone", (Stage(),)),
        "synthetic": Arm("synthetic pairs alone", (Stage(real=0.0),)),
        "pooled": Arm("all files alike", (Stage(real=None),)),
        "balanced": Arm("half of each batch real", (Stage(real=0.5),)),
        "joint": Arm("half of each batch real, loss 0.95 real + 0.05 synthetic", (Stage(real=0.5, weight=0.95),)),
        "joint+fs": Arm(
            "as joint, with an entry of its own into the network for each kind of pairs (FS-Net)",
            (Stage(real=0.5, weight=0.95),),
            by_source=True,
        ),
        "finetune": Arm(
            "synthetic first, then real at a third of the rate", (Stage(0.5, 0.0), Stage(0.5, 1.0, None, 1 / 3))
        ),
        "real-long": Arm("real pairs alone, twice as long", (Stage(2.0),)),
    },
)  # fmt: skip
"""The weights of ``joint`` are those of FS-Net's joint loss; ``real-long`` is the control of what takes longer."""
