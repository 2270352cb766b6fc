"""What the panels of one viewer share: choices, models in memory, jobs and messages."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING

from napari_synth.ui.adapters.images import ImageBook
from napari_synth.ui.adapters.layers import MaskBook
from napari_synth.ui.adapters.results import ResultBook
from napari_synth.ui.adapters.window import on_close, unwrapped
from napari_synth.ui.catalogue import Catalogue
from napari_synth.ui.changes import Changes
from napari_synth.ui.exporting import Exporting
from napari_synth.ui.inspecting import Inspecting
from napari_synth.ui.keeping import Keeping
from napari_synth.ui.live import Live
from napari_synth.ui.masking import Masking
from napari_synth.ui.rendering import Rendering
from napari_synth.ui.shelf import ModelShelf
from napari_synth.ui.state import FieldChoices, Note, Notes, Remembered, remembered_choices
from napari_synth.ui.studio import Studio
from napari_synth.ui.walking import Walking

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.components import ViewerModel

    from napari_synth.ui.adapters.jobs import Outcome

_SESSIONS: weakref.WeakKeyDictionary[ViewerModel, Session] = weakref.WeakKeyDictionary()


def session_for(viewer: ViewerModel) -> Session:
    """The session of a viewer; made on first use."""
    viewer = unwrapped(viewer)
    if viewer not in _SESSIONS:
        _SESSIONS[viewer] = Session(viewer)
    return _SESSIONS[viewer]


class Session:
    """State and actions of one viewer; get it with `session_for`.

    Attributes
    ----------
    masks : MaskBook
        The mask layers and the current one.
    images : ImageBook
        The image layers, and the one that objects are put into.
    results : ResultBook
        Rendered image layers.
    catalogue : Catalogue
        Models to choose from.
    shelf : ModelShelf
        Models in memory.
    field, look, export : FieldChoices, LookChoices, ExportChoices
        What the user chose.
    changes : Changes
        What is changed inside the networks.
    notes : Notes
        The message of each panel.
    masking, studio, rendering, exporting : Masking, Studio, Rendering, Exporting
        The actions.
    inspecting, walking : Inspecting, Walking
        The actions.
    live : Live
        The image that follows the brush.
    keeping : Keeping
        Masks that outlive a crash.
    """

    def __init__(self, viewer: ViewerModel):
        self._viewer = weakref.ref(viewer)
        self.closed = False
        self.notes = Notes()
        self.masks = MaskBook(viewer)
        self.images = ImageBook(viewer)
        self.results = ResultBook(viewer)
        self.catalogue = Catalogue()
        self.shelf = ModelShelf()
        self.changes = Changes()
        self.field = FieldChoices()
        self.look, self.export = remembered_choices()
        self.masking = Masking(self)
        self.studio = Studio(self)
        self.rendering = Rendering(self)
        self.exporting = Exporting(self)
        self.inspecting = Inspecting(self)
        self.walking = Walking(self)
        self.rendering.choose_model(self.catalogue.first(self.look.model))
        self.live = Live(self)
        self.keeping = Keeping(self)
        self._remembered = Remembered(self.look, self.export)
        on_close(viewer, self.close)

    @property
    def viewer(self) -> ViewerModel:
        """The viewer; a session that outlives it is closed."""
        viewer = self._viewer()
        if viewer is None:
            raise ReferenceError("The viewer of this session is gone.")
        return viewer

    def arrived(self, outcome: Outcome, say: Callable[[Note], None]) -> bool:
        """Whether a job's result is to be used; a failure is said, and nothing once the window is closed."""
        if self.closed:
            return False
        if outcome.error is not None:
            say(Note.of(outcome.error, outcome.details))
            return False
        return True

    def close(self) -> None:
        """Stop all jobs; what they finished is kept."""
        if self.closed:
            return
        self.closed = True
        self.live.close()
        self.keeping.close()
        for actions in (self.masking, self.studio, self.rendering, self.exporting):
            actions.lane.close()
        self.inspecting.close()
        self.walking.close()
