"""The model follows what the mask shows: axons are not rendered in H&E."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING

import numpy as np

from napari_synth.core.recipe import METADATA_KEY
from napari_synth.masks.meaning import structure_of
from napari_synth.models.card import PLURALS
from napari_synth.models.defaults import DEFAULT_GENERATOR
from napari_synth.ui.context.notes import Note
from napari_synth.ui.napari_bridge.placement import plane

if TYPE_CHECKING:
    from napari.layers import Labels

    from napari_synth.models.card import Structure
    from napari_synth.ui.context.context import Context

STRUCTURE_KEY = "structure"
"""In a layer's metadata: what one label is, where whoever made the mask knows."""


class ModelOfMask:
    """Chooses the model that fits the current mask, unless the user chose one for this mask.

    What is chosen while there is no mask is chosen for the first one.

    Parameters
    ----------
    context : Context

    Attributes
    ----------
    note : Note or None
        Why the model was chosen, as long as it is the program's choice for the current mask.
    """

    def __init__(self, context: Context):
        self.note: Note | None = None
        self._context = context
        self._chosen: weakref.WeakKeyDictionary[Labels, str] = weakref.WeakKeyDictionary()
        self._for_first = ""
        self._choosing = False
        context.look.events.model.connect(self._on_model)

    def follow(self) -> bool:
        """Choose the model for the current mask; whether that is another one, which `note` tells then."""
        context, layer = self._context, self._context.masks.current
        self.note = None
        if layer is None:
            return False
        if self._for_first:
            self._chosen[layer], self._for_first = self._for_first, ""
        wanted = self._chosen.get(layer, "")
        if wanted in context.catalogue.names:
            self._choose(wanted)
            return False
        name, reason = self._fitting(layer)
        if not name or name == context.look.model:
            return False
        self._choose(name)
        text = f"{layer.name!r} {reason}, so the model is now {context.catalogue.title(name)}."
        self.note = Note("hint", text, "Press Render, or choose another model.")
        return True

    def _choose(self, name: str) -> None:
        self._choosing = True
        try:
            self._context.choose_model(name)
        finally:
            self._choosing = False

    def _on_model(self, name: str) -> None:
        """Somebody else chose a model: the user, here or in another dock."""
        layer = self._context.masks.current
        if self._choosing:
            return
        self.note = None
        if layer is None:
            self._for_first = name
        else:
            self._chosen[layer] = name

    def _fitting(self, layer: Labels) -> tuple[str, str]:
        """The model for a mask and why; empty where the present one will do."""
        catalogue, present = self._context.catalogue, self._context.look.model
        recipe = layer.metadata.get(METADATA_KEY)
        made_with = recipe.get("model", "") if isinstance(recipe, dict) else ""
        if made_with in catalogue.names:
            return made_with, "was rendered with another model"
        card = catalogue.card(present)
        told = layer.metadata.get(STRUCTURE_KEY)
        structure: Structure | None = told if told in PLURALS else _by_shape(layer)
        if card is None or structure is None or card.structure in (structure, "structure"):
            return "", ""
        if told is None and structure == "nucleus" and card.structure != "axon":
            return "", ""  # round things may be whatever the model is for
        fitting = [
            name
            for name in (DEFAULT_GENERATOR, *catalogue.names)
            if getattr(catalogue.card(name), "structure", "") == structure
        ]
        return (fitting[0] if fitting else ""), f"holds {PLURALS[structure]}"


def _by_shape(layer: Labels) -> Structure | None:
    """What the shapes in a mask say; None for an empty mask, and for one that is only read while it is shown."""
    data = plane(layer)
    return structure_of(data) if isinstance(data, np.ndarray) and data.ndim == 2 else None
