"""What of a generator is trained when: first what a look is made of, then the outer blocks, then all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn

from napari_synth.nets.pix2pix import Pix2PixGenerator
from napari_synth.nets.styled import StyleEncoder

OUTER_BLOCKS = 2
"""On each side of the U-Net."""


@dataclass(frozen=True)
class Stage:
    """A part of a run.

    Attributes
    ----------
    name : {'look', 'outer', 'all'}
    title : str
        What is trained, in words.
    """

    name: str
    title: str


LOOK = Stage("look", "option, style and norms")
OUTER = Stage("outer", "outer blocks")
ALL = Stage("all", "all blocks")


def stage_at(share: float, look_share: float, outer_share: float) -> Stage:
    """The stage at a share of the planned run, in [0, 1]."""
    if share < look_share:
        return LOOK
    return OUTER if share < look_share + outer_share else ALL


class StagedGenerator:
    """Lets a generator, and the encoder of its styles, be trained in stages.

    In the first stage the numbers that read option and style are trained, the norms with their statistics, and the
    last layer of the encoder. From then on the norms keep their statistics, so that what is trained is what renders.

    Parameters
    ----------
    generator : Pix2PixGenerator
        Of the kind that resizes. Reads ``conditions`` planes, noise planes and style planes.
    encoder : StyleEncoder
    conditions, noises : int
        Planes that are masks and options, and planes of noise.
    """

    def __init__(self, generator: Pix2PixGenerator, encoder: StyleEncoder, conditions: int, noises: int):
        self._generator = cast(Any, generator)
        self._encoder = cast(Any, encoder)
        self.stage = ALL
        inner = [*generator.down[OUTER_BLOCKS:], *generator.up[: generator.levels - OUTER_BLOCKS]]
        self._norms = [module for module in generator.modules() if isinstance(module, nn.BatchNorm2d)]
        self._inner = [parameter for block in inner for parameter in block.parameters()]
        self._look = [parameter for norm in self._norms for parameter in norm.parameters()]
        first = self._generator.down[0].conv.weight
        self._look.append(first)
        first.register_hook(self._only_look(first, 0, conditions, noises))
        head = self._generator.head
        others = head.detail.weight.shape[1] - first.shape[1]
        head.detail.weight.register_hook(self._only_look(head.detail.weight, others, conditions, noises))
        self._look += [head.detail.weight, head.detail.bias, head.colour.bias]
        self._read = [*encoder.mean.parameters(), *encoder.log_variance.parameters()]

    def _only_look(self, weight: Tensor, start: int, conditions: int, noises: int) -> Callable[[Tensor], Tensor]:
        """In the first stage no gradient but that of the planes of option and style."""
        kept = torch.zeros(weight.shape[1])
        kept[start + 1 : start + conditions] = 1
        kept[start + conditions + noises :] = 1

        def gradient(found: Tensor) -> Tensor:
            return found * kept.to(found)[:, None, None] if self.stage is LOOK else found

        return gradient

    def enter(self, stage: Stage) -> None:
        """Train what belongs to a stage; to be called before each step, after ``train()``."""
        self.stage = stage
        self._generator.requires_grad_(stage is not LOOK)
        self._encoder.requires_grad_(stage is not LOOK)
        if stage is OUTER:
            for parameter in self._inner:
                parameter.requires_grad_(False)
        if stage is not ALL:
            for parameter in (*self._look, *self._read):
                parameter.requires_grad_(True)
        for norm in self._norms:
            norm.train(stage is LOOK)
