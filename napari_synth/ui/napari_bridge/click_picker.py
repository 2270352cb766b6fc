"""One click on the canvas, and the places the cursor passes before it, as positions in the world."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from psygnal import Signal
from qtpy.QtCore import QTimer

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Labels, Layer

LEFT = 1
HOVER_MS = 120


class Picker:
    """Waits for a click on the canvas.

    Meanwhile a click neither paints nor moves the picture; the tool of the selected layer comes back
    afterwards.
    """

    picked = Signal(tuple)
    """The position in the world, one number per axis of the viewer."""
    hovered = Signal(tuple)
    """Where the cursor rests or goes while a click is waited for; a few times a second at most."""
    waiting_changed = Signal()

    def __init__(self, viewer: ViewerModel):
        self._viewer = weakref.ref(viewer)
        self._wait: Wait | None = None
        self._position: tuple[float, ...] = ()
        self._timer = QTimer(singleShot=True, interval=HOVER_MS)
        self._timer.timeout.connect(self._on_time)

    @property
    def waiting(self) -> bool:
        """Whether the next click is this one's."""
        return self._wait is not None

    def start(self) -> None:
        """Wait for a click."""
        viewer = self._viewer()
        if self._wait is None and viewer is not None:
            self._wait = Wait(viewer, self._on_press, self._on_move)
            self.waiting_changed.emit()

    def stop(self) -> None:
        """Wait no longer."""
        wait, self._wait = self._wait, None
        if wait is not None:
            wait.end()
            self.waiting_changed.emit()

    @property
    def under_cursor(self) -> tuple[float, ...]:
        """The position in the world that the cursor is at."""
        viewer = self._viewer()
        return tuple(viewer.cursor.position) if viewer is not None else ()

    def _on_move(self, viewer: ViewerModel, event: Any) -> None:
        self._position = tuple(event.position)
        if not self._timer.isActive():
            self._timer.start()

    def _on_time(self) -> None:
        if self.waiting:
            self.hovered.emit(self._position)

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


OnPress = Callable[["ViewerModel", Any], Iterator[None]]
OnMove = Callable[["ViewerModel", Any], None]


class Wait:
    """A wait for one click, from birth to `end`; the tool of the selected layer rests. Keeps no viewer alive."""

    def __init__(self, viewer: ViewerModel, on_press: OnPress, on_move: OnMove):
        self._viewer = weakref.ref(viewer)
        self._on_press, self._on_move = on_press, on_move
        layer = viewer.layers.selection.active
        self._resting: tuple[weakref.ref[Layer], str] | None = None
        if layer is not None:
            self._resting = weakref.ref(layer), str(layer.mode)
            layer.mode = "pan_zoom"
        viewer.mouse_drag_callbacks.append(on_press)
        viewer.mouse_move_callbacks.append(on_move)

    def end(self) -> None:
        """Give the click, and the layer its tool, back; call it once."""
        viewer = self._viewer()
        if viewer is not None:
            viewer.mouse_drag_callbacks.remove(self._on_press)
            viewer.mouse_move_callbacks.remove(self._on_move)
        if self._resting is not None:
            layer, mode = self._resting[0](), self._resting[1]
            if layer is not None:
                layer.mode = mode


def pixel_of(layer: Labels, position: tuple[float, ...]) -> tuple[int, int]:
    """Row and column of a 2-D mask at a position in the world; may lie outside of it."""
    y, x = layer.world_to_data(position)[-2:]
    return round(float(y)), round(float(x))
