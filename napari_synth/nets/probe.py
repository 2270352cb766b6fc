"""Looking into a network and changing it during one forward pass."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from torch import Tensor


@dataclass(frozen=True)
class Edit:
    """A change of one capsule, or of one pose channel of it, right after its layer.

    Attributes
    ----------
    capsule : int
    channel : int, optional
        All channels of the capsule when not given.
    scale : float
        Factor for the activation.
    value : float, optional
        Number to set the activation to instead.
    """

    capsule: int
    channel: int | None = None
    scale: float = 1.0
    value: float | None = None

    def apply(self, x: Tensor) -> None:
        """Change ``[B, I, C, H, W]`` in place."""
        part = x[:, self.capsule] if self.channel is None else x[:, self.capsule, self.channel]
        if self.value is None:
            part.mul_(self.scale)
        else:
            part.fill_(self.value)


@dataclass
class Probe:
    """What to keep of a forward pass and what to change in it.

    Parameters
    ----------
    capture, routing : collection of str
        Layers whose activation, and whose routing coefficients, are kept.
    edits : dict
        Changes by layer, applied in order before anything is kept.

    Attributes
    ----------
    activations : dict of Tensor, shape (B, I, C, H, W)
    coefficients : dict of Tensor, shape (iterations, B, I, J, H, W)
    """

    capture: Collection[str] = ()
    routing: Collection[str] = ()
    edits: dict[str, list[Edit]] = field(default_factory=dict)
    activations: dict[str, Tensor] = field(default_factory=dict)
    coefficients: dict[str, Tensor] = field(default_factory=dict)

    def __call__(self, layer: str, x: Tensor, coefficients: Tensor | None = None) -> Tensor:
        """Pass on the activation of a layer, edited where that is asked for."""
        edits: Iterable[Edit] = self.edits.get(layer, ())
        if edits:
            x = x.clone()
            for edit in edits:
                edit.apply(x)
        if layer in self.capture:
            self.activations[layer] = x
        if coefficients is not None:
            self.coefficients[layer] = coefficients
        return x
