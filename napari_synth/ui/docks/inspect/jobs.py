"""What the microscope does in the background, away from layers and widgets."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from napari_synth.core.progress import CancelToken, OnProgress, Stopwatch
from napari_synth.core.recipe import Recipe
from napari_synth.synthesis.latents.walk import Walk

if TYPE_CHECKING:
    from napari_synth.evaluation.ranking import UnitScore
    from napari_synth.synthesis.latents.paths import PathKind
    from napari_synth.synthesis.latents.sources import Source
    from napari_synth.synthesis.request import Renderer, Rendering, RenderRequest
    from napari_synth.ui.context.loaded_models import Models
    from napari_synth.ui.context.order import RenderOrder

LOOKING_STEPS = 3


class UnchangedImages:
    """The last image rendered without a change, so that it is not made again at each turn of a slider."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._key: tuple[object, ...] = ()
        self._image = np.empty((0, 0), np.uint8)

    def image(self, generator: Renderer, request: RenderRequest) -> np.ndarray:
        """The image of a request without its interventions."""
        z = None if request.z is None else request.z.tobytes()
        what = (request.mask_sha256, request.option, request.seed, z, request.precision)
        key = (generator.sha256, generator.device, *what)
        with self._lock:
            if key != self._key:
                plain = replace(request, interventions=(), capture=(), routing=())
                self._image, self._key = generator.run(plain).image, key
            return self._image


MOST_KEPT = 2**29
"""Bytes of activations that are kept to rank again."""


class KeptActivations:
    """The activations that were ranked last, so that another structure of the same image is ranked at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._key: tuple[object, ...] = ()
        self._kept: dict[str, np.ndarray] = {}

    def of(self, generator: Renderer, request: RenderRequest) -> dict[str, np.ndarray]:
        """The activations that a request asks to capture, without its interventions."""
        z = None if request.z is None else request.z.tobytes()
        what = (request.mask_sha256, request.option, request.seed, z, request.precision, request.capture)
        key = (generator.sha256, generator.device, *what)
        with self._lock:
            if key == self._key:
                return self._kept
            found = generator.run(replace(request, interventions=())).activations
            small = sum(array.nbytes for array in found.values()) <= MOST_KEPT
            self._key, self._kept = (key, found) if small else ((), {})
            return found


@dataclass(frozen=True)
class Seen:
    """An image, what was kept of the network, and the image without changes.

    Attributes
    ----------
    rendering : Rendering
    recipe : Recipe
    device : str
    unchanged : ndarray, shape (Y, X), uint8
        The same array as ``rendering.image`` where nothing is changed.
    lengths : dict of ndarray, shape (capsule, y, x), float32
        Lengths of the capsules of the kept layers.
    """

    rendering: Rendering
    recipe: Recipe
    device: str
    unchanged: np.ndarray
    lengths: dict[str, np.ndarray]

    @property
    def difference(self) -> np.ndarray:
        """Image minus unchanged image, int16."""
        difference: np.ndarray = self.rendering.image.astype(np.int16) - self.unchanged
        return difference


@dataclass(frozen=True, eq=False)
class LookWork:
    """Render a mask as ordered and keep the activations and routing coefficients of some layers."""

    models: Models
    order: RenderOrder
    labels: np.ndarray
    unchanged: UnchangedImages
    capture: tuple[str, ...] = ()
    routing: tuple[str, ...] = ()

    def __call__(self, on_progress: OnProgress, cancel: CancelToken) -> Seen:
        from napari_synth.evaluation.ranking import capsule_lengths
        from napari_synth.synthesis.recipes import painted_recipe
        from napari_synth.synthesis.request import check_mask

        watch, order = Stopwatch(LOOKING_STEPS, on_progress), self.order
        watch.report(0, "Loading the model")
        labels = check_mask(self.labels)
        generator = self.models.generator(order.model, order.device)
        request = order.request(labels, generator.card.latent_size, self.capture, self.routing)
        cancel.raise_if_cancelled()
        watch.report(1, "Rendering")
        rendering = generator.run(request)
        cancel.raise_if_cancelled()
        watch.report(2, "Comparing")
        before = self.unchanged.image(generator, request) if request.interventions else rendering.image
        lengths = {layer: capsule_lengths(activation) for layer, activation in rendering.activations.items()}
        recipe = painted_recipe(generator, request, order.mask)
        watch.report(3, "Done")
        return Seen(rendering, recipe, generator.device, before, lengths)


@dataclass(frozen=True)
class Ranked:
    """Capsules and channels, those that answer best first.

    Attributes
    ----------
    scores : list of UnitScore
        The structures are the positives, also where the background was meant.
    background : bool
        The background was meant: those that answer to it come first.
    label : int
        Number of the structure; 0 for the background.
    layers : tuple of str
        Those that were ranked.
    """

    scores: list[UnitScore]
    background: bool
    label: int
    layers: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class RankWork:
    """Rank capsules and channels of some layers by how they answer to a structure, without changes in the network.

    Attributes
    ----------
    place, label
        See `evaluation.ranking.structure_of`.
    """

    models: Models
    order: RenderOrder
    labels: np.ndarray
    layers: tuple[str, ...]
    place: tuple[int, int] | None
    label: int | None
    kept: KeptActivations

    def __call__(self, on_progress: OnProgress, cancel: CancelToken) -> Ranked:
        from napari_synth.evaluation.ranking import rank_units, structure_of
        from napari_synth.synthesis.request import check_mask

        watch, order = Stopwatch(len(self.layers) + 1, on_progress), self.order
        watch.report(0, "Rendering")
        labels = check_mask(self.labels)
        structure, rest, background = structure_of(labels, self.place, self.label)
        generator = self.models.generator(order.model, order.device)
        request = order.request(labels, generator.card.latent_size, self.layers)
        activations = self.kept.of(generator, request)
        scores: list[UnitScore] = []
        for number, layer in enumerate(self.layers, start=1):
            cancel.raise_if_cancelled()
            watch.report(number, layer)
            scores += rank_units(layer, activations[layer], structure, rest)
        watch.report(len(self.layers) + 1, "Done")
        ranked = sorted(scores, key=lambda score: score.auc if background else -score.auc)
        label = self.label if self.place is None else int(labels[self.place])
        return Ranked(ranked, background, label or 0, self.layers)


class PatientWalk(Walk):
    """A walk whose stacks never make the viewer wait: steps that are not there yet are blank and asked for.

    Parameters
    ----------
    ask : callable
        Called with a step that was looked at and is not there, in any thread.
    """

    def __init__(self, generator: Renderer, request: RenderRequest, path: np.ndarray, ask: Callable[[int], object]):
        super().__init__(generator, request, path)
        self._ask = ask

    def look(self, step: int) -> Rendering | None:
        rendering = self.peek(step)
        if rendering is None:
            self._ask(step)
        return rendering


@dataclass(frozen=True)
class Walked:
    """A walk that is ready to be filled, and how it was made."""

    walk: PatientWalk
    recipe: Recipe


@dataclass(frozen=True, eq=False)
class PrepareWalkWork:
    """Load the model and lay out the way from one latent vector to another; renders nothing yet."""

    models: Models
    order: RenderOrder
    labels: np.ndarray
    start: Source
    end: Source
    steps: int
    kind: PathKind
    capture: tuple[str, ...]
    ask: Callable[[int], object]

    def __call__(self, on_progress: OnProgress, cancel: CancelToken) -> Walked:
        from napari_synth.synthesis.latents.paths import latent_path
        from napari_synth.synthesis.recipes import painted_recipe
        from napari_synth.synthesis.request import check_mask

        watch, order = Stopwatch(LOOKING_STEPS, on_progress), self.order
        watch.report(0, "Loading the model")
        labels = check_mask(self.labels)
        generator = self.models.generator(order.model, order.device)
        size = generator.card.latent_size
        path = latent_path(self.start.vector(size), self.end.vector(size), self.steps, self.kind)
        request = order.request(labels, size, self.capture)
        cancel.raise_if_cancelled()
        walk = PatientWalk(generator, request, path, self.ask)
        walk.frame(0)
        recipe = painted_recipe(generator, replace(request, z=walk.path[0]), order.mask)
        watch.report(LOOKING_STEPS, "Done")
        return Walked(walk, recipe)


@dataclass(frozen=True, eq=False)
class FillWork:
    """Render all steps of a walk, one by one; those made before a stop stay."""

    walk: Walk

    def __call__(self, on_progress: OnProgress, cancel: CancelToken) -> int:
        watch = Stopwatch(len(self.walk), on_progress)
        for step in range(len(self.walk)):
            cancel.raise_if_cancelled()
            self.walk.frame(step)
            watch.report(step + 1, f"step {step + 1} of {len(self.walk)}")
        return len(self.walk)


@dataclass(frozen=True, eq=False)
class MovieWork:
    """Save the images of a walk; steps that are not there yet are rendered."""

    walk: Walk
    path: Path
    info: str

    def __call__(self, on_progress: OnProgress, cancel: CancelToken) -> Path:
        from napari_synth.exporting.movie import save_movie

        count = len(self.walk)
        frames = (self.walk.frame(step).image for step in range(count))
        return save_movie(frames, count, self.path, self.info, on_progress, cancel)
