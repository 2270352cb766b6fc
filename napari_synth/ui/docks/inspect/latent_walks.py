"""Latent vectors A, B and C: the pad between them, and the walk from A to B as a stack and a movie."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Signal

from napari_synth.core.seeds import random_seed
from napari_synth.synthesis.latents.sources import Drawn, OnWay, Spot
from napari_synth.ui.context.notes import Note
from napari_synth.ui.docks.inspect.choices import LatentChoices
from napari_synth.ui.docks.inspect.jobs import LOOKING_STEPS, FillWork, MovieWork, PrepareWalkWork, Walked
from napari_synth.ui.jobs.delivery import Jobs
from napari_synth.ui.jobs.lanes import Poster
from napari_synth.ui.napari_bridge.mask_layers import mask_array
from napari_synth.ui.napari_bridge.stack_layers import WALK, StackKey, StackLayers

if TYPE_CHECKING:
    from napari.layers import Image, Labels

    from napari_synth.core.progress import CancelToken, OnProgress, Progress
    from napari_synth.synthesis.latents.sources import Source
    from napari_synth.ui.context.context import Context
    from napari_synth.ui.context.order import RenderOrder
    from napari_synth.ui.docks.inspect.choices import Corner, InspectChoices

AGAIN = Note("stopped", "It was cancelled.", "Press Walk to start again.")
NOT_SAVED = Note("stopped", "It was cancelled.", "No file was written.")
GONE = Note("stopped", "The mask layer was deleted meanwhile, so there is no walk.", "Choose another mask.")


class _Asked(Poster):
    """Brings the wish for a step from the thread that draws to the main thread."""

    step = Signal(int)


@dataclass(frozen=True, eq=False)
class ShownWalk:
    """A walk that lies in the viewer: its frames, how it was made, where it leads, and its layers."""

    walked: Walked
    way: OnWay
    stacks: tuple[weakref.ref[Image], ...]

    def shows(self, layer: object) -> bool:
        """Whether a layer is one of the walk's."""
        return layer is not None and any(stack() is layer for stack in self.stacks)


class LatentWalks:
    """The actions on latent vectors of the Inspect dock.

    Parameters
    ----------
    context : Context
    stacks : StackLayers
    chosen : InspectChoices
        Says whose capsules are kept along a walk.
    say : callable
    ordered : callable
        The current mask and how it is rendered, or None after saying what is missing.
    look_at : callable
        Shows the image of another latent vector.

    Attributes
    ----------
    choices : LatentChoices
    jobs : Jobs
    """

    def __init__(
        self,
        context: Context,
        stacks: StackLayers,
        chosen: InspectChoices,
        say: Callable[[Note], object],
        ordered: Callable[[], tuple[Labels, RenderOrder] | None],
        look_at: Callable[[Source], object],
    ):
        self._context = context
        self._stacks = stacks
        self._chosen = chosen
        self._say = say
        self._ordered = ordered
        self._look_at = look_at
        self.choices = LatentChoices()
        context.remembered.keep("walks", self.choices, ("steps", "with_capsules"))
        self.jobs = Jobs(context, say)
        self._fetching = Jobs(context, say)
        self._asked = _Asked()
        self._asked.step.connect(self._fetch)
        self._shown: ShownWalk | None = None

    def close(self) -> None:
        """Stop all jobs."""
        self.jobs.close()
        self._fetching.close()
        self._asked.let_go()

    # ---- the three latent vectors

    def roll(self, corner: Corner) -> None:
        """Take a seed by chance."""
        self.choices.pin(corner, Drawn(random_seed()))

    @property
    def current(self) -> Source:
        """The latent vector of what is looked at: the walk's step when the walk is selected, else the image's."""
        shown, look = self._shown, self._context.look
        if shown is not None and shown.shows(self._context.viewer.layers.selection.active):
            return replace(shown.way, step=min(self._stacks.step("alpha"), shown.way.steps - 1))
        return look.latent or Drawn(look.used_seed)

    def pin(self, corner: Corner) -> None:
        """Keep the latent vector of what is looked at."""
        self.choices.pin(corner, self.current)

    # ---- the pad

    def move_to(self, u: float, v: float) -> None:
        """Render the place (u, v) between A at (0, 0), B at (1, 0) and C at (0, 1); the newest place wins."""
        choices = self.choices
        choices.u, choices.v = u, v
        self._look_at(Spot(choices.a, choices.b, choices.c, u, v))

    # ---- the walk

    def walk(self) -> None:
        """Lay the walk from A to B out as a stack and fill it."""
        ordered, choices = self._ordered(), self.choices
        if ordered is None:
            return
        layer, order = ordered
        work = PrepareWalkWork(
            models=self._context.models,
            order=order,
            labels=mask_array(layer),
            start=choices.a,
            end=choices.b,
            steps=choices.steps,
            kind=choices.path,
            capture=(self._chosen.layer,) if choices.with_capsules else (),
            ask=partial(self._asked.post, self._asked.step),
        )
        way = OnWay(choices.a, choices.b, choices.steps, choices.path, 0)
        laid_out = partial(self._laid_out, way)
        self.jobs.run("Walking", work, laid_out, on=layer, gone=GONE, total=LOOKING_STEPS, cancelled=AGAIN)

    def _laid_out(self, way: OnWay, layer: Labels, walked: Walked) -> None:
        self._shown = ShownWalk(walked, way, self._show(layer, walked))
        self._context.show_outline(layer)
        self.jobs.run(
            "Walking",
            FillWork(walked.walk),
            self._filled,
            total=len(walked.walk),
            cancelled=self._stopped,
            failed=self._redraw,
            meanwhile=self._redraw,
        )

    def _show(self, layer: Labels, walked: Walked) -> tuple[weakref.ref[Image], ...]:
        """The images, and the capsules along them; images repeat along capsules so that one slider moves both."""
        import dask.array

        stacks, walk = self._stacks, walked.walk
        images = walk.images()
        others = [key for key in stacks.of(layer) if key.what != WALK]
        shown: list[Image] = []
        axes: dict[str, Any] = {"axis_labels": ("alpha", "y", "x")}
        for name, stage in walk.stages.items():
            maps = walk.activations(name)
            shape = (len(walk), stage.capsules, stage.channels, *walk.request.mask.shape)
            images, axes = dask.array.broadcast_to(images[:, None, None], shape), {}
            key = StackKey(name, WALK)
            shown.append(stacks.put(layer, key, maps, walked.recipe, stage.factor, fitted=True, colormap="viridis"))
            shown[-1].visible = False
        stacks.hide(layer, others)
        image = stacks.put(layer, StackKey("", WALK), images, walked.recipe, contrast_limits=(0, 255), **axes)
        image.visible = True
        stacks.go_to(alpha=0)
        return tuple(weakref.ref(stack) for stack in (image, *shown))

    def _stopped(self, reached: Progress) -> Note:
        text = f"The walk was stopped: {reached.done} of {reached.total} steps are there."
        return Note("stopped", text, "The others are rendered when you move the slider alpha to them.")

    def _filled(self, steps: int) -> None:
        self._redraw()
        self._say(Note("done", f"{steps} steps from A to B.", "Move or play the slider alpha, or save a movie."))

    def _fetch(self, step: int) -> None:
        """A step was looked at and is not there: render it, unless the walk is being filled anyway."""
        if self._shown is None or self.jobs.lane.state.running:
            return
        walk = self._shown.walked.walk

        def render(on_progress: OnProgress, cancel: CancelToken) -> None:
            walk.frame(step)

        self._fetching.run("Walking", render, self._redraw, total=1, cancelled=None)

    def _redraw(self, *_: object) -> None:
        for stack in self._shown.stacks if self._shown is not None else ():
            layer = stack()
            if layer is not None and layer.visible:
                layer.refresh(thumbnail=False, extent=False, highlight=False)
        self._stacks.fit()

    # ---- the movie

    def save(self, path: str | Path) -> None:
        """Save the images of the walk; the suffix chooses the format."""
        if self._shown is None:
            self._say(Note("problem", "There is no walk to save.", "Press Walk first."))
            return
        walked = self._shown.walked
        work = MovieWork(walked.walk, Path(path), walked.recipe.to_yaml())
        self.jobs.run("Saving", work, self._saved, total=len(walked.walk), unit="images", cancelled=NOT_SAVED)

    def _saved(self, path: Path) -> None:
        self._say(Note("done", f"The walk is in {path}.", "TIFF also keeps the recipe; GIF and MP4 are for showing."))
