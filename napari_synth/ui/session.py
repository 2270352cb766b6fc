"""One session per viewer: it makes the context, the actions of all docks and the autosave."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from napari_synth.core.errors import unknown_name
from napari_synth.core.heap import keep_freed_memory
from napari_synth.ui.autosave.actions import MASKS, Autosave
from napari_synth.ui.autosave.banner import RecoveryBanner
from napari_synth.ui.context.context import Context
from napari_synth.ui.docks.dock import DockActions
from napari_synth.ui.docks.registry import DOCKS
from napari_synth.ui.docks.synthesize.actions import SynthesizeActions
from napari_synth.ui.jobs.pauses import look_again, short_turns
from napari_synth.ui.napari_bridge.preferences import Preferences, preferences_now
from napari_synth.ui.napari_bridge.window import on_close, unwrapped
from napari_synth.ui.opened import Opened

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_synth.ui.context.loaded_models import Models
    from napari_synth.ui.widgets.panel import Panel

A = TypeVar("A", bound=DockActions)

_SESSIONS: weakref.WeakKeyDictionary[ViewerModel, Session] = weakref.WeakKeyDictionary()


def session_for(viewer: ViewerModel) -> Session:
    """The session of a viewer; made on first use."""
    viewer = unwrapped(viewer)
    return _SESSIONS[viewer] if viewer in _SESSIONS else Session(viewer)


class Session:
    """What belongs to one viewer; get it with `session_for`.

    Parameters
    ----------
    viewer : ViewerModel
    models : Models, optional
        Where trained models come from; loaded from their files when not given.
    preferences : callable
        Gives the preferences as they are now.

    Attributes
    ----------
    context : Context
        What the docks share.
    docks : dict of DockActions
        The actions of each dock, by its key.
    autosave : Autosave
        Masks that outlive a crash.
    """

    def __init__(
        self,
        viewer: ViewerModel,
        models: Models | None = None,
        preferences: Callable[[], Preferences] = preferences_now,
    ):
        _SESSIONS[viewer] = self
        short_turns()
        keep_freed_memory()
        self.context = Context(viewer, models, preferences)
        self.docks = {key: dock.make_actions(self.context) for key, dock in DOCKS.items()}
        self.autosave = Autosave(self.context)
        synthesize = self.actions(SynthesizeActions)
        self._opened = Opened(self.context, synthesize.replaying.replay, synthesize.render)
        viewer.layers.events.removed.connect(look_again)
        on_close(viewer, self.close)

    def actions(self, kind: type[A]) -> A:
        """The actions of the dock that has actions of this kind."""
        found = self.docks[kind.key]
        if not isinstance(found, kind):
            raise TypeError(f"The dock {kind.key} has other actions than {kind.__name__}.")
        return found

    def panel(self, key: str) -> Panel:
        """A new widget of a dock; that of the masks offers back what was autosaved."""
        if key not in DOCKS:
            raise unknown_name("dock", key, list(DOCKS))
        panel = DOCKS[key].make_panel(self.docks[key])
        if key == MASKS:
            panel.show_first(RecoveryBanner(self.autosave))
        return panel

    def close(self) -> None:
        """Stop all jobs; what they finished is kept."""
        if self.context.closed:
            return
        self.context.closed = True
        self.autosave.close()
        self._opened.close()
        for actions in self.docks.values():
            actions.close()
        look_again()
