"""The image follows the brush: what is edited goes to the renderer, what it changed goes to the layer."""

from __future__ import annotations

import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from psygnal import SignalGroupDescriptor
from qtpy.QtCore import QTimer

from napari_synth.core.errors import Cancelled
from napari_synth.ui.context.notes import Note
from napari_synth.ui.docks.synthesize.jobs import FollowWork
from napari_synth.ui.jobs.lanes import delete
from napari_synth.ui.napari_bridge.label_edits import Edits

if TYPE_CHECKING:
    from napari.layers import Labels

    from napari_synth.core.boxes import Box
    from napari_synth.core.errors import SynthError
    from napari_synth.synthesis.live.canvas import LiveCanvas
    from napari_synth.synthesis.live.follower import Mode
    from napari_synth.ui.context.context import Context
    from napari_synth.ui.docks.synthesize.jobs import Followed
    from napari_synth.ui.jobs.delivery import Jobs

MISSES = 3
"""So many times in a row the budget may be missed before the image waits for the end of the stroke."""
BRIEF_MS = 1000
"""A job bar is shown for what takes longer."""
MODE_WORDS: dict[Mode, tuple[str, str]] = {
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


@dataclass
class FollowState:
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

    events: ClassVar[SignalGroupDescriptor] = SignalGroupDescriptor()

    on: bool = False
    on_release: bool = False
    text: str = ""
    details: str = ""


class FollowedLayer:
    """One mask that is followed, born with all it needs.

    Attributes
    ----------
    layer : Labels
    canvas : LiveCanvas
    begun : bool
        Its image is on the screen and parts of it can be put into it.
    running, waiting : bool
        A job is under way; another is to follow.
    settle : bool
        The next job brings the exact image.
    since : float or None
        When the oldest edit was made that is not on the screen yet.
    last_ms : float
        What the last job took, from edit to layer.
    job : object
    """

    def __init__(self, layer: Labels, memory: int):
        from napari_synth.synthesis.live.canvas import LiveCanvas

        self._layer = weakref.ref(layer)
        self.canvas: LiveCanvas = LiveCanvas(memory)
        self.begun = self.running = self.waiting = self.settle = False
        self.since: float | None = None
        self.last_ms = 0.0
        self.job: object = None

    @property
    def layer(self) -> Labels | None:
        """The mask's layer, while it exists."""
        return self._layer()


class Following:
    """Follows the current mask while it is switched on.

    Parameters
    ----------
    context : Context
    jobs : Jobs
        Those of the dock: a render of the same mask and its following never run side by side.
    say : callable
    """

    def __init__(self, context: Context, jobs: Jobs, say: Callable[[Note], object]):
        self._context = context
        self._jobs = jobs
        self._say = say
        self.state = FollowState()
        self.milliseconds: list[float] = []
        """From edit to layer, of the last updates during strokes."""
        self._followed: FollowedLayer | None = None
        self._missed = 0
        self._edits = Edits()
        self._look_changed = QTimer(singleShot=True, interval=0)
        self._look_changed.timeout.connect(self._follow_look)
        self._edits.edited.connect(self._on_edited)
        self._edits.replaced.connect(self._on_replaced)
        self._edits.settled.connect(self._on_settled)
        context.masks.current_changed.connect(self._follow_current)
        context.masks.changed.connect(self._follow_current)
        context.look.events.connect(self._on_look)
        context.camera.events.connect(self._on_look)
        context.changes.changed.connect(self._on_look)
        context.images.changed.connect(self._on_anatomy)
        context.results.replaced.connect(self._on_other_image)
        jobs.lane.idle.connect(self._on_idle)

    @property
    def busy(self) -> bool:
        """Whether an update is under way or waits for one."""
        return self._followed is not None and (self._followed.running or self._followed.waiting)

    def switch(self, on: bool) -> None:
        """Begin or stop following the current mask."""
        self.state.on = on
        self.state.on_release = False
        self._missed = 0
        self._leave()
        self._follow_current()

    def close(self) -> None:
        """Stop for good."""
        self._leave()
        self._edits.close()
        delete(self._look_changed)

    def _leave(self) -> None:
        """Follow nothing, and give the memory back."""
        self._edits.watch(None)
        if self._followed is not None:
            self._jobs.withdraw(self._followed.job)
            self._followed.canvas.forget()
            self._followed = None

    def _follow_current(self) -> None:
        layer = self._context.masks.current if self.state.on else None
        if layer is not None and self._followed is not None and self._followed.layer is layer:
            return
        self._leave()
        if layer is None:
            self.state.text = "Live: waiting for a mask." if self.state.on else ""
            return
        self._followed = FollowedLayer(layer, self._context.preferences().memory_bytes)
        if not self._edits.watch(layer):
            self.state.text = "Live: the image of a mask with more than two dimensions cannot follow it."

    # ---- what is edited

    def _on_edited(self, box: Box, labels: np.ndarray) -> None:
        if self._followed is not None:
            self._followed.canvas.put(box, labels)
            if not self.state.on_release:
                self._request()

    def _on_replaced(self, labels: np.ndarray) -> None:
        if self._followed is not None:
            self._followed.begun = False
            self._followed.canvas.reset(labels)

    def _on_settled(self) -> None:
        if self._followed is not None:
            self._followed.settle = True
            self._request()

    def _on_look(self) -> None:
        if self._followed is not None:
            self._look_changed.start()

    def _on_anatomy(self) -> None:
        if self._context.catalogue.condition(self._context.look.model):
            self._on_look()

    def _follow_look(self) -> None:
        """Show the mask in the new look, unless another dock is rendering just that."""
        followed = self._followed
        layer = followed.layer if followed is not None else None
        if layer is not None and not self._context.results.awaited(layer):
            self._on_settled()

    def _on_other_image(self) -> None:
        if self._followed is not None:
            self._followed.canvas.lost()

    # ---- what is rendered

    def _on_idle(self) -> None:
        followed = self._followed
        if followed is not None:
            followed.running = False
            if followed.waiting:
                followed.waiting = False
                self._request()

    def _request(self) -> None:
        context, followed = self._context, self._followed
        layer = followed.layer if followed is not None else None
        if followed is None or layer is None or not context.holds(layer):
            return
        followed.since = followed.since or time.perf_counter()
        if followed.running:
            followed.waiting = True
            return
        order = context.order(layer)
        if isinstance(order, Note):
            channel = context.catalogue.condition(context.look.model)
            self.state.text = f"Live: waiting for an image of the {channel}." if channel else ""
            followed.since = None
            return
        settled, followed.settle = followed.settle or not followed.begun, False
        since, followed.since = followed.since, None
        followed.running = True
        quiet = followed.begun and followed.last_ms < BRIEF_MS
        work = FollowWork(context.models, order, followed.canvas, settled)

        def shown(layer: Labels, result: Followed) -> None:
            followed.running = False
            if followed is self._followed:
                self._show(layer, followed, work, result, since)

        def failed(error: SynthError | None) -> None:
            followed.running = followed.begun = False
            if followed is self._followed and not isinstance(error, Cancelled):
                self.state.text = "Live: see the message below."

        followed.job = self._jobs.run(
            "Following the mask", work, shown, on=layer, total=1, quiet=quiet, cancelled=None, failed=failed
        )

    def _show(self, layer: Labels, followed: FollowedLayer, work: FollowWork, result: Followed, since: float) -> None:
        context, rendering, order = self._context, result.rendering, work.order
        if rendering.shape != layer.data.shape:
            return
        look = context.catalogue.shown_as(order.model, rendering.option)
        complete = any(box.area == layer.data.size for box, _ in rendering.parts)
        if followed.begun and not complete and context.results.find(layer, look) is None:
            followed.canvas.lost()  # the user deleted the image
            self._on_settled()
            return
        limits = context.catalogue.channel_range(order.model)
        context.results.refresh(layer, look, rendering.shape, rendering.parts, result.recipe, order.beside, limits)
        followed.canvas.shown()
        if not followed.begun:
            text = f"The image follows {layer.name!r}."
            self._say(Note("done", text, "Paint, choose another look, or go on to Export."))
            context.show_outline(layer)
        elapsed = 1000 * (time.perf_counter() - since)
        if followed.begun and not work.settled:
            self.milliseconds = [*self.milliseconds[-99:], elapsed]
            self._count(elapsed)
        followed.begun, followed.last_ms = True, elapsed
        if rendering.mode == "near":
            self._edits.settle_at_rest()
        if rendering.remark:
            self.state.on_release = True
            self._say(Note("done", rendering.remark, "Preferences hold the memory that Live may take."))
        self._tell(elapsed, rendering.mode, rendering.kept)

    def _count(self, elapsed: float) -> None:
        """Wait for the end of strokes once the budget was missed too often."""
        budget = self._context.preferences().budget_ms
        self._missed = self._missed + 1 if elapsed > budget else 0
        if self._missed >= MISSES and not self.state.on_release:
            self.state.on_release = True
            self._say(
                Note(
                    "done",
                    f"The image took more than {budget} ms {MISSES} times, so it now waits for the end of each stroke.",
                    "Switch Live off and on to follow the brush again; the time is in Preferences.",
                )
            )

    def _tell(self, elapsed: float, mode: Mode, kept: int) -> None:
        when = ", on release" if self.state.on_release else ""
        memory = f" {kept / 2**20:.0f} MB of activations are kept for this mask." if kept else ""
        name, explanation = MODE_WORDS[mode]
        self.state.details = f"{elapsed:.0f} ms from the edit to the image. {explanation}{memory}"
        self.state.text = f"Live: {elapsed:.0f} ms, {name}{when}"
