"""The image follows the brush: what is edited goes to the renderer, what it changed goes to the layer."""

from __future__ import annotations

import time
import weakref
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from psygnal import evented

from napari_synth.core.errors import Cancelled
from napari_synth.ui.context.choices import Note
from napari_synth.ui.docks.jobs import LiveWork
from napari_synth.ui.napari_bridge.image_layers import image_array
from napari_synth.ui.napari_bridge.label_edits import Edits
from napari_synth.ui.napari_bridge.preferences import live_preferences

if TYPE_CHECKING:
    from napari.layers import Image, Labels

    from napari_synth.synthesis.live.canvas import LiveCanvas
    from napari_synth.ui.jobs.lanes import Outcome
    from napari_synth.ui.session import Session

MISSES = 3
"""So many times in a row the budget may be missed before the image waits for the end of the stroke."""
BRIEF_MS = 1000
"""A job bar is shown for what takes longer."""
KINDS = {
    "partial": ("partial", "Only what the last stroke changed was computed again; the image is exact."),
    "near": (
        "near the brush",
        "The image is exact near the brush; farther away, where the edit reaches, it follows when the brush rests.",
    ),
    "preview": (
        "preview",
        "The coarse levels of the network wait for the end of the stroke; the exact image follows.",
    ),
    "full": ("full", "The whole image was computed."),
}
"""Name and explanation of each mode."""


@evented
@dataclass
class LiveState:
    """What the panel says about following.

    Attributes
    ----------
    on : bool
    on_release : bool
        Rendered at the end of a stroke, because the budget was missed.
    text : str
        What was done last, and how long it took, in short.
    details : str
        The same in sentences.
    """

    on: bool = False
    on_release: bool = False
    text: str = ""
    details: str = ""


class Live:
    """Follows the current mask while it is switched on."""

    def __init__(self, session: Session):
        self._session = session
        self.state = LiveState()
        self.milliseconds: list[float] = []
        """From edit to layer, of the last updates during strokes."""
        self._edits = Edits()
        self._canvas: LiveCanvas | None = None
        self._layer: weakref.ref[Labels] | None = None
        self._begun = self._running = self._waiting = self._settle = False
        self._job: object = None
        self._anatomy: np.ndarray | None = None
        self._last = 0.0
        self._since: float | None = None
        self._missed = 0
        self._edits.edited.connect(self._on_edited)
        self._edits.replaced.connect(self._on_replaced)
        self._edits.settled.connect(self._on_settled)
        session.masks.current_changed.connect(self._follow_current)
        session.masks.changed.connect(self._follow_current)
        session.look.events.connect(self._on_look)
        session.changes.changed.connect(self._on_look)
        session.images.changed.connect(self._on_anatomy)
        session.results.replaced.connect(self._on_other_image)
        session.rendering.lane.idle.connect(self._on_idle)

    def switch(self, on: bool) -> None:
        """Begin or stop following the current mask."""
        self.state.on = on
        self.state.on_release = False
        self._missed = 0
        self._layer = None
        self._follow_current()

    def close(self) -> None:
        """Stop for good."""
        self._edits.watch(None)
        if self._canvas is not None:
            self._canvas.forget()

    def _follow_current(self) -> None:
        layer = self._session.masks.current if self.state.on else None
        before = self._layer() if self._layer else None
        if layer is before and layer is not None:
            return
        self._layer = weakref.ref(layer) if layer is not None else None
        self._begun, self._anatomy = False, None
        if self._canvas is not None:
            self._canvas.forget()
        self._session.rendering.lane.withdraw(self._job)
        if layer is None:
            self._canvas = None
            self._edits.watch(None)
            self.state.text = "Live: waiting for a mask." if self.state.on else ""
            return
        from napari_synth.synthesis.live.canvas import LiveCanvas

        self._canvas = LiveCanvas(live_preferences().memory_bytes)
        if not self._edits.watch(layer):
            self.state.text = "Live: the image of a mask with more than two dimensions cannot follow it."

    def _on_edited(self, box: object, labels: np.ndarray) -> None:
        self._canvas.put(box, labels)
        if not self.state.on_release:
            self._request()

    def _on_replaced(self, labels: np.ndarray) -> None:
        self._begun = False
        self._canvas.reset(labels)

    def _on_settled(self) -> None:
        self._settle = True
        self._request()

    def _on_look(self) -> None:
        if self.state.on and self._layer is not None:
            self._edits.settle_soon()

    def _on_anatomy(self) -> None:
        if self._session.catalogue.condition(self._session.look.model):
            self._on_look()

    def _on_other_image(self) -> None:
        if self._canvas is not None:
            self._canvas.lost()

    def _on_idle(self) -> None:
        self._running = False
        if self._waiting:
            self._waiting = False
            self._request()

    def _request(self) -> None:
        session = self._session
        layer = self._layer() if self._layer else None
        if layer is None or session.closed or not session.masks.holds(layer):
            return
        self._since = self._since or time.perf_counter()
        if self._running:
            self._waiting = True
            return
        settled, self._settle = self._settle or not self._begun, False
        look = session.look
        if not look.model:
            return
        channel = session.catalogue.condition(look.model)
        image = session.images.current if channel else None
        if channel and image is None:
            self.state.text, self._since = f"Live: waiting for an image of the {channel}.", None
            return
        work = LiveWork(
            session.shelf,
            self._canvas,
            layer.name,
            look.model,
            look.device,
            replace(session.rendering.request_without_mask(), condition=self._pixels_of(image)),
            settled,
            image.name if image is not None else "",
        )
        below = weakref.ref(image) if image is not None else None
        done = partial(self._shown, self._canvas, weakref.ref(layer), below, self._since, settled)
        self._since = None
        self._running = True
        quiet = self._begun and self._last < BRIEF_MS
        self._job = session.rendering.lane.submit("Following the mask", work, done, total=1, quiet=quiet)

    def _pixels_of(self, image: Image | None) -> np.ndarray | None:
        """A copy of the anatomy; the same array as long as its pixels are."""
        if image is None:
            self._anatomy = None
            return None
        pixels, known = image_array(image), self._anatomy
        if known is None or pixels.ndim != 2 or pixels.dtype != known.dtype or not np.array_equal(pixels, known):
            self._anatomy = pixels
        return self._anatomy

    def _shown(
        self,
        canvas: LiveCanvas,
        target: weakref.ref[Labels],
        below: weakref.ref[Image] | None,
        since: float,
        settled: bool,
        outcome: Outcome,
    ) -> None:
        self._running, self._job = False, None
        session = self._session
        layer = target()
        if session.closed or canvas is not self._canvas or layer is None or not session.masks.holds(layer):
            return  # something else is followed now, or nothing
        if outcome.error is not None:
            self._begun = False
            if not isinstance(outcome.error, Cancelled):
                session.notes.synthesize = Note.of(outcome.error, outcome.details)
                self.state.text = "Live: see the message below."
            return
        result = outcome.result
        rendering = result.rendering
        if rendering.shape != layer.data.shape:
            return
        look = session.rendering.shown_as(result.model, rendering.option)
        complete = any(box.area == layer.data.size for box, _ in rendering.parts)
        if self._begun and not complete and session.results.find(layer, look) is None:
            self._canvas.lost()  # the user deleted the image
            self._on_settled()
            return
        session.results.refresh(
            layer,
            look,
            rendering.shape,
            rendering.parts,
            result.recipe,
            below() if below is not None else None,
            session.rendering.channel_range(result.model),
        )
        self._canvas.shown()
        if not self._begun:
            session.notes.synthesize = Note(
                "done", f"The image follows {layer.name!r}.", "Paint, choose another look, or export pairs below."
            )
            if session.look.outline:
                session.rendering.set_outline(True)
        elapsed = 1000 * (time.perf_counter() - since)
        if self._begun and not settled:
            self.milliseconds = [*self.milliseconds[-99:], elapsed]
            self._count(elapsed)
        self._begun, self._last = True, elapsed
        if rendering.mode == "near":
            self._edits.settle_at_rest()
        if rendering.remark:
            self.state.on_release = True
        self._say(elapsed, result.rendering.mode, rendering.kept, rendering.remark)

    def _count(self, elapsed: float) -> None:
        """Wait for the end of strokes once the budget was missed too often."""
        self._missed = self._missed + 1 if elapsed > live_preferences().budget_ms else 0
        if self._missed >= MISSES and not self.state.on_release:
            self.state.on_release = True
            self._session.notes.synthesize = Note(
                "done",
                f"The image took more than {live_preferences().budget_ms} ms {MISSES} times, so it now waits "
                "for the end of each stroke.",
                "Switch Live off and on to follow the brush again; the budget is in Preferences.",
            )

    def _say(self, elapsed: float, mode: str, kept: int, remark: str) -> None:
        when = ", on release" if self.state.on_release else ""
        memory = f" {kept / 2**20:.0f} MB of activations are kept for this mask." if kept else ""
        name, explanation = KINDS[mode]
        self.state.details = f"{elapsed:.0f} ms from the edit to the image. {explanation}{memory}"
        self.state.text = f"Live: {elapsed:.0f} ms, {name}{when}"
        if remark:
            self._session.notes.synthesize = Note("done", remark, "Preferences hold the memory that Live may take.")
