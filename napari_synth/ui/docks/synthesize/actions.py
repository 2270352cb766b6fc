"""Images of masks: which model and look, rendering, showing the result."""

from __future__ import annotations

import weakref
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from psygnal import Signal

from napari_synth.core.errors import Cancelled, SynthError
from napari_synth.core.seeds import random_seed
from napari_synth.ui.context.choices import Note
from napari_synth.ui.docks.jobs import STEPS, RenderWork
from napari_synth.ui.jobs.lanes import Lane
from napari_synth.ui.napari_bridge.image_layers import image_array, over_anatomy
from napari_synth.ui.napari_bridge.mask_layers import mask_array, outline, place_in_view

if TYPE_CHECKING:
    from napari.layers import Image, Labels

    from napari_synth.synthesis.request import RenderRequest
    from napari_synth.ui.jobs.lanes import Outcome
    from napari_synth.ui.session import Session

NO_MASK = Note("problem", "There is no mask layer.", "Press New mask or Sample a field in the Masks panel.")
NO_IMAGE = Note(
    "problem",
    "There is no image layer to put the objects into.",
    "Open one, or see File ▸ Open Sample ▸ Brain, two channels.",
)
NO_MODEL = Note("problem", "There is no model to render with.", "Open a .safetensors file made by napari-synth.")


class Rendering:
    """The actions of the Synthesize dock."""

    rendered = Signal()
    """An image was rendered and is shown."""

    def __init__(self, session: Session):
        self._session = session
        self.lane = Lane()
        self.lane.state.events.progress.connect(self._fill)
        self._filling: Filling | None = None
        self.milliseconds: float | None = None
        """What the last render took."""

    def choose_model(self, name: str) -> None:
        """Switch to another model; the look stays where the model has it."""
        session = self._session
        session.look.model = name
        options = session.catalogue.options(name)
        if session.look.option not in options:
            session.look.option = options[0] if options else ""
        session.export.options = tuple(options)

    def open_model(self, path: str | Path) -> None:
        """Offer the generator of a file and switch to it."""
        session = self._session
        try:
            name = session.catalogue.add_file(path)
        except SynthError as error:
            session.notes.synthesize = Note.of(error)
            return
        self.choose_model(name)
        session.notes.synthesize = Note("done", f"Opened {session.catalogue.title(name)}.", "Press Render.")

    def roll_seed(self) -> None:
        """Other noise, please."""
        self._session.look.seed = random_seed()

    def set_outline(self, on: bool) -> None:
        """Show the current mask as outlines or filled."""
        session = self._session
        session.look.outline = on
        if session.masks.current is not None:
            outline(session.masks.current, on)

    def render(self) -> None:
        """Render the current mask as chosen; a render under way is replaced."""
        session = self._session
        layer, look = session.masks.current, session.look
        if layer is None:
            session.notes.synthesize = NO_MASK
            return
        if not look.model:
            session.notes.synthesize = NO_MODEL
            return
        image = session.images.current if session.catalogue.condition(look.model) else None
        if image is None and session.catalogue.condition(look.model):
            session.notes.synthesize = NO_IMAGE
            return
        work = RenderWork(
            session.shelf,
            mask_array(layer),
            layer.name,
            look.model,
            self.request_without_mask(),
            look.device,
            image_array(image) if image is not None else None,
            image.name if image is not None else "",
            near=place_in_view(session.viewer, layer),
        )
        below = weakref.ref(image) if image is not None else None
        self.lane.submit("Rendering", work, partial(self._rendered, weakref.ref(layer), below), total=STEPS)
        self._filling = Filling(work, weakref.ref(layer), below)

    def request_without_mask(self) -> RenderRequest:
        """All that the image depends on beside the mask and the model."""
        from napari_synth.synthesis.request import RenderRequest

        look, changes = self._session.look, self._session.changes.of(self._session.look.model)
        nothing = np.zeros((0, 0), np.int32)
        return RenderRequest(
            nothing, look.option or None, look.used_seed, interventions=changes, precision=look.precision
        )

    def _fill(self) -> None:
        """Show the finished tiles of a large image."""
        filling = self._filling
        layer = filling.layer() if filling is not None else None
        if layer is None or filling.work.image is None or not self._session.masks.holds(layer):
            return
        work, below = filling.work, filling.below() if filling.below is not None else None
        look, limits = self.shown_as(work.model, work.look.option), self.channel_range(work.model)
        shown = over_anatomy(work.image, limits) if limits else None
        self._session.results.show(layer, look, work.image, None, below, shown)

    def shown_as(self, model: str, option: str | None) -> str:
        """What an image is called: its look, else its channel, else its model."""
        card = self._session.catalogue.card(model)
        return option or (card.output_channel if card is not None else "") or Path(model).stem

    def channel_range(self, model: str) -> tuple[float, float] | None:
        """Grey values of the channel that a model makes; None for one that makes a whole image."""
        card = self._session.catalogue.card(model)
        if card is None or not card.condition_channels:
            return None
        scale = card.intensities[card.output_channel]
        return scale.low, scale.high

    def as_python(self) -> str:
        """The lines that make the same image in a script or in napari's console."""
        session, look = self._session, self._session.look
        layer = session.masks.current
        name = layer.name if layer is not None else "mask"
        lines = (
            "import napari_synth as ns\n\n"
            f"model = ns.load_model({look.model!r}, device={look.device!r})\n"
            f"mask = viewer.layers[{name!r}].data\n"
        )
        beside = session.images.current if session.catalogue.condition(look.model) else None
        condition = f", condition=viewer.layers[{beside.name!r}].data" if beside is not None else ""
        precision = ', precision="fast"' if look.fast else ""
        changes = session.changes.of(look.model)
        if not changes:
            asked = f"option={look.option or None!r}, seed={look.used_seed}{condition}{precision}"
            return lines + f"image = model.render(mask, {asked}).image\n"
        inside = "".join(f"    {change!r},\n" for change in changes)
        return (
            "from napari_synth.core.recipe import Intervention\n"
            "from napari_synth.synthesis.generator import RenderRequest\n"
            + lines
            + f"changes = (\n{inside})\n"
            + f"request = RenderRequest(mask, {look.option or None!r}, {look.used_seed}, "
            + f"interventions=changes{precision})\n"
            + "image = model.run(request).image\n"
        )

    def _rendered(self, target: weakref.ref[Labels], below: weakref.ref[Image] | None, outcome: Outcome) -> None:
        session = self._session
        filling, self._filling = self._filling, None
        if session.closed:
            return
        if isinstance(outcome.error, Cancelled):
            session.notes.synthesize = _cancelled(filling, outcome)
            return
        if outcome.error is not None:
            session.notes.synthesize = Note.of(outcome.error, outcome.details)
            return
        layer = target()
        if layer is None or not session.masks.holds(layer):
            session.notes.synthesize = Note(
                "stopped",
                "The mask layer was deleted while it was rendered, so its image was dropped.",
                "Choose another mask and press Render.",
            )
            return
        self._show(layer, below() if below is not None else None, outcome)

    def _show(self, layer: Labels, anatomy: Image | None, outcome: Outcome) -> None:
        session = self._session
        rendering, recipe, device = outcome.result.rendering, outcome.result.recipe, outcome.result.device
        limits = self.channel_range(recipe.model)
        shown = over_anatomy(rendering.image, limits) if limits else None
        look = self.shown_as(recipe.model, rendering.option)
        result = session.results.show(layer, look, rendering.image, recipe, anatomy, shown)
        if session.look.outline:
            outline(layer, True)
        self.milliseconds = 1000 * rendering.seconds
        session.notes.synthesize = Note(
            "done",
            f"Rendered {result.name!r} in {self.milliseconds:.0f} ms on {device}"
            f"{', in 16 bit' if recipe.precision == 'fast' else ''}{_changed(len(recipe.interventions))}.",
            rendering.remark
            or (
                "Paint, and render again, or export pairs below."
                if shown
                else "Press the dice for other noise, or export pairs below."
            ),
        )
        self.rendered.emit()


def _changed(count: int) -> str:
    """What is said where the network was changed in the Inspect dock."""
    return f", with {count} {'change' if count == 1 else 'changes'} inside the network" if count else ""


@dataclass(frozen=True)
class Filling:
    """A large image that is shown while its tiles come in."""

    work: RenderWork
    layer: weakref.ref[Labels]
    below: weakref.ref[Image] | None


def _cancelled(filling: Filling | None, outcome: Outcome) -> Note:
    text, reached = "Rendering was cancelled.", outcome.reached
    if filling is not None and filling.work.image is not None:
        text = f"Rendering was cancelled; {reached.done} of {reached.total} tiles are done and kept."
    return Note("stopped", text, "Press Render to start again.")
