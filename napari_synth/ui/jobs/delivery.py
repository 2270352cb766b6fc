"""What comes back from background jobs, delivered in one place.

It alone knows that the window was closed, that a job was cancelled, failed or replaced by a newer one,
and that the layer it was about is gone.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar, Unpack, overload

from napari_synth.core.errors import Cancelled, SynthError
from napari_synth.core.progress import CancelToken, OnProgress, Progress
from napari_synth.ui.context.notes import Note
from napari_synth.ui.jobs.lanes import Lane, Outcome, Shown

T = TypeVar("T")
L = TypeVar("L")

STOPPED = Note("stopped", "It was cancelled.", "Nothing was changed.")
LAYER_GONE = Note(
    "stopped", "The layer was deleted meanwhile, so what was made for it was dropped.", "Choose another mask."
)


class LayerWindow(Protocol):
    """What delivery must know of a window."""

    closed: bool

    def holds(self, layer: object) -> bool:
        """Whether a layer is still in it."""


def nothing(*_: object) -> None:
    """Do nothing."""


class How(Shown, total=False):
    """What `Jobs.run` takes beside work and layer, for a type checker."""

    cancelled: Note | Callable[[Progress], Note] | None
    failed: Callable[[SynthError | None], object]
    meanwhile: Callable[[], object]


@dataclass(frozen=True, eq=False)
class _Delivery:
    """What happens with what one job brings."""

    then: Callable[..., object]
    on: weakref.ref[Any] | None
    gone: Note
    cancelled: Note | Callable[[Progress], Note] | None
    failed: Callable[[SynthError | None], object]
    meanwhile: Callable[[], object]


class Jobs:
    """Runs work in the background, one after the other, and delivers what it brings on the main thread.

    Parameters
    ----------
    window : LayerWindow
    say : callable
        Takes the `Note` of what went wrong.

    Attributes
    ----------
    lane : Lane
        What job bars show.
    """

    def __init__(self, window: LayerWindow, say: Callable[[Note], object]):
        self._window = window
        self._say = say
        self._current: _Delivery | None = None
        self.lane = Lane()
        self.lane.state.events.progress.connect(self._meanwhile)

    @overload
    def run(
        self,
        title: str,
        work: Callable[[OnProgress, CancelToken], T],
        then: Callable[[T], object],
        **how: Unpack[How],
    ) -> object: ...

    @overload
    def run(
        self,
        title: str,
        work: Callable[[OnProgress, CancelToken], T],
        then: Callable[[L, T], object],
        *,
        on: L,
        gone: Note = ...,
        **how: Unpack[How],
    ) -> object: ...

    def run(
        self,
        title: str,
        work: Callable[[OnProgress, CancelToken], Any],
        then: Callable[..., object],
        *,
        on: Any = None,
        gone: Note = LAYER_GONE,
        cancelled: Note | Callable[[Progress], Note] | None = STOPPED,
        failed: Callable[[SynthError | None], object] = nothing,
        meanwhile: Callable[[], object] = nothing,
        **shown: Unpack[Shown],
    ) -> object:
        """Run ``work(on_progress, cancel)``; a job of these that still runs is replaced, and brings nothing.

        Returns what `withdraw` takes.

        Parameters
        ----------
        title : str
            What the job bar says.
        work : callable
            Must not touch layers or widgets.
        then : callable
            Takes the result; with ``on``, the layer and the result.
        on : layer, optional
            What the job is about. It is not kept alive.
        gone : Note
            What is said when that layer was deleted meanwhile.
        cancelled : Note, callable or None
            What is said when the user stopped it; a callable takes the progress reached; None: nothing.
        failed : callable
            Called when there is no result to deliver, after that is said, with the error; None: the layer is gone.
        meanwhile : callable
            Called at each progress, while this job is the newest.
        **shown
            See `Shown`.
        """
        delivery = _Delivery(then, None if on is None else weakref.ref(on), gone, cancelled, failed, meanwhile)
        self._current = delivery
        return self.lane.submit(title, work, lambda outcome: self._deliver(delivery, outcome), **shown)

    def withdraw(self, job: object) -> None:
        """Cancel this job, unless it has ended or been replaced."""
        self.lane.withdraw(job)

    def close(self) -> None:
        """Stop for good: nothing is delivered any more."""
        self._current = None
        self.lane.close()

    def _meanwhile(self) -> None:
        if self._current is not None and not self._window.closed:
            self._current.meanwhile()

    def _deliver(self, delivery: _Delivery, outcome: Outcome) -> None:
        self._current = None
        if self._window.closed:
            return
        layer = delivery.on() if delivery.on is not None else None
        if outcome.error is not None:
            note = _obstacle(delivery, outcome.error, outcome)
            if note is not None:
                self._say(note)
            delivery.failed(outcome.error)
        elif delivery.on is None:
            delivery.then(outcome.result)
        elif layer is not None and self._window.holds(layer):
            delivery.then(layer, outcome.result)
        else:
            self._say(delivery.gone)
            delivery.failed(None)


def _obstacle(delivery: _Delivery, error: SynthError, outcome: Outcome) -> Note | None:
    """What is said about an outcome without a result."""
    if isinstance(error, Cancelled):
        return delivery.cancelled(outcome.reached) if callable(delivery.cancelled) else delivery.cancelled
    return Note.of(error, outcome.details)
