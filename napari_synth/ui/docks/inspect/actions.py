"""The microscope: capsules as layers, which of them answer to a structure, changes inside the network."""

from __future__ import annotations

import weakref
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from psygnal import Signal

from napari_synth.core.errors import Cancelled, SynthError
from napari_synth.core.recipe import Intervention
from napari_synth.models.defaults import DEFAULT_CAPSULES
from napari_synth.synthesis.architectures.registry import stages_of
from napari_synth.ui.context.choices import InspectChoices, Note
from napari_synth.ui.context.network_changes import change_words, unit_of, unit_words
from napari_synth.ui.docks.inspect.jobs import LOOKING_STEPS, LookWork, Ranked, RankWork, Scene, Seen, UnchangedImages
from napari_synth.ui.docks.synthesize.actions import NO_MASK, NO_MODEL
from napari_synth.ui.jobs.lanes import Lane
from napari_synth.ui.napari_bridge.click_picker import Picker, pixel_of
from napari_synth.ui.napari_bridge.mask_layers import mask_array, outline
from napari_synth.ui.napari_bridge.stack_layers import DIFFERENCE, StackLayers

if TYPE_CHECKING:
    from napari.layers import Image, Labels

    from napari_synth.nets.capsule_stages import Stage
    from napari_synth.synthesis.latents.sources import Source
    from napari_synth.ui.context.network_changes import Unit
    from napari_synth.ui.jobs.lanes import Outcome
    from napari_synth.ui.session import Session

CAPSULES, LENGTHS, ROUTING, WALK = "capsules", "lengths", "routing", "walk"
View = tuple[str, str]
"""Layer and what is shown of it."""


class Inspecting:
    """The actions of the Inspect dock, beside walks."""

    ranked = Signal()
    """There is another ranking."""

    def __init__(self, session: Session):
        self._session = session
        self.choices = InspectChoices()
        self.lane = Lane()
        self.ranking_lane = Lane()
        self.book = StackLayers(session.viewer)
        self.picker = Picker(session.viewer)
        self.ranking: Ranked | None = None
        self.z: Source | None = None
        """Where the latent vector of the image comes from, when not from the seed."""
        self._unchanged = UnchangedImages()
        self._wanted: set[View] = set()
        self._go_to: dict[str, int] = {}
        self.picker.picked.connect(self._rank_at)
        self.book.looked_at.connect(self.refresh)
        session.rendering.rendered.connect(self._follow)
        session.look.events.model.connect(self._on_model)
        self._on_model()

    def close(self) -> None:
        """Stop all jobs."""
        self.lane.close()
        self.ranking_lane.close()

    @property
    def stages(self) -> tuple[Stage, ...]:
        """Layers of the chosen model; empty for one without capsules."""
        card = self._session.catalogue.card(self._session.look.model)
        return stages_of(card) if card else ()

    def stage(self, name: str = "") -> Stage | None:
        """A layer of the chosen model by name; the chosen layer when none is given."""
        return next((stage for stage in self.stages if stage.name == (name or self.choices.layer)), None)

    @property
    def advised(self) -> str:
        """A model with capsules that can be chosen; empty when there is none."""
        names = [name for name in self._session.catalogue.names if self._has_capsules(name)]
        return DEFAULT_CAPSULES if DEFAULT_CAPSULES in names else next(iter(names), "")

    def use_advised(self) -> None:
        """Choose a model with capsules."""
        if self.advised:
            self._session.rendering.choose_model(self.advised)

    def scene(self, layer: Labels) -> Scene:
        """The mask as it is rendered now."""
        session, look = self._session, self._session.look
        return Scene(
            session.shelf,
            mask_array(layer),
            layer.name,
            look.model,
            look.option,
            look.used_seed,
            look.device,
            self.z,
            session.changes.of(look.model),
        )

    def mask_for_work(self) -> Labels | None:
        """The current mask, or None after saying what is missing."""
        session = self._session
        problem = None
        if session.masks.current is None:
            problem = NO_MASK
        elif not session.look.model:
            problem = NO_MODEL
        elif not self.stages:
            title = session.catalogue.title(session.look.model)
            problem = Note("problem", f"The model {title!r} has no capsules.", "Choose one that has, above.")
        if problem is not None:
            session.notes.inspect = problem
            return None
        return session.masks.current

    # Capsules as layers

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
            self._session.notes.inspect = Note(
                "problem", f"{stage.name} is a plain convolution and routes nothing.", "Choose another layer."
            )
            return
        if stage is not None:
            self._wanted.add((stage.name, what))
        self._go_to = steps
        self.refresh()

    def refresh(self) -> None:
        """Render as things are now; image, difference and shown capsules follow."""
        layer = self.mask_for_work()
        if layer is None:
            return
        views = self._wanted | self._shown(layer)
        capture = tuple(sorted({stage for stage, what in views if what != ROUTING}))
        routing = tuple(sorted({stage for stage, what in views if what == ROUTING}))
        work = LookWork(self.scene(layer), self._unchanged, capture, routing)
        done = partial(self._seen, weakref.ref(layer), views)
        self.lane.submit("Looking", work, done, total=LOOKING_STEPS)

    def look_at(self, source: Source | None) -> None:
        """Render with another latent vector; None goes back to that of the seed."""
        self.z = source
        self._leave_walk()
        self.refresh()

    # Which capsules answer

    def rank_label(self) -> None:
        """Rank for the label that is selected in the mask."""
        layer = self.mask_for_work()
        if layer is not None:
            self._rank(layer, None, int(layer.selected_label))

    def _rank_at(self, position: tuple[float, ...]) -> None:
        layer = self.mask_for_work()
        if layer is not None:
            self._rank(layer, pixel_of(layer, position), None)

    def _rank(self, layer: Labels, place: tuple[int, int] | None, label: int | None) -> None:
        layers = tuple(stage.name for stage in self.stages) if self.choices.everywhere else (self.choices.layer,)
        work = RankWork(self.scene(layer), layers, place, label)
        self.ranking_lane.submit("Ranking", work, self._on_ranked, total=len(layers) + 1, unit="layers")

    def _on_ranked(self, outcome: Outcome) -> None:
        session = self._session
        if session.closed:
            return
        if outcome.error is not None:
            self._say_failed(outcome, "Ranking")
            return
        self.ranking = outcome.result
        self.ranked.emit()
        first = self.ranking.scores[0]
        what = "the background" if self.ranking.background else f"this {self.structure}"
        session.notes.inspect = Note(
            "done",
            f"{unit_words((first.layer, first.capsule, first.channel))} answers best to {what} (AUC {first.auc:.2f}).",
            "Double click a row to look at it, or switch it off below.",
        )

    @property
    def structure(self) -> str:
        """What the structures of the chosen model are called."""
        return "axon" if "axon" in self._session.look.model.lower() else "structure"

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
        layer, capsule, channel = unit
        self.choices.layer = layer
        self.choices.capsule = capsule
        self.choices.channel = -1 if channel is None else channel

    def choose_layer(self, name: str) -> None:
        """Choose a layer; the capsule and the channel stay where it has them."""
        stage = self.stage(name)
        if stage is not None:
            choices = self.choices
            choices.layer = name
            choices.capsule = min(choices.capsule, stage.capsules - 1)
            choices.channel = min(choices.channel, stage.channels - 1)

    # Changes inside the network

    @property
    def unit(self) -> Unit:
        """What is chosen to be changed."""
        choices = self.choices
        return choices.layer, choices.capsule, None if choices.channel < 0 else choices.channel

    @property
    def active_changes(self) -> tuple[Intervention, ...]:
        """What is changed in the chosen model."""
        return self._session.changes.of(self._session.look.model)

    @property
    def active_change(self) -> Intervention | None:
        """The change of the chosen unit."""
        return next((change for change in self.active_changes if unit_of(change) == self.unit), None)

    def change(self, *, scale: float = 1.0, value: float | None = None) -> None:
        """Scale the chosen unit, or set it; the image follows."""
        if self.mask_for_work() is None:
            return
        layer, capsule, channel = self.unit
        change = Intervention(layer=layer, capsule=capsule, channel=channel, scale=scale, value=value)
        self._session.changes.put(self._session.look.model, change)
        self._leave_walk()
        self.refresh()

    def _leave_walk(self) -> None:
        """Look at the image again, and at the difference, where a walk covers them."""
        layer = self._session.masks.current
        walks = [name for name in self.book.visible(layer) if name.startswith(WALK)] if layer is not None else []
        if walks:
            self.book.hide(layer, walks)
            self.book.reveal(layer, DIFFERENCE)

    def reset(self, unit: Unit | None = None) -> None:
        """Take the change of a unit back, the chosen one when none is given; the image follows."""
        self._restored(self._session.changes.remove(self._session.look.model, unit or self.unit))

    def reset_all(self) -> None:
        """Take all changes back; the image is what it was."""
        self._restored(self._session.changes.clear(self._session.look.model))

    def _restored(self, was_changed: bool) -> None:
        if was_changed:
            self.refresh()
        else:
            self._session.notes.inspect = Note("hint", "Nothing was changed there.", "Switch off or scale a capsule.")

    # What comes back

    def _seen(self, target: weakref.ref[Labels], views: set[View], outcome: Outcome) -> None:
        session = self._session
        if session.closed:
            return
        asked, self._wanted = self._wanted, set()
        if outcome.error is not None:
            self._say_failed(outcome, "Looking")
            return
        layer = target()
        if layer is None or not session.masks.holds(layer):
            session.notes.inspect = Note(
                "stopped",
                "The mask layer was deleted meanwhile, so what was rendered was dropped.",
                "Choose another mask.",
            )
            return
        seen: Seen = outcome.result
        look = seen.rendering.option or Path(seen.recipe.model).stem
        session.results.show(layer, look, seen.rendering.image, seen.recipe)
        if session.look.outline:
            outline(layer, True)
        compared = self.book.find(layer, DIFFERENCE) is not None
        if seen.recipe.interventions or compared:
            self.book.show_difference(layer, seen.difference, seen.recipe)
        if seen.recipe.interventions and not compared:  # what covers the image would hide the first difference
            self.book.hide(layer, [name for name in self.book.names(layer) if name != DIFFERENCE])
        fresh = {" ".join(view) for view in views}
        if asked:
            self.book.hide(layer, self._kept(layer))
        for name, what in sorted(views):
            stage = self.stage(name)
            asked_for, known = (name, what) in asked, self.book.find(layer, f"{name} {what}") is not None
            if stage is None or not (asked_for or known):  # another model was chosen, or the layer was deleted
                continue
            if what == ROUTING and not known:
                self._go_to.setdefault("iteration", len(seen.rendering.routing[name]) - 1)
            stack = self._put(layer, stage, what, seen)
            stack.visible = stack.visible or asked_for
        self.book.outdate(layer, [name for name in self._kept(layer) if name not in fresh])
        if self._go_to:
            self.book.go_to(**self._go_to)
            self._go_to = {}
        session.notes.inspect = self._report(seen, views)

    def _put(self, layer: Labels, stage: Stage, what: str, seen: Seen) -> Image:
        name, kept = stage.name, seen.rendering
        settings: dict[str, Any] = {}
        if what == CAPSULES:
            stack, settings = kept.activations[name], {"fitted": True, "colormap": "viridis"}
        elif what == LENGTHS:
            stack, settings = lengths_stack(seen.lengths[name], stage.channels), {"colormap": "magma"}
        else:
            stack, settings = routing_stack(kept.routing[name], stage.channels), {"colormap": "inferno"}
        if what != CAPSULES:
            settings["contrast_limits"] = (0, max(float(stack.max()), 1e-6))
        return self.book.put(layer, f"{name} {what}", stack, seen.recipe, stage.factor, **settings)

    def _kept(self, layer: Labels) -> list[str]:
        """The layers that show capsules, lengths or routing."""
        return [name for name in self.book.names(layer) if name.endswith((CAPSULES, LENGTHS, ROUTING))]

    def _shown(self, layer: Labels) -> set[View]:
        """What of the chosen network is shown; layers whose eye is off follow when they are looked at."""
        pairs = [tuple(name.split(" ")) for name in self._kept(layer) if name in self.book.visible(layer)]
        known = {stage.name for stage in self.stages}
        return {(stage, what) for stage, what in pairs if stage in known}

    def _report(self, seen: Seen, views: set[View]) -> Note:
        time = f"in {1000 * seen.rendering.seconds:.0f} ms on {seen.device}"
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
        return Note(
            "done", f"Rendered {time}; nothing is changed in the network.", "Rank the capsules for a structure."
        )

    def _say_failed(self, outcome: Outcome, what: str) -> None:
        error: SynthError = outcome.error  # type: ignore[assignment]
        if isinstance(error, Cancelled):
            self._session.notes.inspect = Note("stopped", f"{what} was cancelled.", "Nothing was changed.")
        else:
            self._session.notes.inspect = Note.of(error, outcome.details)

    # What others do

    def _follow(self) -> None:
        """The Synthesize dock rendered the seed; what is shown of the network follows."""
        self.z = None
        layer = self._session.masks.current
        if layer is not None and self.stages and self.book.names(layer):
            self.refresh()

    def _on_model(self) -> None:
        self.z = None
        names = [stage.name for stage in self.stages]
        if names and self.choices.layer not in names:
            self.choices.layer = "convcaps4" if "convcaps4" in names else names[0]

    def _has_capsules(self, name: str) -> bool:
        card = self._session.catalogue.card(name)
        return card is not None and bool(stages_of(card))


def lengths_stack(lengths: np.ndarray, channels: int) -> np.ndarray:
    """Lengths of capsules beside their poses, ``(capsule, pose, y, x)``: the same at every pose."""
    return np.broadcast_to(lengths[:, None], (len(lengths), channels, *lengths.shape[1:]))


def routing_stack(coefficients: np.ndarray, channels: int) -> np.ndarray:
    """Routing coefficients ``(iteration, input, 1, capsule, pose, y, x)``: the same at every pose."""
    stack = coefficients[:, :, None, :, None]
    return np.broadcast_to(stack, (*stack.shape[:4], channels, *stack.shape[5:]))
