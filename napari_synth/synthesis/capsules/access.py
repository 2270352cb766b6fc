"""The capsules of a rendering: which layers there are, what to keep of them and what to change."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from napari_synth.core import arguments
from napari_synth.core.errors import InputError, unknown_name
from napari_synth.core.recipe import Intervention

if TYPE_CHECKING:
    from torch import Tensor

    from napari_synth.nets.capsule_stages import Stage
    from napari_synth.nets.probe import Edit, Probe
    from napari_synth.synthesis.request import RenderRequest

Unit = tuple[str, int] | tuple[str, int, int]
"""(layer, capsule) or (layer, capsule, channel)."""


def find_stage(stages: Sequence[Stage], layer: str, model: str) -> Stage:
    """A layer by name; ``caps4`` is short for ``convcaps4``.

    Parameters
    ----------
    stages : sequence of Stage
        The layers of a model, see `architectures.registry.stages_of`.
    layer, model : str
        Name of the layer, and id of the model for what is said when there is none.

    Raises
    ------
    InputError
        If the model has no such layer, or no capsules at all.
    """
    found = {stage.name: stage for stage in stages}
    if not found:
        raise InputError(f"The model {model} has no capsules to look at.", "Choose a CapsPix2Pix model.")
    for name in (layer, f"conv{layer}"):
        if name in found:
            return found[name]
    raise unknown_name("layer", layer, list(found))


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
        given = {"layer": str(layer), "capsule": capsule, "channel": channel, "scale": scale, "value": value}
        return Intervention.model_validate(given)
    except (ValueError, TypeError) as error:
        raise InputError(f"The intervention {key!r} is not understood.", form) from error


def interventions_of(set: Mapping[Unit, float] | None, scale: Mapping[Unit, float] | None) -> tuple[Intervention, ...]:
    """Interventions from what an activation is multiplied by and set to, by (layer, capsule[, channel])."""
    scaled = [
        intervention(key, scale=arguments.finite_number(value, f"scale[{key!r}]"))
        for key, value in arguments.table(scale, "scale").items()
    ]
    fixed = [
        intervention(key, value=arguments.finite_number(value, f"set[{key!r}]"))
        for key, value in arguments.table(set, "set").items()
    ]
    return (*scaled, *fixed)


def check_intervention(stage: Stage, wanted: Intervention) -> None:
    """Raise `InputError` when a layer has no such capsule or channel."""
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


def edits_of(stages: Sequence[Stage], interventions: Sequence[Intervention], model: str) -> dict[str, list[Edit]]:
    """Interventions by the name of their layer, as a `Probe` takes them.

    Raises
    ------
    InputError
        If the model has no such layer, capsule or channel.
    """
    from napari_synth.nets.probe import Edit

    edits: dict[str, list[Edit]] = {}
    for wanted in interventions:
        stage = find_stage(stages, wanted.layer, model)
        check_intervention(stage, wanted)
        edit = Edit(wanted.capsule, wanted.channel, wanted.scale, wanted.value)
        edits.setdefault(stage.name, []).append(edit)
    return edits


class CapsuleAccess:
    """The probe of one rendering, and what it kept in the user's terms.

    Parameters
    ----------
    request : RenderRequest
        Names the layers to keep and the interventions.
    stages : sequence of Stage
        The layers of the model.
    model : str
        Its id.

    Raises
    ------
    InputError
        If a layer, a capsule or a channel does not exist.
    """

    def __init__(self, request: RenderRequest, stages: Sequence[Stage], model: str):
        self._capture = {layer: find_stage(stages, layer, model) for layer in request.capture}
        self._routing = {layer: find_stage(stages, layer, model) for layer in request.routing}
        for stage in self._routing.values():
            if not stage.inputs:
                raise InputError(
                    f"The layer {stage.name} is a plain convolution and routes nothing.", "Choose another."
                )
        edits = edits_of(stages, request.interventions, model)
        self.probe: Probe | None = None
        if self._capture or self._routing or edits:
            from napari_synth.nets.probe import Probe

            capture, routing = ({stage.name for stage in kept.values()} for kept in (self._capture, self._routing))
            self.probe = Probe(capture, routing, edits)

    def kept(self, shape: tuple[int, ...]) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        """Activations and routing coefficients of the image without its padding, by the names asked for."""
        if self.probe is None:
            return {}, {}
        activations = {k: _cropped(self.probe.activations[s.name], shape, s) for k, s in self._capture.items()}
        routing = {k: _cropped(self.probe.coefficients[s.name], shape, s) for k, s in self._routing.items()}
        return activations, routing


def _cropped(values: Tensor, shape: tuple[int, ...], stage: Stage) -> np.ndarray:
    """The one image of a batch, ``(…, y, x)``, over the pixels of the image."""
    height, width = (math.ceil(side / stage.factor) for side in shape)
    array: np.ndarray = values.float().cpu().numpy()[..., :height, :width]
    return np.ascontiguousarray(array[0] if array.ndim == 5 else array[:, 0])
