"""Mouse tools on the canvas: click, draw a rectangle, wheel with Shift."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Generator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from psygnal import Signal

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Labels

LEFT = 1
DRAG_PIXELS = 4
"""A press that moves less on the screen is a click."""

Point = tuple[float, float]
"""Row and column in pixels of a mask."""


class CanvasTool:
    """Hears clicks, drags and Shift+wheel on the active mask while it is on.

    Panning rests meanwhile; choosing a brush of napari, or another layer, turns the tool off.
    """

    clicked = Signal(tuple)
    """The `Point` that was clicked."""
    clicked_more = Signal(tuple)
    """The `Point` that was clicked with Shift."""
    dragged = Signal(tuple, tuple)
    """Two `Point` s, where a drag that the tool took began and where it is."""
    dropped = Signal(tuple, tuple)
    """The same at the end of the drag."""
    drawn = Signal(tuple, tuple)
    """Two `Point` s, opposite corners of a rectangle, once it is drawn."""
    wheeled = Signal(int)
    """A step up (1) or down (-1)."""
    hovered = Signal(object)
    """The `Point` under the cursor; None once it left the canvas."""
    lost = Signal()
    """Something else turned the tool off."""

    def __init__(self, viewer: ViewerModel):
        self._viewer = weakref.ref(viewer)
        self._hold: MouseHold | None = None

    @property
    def layer(self) -> Labels | None:
        """The mask the tool works on; None while it is off."""
        return self._hold.layer if self._hold is not None else None

    def turn_on(
        self,
        layer: Labels,
        draws_box: bool = False,
        grabs: Callable[[Point], bool] | None = None,
        keys: Mapping[str, Callable[[], object]] | None = None,
    ) -> None:
        """Work on this mask.

        Parameters
        ----------
        layer : Labels
        draws_box : bool
            All drags draw a rectangle; else they pan as always.
        grabs : callable, optional
            Asked at each press whether the drag that may follow is the tool's.
        keys : mapping, optional
            What keys do meanwhile, by napari's names.
        """
        self.turn_off()
        viewer = self._viewer()
        if viewer is not None:
            self._hold = MouseHold(self, viewer, layer, draws_box, grabs, keys or {})

    def turn_off(self) -> None:
        """Give the mouse back."""
        hold, self._hold = self._hold, None
        if hold is not None:
            hold.release()
            self.hovered.emit(None)

    def lose(self) -> None:
        """Give the mouse back to what took it."""
        self.turn_off()
        self.lost.emit()


class MouseHold:
    """The mouse of a viewer while a tool has it, from birth to `release`. Keeps neither viewer nor layer alive."""

    def __init__(
        self,
        tool: CanvasTool,
        viewer: ViewerModel,
        layer: Labels,
        draws_box: bool,
        grabs: Callable[[Point], bool] | None,
        keys: Mapping[str, Callable[[], object]],
    ):
        self._tool, self._grabs, self._keys = tool, grabs, tuple(keys)
        self._viewer = weakref.ref(viewer)
        self._layer = weakref.ref(layer)
        self._draws_box = draws_box
        viewer.layers.selection.active = layer
        layer.mode = "pan_zoom"
        layer.mouse_pan = not draws_box
        viewer.mouse_drag_callbacks.append(self._on_press)
        viewer.mouse_wheel_callbacks.append(self._on_wheel)
        viewer.mouse_move_callbacks.append(self._on_move)
        self._double_click = list(viewer.mouse_double_click_callbacks)
        viewer.mouse_double_click_callbacks[:] = [self._on_double_click]
        viewer.events.mouse_over_canvas.connect(self._on_leave)
        viewer.layers.selection.events.active.connect(self._check)
        layer.events.mode.connect(self._check)
        for key, act in keys.items():
            layer.bind_key(key, partial(_on_key, act), overwrite=True)

    @property
    def layer(self) -> Labels | None:
        """The mask; None once nobody has it any more."""
        return self._layer()

    def release(self) -> None:
        """Give the mouse back; call it once."""
        viewer, layer = self._viewer(), self._layer()
        if viewer is not None:
            viewer.mouse_drag_callbacks.remove(self._on_press)
            viewer.mouse_wheel_callbacks.remove(self._on_wheel)
            viewer.mouse_move_callbacks.remove(self._on_move)
            viewer.mouse_double_click_callbacks.remove(self._on_double_click)
            viewer.mouse_double_click_callbacks[:0] = self._double_click
            viewer.events.mouse_over_canvas.disconnect(self._on_leave)
            viewer.layers.selection.events.active.disconnect(self._check)
            show_box(viewer, None)
        if layer is not None:
            layer.events.mode.disconnect(self._check)
            for key in self._keys:
                layer.bind_key(key, None, overwrite=True)
            if layer.mode == "pan_zoom":
                layer.mouse_pan = True

    def _check(self) -> None:
        """Off, once the mask is no longer active or a brush was chosen."""
        viewer, layer = self._viewer(), self._layer()
        if viewer is None or layer is None:
            return
        if viewer.layers.selection.active is not layer or layer.mode != "pan_zoom":
            self._tool.lose()

    def _position(self, event: Any) -> Point:
        layer = self._layer()
        y, x = layer.world_to_data(event.position)[-2:] if layer is not None else (0.0, 0.0)
        return float(y), float(x)

    def _on_move(self, viewer: ViewerModel, event: Any) -> None:
        self._tool.hovered.emit(self._position(event))

    def _on_leave(self) -> None:
        viewer = self._viewer()
        if viewer is not None and not viewer.mouse_over_canvas:
            self._tool.hovered.emit(None)

    def _on_double_click(self, viewer: ViewerModel, event: Any) -> None:
        """The second press of a double click is a click of its own."""
        self._tool.clicked.emit(self._position(event))

    def _on_press(self, viewer: ViewerModel, event: Any) -> Generator[None, None, None]:
        if event.button != LEFT or event.type != "mouse_press":
            return
        start, pressed = self._position(event), np.array(event.pos)
        moved, more = False, "Shift" in event.modifiers
        layer = self._layer()
        takes = self._grabs is not None and not more and self._grabs(start)
        if takes and layer is not None:
            layer.mouse_pan = False
        yield
        while event.type == "mouse_move":
            corner = np.array(event.pos)
            moved = moved or bool(np.abs(corner - pressed).max() > DRAG_PIXELS)
            if moved and self._draws_box and self._holds:
                show_box(viewer, (pressed, corner))
            elif moved and takes and self._holds:
                self._tool.dragged.emit(start, self._position(event))
            yield
        if takes and layer is not None:
            layer.mouse_pan = True
        if not self._holds:
            return
        show_box(viewer, None)
        if not moved:
            (self._tool.clicked_more if more else self._tool.clicked).emit(start)
        elif takes:
            self._tool.dropped.emit(start, self._position(event))
        elif self._draws_box:
            self._tool.drawn.emit(start, self._position(event))

    @property
    def _holds(self) -> bool:
        """Whether the tool was not turned off during a drag."""
        return self._tool.layer is not None and self._tool.layer is self._layer()

    def _on_wheel(self, viewer: ViewerModel, event: Any) -> None:
        if "Shift" not in event.modifiers:
            return
        delta = float(np.sum(event.delta))  # some systems turn the wheel sideways with Shift
        if delta:
            self._tool.wheeled.emit(1 if delta > 0 else -1)


def _on_key(act: Callable[[], object], *_: object) -> None:
    """Napari hands over the layer, which the action knows."""
    act()


def show_box(viewer: ViewerModel, corners: tuple[np.ndarray, np.ndarray] | None) -> None:
    """Draw napari's zoom box between two canvas positions (x, y), or hide it."""
    canvas = getattr(viewer, "canvas", None)
    box = getattr(getattr(canvas, "overlays", None), "_zoom_box", None)
    if box is None:
        return
    if corners is not None:
        first, second = (tuple(corner[::-1]) for corner in corners)
        box.position = (first, second)
    box.visible = corners is not None
