"""Mouse tools on the canvas: click, drag a rectangle, wheel with Shift."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Labels

if TYPE_CHECKING:
    from napari.components import ViewerModel

DRAG_PIXELS = 4
"""A press that moves less on the screen is a click."""

Point = tuple[float, float]


class CanvasTool:
    """Hears clicks, drags and Shift+wheel on the active mask while it is on.

    Panning rests meanwhile; choosing a brush of napari, or another layer, turns the tool off.

    Parameters
    ----------
    viewer : ViewerModel
    on_click : callable
        ``(y, x)`` in pixels of the mask.
    on_drag : callable
        ``((y, x), (y, x), finished)`` for a drag with the left button.
    on_wheel : callable
        Steps up or down.
    on_hover : callable
        ``(y, x)`` under the cursor; None once it left the canvas.
    on_off : callable
        Called when something else turned the tool off.
    """

    def __init__(
        self,
        viewer: ViewerModel,
        on_click: Callable[[Point], None],
        on_drag: Callable[[Point, Point, bool], None],
        on_wheel: Callable[[int], None],
        on_hover: Callable[[Point | None], None],
        on_off: Callable[[], None],
    ):
        self._viewer = weakref.ref(viewer)
        self._on_click, self._on_drag, self._on_wheel = on_click, on_drag, on_wheel
        self._on_hover, self._on_off = on_hover, on_off
        self._layer: weakref.ref[Labels] | None = None
        self._double_click: list[Any] = []
        self._changing = False
        viewer.layers.selection.events.active.connect(self._check)

    @property
    def layer(self) -> Labels | None:
        """The mask the tool works on; None while it is off."""
        return self._layer() if self._layer else None

    def turn_on(self, layer: Labels, draws_box: bool) -> None:
        """Work on this mask; with ``draws_box`` drags are the tool's, else they pan as always."""
        self.turn_off()
        viewer = self._viewer()
        if viewer is None:
            return
        self._changing = True
        viewer.layers.selection.active = layer
        layer.mode = "pan_zoom"
        layer.mouse_pan = not draws_box
        self._changing = False
        self._layer = weakref.ref(layer)
        viewer.mouse_drag_callbacks.append(self._drag)
        viewer.mouse_wheel_callbacks.append(self._wheel)
        viewer.mouse_move_callbacks.append(self._hover)
        viewer.events.mouse_over_canvas.connect(self._left)
        self._double_click = list(viewer.mouse_double_click_callbacks)
        viewer.mouse_double_click_callbacks[:] = [self._clicked_again]
        layer.events.mode.connect(self._check)

    def turn_off(self) -> None:
        """Give the mouse back."""
        layer, viewer = self.layer, self._viewer()
        self._layer = None
        if viewer is not None and self._drag in viewer.mouse_drag_callbacks:
            viewer.mouse_drag_callbacks.remove(self._drag)
            viewer.mouse_wheel_callbacks.remove(self._wheel)
            viewer.mouse_move_callbacks.remove(self._hover)
            viewer.events.mouse_over_canvas.disconnect(self._left)
            self._on_hover(None)
            viewer.mouse_double_click_callbacks[:] = self._double_click
            show_box(viewer, None)
        if layer is not None:
            layer.events.mode.disconnect(self._check)
            if layer.mode == "pan_zoom":
                layer.mouse_pan = True

    def _check(self, *_: Any) -> None:
        """Off, once the mask is no longer active or a brush was chosen."""
        layer, viewer = self.layer, self._viewer()
        if layer is None or viewer is None or self._changing:
            return
        if viewer.layers.selection.active is not layer or layer.mode != "pan_zoom":
            self.turn_off()
            self._on_off()

    def _position(self, event: Any) -> Point:
        layer = self.layer
        y, x = layer.world_to_data(event.position)[-2:] if layer is not None else (0.0, 0.0)
        return float(y), float(x)

    def _hover(self, viewer: ViewerModel, event: Any) -> None:
        self._on_hover(self._position(event))

    def _left(self, event: Any) -> None:
        viewer = self._viewer()
        if viewer is not None and not viewer.mouse_over_canvas:
            self._on_hover(None)

    def _clicked_again(self, viewer: ViewerModel, event: Any) -> None:
        """The second press of a double click is a click of its own."""
        self._on_click(self._position(event))

    def _drag(self, viewer: ViewerModel, event: Any) -> Generator[None, None, None]:
        if event.button != 1 or event.type != "mouse_press":
            return
        start, pressed = self._position(event), np.array(event.pos)
        corner = pressed
        moved = False
        yield
        while event.type == "mouse_move":
            corner = np.array(event.pos)
            moved = moved or bool(np.abs(corner - pressed).max() > DRAG_PIXELS)
            if moved and self.layer is not None and not self.layer.mouse_pan:
                show_box(viewer, (pressed, corner))
                self._on_drag(start, self._position(event), False)
            yield
        show_box(viewer, None)
        if self.layer is None:
            return
        if not moved:
            self._on_click(start)
        elif not self.layer.mouse_pan:
            self._on_drag(start, self._position(event), True)

    def _wheel(self, viewer: ViewerModel, event: Any) -> None:
        if "Shift" not in event.modifiers:
            return
        delta = float(np.sum(event.delta))  # some systems turn the wheel sideways with Shift
        if delta:
            self._on_wheel(1 if delta > 0 else -1)


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
