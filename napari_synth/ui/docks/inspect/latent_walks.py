"""Latent vectors A, B and C: the pad between them, and the walk from A to B as a stack and a movie."""

from __future__ import annotations

import weakref
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import Signal

from napari_synth.core.errors import Cancelled
from napari_synth.core.seeds import random_seed
from napari_synth.synthesis.latents.sources import Drawn, OnWay, Spot
from napari_synth.ui.context.choices import LatentChoices, Note
from napari_synth.ui.docks.inspect.actions import WALK
from napari_synth.ui.docks.inspect.jobs import LOOKING_STEPS, FillWork, MovieWork, PrepareWalkWork, Walked
from napari_synth.ui.jobs.lanes import Lane, Poster
from napari_synth.ui.napari_bridge.mask_layers import outline

if TYPE_CHECKING:
    from napari.layers import Image, Labels

    from napari_synth.synthesis.latents.sources import Source
    from napari_synth.ui.jobs.lanes import Outcome
    from napari_synth.ui.session import Session


class _Asked(Poster):
    """Brings the wish for a step from the thread that draws to the main thread."""

    step = Signal(int)


class Walking:
    """The actions on latent vectors of the Inspect dock."""

    def __init__(self, session: Session):
        self._session = session
        self.choices = LatentChoices()
        self.lane = Lane()
        self._fetching = Lane()
        self._asked = _Asked()
        self._asked.step.connect(self._fetch)
        self._walked: Walked | None = None
        self._way: OnWay | None = None
        self._stacks: list[weakref.ref[Image]] = []
        self.lane.state.events.progress.connect(self._redraw)

    def close(self) -> None:
        """Stop all jobs."""
        self.lane.close()
        self._fetching.close()
        self._asked.let_go()

    # The three latent vectors

    def source(self, corner: str) -> Source:
        """The latent vector of ``a``, ``b`` or ``c``."""
        return getattr(self.choices, corner)

    def draw(self, corner: str, seed: int) -> None:
        """Take the latent vector of a seed."""
        setattr(self.choices, corner, Drawn(seed))

    def roll(self, corner: str) -> None:
        """Take a seed by chance."""
        self.draw(corner, random_seed())

    @property
    def current(self) -> Source:
        """The latent vector of what is looked at: the walk's step when the walk is selected, else the image's."""
        inspecting = self._session.inspecting
        active = self._session.viewer.layers.selection.active
        if self._way is not None and any(stack() is active for stack in self._stacks if active is not None):
            return replace(self._way, step=min(inspecting.book.step("alpha"), self._way.steps - 1))
        return inspecting.z or Drawn(self._session.look.used_seed)

    def pin(self, corner: str) -> None:
        """Keep the latent vector of what is looked at."""
        setattr(self.choices, corner, self.current)

    # The pad

    def move_to(self, u: float, v: float) -> None:
        """Render the place (u, v) between A at (0, 0), B at (1, 0) and C at (0, 1); the newest place wins."""
        choices = self.choices
        choices.u, choices.v = u, v
        self._session.inspecting.look_at(Spot(choices.a, choices.b, choices.c, u, v))

    # The walk

    def walk(self) -> None:
        """Lay the walk from A to B out as a stack and fill it."""
        inspecting, choices = self._session.inspecting, self.choices
        layer = inspecting.mask_for_work()
        if layer is None:
            return
        capture = (inspecting.choices.layer,) if choices.with_capsules else ()
        scene = inspecting.scene(layer)
        work = PrepareWalkWork(
            scene,
            choices.a,
            choices.b,
            choices.steps,
            choices.path,
            capture,
            partial(self._asked.post, self._asked.step),
        )
        way = OnWay(choices.a, choices.b, choices.steps, choices.path, 0)
        self.lane.submit("Walking", work, partial(self._laid_out, weakref.ref(layer), way), total=LOOKING_STEPS)

    def _laid_out(self, target: weakref.ref[Labels], way: OnWay, outcome: Outcome) -> None:
        session = self._session
        if session.closed:
            return
        if outcome.error is not None:
            self._say_failed(outcome, "Press Walk to start again.")
            return
        layer = target()
        if layer is None or not session.masks.holds(layer):
            session.notes.inspect = Note(
                "stopped", "The mask layer was deleted meanwhile, so there is no walk.", "Choose another mask."
            )
            return
        self._walked, self._way = outcome.result, way
        self._show(layer, outcome.result)
        if session.look.outline:
            outline(layer, True)
        steps = len(outcome.result.walk)
        self.lane.submit("Walking", FillWork(outcome.result.walk), self._filled, total=steps)

    def _show(self, layer: Labels, walked: Walked) -> None:
        """The images, and the capsules along them; images repeat along capsules so that one slider moves both."""
        book, walk = self._session.inspecting.book, walked.walk
        images = walk.images()
        names = [name for name in book.names(layer) if not name.startswith(WALK)]
        stacks = []
        axes = {"axis_labels": ("alpha", "y", "x")}
        for name, stage in walk.stages.items():
            import dask.array

            maps = walk.activations(name)
            shape = (len(walk), stage.capsules, stage.channels, *walk.request.mask.shape)
            images, axes = dask.array.broadcast_to(images[:, None, None], shape), {}
            title = f"{WALK} {name}"
            stacks.append(book.put(layer, title, maps, walked.recipe, stage.factor, fitted=True, colormap="viridis"))
            stacks[-1].visible = False
        book.hide(layer, names)
        image = book.put(layer, WALK, images, walked.recipe, contrast_limits=(0, 255), **axes)
        image.visible = True
        self._stacks = [weakref.ref(stack) for stack in (image, *stacks)]
        book.go_to(alpha=0)

    def _filled(self, outcome: Outcome) -> None:
        session = self._session
        if session.closed:
            return
        self._redraw()
        if isinstance(outcome.error, Cancelled):
            session.notes.inspect = Note(
                "stopped",
                f"The walk was stopped: {outcome.reached.done} of {outcome.reached.total} steps are there.",
                "The others are rendered when you move the slider alpha to them.",
            )
        elif outcome.error is not None:
            self._say_failed(outcome, "Press Walk to start again.")
        else:
            session.notes.inspect = Note(
                "done", f"{outcome.result} steps from A to B.", "Move or play the slider alpha, or save a movie."
            )

    def _fetch(self, step: int) -> None:
        """A step was looked at and is not there: render it, unless the walk is being filled anyway."""
        if self._walked is None or self.lane.state.running:
            return
        walk = self._walked.walk
        self._fetching.submit("Walking", lambda p, c: walk.frame(step), self._fetched, total=1)

    def _fetched(self, outcome: Outcome) -> None:
        if not self._session.closed:
            self._redraw()

    def _redraw(self) -> None:
        for stack in self._stacks:
            layer = stack()
            if layer is not None and layer.visible:
                layer.refresh(thumbnail=False, extent=False, highlight=False)
        self._session.inspecting.book.fit()

    # The movie

    def save(self, path: str | Path) -> None:
        """Save the images of the walk; the suffix chooses the format."""
        session = self._session
        if self._walked is None:
            session.notes.inspect = Note("problem", "There is no walk to save.", "Press Walk first.")
            return
        walk = self._walked.walk
        work = MovieWork(walk, Path(path), self._walked.recipe.to_yaml())
        self.lane.submit("Saving", work, self._saved, total=len(walk), unit="images")

    def _saved(self, outcome: Outcome) -> None:
        session = self._session
        if session.closed:
            return
        if outcome.error is not None:
            self._say_failed(outcome, "No file was written.")
        else:
            session.notes.inspect = Note(
                "done", f"The walk is in {outcome.result}.", "TIFF also keeps the recipe; GIF and MP4 are for showing."
            )

    def _say_failed(self, outcome: Outcome, after_cancel: str) -> None:
        if isinstance(outcome.error, Cancelled):
            self._session.notes.inspect = Note("stopped", "It was cancelled.", after_cancel)
        else:
            self._session.notes.inspect = Note.of(outcome.error, outcome.details)
