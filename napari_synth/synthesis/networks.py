"""One model in the forms in which it computes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_synth.core.recipe import Precision
from napari_synth.synthesis import compiling
from napari_synth.synthesis.precision import halved

if TYPE_CHECKING:
    from napari_synth.models.registry import TrainedModel


class Networks:
    """A model exact, in 16 bit and compiled; each form is made when it is first asked for, and kept.

    Parameters
    ----------
    trained : TrainedModel
        As it computes in float32.
    """

    def __init__(self, trained: TrainedModel):
        self._plain: dict[Precision, TrainedModel] = {"exact": trained}
        self._compiled: dict[Precision, TrainedModel] = {}

    def plain(self, precision: Precision) -> TrainedModel:
        """The model for a precision, to be used within `precision.computing`."""
        if precision not in self._plain:
            self._plain[precision] = halved(self._plain["exact"])
        return self._plain[precision]

    def compiled(self, precision: Precision) -> TrainedModel:
        """The same, compiled."""
        if precision not in self._compiled:
            self._compiled[precision] = compiling.compiled(self.plain(precision))
        return self._compiled[precision]
