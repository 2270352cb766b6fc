"""Pairs from noise in the window: a mask with its image, and walks between two of them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from napari_synth.core.recipe import METADATA_KEY
from napari_synth.core.seeds import random_seed
from napari_synth.ui.context.notes import Note
from napari_synth.ui.docks.masks.jobs import STEPS, NoiseWalkWork, NoiseWork
from napari_synth.ui.napari_bridge.clipboard import copy_text
from napari_synth.ui.napari_bridge.mask_layers import add_mask
from napari_synth.ui.napari_bridge.walk_layers import show_walk

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_synth.synthesis.pairs import Pair
    from napari_synth.ui.context.context import Context
    from napari_synth.ui.docks.masks.jobs import NoiseWalk
    from napari_synth.ui.jobs.delivery import Jobs

NO_MODEL = Note(
    "problem",
    "There is no model that makes pairs from noise.",
    "Open one with Open… under Look, or train one: train ising-gan.",
)


class FromNoise:
    """Makes pairs from noise as chosen.

    Parameters
    ----------
    context : Context
    jobs : Jobs
    say : callable
    """

    def __init__(self, context: Context, jobs: Jobs, say: Callable[[Note], object]):
        self._context, self._jobs, self._say = context, jobs, say
        self.choices = context.noise

    @property
    def models(self) -> list[str]:
        """The models there are."""
        return self._context.catalogue.pair_models

    def make(self) -> None:
        """Make the chosen pair: a mask with its image below."""
        work = self._work()
        if work is not None:
            self._jobs.run("Making a pair", work, partial(self._show, work), total=STEPS)

    def roll(self) -> None:
        """Make another pair, by chance."""
        self.choices.seed = random_seed()
        self.make()

    def roll_end(self) -> None:
        """Let the walk lead somewhere else."""
        self.choices.to_seed = random_seed()

    def walk(self) -> None:
        """Lay the way from the chosen pair to another one out as a stack of images and one of masks."""
        work = self._work()
        if work is not None:
            walk = NoiseWalkWork(work, self.choices.to_seed, self.choices.steps)
            self._jobs.run("Walking", walk, partial(self._show_walk, walk), total=walk.steps, unit="steps")

    def copy_python(self) -> None:
        """Put the lines that make the pair into the clipboard."""
        copy_text(self.choices.as_python)
        self._say(Note("done", "Copied the lines for Python.", "Paste them into a script or napari's console."))

    def copy_command(self) -> None:
        """Put the command that makes the pair into the clipboard."""
        copy_text(self.choices.as_command)
        self._say(Note("done", "Copied the command.", "Paste it into a terminal; --n 1000 makes a thousand pairs."))

    def _work(self) -> NoiseWork | None:
        choices, context = self.choices, self._context
        if choices.model not in self.models:
            self._say(NO_MODEL)
            return None
        look = context.look
        device = look.device if look.device != "auto" else context.preferences().device
        return NoiseWork(context.models, choices.model, choices.option, choices.seed, device)

    def _show(self, work: NoiseWork, pair: Pair) -> None:
        context = self._context
        name = f"from noise, seed {work.seed}"
        layer = add_mask(context.viewer, pair.labels.shape, name, labels=pair.labels)
        layer.metadata = {**layer.metadata, METADATA_KEY: pair.recipe.model_dump()}
        context.results.show(layer, work.option, pair.image, pair.recipe)
        context.results.bring_forward(layer)
        context.show_outline(layer)
        count = int(pair.labels.max())
        again = sum(pair.rejected.values())
        text = f"Made {name!r}: an image and its mask with {count} {'object' if count == 1 else 'objects'}"
        text += f", after {again} without a usable mask." if again else "."
        self._say(Note("done", text, "Roll the dice for another one, or choose a look to render the mask in."))

    def _show_walk(self, work: NoiseWalkWork, walk: NoiseWalk) -> None:
        show_walk(self._context.viewer, f"walk, seed {work.pair.seed} to {work.to_seed}", walk)
        self._say(Note("done", f"{work.steps} steps of images and masks.", "Move or play the slider alpha."))
