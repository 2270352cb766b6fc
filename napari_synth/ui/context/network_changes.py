"""Changes inside the networks, shared by all panels of a viewer."""

from __future__ import annotations

from psygnal import Signal

from napari_synth.core.recipe import Intervention

Unit = tuple[str, int, int | None]
"""Layer, capsule, and channel or None for all of them."""


class NetworkChanges:
    """The active interventions of each model; at most one per unit, those added last are applied last."""

    changed = Signal()

    def __init__(self) -> None:
        self._of: dict[str, dict[Unit, Intervention]] = {}

    def of(self, model: str) -> tuple[Intervention, ...]:
        """What is changed in a model, in the order of application."""
        return tuple(self._of.get(model, {}).values())

    def put(self, model: str, change: Intervention) -> None:
        """Add a change, or replace the one of the same unit."""
        self._of.setdefault(model, {})[unit_of(change)] = change
        self.changed.emit()

    def remove(self, model: str, unit: Unit) -> bool:
        """Take a change back; False where there was none."""
        removed = self._of.get(model, {}).pop(unit, None) is not None
        if removed:
            self.changed.emit()
        return removed

    def clear(self, model: str) -> bool:
        """Take all changes of a model back; False where there were none."""
        removed = bool(self._of.pop(model, None))
        if removed:
            self.changed.emit()
        return removed


def unit_of(change: Intervention) -> Unit:
    """What a change is about."""
    return change.layer, change.capsule, change.channel


def unit_words(unit: Unit) -> str:
    """Such as ``convcaps4, capsule 3`` or ``convcaps4, capsule 3, channel 5``."""
    layer, capsule, channel = unit
    return f"{layer}, capsule {capsule}" + ("" if channel is None else f", channel {channel}")


def change_words(change: Intervention) -> str:
    """Such as ``convcaps4, capsule 3: off``."""
    if change.value is not None:
        what = f"set to {change.value:g}"
    else:
        what = "off" if change.scale == 0 else f"× {change.scale:g}"
    return f"{unit_words(unit_of(change))}: {what}"
