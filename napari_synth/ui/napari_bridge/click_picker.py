"""One click on the canvas, or the place under the cursor, as a position in the world."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from psygnal import Signal

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Labels

LEFT = 1
KEY = "Shift-G"
"""Picks the place under the cursor; free in napari."""


class Picker:
    """Waits for a click on the canvas.

    Meanwhile a click neither paints nor moves the picture; the tool of the selected layer comes back
    afterwards.
    """

    picked = Signal(tuple)
    """The position in the world, one number per axis of the viewer."""
    waiting_changed = Signal()

    def __init__(self, viewer: ViewerModel):
        self._viewer = weakref.ref(viewer)
        self._before: tuple[weakref.ref[Any], str] | None = None
        self.waiting = False

    def start(self) -> None:
        """Wait for a click."""
        viewer = self._viewer()
        if self.waiting or viewer is None:
            return
        self.waiting = True
        layer = viewer.layers.selection.active
        if layer is not None and hasattr(layer, "mode"):
            self._before = weakref.ref(layer), str(layer.mode)
            layer.mode = "pan_zoom"
        viewer.mouse_drag_callbacks.append(self._on_press)
        self.waiting_changed.emit()

    def stop(self) -> None:
        """Wait no longer."""
        viewer = self._viewer()
        if not self.waiting or viewer is None:
            return
        self.waiting = False
        viewer.mouse_drag_callbacks.remove(self._on_press)
        layer = self._before[0]() if self._before else None
        if layer is not None:
            layer.mode = self._before[1]
        self._before = None
        self.waiting_changed.emit()

    def bind_key(self) -> None:
        """Let `KEY` pick the place under the cursor."""
        viewer = self._viewer()
        if viewer is not None:
            viewer.bind_key(KEY, self._on_key, overwrite=True)

    def release_key(self) -> None:
        """Give the key back."""
        viewer = self._viewer()
        if viewer is not None:
            viewer.bind_key(KEY, None, overwrite=True)

    def _on_press(self, viewer: Any, event: Any) -> Iterator[None]:
        """From press to release, as napari wants it: with its tool back, the layer would take the press as its own."""
        if event.button != LEFT:
            return
        position = tuple(event.position)
        yield
        while event.type == "mouse_move":
            yield
        self.stop()
        self.picked.emit(position)

    def _on_key(self, viewer: ViewerModel) -> None:
        self.picked.emit(tuple(viewer.cursor.position))


def pixel_of(layer: Labels, position: tuple[float, ...]) -> tuple[int, int]:
    """Row and column of a 2-D mask at a position in the world; may lie outside of it."""
    y, x = layer.world_to_data(position)[-2:]
    return round(float(y)), round(float(x))
