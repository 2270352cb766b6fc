"""The capsules of a rendering: which layers there are, what to keep of them and what to change."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from napari_synth.core.errors import InputError, unknown_name
from napari_synth.core.recipe import Intervention
from napari_synth.nets.capsule_stages import STAGES

if TYPE_CHECKING:
    from napari_synth.models.card import ModelCard
    from napari_synth.nets.capsule_stages import Stage
    from napari_synth.nets.probe import Probe


def stages_of(card: ModelCard) -> tuple[Stage, ...]:
    """Layers of a capsule network; empty for any other."""
    return STAGES if card.architecture == "capspix2pix" else ()


def find_stage(card: ModelCard, layer: str) -> Stage:
    """A layer by name; ``caps4`` is short for ``convcaps4``.

    Raises
    ------
    InputError
        If the model has no such layer, or no capsules at all.
    """
    stages = {stage.name: stage for stage in stages_of(card)}
    if not stages:
        raise InputError(f"The model {card.id} has no capsules to look at.", "Choose a CapsPix2Pix model.")
    for name in (layer, f"conv{layer}"):
        if name in stages:
            return stages[name]
    raise unknown_name("layer", layer, list(stages))


def intervention(key: Sequence[str | int], *, scale: float = 1.0, value: float | None = None) -> Intervention:
    """An intervention on (layer, capsule) or (layer, capsule, channel).

    Raises
    ------
    InputError
        If the key has another form or a number is not finite.
    """
    form = "Write (layer, capsule) or (layer, capsule, channel), counted from 0, and a finite number."
    try:
        layer, capsule, channel = (*key, None) if len(key) == 2 else key
        return Intervention(layer=str(layer), capsule=capsule, channel=channel, scale=scale, value=value)
    except (ValueError, TypeError) as error:
        raise InputError(f"The intervention {key!r} is not understood.", form) from error


def check_intervention(card: ModelCard, wanted: Intervention) -> None:
    """Raise `InputError` when the model has no such layer, capsule or channel."""
    stage = find_stage(card, wanted.layer)
    if wanted.capsule >= stage.capsules:
        raise InputError(
            f"The layer {stage.name} has {stage.capsules} capsules; there is no capsule {wanted.capsule}.",
            f"Choose one from 0 to {stage.capsules - 1}.",
        )
    if wanted.channel is not None and wanted.channel >= stage.channels:
        raise InputError(
            f"The capsules of {stage.name} have {stage.channels} channels; there is no channel {wanted.channel}.",
            f"Choose one from 0 to {stage.channels - 1}.",
        )


class Watch:
    """The probe of one rendering, and what it kept in the user's terms.

    Parameters
    ----------
    card : ModelCard
    capture, routing : sequence of str
        Layer names.
    interventions : sequence of Intervention

    Raises
    ------
    InputError
        If one of them does not exist.
    """

    def __init__(
        self, card: ModelCard, capture: Sequence[str], routing: Sequence[str], interventions: Sequence[Intervention]
    ):
        self._capture = {layer: find_stage(card, layer) for layer in capture}
        self._routing = {layer: find_stage(card, layer) for layer in routing}
        for stage in self._routing.values():
            if not stage.inputs:
                raise InputError(
                    f"The layer {stage.name} is a plain convolution and routes nothing.", "Choose another."
                )
        for wanted in interventions:
            check_intervention(card, wanted)
        self.probe: Probe | None = None
        if capture or routing or interventions:
            from napari_synth.nets.probe import Edit, Probe

            edits: dict[str, list[Edit]] = {}
            for wanted in interventions:
                edit = Edit(wanted.capsule, wanted.channel, wanted.scale, wanted.value)
                edits.setdefault(find_stage(card, wanted.layer).name, []).append(edit)
            names = [{stage.name for stage in chosen.values()} for chosen in (self._capture, self._routing)]
            self.probe = Probe(*names, edits)

    def kept(self, shape: tuple[int, int]) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        """Activations and routing coefficients of the image without its padding, by the names asked for."""
        if self.probe is None:
            return {}, {}
        activations = {k: _cropped(self.probe.activations[s.name], shape, s) for k, s in self._capture.items()}
        routing = {k: _cropped(self.probe.coefficients[s.name], shape, s) for k, s in self._routing.items()}
        return activations, routing


def _cropped(values, shape: tuple[int, int], stage: Stage) -> np.ndarray:
    """The one image of a batch, ``(…, y, x)``, over the pixels of the image."""
    height, width = (math.ceil(side / stage.factor) for side in shape)
    array = values.float().cpu().numpy()[..., :height, :width]
    return np.ascontiguousarray(array[0] if array.ndim == 5 else array[:, 0])
