"""What is looked at in the network and its latent space, as plain evented data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from psygnal import SignalGroupDescriptor

from napari_synth.synthesis.latents.sources import Drawn, Source

if TYPE_CHECKING:
    from napari_synth.synthesis.latents.paths import PathKind
    from napari_synth.ui.context.network_changes import Unit

Corner = str
"""``a``, ``b`` or ``c``."""


@dataclass
class InspectChoices:
    """What of the network is looked at."""

    events: ClassVar[SignalGroupDescriptor] = SignalGroupDescriptor()

    layer: str = ""
    capsule: int = 0
    channel: int = -1
    """-1: all channels of the capsule."""
    everywhere: bool = False
    """Rank all layers, not the chosen one alone."""

    @property
    def unit(self) -> Unit:
        """What is chosen to be changed."""
        return self.layer, self.capsule, None if self.channel < 0 else self.channel


@dataclass
class LatentChoices:
    """Three latent vectors, the place between them, and the walk from A to B."""

    events: ClassVar[SignalGroupDescriptor] = SignalGroupDescriptor()

    a: Source = Drawn(1)  # noqa: RUF009
    b: Source = Drawn(2)  # noqa: RUF009
    c: Source = Drawn(3)  # noqa: RUF009
    u: float = 0.0
    v: float = 0.0
    steps: int = 16
    path: PathKind = "spherical"
    with_capsules: bool = True

    def corner(self, name: Corner) -> Source:
        """The latent vector of a corner."""
        return {"a": self.a, "b": self.b, "c": self.c}[name]

    def pin(self, name: Corner, source: Source) -> None:
        """Put a latent vector at a corner."""
        if name == "a":
            self.a = source
        elif name == "b":
            self.b = source
        else:
            self.c = source
