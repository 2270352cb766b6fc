"""Masks outlive a crash: changed ones are kept now and then, and those of a lost session are offered back."""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from psygnal import SignalGroupDescriptor
from qtpy.QtCore import Qt, QTimer

from napari_synth.core.errors import SynthError
from napari_synth.ui.autosave.mask_copies import WatchedMask, add_kept, keepable, snapshot
from napari_synth.ui.autosave.store import LostSession, Store, Taken, discard, fingerprint, lost_sessions
from napari_synth.ui.context.notes import Note
from napari_synth.ui.jobs.lanes import Errands, delete

if TYPE_CHECKING:
    from pathlib import Path

    from napari.layers import Labels

    from napari_synth.ui.autosave.mask_copies import Snapshot
    from napari_synth.ui.autosave.store import KeptMask
    from napari_synth.ui.context.context import Context
    from napari_synth.ui.jobs.lanes import Outcome


MASKS = "masks"
"""The dock that says what autosave has to say."""


@dataclass
class OfferState:
    """What is offered back.

    Attributes
    ----------
    text : str
        One sentence; empty where nothing is offered.
    busy : bool
        The masks are being read or deleted.
    """

    events: ClassVar[SignalGroupDescriptor] = SignalGroupDescriptor()

    text: str = ""
    busy: bool = False


class Autosave:
    """Autosave and recovery of the masks of one viewer."""

    def __init__(self, context: Context):
        self._context = context
        self.offer = OfferState()
        self._lost: list[LostSession] = []
        self._store = Store()
        self._errands = Errands()
        self._masks: weakref.WeakKeyDictionary[Labels, WatchedMask] = weakref.WeakKeyDictionary()
        self._keys = itertools.count(1)
        self._due: list[WatchedMask] = []
        self._working = self._failed = False
        self._wait = QTimer(singleShot=True, timerType=Qt.TimerType.PreciseTimer)
        self._wait.timeout.connect(self._begin)
        self._turn = QTimer(singleShot=True, interval=0)
        self._turn.timeout.connect(self._copy)
        context.masks.changed.connect(self._follow_layers)
        self._follow_layers()
        self._errands.submit("Looking for autosaved masks", lost_sessions, self._found)

    def close(self) -> None:
        """The window ends as it should: nothing is kept any longer."""
        for watched in self._masks.values():
            watched.leave()
        self._errands.close(self._store.close)
        for timer in (self._wait, self._turn):
            delete(timer)

    @property
    def idle(self) -> bool:
        """Whether nothing is being copied or written, and nothing waits for it."""
        return not self._working and not self._wait.isActive() and self._errands.idle

    # ---- keeping

    def _follow_layers(self) -> None:
        context = self._context
        if context.closed:
            return
        for layer, watched in list(self._masks.items()):
            if not context.masks.holds(layer):
                watched.leave()
                del self._masks[layer]
                self._errands.submit("Forgetting a mask", partial(self._store.drop, watched.key))
        for layer in context.masks.layers:
            if layer not in self._masks and keepable(layer):
                self._watch(layer)

    def _watch(self, layer: Labels) -> None:
        watched = self._masks[layer] = WatchedMask(layer, next(self._keys), self._touched)
        if watched.dirty:
            self._touched()
            return
        as_it_is = partial(_fingerprint, snapshot(layer, layer.data))
        self._errands.submit("Looking at a mask", as_it_is, partial(self._looked, watched))

    def _looked(self, watched: WatchedMask, outcome: Outcome) -> None:
        """What was there before any edit needs no keeping."""
        if outcome.error is None and not watched.touched:
            self._store.note(watched.key, outcome.result)

    def _touched(self) -> None:
        if self._working or self._wait.isActive():
            return
        seconds = self._context.preferences().autosave_seconds
        if seconds > 0:
            self._wait.start(round(1000 * seconds))

    def _begin(self) -> None:
        self._working = True
        self._due = [watched for watched in self._masks.values() if watched.dirty]
        self._next()

    def _next(self) -> None:
        if self._due:
            self._due[0].begin()
            self._turn.start()
            return
        self._working = False
        if any(watched.dirty for watched in self._masks.values()):
            self._touched()

    def _copy(self) -> None:
        watched = self._due[0]
        taken = watched.advance()
        if taken is not None:
            done = partial(self._kept, watched)
            self._errands.submit("Autosaving a mask", partial(_put, self._store, watched.key, taken), done)
        elif watched.copying:
            self._turn.start()
        else:
            self._due.pop(0)
            self._next()

    def _kept(self, watched: WatchedMask, outcome: Outcome) -> None:
        if outcome.error is not None:
            watched.dirty = True
            if not self._failed:
                seconds = self._context.preferences().autosave_seconds
                self._say(
                    Note(
                        "problem",
                        f"Autosave: {outcome.error.problem}",
                        f"Painting goes on; it is tried again every {seconds} s.",
                        outcome.details,
                    )
                )
        self._failed = outcome.error is not None
        self._due.pop(0)
        self._next()

    # ---- recovery

    def bring_back(self) -> None:
        """Add the offered masks to the viewer; files that cannot be read stay where they are."""
        if self._lost and not self.offer.busy:
            self.offer.busy = True
            self._errands.submit("Reading the autosaved masks", partial(Taken, self._lost[0]), self._taken)

    def discard(self) -> None:
        """Delete the offered masks."""
        if self._lost and not self.offer.busy:
            self.offer.busy = True
            self._errands.submit("Deleting the autosaved masks", partial(discard, self._lost[0]), self._discarded)

    def _found(self, outcome: Outcome) -> None:
        if self._arrived(outcome):
            self._lost = outcome.result
            self._show_offer()

    def _taken(self, outcome: Outcome) -> None:
        if not self._arrived(outcome):
            self._decided(None)
            return
        taken: Taken = outcome.result
        problems: list[SynthError] = list(taken.problems)
        names = []
        for path, mask in taken.masks:
            try:
                names.append(self._add(path, mask).name)
            except SynthError as error:
                problems.append(error)
        self._say(_brought(names, problems))
        self._errands.submit("Closing the autosaved masks", taken.release, self._released)

    def _add(self, path: Path, mask: KeptMask) -> Labels:
        layer = add_kept(self._context.viewer, mask)
        watched = self._masks[layer]
        self._errands.submit("Taking over a mask", partial(_adopt, self._store, watched.key, path, mask), self._adopted)
        return layer

    def _adopted(self, outcome: Outcome) -> None:
        if outcome.error is not None:
            self._say(Note.of(outcome.error, outcome.details))

    def _released(self, outcome: Outcome) -> None:
        left = outcome.result if self._arrived(outcome) else None
        self._decided(left)

    def _discarded(self, outcome: Outcome) -> None:
        if self._arrived(outcome):
            self._say(Note("done", "Discarded the autosaved masks.", "Sample a field, or make a new mask."))
        self._decided(None)

    def _decided(self, left: LostSession | None) -> None:
        """Go on to what is offered next; what is left of this comes last."""
        self._lost = [*self._lost[1:], *([left] if left else [])]
        self._show_offer()

    def _show_offer(self) -> None:
        self.offer.busy = False
        self.offer.text = _sentence(self._lost[0]) if self._lost else ""

    def _arrived(self, outcome: Outcome) -> bool:
        """Whether there is a result to use; a failure is said, and nothing once the window is closed."""
        if outcome.error is not None and not self._context.closed:
            self._say(Note.of(outcome.error, outcome.details))
        return outcome.error is None and not self._context.closed

    def _say(self, note: Note) -> None:
        self._context.notes.say(MASKS, note)


def _fingerprint(mask: Snapshot) -> int:
    return fingerprint(mask.kept())


def _put(store: Store, key: int, mask: Snapshot) -> None:
    store.put(key, mask.kept())


def _adopt(store: Store, key: int, path: Path, mask: KeptMask) -> None:
    store.adopt(key, path, mask)


def _sentence(lost: LostSession) -> str:
    when = datetime.fromtimestamp(lost.ended).strftime("%Y-%m-%d at %H:%M")
    layers = "1 layer" if lost.count == 1 else f"{lost.count} layers"
    return f"Masks of a session that ended unexpectedly on {when}: {layers}."


def _brought(names: list[str], problems: Sequence[SynthError]) -> Note:
    back = f"Brought back {', '.join(repr(name) for name in names)}." if names else ""
    if not problems:
        return Note("done", back, "They are as they were autosaved; go on painting.")
    first = problems[0].problem
    others = len(problems) - 1
    more = (f" So are {others} others." if others > 1 else " So is 1 other.") if others else ""
    return Note("problem", f"{first}{more}", f"{back} {problems[0].action}".strip())
