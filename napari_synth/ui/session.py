"""What the panels of one viewer share: choices, models in memory, jobs and messages."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING

from napari_synth.ui.autosave.actions import Autosave
from napari_synth.ui.context.choices import FieldChoices, Note, Notes, Remembered, remembered_choices
from napari_synth.ui.context.loaded_models import LoadedModels
from napari_synth.ui.context.model_catalogue import ModelCatalogue
from napari_synth.ui.context.network_changes import Changes
from napari_synth.ui.docks.export.actions import Exporting
from napari_synth.ui.docks.inspect.actions import Inspecting
from napari_synth.ui.docks.inspect.latent_walks import Walking
from napari_synth.ui.docks.masks.actions import Masking
from napari_synth.ui.docks.nuclei.actions import Studio
from napari_synth.ui.docks.synthesize.actions import Rendering
from napari_synth.ui.docks.synthesize.following import Live
from napari_synth.ui.napari_bridge.image_layers import ImageLayers
from napari_synth.ui.napari_bridge.mask_layers import MaskLayers
from napari_synth.ui.napari_bridge.result_layers import ResultLayers
from napari_synth.ui.napari_bridge.window import on_close, unwrapped

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.components import ViewerModel

    from napari_synth.ui.jobs.lanes import Outcome

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
    masks : MaskLayers
        The mask layers and the current one.
    images : ImageLayers
        The image layers, and the one that objects are put into.
    results : ResultLayers
        Rendered image layers.
    catalogue : ModelCatalogue
        Models to choose from.
    shelf : LoadedModels
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
    keeping : Autosave
        Masks that outlive a crash.
    """

    def __init__(self, viewer: ViewerModel):
        self._viewer = weakref.ref(viewer)
        self.closed = False
        self.notes = Notes()
        self.masks = MaskLayers(viewer)
        self.images = ImageLayers(viewer)
        self.results = ResultLayers(viewer)
        self.catalogue = ModelCatalogue()
        self.shelf = LoadedModels()
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
        self.keeping = Autosave(self)
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
