"""What the jobs of the microscope do, away from layers and widgets."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_synth.core.progress import CancelToken, OnProgress, Stopwatch
from napari_synth.core.recipe import Intervention, Recipe, mask_hash
from napari_synth.models.registry import model_card
from napari_synth.synthesis.latents.walk import Walk

if TYPE_CHECKING:
    from napari_synth.evaluation.ranking import UnitScore
    from napari_synth.synthesis.generator import Generator
    from napari_synth.synthesis.latents.paths import PathKind
    from napari_synth.synthesis.latents.sources import Source
    from napari_synth.synthesis.request import Rendering, RenderRequest
    from napari_synth.ui.context.loaded_models import LoadedModels

LOOKING_STEPS = 3


@dataclass(frozen=True, eq=False)
class Scene:
    """One mask, rendered by one model as chosen.

    Attributes
    ----------
    z : Source, optional
        Another latent vector than that of the seed.
    interventions : tuple of Intervention
        Changes inside the network.
    """

    shelf: LoadedModels
    labels: np.ndarray
    layer_name: str
    model: str
    option: str
    seed: int | None
    device: str
    z: Source | None
    interventions: tuple[Intervention, ...]

    def generator(self) -> Generator:
        """The model, loaded."""
        return self.shelf.generator(self.model, self.device)

    def request(self) -> RenderRequest:
        """What to render.

        Raises
        ------
        InputError
            If the mask cannot be rendered.
        """
        from napari_synth.synthesis.request import RenderRequest, check_mask

        z = None if self.z is None else self.z.vector(model_card(self.model).latent_size)
        labels, option = check_mask(self.labels), self.option or None
        return RenderRequest(labels, option, self.seed, z=z, interventions=self.interventions)


class UnchangedImages:
    """The last image rendered without a change, so that it is not made again at each turn of a slider."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._key: Any = None
        self._image = np.empty((0, 0), np.uint8)

    def image(self, generator: Generator, request: RenderRequest) -> np.ndarray:
        """The image of a request without its interventions."""
        z = None if request.z is None else request.z.tobytes()
        key = (generator.sha256, generator.device, mask_hash(request.mask), request.option, request.seed, z)
        with self._lock:
            if key != self._key:
                plain = replace(request, interventions=(), capture=(), routing=())
                self._image, self._key = generator.run(plain).image, key
            return self._image


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
        return self.rendering.image.astype(np.int16) - self.unchanged


@dataclass(frozen=True, eq=False)
class LookWork:
    """Render a scene and keep the activations and routing coefficients of some layers."""

    scene: Scene
    unchanged: UnchangedImages
    capture: tuple[str, ...] = ()
    routing: tuple[str, ...] = ()

    def __call__(self, on_progress: OnProgress, cancel: CancelToken) -> Seen:
        from napari_synth.evaluation.ranking import capsule_lengths
        from napari_synth.synthesis.recipes import painted_recipe

        watch = Stopwatch(LOOKING_STEPS, on_progress)
        watch.report(0, "Loading the model")
        request = replace(self.scene.request(), capture=self.capture, routing=self.routing)
        generator = self.scene.generator()
        cancel.raise_if_cancelled()
        watch.report(1, "Rendering")
        rendering = generator.run(request)
        cancel.raise_if_cancelled()
        watch.report(2, "Comparing")
        before = self.unchanged.image(generator, request) if request.interventions else rendering.image
        lengths = {layer: capsule_lengths(activation) for layer, activation in rendering.activations.items()}
        recipe = painted_recipe(generator, request, self.scene.layer_name)
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
    """

    scores: list[UnitScore]
    background: bool


@dataclass(frozen=True, eq=False)
class RankWork:
    """Rank capsules and channels of some layers by how they answer to a structure, without changes in the network.

    Attributes
    ----------
    place, label
        See `evaluation.ranking.structure_of`.
    """

    scene: Scene
    layers: tuple[str, ...]
    place: tuple[int, int] | None
    label: int | None

    def __call__(self, on_progress: OnProgress, cancel: CancelToken) -> Ranked:
        from napari_synth.evaluation.ranking import rank_units, structure_of

        watch = Stopwatch(len(self.layers) + 1, on_progress)
        watch.report(0, "Rendering")
        request = replace(self.scene.request(), interventions=(), capture=self.layers)
        structure, rest, background = structure_of(request.mask, self.place, self.label)
        rendering = self.scene.generator().run(request)
        scores: list[UnitScore] = []
        for number, layer in enumerate(self.layers, start=1):
            cancel.raise_if_cancelled()
            watch.report(number, layer)
            scores += rank_units(layer, rendering.activations[layer], structure, rest)
        watch.report(len(self.layers) + 1, "Done")
        return Ranked(sorted(scores, key=lambda score: score.auc if background else -score.auc), background)


class PatientWalk(Walk):
    """A walk whose stacks never make the viewer wait: steps that are not there yet are blank and asked for.

    Parameters
    ----------
    ask : callable
        Called with a step that was looked at and is not there, in any thread.
    """

    def __init__(self, generator: Generator, request: RenderRequest, path: np.ndarray, ask: Any):
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

    scene: Scene
    start: Source
    end: Source
    steps: int
    kind: PathKind
    capture: tuple[str, ...]
    ask: Any

    def __call__(self, on_progress: OnProgress, cancel: CancelToken) -> Walked:
        from napari_synth.synthesis.latents.paths import latent_path
        from napari_synth.synthesis.recipes import painted_recipe

        watch = Stopwatch(LOOKING_STEPS, on_progress)
        watch.report(0, "Loading the model")
        size = model_card(self.scene.model).latent_size
        path = latent_path(self.start.vector(size), self.end.vector(size), self.steps, self.kind)
        request = replace(self.scene.request(), capture=self.capture)
        generator = self.scene.generator()
        cancel.raise_if_cancelled()
        walk = PatientWalk(generator, request, path, self.ask)
        walk.frame(0)
        recipe = painted_recipe(generator, replace(request, z=walk.path[0]), self.scene.layer_name)
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
