"""Background jobs: run off the main thread, answer on it, the newest wins."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any, ClassVar, Required, TypedDict, Unpack

from psygnal import SignalGroupDescriptor
from qtpy.QtCore import QObject, QTimer, Signal

from napari_synth.core.errors import Cancelled, SynthError, WorkError
from napari_synth.core.progress import CancelToken, OnProgress, Progress
from napari_synth.ui.jobs.pauses import short_looks

GRACE_MS = 150
"""How long a cancelled job may take to hand in what it finished before it is left behind."""

NOT_BEGUN = Progress(0, 1)

Work = Callable[[OnProgress, CancelToken], Any]


@dataclass(frozen=True)
class Outcome:
    """How a job ended: a result or an error, never an exception.

    Attributes
    ----------
    result : object
        What the work returned; None after an error.
    error : SynthError, optional
        What went wrong, in words for the user; `Cancelled` when the user stopped it.
    details : str
        The traceback of the error.
    reached : Progress
        The last progress reported.
    """

    result: Any = None
    error: SynthError | None = None
    details: str = ""
    reached: Progress = NOT_BEGUN


OnDone = Callable[[Outcome], None]


@dataclass
class JobState:
    """What a job bar shows.

    Attributes
    ----------
    running : bool
    stopping : bool
        Cancel was pressed and the job has not ended yet.
    title : str
    unit : str
        What is counted, in the plural.
    progress : Progress
    """

    events: ClassVar[SignalGroupDescriptor] = SignalGroupDescriptor()

    running: bool = False
    stopping: bool = False
    title: str = ""
    unit: str = "steps"
    progress: Progress = NOT_BEGUN


class Shown(TypedDict, total=False):
    """What the job bar shows of a job.

    Attributes
    ----------
    total : int
        Number of items, known before the job begins.
    unit : str
        What the items are, in the plural; steps by default.
    quiet : bool
        A job of a moment, which no job bar shows; False by default.
    """

    total: Required[int]
    unit: str
    quiet: bool


@dataclass(eq=False)
class _Job:
    title: str
    work: Work
    on_done: OnDone
    total: int
    unit: str = "steps"
    quiet: bool = False
    token: CancelToken = field(default_factory=CancelToken)
    posted: bool = False

    def __post_init__(self) -> None:
        self.latest = Progress(0, self.total)


class Poster(QObject):
    """Brings values from any thread to the main thread, until it is let go.

    Qt crashes where one thread emits through an object that another deletes, so one waits for the other.
    """

    def __init__(self) -> None:
        super().__init__()
        self._gate = threading.RLock()
        self._gone = False

    def post(self, signal: Any, *values: object) -> None:
        """Emit one of the object's signals; nothing once it is let go."""
        with self._gate:
            if self._gone:
                return
            try:
                signal.emit(*values)
            except RuntimeError:  # the window was closed and took the receiver with it
                return

    def let_go(self) -> None:
        """Delete it here, in the main thread: the garbage collector may run in any other."""
        with self._gate:
            self._gone = True
        delete(self)


class Lane(Poster):
    """A queue of jobs of one kind; a new job replaces the one before it.

    One thread works for the lane, so two jobs of a kind never run at the same time. The outcome of
    a replaced job is dropped. Create it in the main thread.
    """

    idle = Signal()
    """No job is left."""
    _reported = Signal(object)
    _ended = Signal(object, object)

    def __init__(self) -> None:
        super().__init__()
        self.state = JobState()
        self._current: _Job | None = None
        self._closed = False
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="napari-synth")
        self._reported.connect(self._show_progress)
        self._ended.connect(self._end)

    def submit(self, title: str, work: Work, on_done: OnDone, **shown: Unpack[Shown]) -> object:
        """Run ``work(on_progress, cancel)`` in the background and ``on_done(outcome)`` back here.

        Returns what `withdraw` takes.

        Parameters
        ----------
        title : str
            What the job bar says.
        work : callable
            Must not touch layers or widgets.
        on_done : callable
            Called once on the main thread, unless a newer job replaces this one.
        **shown
            See `Shown`.
        """
        if self._current is not None:
            self._current.token.cancel()
        job = self._current = _Job(title, work, on_done, **shown)
        self.state.stopping = False
        if not job.quiet:
            self.state.title = title
            self.state.unit = job.unit
            self.state.progress = job.latest
        self.state.running = not job.quiet
        self._thread.submit(self._run, job)
        return job

    def withdraw(self, job: object) -> None:
        """Cancel this job, unless it has ended or been replaced."""
        if job is not None and job is self._current:
            self.cancel()

    def cancel(self) -> None:
        """Stop the job; its outcome comes within `GRACE_MS`, whatever the work is doing."""
        job = self._current
        if job is None:
            return
        job.token.cancel()
        self.state.stopping = True
        QTimer.singleShot(GRACE_MS, partial(self._leave_behind, job))

    def close(self) -> None:
        """Stop for good: nothing is delivered any more."""
        if self._closed:
            return
        self._closed = True
        if self._current is not None:
            self._current.token.cancel()
            self._current = None
        with self.state.events.blocked():  # the widgets that listen may be gone already
            self.state.running = False
        self._thread.shutdown(wait=False, cancel_futures=True)
        self.let_go()

    def _run(self, job: _Job) -> None:
        """In the lane's thread."""
        with short_looks():
            outcome = run_safely(job.title, job.work, partial(self._report, job), job.token)
        self.post(self._ended, job, outcome)

    def _report(self, job: _Job, progress: Progress) -> None:
        """In the lane's thread; many reports between two looks of the main thread become one."""
        job.latest = progress
        if not job.posted:
            job.posted = True
            self.post(self._reported, job)

    def _show_progress(self, job: _Job) -> None:
        job.posted = False
        if job is self._current and not job.quiet:
            self.state.progress = job.latest

    def _leave_behind(self, job: _Job) -> None:
        self._end(job, Outcome(error=Cancelled()))

    def _end(self, job: _Job, outcome: Outcome) -> None:
        if job is not self._current:
            return
        self._current = None
        self.state.running = False
        self.state.stopping = False
        job.on_done(Outcome(outcome.result, outcome.error, outcome.details, job.latest))
        if self._current is None:
            self.idle.emit()


class Errands(Poster):
    """Small jobs that no job bar shows: each of them is done, one after the other, on a thread of their own.

    Create it in the main thread.
    """

    _ended = Signal(object, object)

    def __init__(self) -> None:
        super().__init__()
        self._closed = False
        self._left = 0
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="napari-synth-errands")
        self._ended.connect(self._end)

    @property
    def idle(self) -> bool:
        """Whether all of them are done and delivered."""
        return not self._left

    def submit(self, title: str, work: Callable[[], Any], on_done: OnDone | None = None) -> None:
        """Run ``work()`` in the background, then ``on_done(outcome)`` back here."""
        if not self._closed:
            self._left += 1
            self._thread.submit(self._run, title, work, on_done)

    def close(self, last: Callable[[], Any]) -> None:
        """Stop for good after what is waiting and then ``last``; nothing is delivered any more."""
        if self._closed:
            return
        self._closed = True
        try:
            self._thread.submit(self._run, "Closing", last, None)
        except RuntimeError:  # Python is ending and has waited for the thread already
            self._run("Closing", last, None)
        self._thread.shutdown(wait=False)
        self.let_go()

    def _run(self, title: str, work: Callable[[], Any], on_done: OnDone | None) -> None:
        """In the thread."""
        outcome = run_safely(title, lambda progress, cancel: work(), lambda progress: None, CancelToken())
        self.post(self._ended, on_done, outcome)

    def _end(self, on_done: OnDone | None, outcome: Outcome) -> None:
        self._left -= 1
        if on_done is not None and not self._closed:
            on_done(outcome)


def delete(thing: QObject) -> None:
    """Delete a Qt object, if Qt has not done so with the window."""
    try:
        thing.deleteLater()
    except RuntimeError:  # Qt deleted it with the window already
        return


def run_safely(title: str, work: Work, on_progress: OnProgress, cancel: CancelToken) -> Outcome:
    """Run work and turn whatever it raises into an `Outcome`."""
    try:
        cancel.raise_if_cancelled()
        return Outcome(work(on_progress, cancel))
    except SynthError as error:
        return Outcome(error=error, details=traceback.format_exc())
    except MemoryError:
        problem = WorkError(f"{title} ran out of memory.", "Use a smaller mask or close other programs.")
        return Outcome(error=problem, details=traceback.format_exc())
    except Exception as error:  # any other failure must still reach the user as a sentence
        reason = str(error).strip().splitlines()
        problem = WorkError(
            f"{title} failed: {reason[0] if reason else type(error).__name__}.",
            "Try again; if it stays, copy the details and report them.",
        )
        return Outcome(error=problem, details=traceback.format_exc())
