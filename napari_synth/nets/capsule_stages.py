"""The layers of the capsule generator as a list; loads without torch."""

from __future__ import annotations

from typing import NamedTuple


class Stage(NamedTuple):
    """A layer of the generator, as a map of the network shows it.

    Attributes
    ----------
    name : str
    part : {'encoder', 'bottleneck', 'decoder'}
    inputs : tuple of str
        Layers whose capsules it reads, joined in this order; empty for the first.
    capsules, channels : int
        Output capsules and their pose channels.
    factor : int
        The image's size divided by the layer's.
    """

    name: str
    part: str
    inputs: tuple[str, ...]
    capsules: int
    channels: int
    factor: int


STAGES = (
    Stage("conv1", "encoder", (), 1, 16, 1),
    Stage("convcaps1", "encoder", ("conv1",), 2, 16, 2),
    Stage("convcaps2", "encoder", ("convcaps1",), 4, 16, 2),
    Stage("convcaps3", "encoder", ("convcaps2",), 4, 32, 4),
    Stage("convcaps4", "encoder", ("convcaps3",), 8, 32, 4),
    Stage("convcaps5", "bottleneck", ("convcaps4",), 8, 64, 8),
    Stage("convcaps6", "bottleneck", ("convcaps5",), 8, 32, 8),
    Stage("deconvcaps1", "decoder", ("convcaps6",), 8, 32, 4),
    Stage("convcaps8", "decoder", ("deconvcaps1", "convcaps4"), 4, 32, 4),
    Stage("deconvcaps2", "decoder", ("convcaps8",), 4, 16, 2),
    Stage("convcaps9", "decoder", ("deconvcaps2", "convcaps2"), 4, 16, 2),
    Stage("deconvcaps3", "decoder", ("convcaps9",), 2, 16, 1),
    Stage("convcaps10", "decoder", ("deconvcaps3", "conv1"), 1, 16, 1),
)
"""The network as a list; a layer comes after its inputs. There is no convcaps7 in the published network."""
