"""A mouse for a viewer without a window, by way of the functions that napari's canvas calls."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import wrapt
from napari.utils.interactions import (
    mouse_double_click_callbacks,
    mouse_move_callbacks,
    mouse_press_callbacks,
    mouse_release_callbacks,
    mouse_wheel_callbacks,
)


class Mouse:
    """Presses, moves and turns at positions in the world; a unit is five pixels on the screen."""

    def __init__(self, viewer):
        self.viewer = viewer

    def _event(self, kind, position, button=1, modifiers=(), delta=(0.0, 0.0)):
        position = tuple(float(value) for value in position)
        event = SimpleNamespace(
            type=kind,
            position=position,
            pos=5 * np.array(position[-2:])[::-1],
            button=button,
            modifiers=modifiers,
            delta=delta,
            is_dragging=kind == "mouse_move",
            handled=False,
        )
        return wrapt.ObjectProxy(event)  # napari puts the event of each move into that of the press

    def press(self, position, button=1, modifiers=()):
        mouse_press_callbacks(self.viewer, self._event("mouse_press", position, button, modifiers))

    def drag(self, position):
        mouse_move_callbacks(self.viewer, self._event("mouse_move", position))

    def release(self, position):
        mouse_release_callbacks(self.viewer, self._event("mouse_release", position))

    def click(self, position, button=1, modifiers=()):
        self.press(position, button, modifiers)
        self.release(position)

    def double_click(self, position):
        mouse_double_click_callbacks(self.viewer, self._event("mouse_double_click", position))

    def move(self, position):
        for callback in self.viewer.mouse_move_callbacks:
            callback(self.viewer, self._event("mouse_move", position))

    def wheel(self, delta, modifiers=("Shift",)):
        mouse_wheel_callbacks(self.viewer, self._event("mouse_wheel", (0, 0), modifiers=modifiers, delta=delta))
