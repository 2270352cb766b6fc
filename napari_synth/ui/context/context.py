"""What the docks of one viewer share: layers, choices, models, messages. It does nothing by itself."""

from __future__ import annotations

import math
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from psygnal import Signal

from napari_synth.core.errors import SynthError
from napari_synth.models.registry import model_card
from napari_synth.synthesis.latents.sources import Given
from napari_synth.ui.context.choices import REMEMBERED_FIELD, CameraChoices, ColumnChoices, FieldChoices
from napari_synth.ui.context.loaded_models import LoadedModels
from napari_synth.ui.context.model_catalogue import ModelCatalogue
from napari_synth.ui.context.network_changes import NetworkChanges
from napari_synth.ui.context.noise_choices import NoiseChoices
from napari_synth.ui.context.notes import Note, Notes
from napari_synth.ui.context.opened_series import OpenedSeries
from napari_synth.ui.context.order import NO_IMAGE, NO_MASK, NO_MODEL, Condition, RenderOrder
from napari_synth.ui.context.remembered import Remembered
from napari_synth.ui.napari_bridge.density_layer import DensityLayer
from napari_synth.ui.napari_bridge.image_layers import ImageLayers
from napari_synth.ui.napari_bridge.mask_candidates import MaskCandidates
from napari_synth.ui.napari_bridge.mask_layers import MaskLayers, outline
from napari_synth.ui.napari_bridge.placement import is_stack
from napari_synth.ui.napari_bridge.preferences import preferences_now
from napari_synth.ui.napari_bridge.result_layers import ResultLayers

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Labels

    from napari_synth.core.recipe import Recipe
    from napari_synth.synthesis.request import Rendering
    from napari_synth.ui.context.loaded_models import Models
    from napari_synth.ui.napari_bridge.preferences import Preferences


class Context:
    """What the docks of one viewer share.

    Parameters
    ----------
    viewer : ViewerModel
    models : Models, optional
        Where trained models come from; loaded from their files when not given.
    preferences : callable
        Gives the preferences as they are now.

    Attributes
    ----------
    closed : bool
        The window is gone; nothing is delivered any more.
    notes : Notes
    masks : MaskLayers
        The mask layers and the current one.
    images : ImageLayers
        The image layers, and the one that objects are put into.
    series : OpenedSeries
        Folders of many masks.
    results : ResultLayers
        Rendered image layers.
    candidates : MaskCandidates
        Layers that are no masks yet but could become some.
    density : DensityLayer
        The layer that sampled nuclei follow.
    catalogue : ModelCatalogue
        Models to choose from.
    models : Models
        Models in memory.
    preferences : callable
        Gives the `Preferences` as they are now.
    changes : NetworkChanges
        What is changed inside the networks.
    field, look, camera, export, noise : FieldChoices, LookChoices, CameraChoices, ExportChoices, NoiseChoices
        What the user chose.
    column : ColumnChoices
        What is open in the column.
    remembered : Remembered
        Keeps choices for the next window.
    seconds_per_pixel : float or None
        What the last render took.
    """

    rendered = Signal(object)
    """The image of a mask was rendered as ordered and is shown; the mask's layer."""
    comparison_wanted = Signal(str)
    """Four ``looks`` or four ``styles`` of the current mask are to be shown beside each other."""

    def __init__(
        self,
        viewer: ViewerModel,
        models: Models | None = None,
        preferences: Callable[[], Preferences] = preferences_now,
    ):
        self._viewer = weakref.ref(viewer)
        self.closed = False
        self.notes = Notes()
        self.masks = MaskLayers(viewer)
        self.series = OpenedSeries(self.masks)
        self.images = ImageLayers(viewer)
        self.results = ResultLayers(viewer)
        self.density = DensityLayer(viewer)
        self.candidates = MaskCandidates(viewer)
        self.catalogue = ModelCatalogue()
        self.models: Models = models if models is not None else LoadedModels()
        self.preferences = preferences
        self.changes = NetworkChanges()
        self.field, self.camera = FieldChoices(), CameraChoices()
        self.remembered = Remembered()
        self.look, self.export = self.remembered.look, self.remembered.export
        self.export.folder = self.export.folder or preferences().folder
        self.column, self.noise = ColumnChoices(), NoiseChoices()
        self.seconds_per_pixel: float | None = None
        self.choose_model(self.catalogue.first(self.look.model))
        self.look.style = self.catalogue.known_style(self.look.model, self.look.style)
        self.remembered.keep("column", self.column, ("section", "tabs", "tab", "tour"))
        self.remembered.keep("look", self.look, ("noise", "fast", "outline"))
        self.remembered.keep("export", self.export, ("format",))
        self.remembered.keep("field", self.field, ("seed", *REMEMBERED_FIELD))
        self.remembered.keep("noise", self.noise, ("model", "option", "seed", "to_seed", "steps"))
        self.choose_pairs(self.catalogue.first_pairs(self.noise.model))
        self.look.events.seed.connect(self.use_seed)

    @property
    def viewer(self) -> ViewerModel:
        """The viewer; a context that outlives it is closed."""
        viewer = self._viewer()
        if viewer is None:
            raise ReferenceError("The viewer of this context is gone.")
        return viewer

    def holds(self, layer: object) -> bool:
        """Whether the layer is still in the viewer."""
        return not self.closed and self.masks.holds(layer)

    # ---- the model

    def choose_model(self, name: str) -> None:
        """Switch to another model; the option stays where the model has it."""
        options = self.catalogue.options(name)
        with self.look.events.paused():
            if name != self.look.model:
                self.look.latent = self.look.style = None
            self.look.model = name
            if self.look.option not in options:
                self.look.option, self.look.style = (options[0] if options else ""), None
        self.export.options = tuple(options)

    def choose_pairs(self, name: str) -> None:
        """Make pairs from noise with another model; the option stays where the model has it."""
        options = self.catalogue.options(name)
        self.noise.model = name
        if self.noise.option not in options:
            self.noise.option = options[0] if options else ""

    def open_model(self, path: str | Path) -> Note:
        """Offer the model of a file and switch to it; what is to be said about that."""
        try:
            if model_card(path).role == "pairs":
                self.choose_pairs(self.catalogue.add_pairs(path))
                text = f"Opened {self.catalogue.title(self.noise.model)}, which makes pairs from noise."
                return Note("done", text, "Open Mask ▸ From noise.")
            name = self.catalogue.add_file(path)
        except SynthError as error:
            return Note.of(error)
        self.choose_model(name)
        return Note("done", f"Opened {self.catalogue.title(name)}.", "Press Render.")

    def use_seed(self) -> None:
        """Take the latent vector from the seed again."""
        self.look.latent = None

    def take_recipe(self, recipe: Recipe, batch: Recipe, weights: str) -> None:
        """Set every control as a recipe has it.

        Parameters
        ----------
        recipe : Recipe
            Of one image.
        batch : Recipe
            Of the export it belongs to.
        weights : str
            Bundled id or path of its model.

        Raises
        ------
        InputError
            If the file of the model is missing or damaged.
        """
        source = recipe.masks[0]
        if recipe.makes(source):
            self.choose_pairs(self.catalogue.add_pairs(weights))
            self.noise.take(source, self.noise.model)
            return
        self.choose_model(weights if weights in self.catalogue.names else self.catalogue.add_file(weights))
        look, model = self.look, self.look.model
        look.option = next(iter(recipe.options), look.option)
        look.noise = recipe.seed is not None
        look.seed = look.seed if recipe.seed is None else recipe.seed
        look.latent = None if recipe.z is None else Given(tuple(recipe.z))
        look.style = tuple(recipe.style) if isinstance(recipe.style, list) else recipe.style
        look.fast = recipe.precision == "fast"
        self.camera.take(recipe.camera)
        self.changes.clear(model)
        for change in recipe.interventions:
            self.changes.put(model, change)
        self.export.variants = batch.variants
        self.export.options = tuple(batch.options)

    # ---- what is to be rendered

    def order(self, layer: Labels | None) -> RenderOrder | Note:
        """What is to be rendered of a mask now; or what is missing, in words."""
        return NO_MASK if layer is None else self.order_of(layer.name)

    def order_of(self, mask: str) -> RenderOrder | Note:
        """What is to be rendered of the mask in a layer of this name, be it there or not."""
        look = self.look
        card = self.catalogue.card(look.model)
        if card is None:
            return NO_MODEL
        condition = None
        if card.condition_channels:
            image = self.images.current
            if image is None:
                return NO_IMAGE
            condition = Condition(image.name, self.images.pixels(image), weakref.ref(image))
        return RenderOrder(
            model=look.model,
            device=look.device if look.device != "auto" else self.preferences().device,
            mask=mask,
            option=look.option,
            seed=look.used_seed,
            latent=look.latent if card.latent_size else None,
            style=look.style if card.style_size else None,
            precision=look.precision,
            interventions=self.changes.of(look.model),
            condition=condition,
            camera=self.camera.settings,
        )

    def mistaken(self) -> Note | None:
        """What is to be said where the user cannot mean the chosen mask, or it is a stack; None else."""
        layer, chosen = self.viewer.layers.selection.active, self.masks.current
        candidate = self.candidates.lookalike(layer)
        if candidate is not None and chosen is not None and self.candidates.is_source_of(layer, chosen):
            return None
        if candidate is None and chosen is not None and is_stack(chosen):
            candidate, layer = self.candidates.of(chosen), chosen
        if candidate is None or layer is None:
            return None
        kind = "an Image layer" if layer is not chosen else "no single mask"
        text = f"The selected layer {layer.name!r} is {kind}: {candidate.text}."
        action = f"Convert it: {candidate.ways[0].words} under Mask ▸ From my data; or select a mask."
        return Note("problem", text, action)

    def was_rendered(self, layer: Labels, rendering: Rendering) -> None:
        """The image of a mask is shown as it was ordered."""
        self.seconds_per_pixel = rendering.seconds / max(math.prod(rendering.image.shape[:2]), 1)
        self.show_outline(layer)
        self.rendered.emit(layer)

    def show_outline(self, layer: Labels) -> None:
        """Let the image be seen through its mask, unless the user wants it filled."""
        if self.look.outline:
            outline(layer, True)
