"""The microscope: capsules as layers, which of them answer to a structure, changes inside the network."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_synth.core.quantities import moment_text
from napari_synth.core.recipe import Intervention
from napari_synth.models.defaults import DEFAULT_CAPSULES
from napari_synth.synthesis.architectures.registry import stages_of
from napari_synth.ui.context.network_changes import change_words, unit_of
from napari_synth.ui.context.notes import Note
from napari_synth.ui.context.order import MASK_FIRST
from napari_synth.ui.docks.dock import Command, DockActions
from napari_synth.ui.docks.inspect.choices import InspectChoices
from napari_synth.ui.docks.inspect.jobs import LOOKING_STEPS, LookWork, Seen, UnchangedImages
from napari_synth.ui.docks.inspect.latent_walks import LatentWalks
from napari_synth.ui.docks.inspect.ranking import CapsuleRanking
from napari_synth.ui.napari_bridge.mask_layers import mask_array
from napari_synth.ui.napari_bridge.stack_layers import (
    CAPSULES,
    IMAGE_DIFFERENCE,
    LENGTHS,
    ROUTING,
    WALK,
    StackKey,
    StackLayers,
)

if TYPE_CHECKING:
    from napari.layers import Image, Labels

    from napari_synth.core.errors import SynthError
    from napari_synth.nets.capsule_stages import Stage
    from napari_synth.synthesis.latents.sources import Source
    from napari_synth.ui.context.context import Context
    from napari_synth.ui.context.network_changes import Unit
    from napari_synth.ui.context.order import RenderOrder

KEPT = (CAPSULES, LENGTHS, ROUTING)
"""What the network keeps for a layer to show."""


def _cancelled(what: str) -> Note:
    return Note("stopped", f"{what} was cancelled.", "Nothing was changed.")


class InspectActions(DockActions):
    """The actions of the Inspect dock.

    Attributes
    ----------
    choices : InspectChoices
    stacks : StackLayers
        The layers of the microscope.
    ranking : CapsuleRanking
        Which capsules answer to a structure.
    walks : LatentWalks
        Latent vectors and walks between them.
    """

    key = "inspect"
    hint = Note("hint", "Choose a layer of the network and press Show capsules, or rank them for a structure.")

    def __init__(self, context: Context):
        super().__init__(context)
        self.choices = InspectChoices()
        context.remembered.keep("inspect", self.choices, ("everywhere",))
        self.stacks = StackLayers(context.viewer)
        self.ranking = CapsuleRanking(self)
        self.walks = LatentWalks(context, self.stacks, self.choices, self.say, self.ordered, self.look_at)
        self._unchanged = UnchangedImages()
        self._wanted: set[StackKey] = set()
        self._go_to: dict[str, int] = {}
        self.stacks.looked_at.connect(self.refresh)
        context.rendered.connect(self._follow)
        context.look.events.model.connect(self._on_model)
        self._on_model()

    def close(self) -> None:
        self.ranking.close()
        self.walks.close()
        super().close()

    @property
    def next_step(self) -> Note:
        return self.hint if self.context.masks.layers else MASK_FIRST

    @property
    def stages(self) -> tuple[Stage, ...]:
        """Layers of the chosen model; empty for one without capsules."""
        card = self.context.catalogue.card(self.context.look.model)
        return stages_of(card) if card else ()

    def stage(self, name: str = "") -> Stage | None:
        """A layer of the chosen model by name; the chosen layer when none is given."""
        return next((stage for stage in self.stages if stage.name == (name or self.choices.layer)), None)

    @property
    def advised(self) -> str:
        """A model with capsules that can be chosen; empty when there is none."""
        names = [name for name in self.context.catalogue.names if self._has_capsules(name)]
        return DEFAULT_CAPSULES if DEFAULT_CAPSULES in names else next(iter(names), "")

    def use_advised(self) -> None:
        """Choose a model with capsules."""
        if self.advised:
            self.context.choose_model(self.advised)

    def ordered(self) -> tuple[Labels, RenderOrder] | None:
        """The current mask and how it is rendered; None after saying what is missing."""
        context = self.context
        layer = context.masks.current
        order = context.order(layer)
        if layer is None or isinstance(order, Note):
            self.say(order if isinstance(order, Note) else self.hint)
            return None
        if not self.stages:
            title = context.catalogue.title(order.model)
            self.say(Note("problem", f"The model {title!r} has no capsules.", "Choose one that has, above."))
            return None
        return layer, order

    # ---- capsules as layers

    def show(self, what: str, layer: str = "", **steps: int) -> None:
        """Show the capsules, lengths or routing of a layer, and move the sliders.

        Parameters
        ----------
        what : {'capsules', 'lengths', 'routing'}
        layer : str
            The chosen one when empty.
        steps : int
            Where the sliders go, by axis.
        """
        stage = self.stage(layer)
        if stage is not None and what == ROUTING and not stage.inputs:
            text = f"{stage.name} is a plain convolution and routes nothing."
            self.say(Note("problem", text, "Choose another layer."))
            return
        if stage is not None:
            self._wanted.add(StackKey(stage.name, what))
        self._go_to = steps
        self.refresh()

    def refresh(self) -> None:
        """Render as things are now; image, difference and shown capsules follow."""
        ordered = self.ordered()
        if ordered is None:
            return
        layer, order = ordered
        views = self._wanted | self._shown(layer)
        capture = tuple(sorted({key.stage for key in views if key.what != ROUTING}))
        routing = tuple(sorted({key.stage for key in views if key.what == ROUTING}))
        work = LookWork(self.context.models, order, mask_array(layer), self._unchanged, capture, routing)
        self.context.results.expect(layer)
        self.jobs.run(
            "Looking",
            work,
            partial(self._seen, views),
            on=layer,
            total=LOOKING_STEPS,
            cancelled=_cancelled("Looking"),
            failed=self._saw_nothing,
        )

    def look_at(self, source: Source) -> None:
        """Render with another latent vector."""
        self.context.look.latent = source
        self._leave_walk()
        self.refresh()

    @property
    def structure(self) -> str:
        """What the structures of the chosen model are called."""
        card = self.context.catalogue.card(self.context.look.model)
        return "structure" if card is None else card.structure

    def rank_under_cursor(self) -> None:
        """Rank for what lies under the cursor."""
        self.context.column.open_tab(self.key)
        self.ranking.rank_at(self.ranking.picker.under_cursor)

    commands = (Command("rank", "Rank capsules for what is under the cursor", rank_under_cursor, "Shift+G"),)

    def show_unit(self, unit: Unit) -> None:
        """Choose a capsule or channel and show it."""
        self.choose(unit)
        layer, capsule, channel = unit
        if channel is None:
            self.show(LENGTHS, layer, capsule=capsule)
        else:
            self.show(CAPSULES, layer, capsule=capsule, pose=channel)

    def choose(self, unit: Unit) -> None:
        """Choose what is changed; the layer becomes the chosen one."""
        choices = self.choices
        choices.layer, choices.capsule = unit[0], unit[1]
        choices.channel = -1 if unit[2] is None else unit[2]

    def choose_layer(self, name: str) -> None:
        """Choose a layer; the capsule and the channel stay where it has them."""
        stage = self.stage(name)
        if stage is not None:
            choices = self.choices
            choices.layer = name
            choices.capsule = min(choices.capsule, stage.capsules - 1)
            choices.channel = min(choices.channel, stage.channels - 1)

    # ---- changes inside the network

    @property
    def active_changes(self) -> tuple[Intervention, ...]:
        """What is changed in the chosen model."""
        return self.context.changes.of(self.context.look.model)

    @property
    def active_change(self) -> Intervention | None:
        """The change of the chosen unit."""
        return next((change for change in self.active_changes if unit_of(change) == self.choices.unit), None)

    def change(self, *, scale: float = 1.0, value: float | None = None) -> None:
        """Scale the chosen unit, or set it; the image follows."""
        if self.ordered() is None:
            return
        layer, capsule, channel = self.choices.unit
        change = Intervention(layer=layer, capsule=capsule, channel=channel, scale=scale, value=value)
        self.context.changes.put(self.context.look.model, change)
        self._leave_walk()
        self.refresh()

    def _leave_walk(self) -> None:
        """Look at the image again, and at the difference, where a walk covers them."""
        layer = self.context.masks.current
        walks = [key for key in self.stacks.visible(layer) if key.what == WALK] if layer is not None else []
        if walks and layer is not None:
            self.stacks.hide(layer, walks)
            self.stacks.reveal(layer, IMAGE_DIFFERENCE)

    def reset(self, unit: Unit | None = None) -> None:
        """Take the change of a unit back, the chosen one when none is given; the image follows."""
        self._restored(self.context.changes.remove(self.context.look.model, unit or self.choices.unit))

    def reset_all(self) -> None:
        """Take all changes back; the image is what it was."""
        self._restored(self.context.changes.clear(self.context.look.model))

    def _restored(self, was_changed: bool) -> None:
        if was_changed:
            self.refresh()
        else:
            self.say(Note("hint", "Nothing was changed there.", "Switch off or scale a capsule."))

    # ---- what comes back

    def _saw_nothing(self, error: SynthError | None) -> None:
        self._wanted = set()
        self.context.results.expect(None)

    def _seen(self, views: set[StackKey], layer: Labels, seen: Seen) -> None:
        context, stacks = self.context, self.stacks
        asked, self._wanted = self._wanted, set()
        look = context.catalogue.shown_as(seen.recipe.model, seen.rendering.option)
        context.results.show(layer, look, seen.rendering.image, seen.recipe)
        context.results.expect(None)
        context.show_outline(layer)
        compared = stacks.find(layer, IMAGE_DIFFERENCE) is not None
        if seen.recipe.interventions or compared:
            stacks.show_difference(layer, seen.difference, seen.recipe)
        if seen.recipe.interventions and not compared:  # what covers the image would hide the first difference
            stacks.hide(layer, [key for key in stacks.of(layer) if key != IMAGE_DIFFERENCE])
        if asked:
            stacks.hide(layer, self._kept(layer))
        for key in sorted(views):
            self._show(layer, key, seen, asked_for=key in asked)
        stacks.outdate(layer, [key for key in self._kept(layer) if key not in views])
        if self._go_to:
            stacks.go_to(**self._go_to)
            self._go_to = {}
        self.say(self._report(seen, views))

    def _show(self, layer: Labels, key: StackKey, seen: Seen, asked_for: bool) -> None:
        """Put one stack into its layer."""
        stage, known = self.stage(key.stage), self.stacks.find(layer, key) is not None
        if stage is None or not (asked_for or known):  # another model was chosen, or the layer was deleted
            return
        if key.what == ROUTING and not known:
            self._go_to.setdefault("iteration", len(seen.rendering.routing[key.stage]) - 1)
        stack = self._put(layer, stage, key, seen)
        stack.visible = stack.visible or asked_for

    def _put(self, layer: Labels, stage: Stage, key: StackKey, seen: Seen) -> Image:
        kept = seen.rendering
        settings: dict[str, Any] = {}
        if key.what == CAPSULES:
            stack, settings = kept.activations[stage.name], {"fitted": True, "colormap": "viridis"}
        elif key.what == LENGTHS:
            stack, settings = lengths_stack(seen.lengths[stage.name], stage.channels), {"colormap": "magma"}
        else:
            stack, settings = routing_stack(kept.routing[stage.name], stage.channels), {"colormap": "inferno"}
        if key.what != CAPSULES:
            settings["contrast_limits"] = (0, max(float(stack.max()), 1e-6))
        return self.stacks.put(layer, key, stack, seen.recipe, stage.factor, **settings)

    def _kept(self, layer: Labels) -> list[StackKey]:
        """The layers that show capsules, lengths or routing."""
        return [key for key in self.stacks.of(layer) if key.what in KEPT]

    def _shown(self, layer: Labels) -> set[StackKey]:
        """What of the chosen network is shown; layers whose eye is off follow when they are looked at."""
        known = {stage.name for stage in self.stages}
        return {key for key in self.stacks.visible(layer) if key.what in KEPT and key.stage in known}

    def _report(self, seen: Seen, views: set[StackKey]) -> Note:
        time = f"in {moment_text(seen.rendering.seconds)} on {seen.device}"
        changes = seen.recipe.interventions
        if changes:
            much, most = np.abs(seen.difference).mean(), np.abs(seen.difference).max()
            what = change_words(changes[-1]) if len(changes) == 1 else f"{len(changes)} changes"
            return Note(
                "done",
                f"{what}. The image changed by {much:.2f} grey levels on average, {most} at most ({time}).",
                "Reset brings it back exactly.",
            )
        if views:
            return Note("done", f"Rendered {time}.", "Move the sliders capsule and pose below the image.")
        text = f"Rendered {time}; nothing is changed in the network."
        return Note("done", text, "Rank the capsules for a structure.")

    # ---- what others do

    def _follow(self, layer: Labels) -> None:
        """The image was rendered; what is shown of the network follows."""
        if layer is self.context.masks.current and self.stages and self.stacks.of(layer):
            self.refresh()

    def _on_model(self) -> None:
        names = [stage.name for stage in self.stages]
        if names and self.choices.layer not in names:
            self.choices.layer = "convcaps4" if "convcaps4" in names else names[0]

    def _has_capsules(self, name: str) -> bool:
        card = self.context.catalogue.card(name)
        return card is not None and bool(stages_of(card))


def lengths_stack(lengths: np.ndarray, channels: int) -> np.ndarray:
    """Lengths of capsules beside their poses, ``(capsule, pose, y, x)``: the same at every pose."""
    return np.broadcast_to(lengths[:, None], (len(lengths), channels, *lengths.shape[1:]))


def routing_stack(coefficients: np.ndarray, channels: int) -> np.ndarray:
    """Routing coefficients ``(iteration, input, 1, capsule, pose, y, x)``: the same at every pose."""
    stack = coefficients[:, :, None, :, None]
    return np.broadcast_to(stack, (*stack.shape[:4], channels, *stack.shape[5:]))
