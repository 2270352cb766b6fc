"""One click on the canvas, or the place under the cursor, as a position in the world."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from psygnal import Signal

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Labels, Layer

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
        self._wait: Wait | None = None

    @property
    def waiting(self) -> bool:
        """Whether the next click is this one's."""
        return self._wait is not None

    def start(self) -> None:
        """Wait for a click."""
        viewer = self._viewer()
        if self._wait is None and viewer is not None:
            self._wait = Wait(viewer, self._on_press)
            self.waiting_changed.emit()

    def stop(self) -> None:
        """Wait no longer."""
        wait, self._wait = self._wait, None
        if wait is not None:
            wait.end()
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

    def _on_press(self, viewer: ViewerModel, event: Any) -> Iterator[None]:
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


OnPress = Callable[["ViewerModel", Any], Iterator[None]]


class Wait:
    """A wait for one click, from birth to `end`; the tool of the selected layer rests. Keeps no viewer alive."""

    def __init__(self, viewer: ViewerModel, on_press: OnPress):
        self._viewer = weakref.ref(viewer)
        self._on_press = on_press
        layer = viewer.layers.selection.active
        self._resting: tuple[weakref.ref[Layer], str] | None = None
        if layer is not None:
            self._resting = weakref.ref(layer), str(layer.mode)
            layer.mode = "pan_zoom"
        viewer.mouse_drag_callbacks.append(on_press)

    def end(self) -> None:
        """Give the click, and the layer its tool, back; call it once."""
        viewer = self._viewer()
        if viewer is not None:
            viewer.mouse_drag_callbacks.remove(self._on_press)
        if self._resting is not None:
            layer, mode = self._resting[0](), self._resting[1]
            if layer is not None:
                layer.mode = mode


def pixel_of(layer: Labels, position: tuple[float, ...]) -> tuple[int, int]:
    """Row and column of a 2-D mask at a position in the world; may lie outside of it."""
    y, x = layer.world_to_data(position)[-2:]
    return round(float(y)), round(float(x))
