"""What the user chose of pairs from noise. Knows no widget."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from psygnal import SignalGroupDescriptor

if TYPE_CHECKING:
    from napari_synth.core.recipe import PairSource


@dataclass
class NoiseChoices:
    """Which pair is made from noise, and where a walk from it leads.

    Attributes
    ----------
    model : str
        Bundled id or path; empty where there is none.
    option : str
    seed, to_seed : int
        Of the pair, and of the one at the end of a walk.
    steps : int
        Of the walk.
    """

    events: ClassVar[SignalGroupDescriptor] = SignalGroupDescriptor()

    model: str = ""
    option: str = ""
    seed: int = 1
    to_seed: int = 2
    steps: int = 16

    def take(self, source: PairSource, model: str) -> None:
        """Choose the pair of a recipe, by a model of this name."""
        with self.events.paused():
            self.model, self.option, self.seed = model, source.option, source.seed

    @property
    def as_python(self) -> str:
        """The lines that make the same pair in a script or in napari's console."""
        asked = f"{self.seed}, option={self.option!r}"
        return (
            "import napari_synth as ns\n\n"
            f"model = ns.load_model({self.model!r})\n"
            f"pair = model.sample({asked})\n"
            "image, labels = pair.image, pair.labels\n"
        )

    @property
    def as_command(self) -> str:
        """The command that makes the same pair; a larger number after --n makes more of them."""
        words = ["napari-synth", "pairs", self.model, "--option", self.option, "--seed", str(self.seed)]
        return shlex.join([*words, "--n", "1", "--out", "from-noise"])
