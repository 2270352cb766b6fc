"""Nuclei of a mask taken in the hand: chosen, dragged, turned, scaled, nudged, copied, removed. Knows no widget."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from napari_synth.masks.nucleus_moves import Motion, centre_of, copied, middle, moved, pixels_after, pixels_of, removed
from napari_synth.ui.context.notes import Note, problems_said
from napari_synth.ui.docks.nuclei.reshaping import EDIT_HINT
from napari_synth.ui.napari_bridge.label_edits import listen
from napari_synth.ui.napari_bridge.mask_layers import change_labels
from napari_synth.ui.napari_bridge.nucleus_frame import NucleusFrame, corners_around
from napari_synth.ui.napari_bridge.nucleus_table import copy_rows, drop_rows, move_rows

if TYPE_CHECKING:
    from napari.layers import Labels

    from napari_synth.masks.nucleus_moves import Change
    from napari_synth.ui.context.context import Context
    from napari_synth.ui.docks.nuclei.choices import NucleusChoices
    from napari_synth.ui.docks.nuclei.reshaping import Reshaping
    from napari_synth.ui.napari_bridge.canvas_tool import Point

CHANGES = ("set_data", "labels_update")
"""What a layer says when all of it may be new, and when a part is."""
BESIDE = 8
"""Pixels down and right at which a copy lies."""


class Handling:
    """The chosen nuclei of a mask, and what the hand does with them; each act is one step of undo.

    Parameters
    ----------
    context : Context
    choices : NucleusChoices
        Name the chosen nuclei.
    reshaping : Reshaping
        Shows the only chosen one in the boxes.
    say : callable

    Attributes
    ----------
    frame : NucleusFrame
        What is drawn around the chosen nuclei.
    """

    def __init__(self, context: Context, choices: NucleusChoices, reshaping: Reshaping, say: Callable[[Note], object]):
        self._masks, self._choices, self._reshaping, self._say = context.masks, choices, reshaping, say
        self._layer: weakref.ref[Labels] | None = None
        self._handle: int | None = None
        self._held: list[tuple[np.ndarray, np.ndarray]] = []
        self.frame = NucleusFrame(context.viewer)
        choices.events.chosen.connect(self.show)

    @property
    def keys(self) -> dict[str, Callable[[], object]]:
        """What keys do while the tool is on, by napari's names."""
        return {
            "Up": partial(self.nudge, -1, 0),
            "Down": partial(self.nudge, 1, 0),
            "Left": partial(self.nudge, 0, -1),
            "Right": partial(self.nudge, 0, 1),
            "Delete": self.delete,
            "Backspace": self.delete,
            "Control-D": self.copy,
        }

    def begin(self, layer: Labels) -> None:
        """Work on a mask."""
        self.end()
        self._layer = weakref.ref(layer)
        listen(layer, dict.fromkeys(CHANGES, self.show), True)

    def end(self) -> None:
        """Choose nothing, show nothing."""
        layer = self._mask
        if layer is not None:
            listen(layer, dict.fromkeys(CHANGES, self.show), False)
        self._layer = None
        self._choices.chosen, self._choices.selected = (), 0
        self.frame.remove()

    @property
    def _mask(self) -> Labels | None:
        return self._layer() if self._layer is not None else None

    # ---- choosing

    def click(self, y: float, x: float, more: bool = False) -> None:
        """Choose the nucleus at a place; with ``more`` add it to the chosen ones, or take it out of them."""
        layer, choices = self._mask, self._choices
        if layer is None:
            return
        label = self._label_at(layer, y, x)
        if more:
            rest = tuple(number for number in choices.chosen if number != label)
            chosen = rest if label in choices.chosen or not label else (*rest, label)
        else:
            chosen = (label,) if label else ()
        choices.selected, choices.chosen = 0, chosen
        if len(chosen) == 1:
            layer.selected_label = chosen[0]
            self._reshaping.take_up(layer, chosen[0])
        elif chosen:
            self._say(
                Note("hint", f"{len(chosen)} nuclei are chosen.", "Drag one to move all; Delete, Ctrl+D, arrows.")
            )
        else:
            self._say(EDIT_HINT)

    def show(self) -> None:
        """Draw the frame around the nuclei that are chosen and still there."""
        layer, chosen = self._mask, self._choices.chosen
        if layer is None or not chosen:
            self.frame.hide()
            return
        rows, columns = pixels_of(np.asarray(layer.data), chosen)
        corners = corners_around(rows, columns) if rows.size else np.zeros((0, 2))
        self.frame.show(layer, rows, columns, corners)

    # ---- dragging

    def grab(self, point: Point) -> bool:
        """Whether a drag that begins here is of a nucleus or of a handle."""
        layer = self._mask
        if layer is None:
            return False
        self._handle = self.frame.handle_at(layer, *point)
        label = self._label_at(layer, *point)
        if self._handle is None and not label:
            return False
        if self._handle is None and label not in self._choices.chosen:
            self._choices.selected, self._choices.chosen = 0, (label,)
        self._held = [pixels_of(np.asarray(layer.data), [number]) for number in self._choices.chosen]
        return all(rows.size for rows, _ in self._held)

    def drag(self, start: Point, now: Point) -> None:
        """Show where the chosen nuclei would lie."""
        layer, motion = self._mask, self._motion(start, now)
        if layer is None or motion is None:
            return
        about = self._about
        pixels = np.concatenate([pixels_after(*held, motion, about) for held in self._held])
        inside = (pixels >= 0).all(1) & (pixels < layer.data.shape).all(1)
        rows, columns = pixels[inside].T
        if rows.size:
            self.frame.show(layer, rows, columns, corners_around(rows, columns))

    def drop(self, start: Point, now: Point) -> None:
        """Put the chosen nuclei where the drag ended."""
        motion = self._motion(start, now)
        if motion is not None:
            self._move(motion, "Moved" if self._handle is None else "Turned and scaled")
        self._held = []
        self.show()

    def _motion(self, start: Point, now: Point) -> Motion | None:
        if self._mask is None or not self._held:
            return None
        if self._handle is None:
            return Motion(round(now[0] - start[0]), round(now[1] - start[1]))
        about = np.array(self._about)
        before, after = np.array(start) - about, np.array(now) - about
        angles = [np.arctan2(-arm[0], arm[1]) for arm in (before, after)]
        factor = float(np.linalg.norm(after)) / max(float(np.linalg.norm(before)), 1e-6)
        return Motion(turn=float(np.rad2deg(angles[1] - angles[0])), factor=max(factor, 0.05))

    @property
    def _about(self) -> tuple[float, float]:
        """The middle of what is held."""
        rows, columns = (np.concatenate(axis) for axis in zip(*self._held, strict=True))
        return middle(rows, columns)

    # ---- keys

    def nudge(self, dy: int, dx: int) -> None:
        """Move the chosen nuclei by a pixel."""
        self._move(Motion(dy, dx), "Moved")

    def delete(self) -> None:
        """Remove the chosen nuclei."""
        layer, chosen = self._mask, self._choices.chosen
        if layer is None or not self._there(layer):
            return
        change = removed(np.asarray(layer.data), chosen)
        self._put(layer, change, lambda layer: drop_rows(layer, chosen))
        self._choices.selected, self._choices.chosen = 0, ()
        self._said(f"Removed {_nuclei(chosen)}.")

    def copy(self) -> None:
        """Put copies beside the chosen nuclei, and choose these."""
        layer, chosen = self._mask, self._choices.chosen
        if layer is None or not self._there(layer):
            return
        with problems_said(self._say):
            change = copied(np.asarray(layer.data), chosen, BESIDE, BESIDE)
            self._put(layer, change, lambda layer: copy_rows(layer, chosen, change, BESIDE, BESIDE))
            self._choices.selected, self._choices.chosen = 0, change.numbers
            self._said(f"Copied {_nuclei(chosen)}.")

    def _move(self, motion: Motion, word: str) -> None:
        layer, chosen = self._mask, self._choices.chosen
        if layer is None or not self._there(layer):
            return
        with problems_said(self._say):
            labels = np.asarray(layer.data)
            about, change = centre_of(labels, chosen), moved(labels, chosen, motion)
            self._put(layer, change, lambda layer: move_rows(layer, change, motion, about))
            self._said(f"{word} {_nuclei(chosen)}.")
            if len(chosen) == 1 and (motion.turn or motion.factor != 1):
                self._choices.selected = 0
                self._reshaping.take_up(layer, chosen[0])

    def _put(self, layer: Labels, change: Change, rows: Callable[[Labels], object]) -> None:
        """Change mask and table together, in one step of undo."""

        def edit(layer: Labels) -> None:
            change_labels(layer, (change.rows, change.columns), change.values)
            rows(layer)

        self._masks.edit(layer, edit)
        self.show()

    def _there(self, layer: Labels) -> bool:
        """Whether the chosen nuclei are all still in the mask; those that are gone are no longer chosen."""
        present = np.isin(self._choices.chosen, np.asarray(layer.data))
        if self._choices.chosen and not present.all():
            kept = tuple(n for n, there in zip(self._choices.chosen, present, strict=True) if there)
            self._choices.selected, self._choices.chosen = 0, kept
        return bool(self._choices.chosen)

    def _said(self, text: str) -> None:
        self._say(Note("done", text, "Ctrl+Z takes it back."))

    @staticmethod
    def _label_at(layer: Labels, y: float, x: float) -> int:
        row, column = round(y), round(x)
        height, width = layer.data.shape
        return int(layer.data[row, column]) if 0 <= row < height and 0 <= column < width else 0


def _nuclei(numbers: tuple[int, ...]) -> str:
    return f"nucleus {numbers[0]}" if len(numbers) == 1 else f"{len(numbers)} nuclei"
