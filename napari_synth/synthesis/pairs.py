"""Pairs from noise: image and mask of one code, by a model that needs no mask."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from napari_synth.core import arguments
from napari_synth.core.errors import InputError
from napari_synth.core.recipe import PairSource, Recipe, mask_hash
from napari_synth.core.seeds import series_seed
from napari_synth.masks.from_noise import NoiseMask, mask_of_code, mask_of_seed
from napari_synth.models.registry import RoleModel, bundled_paths, model_card, resolve_model, wrong_role
from napari_synth.synthesis.generator import Generator
from napari_synth.synthesis.latents.vectors import check_latent
from napari_synth.synthesis.recipes import image_recipe, masks_recipe, model_name
from napari_synth.synthesis.request import RenderRequest, check_option, option_name

if TYPE_CHECKING:
    from napari_synth.models.registry import TrainedModel


@dataclass(frozen=True, eq=False)
class Pair:
    """An image and its labels, made together.

    Attributes
    ----------
    image : ndarray, shape (Y, X) or (Y, X, 3), uint8
    labels : ndarray, shape (Y, X), int32
        See `masks.binary.binary_instances`.
    recipe : Recipe
        Makes both again.
    mask_probability : ndarray, shape (Y, X), float32
        0 to 1; the labels lie where it is above 0.5.
    z : ndarray, shape (latent size,), float32
    rejected : mapping
        Codes of the seed drawn before and why their masks were no good; see `masks.binary.why_unusable`.
    """

    image: np.ndarray
    labels: np.ndarray
    recipe: Recipe
    mask_probability: np.ndarray
    z: np.ndarray
    rejected: Mapping[str, int]

    @property
    def source(self) -> PairSource:
        """Where the labels come from."""
        (source,) = self.recipe.masks
        if not isinstance(source, PairSource):
            raise TypeError("the recipe of a pair has another source")
        return source


class PairModel(RoleModel):
    """Makes image and mask together from noise.

    Attributes
    ----------
    generator : Generator
        The image half: what exports, replays and walks render with.
    """

    roles = ("pairs",)
    does = "make pairs from noise"

    def __init__(self, trained: TrainedModel):
        super().__init__(trained)
        self.generator = Generator(trained)

    @property
    def size(self) -> int:
        """Side of the pairs in pixels."""
        return int(self.card.hyper["size"])

    def sample(self, seed: int, option: str | None = None, z: np.ndarray | None = None) -> Pair:
        """The pair of a seed: the same one on every device, but for rounding.

        Codes are drawn from the seed until one gives a usable mask.

        Parameters
        ----------
        seed : int
        option : str, optional
            One of ``card.options``; the first when not given.
        z : ndarray, shape (latent size,), optional
            A code in place of those of the seed, which then decides on the grain of the image alone.

        Raises
        ------
        InputError
            If there is no such option, or the code cannot be used.
        WorkError
            If `masks.from_noise.TRIES` codes give no usable mask.
        """
        source = self.source(seed, option, z)
        mask = self.mask(source)
        request = RenderRequest(mask.labels, source.option or None, source.seed, z=mask.z)
        image = self.generator.run(request).image
        hashed = source.model_copy(update={"sha256": mask_hash(mask.labels)})
        recipe = image_recipe(self.generator, replace(request, z=None), hashed)
        return Pair(image, mask.labels, recipe, (mask.values + 1) / 2, mask.z, mask.rejected)

    def source(self, seed: int, option: str | None = None, z: np.ndarray | None = None) -> PairSource:
        """What a recipe says of the mask of a pair; parameters as `sample`."""
        return PairSource(
            model=model_name(self),
            model_sha256=self.sha256,
            option=option_name(self.card, option),
            seed=arguments.whole_number(seed, "seed"),
            z=None if z is None else [float(number) for number in check_latent(z, self.card.latent_size)],
        )

    def mask(self, source: PairSource) -> NoiseMask:
        """The mask of a source.

        Raises
        ------
        InputError
            If it was made by other weights, or its code gives an empty mask.
        WorkError
            If its seed gives no usable mask.
        """
        if source.model_sha256 and source.model_sha256 != self.sha256:
            raise InputError(
                f"The model {source.model} has other weights than the mask was made with.",
                "Install the version of napari-synth named in the recipe, or clear model_sha256 to use these.",
            )
        number = check_option(self.card, source.option or None)
        if source.z is None:
            return mask_of_seed(source.seed, self.card.latent_size, lambda z: self._values(z, number), source.rise)
        z = check_latent(np.array(source.z, np.float32), self.card.latent_size)
        return mask_of_code(z, self._values(z, number), source.rise)

    def decode(self, z: np.ndarray, option: str | None = None, seed: int | None = None) -> tuple[np.ndarray, ...]:
        """Image and mask values of any code, usable or not, as a walk shows them.

        Parameters
        ----------
        z : ndarray, shape (latent size,)
        option : str, optional
        seed : int, optional
            Of the grain; None: without.

        Returns
        -------
        image : ndarray, shape (Y, X) or (Y, X, 3), uint8
        values : ndarray, shape (Y, X), float32
            -1 to 1.
        """
        from napari_synth.synthesis.architectures.ising import decoded
        from napari_synth.synthesis.network_io import in_colours_of

        number = check_option(self.card, option)
        with self._exact():
            image, values = decoded(self._trained, check_latent(z, self.card.latent_size), number, seed)
        return in_colours_of(self.card, image, number), values

    @contextmanager
    def _exact(self) -> Iterator[None]:
        """As the generator computes."""
        from napari_synth.synthesis.precision import computing
        from napari_synth.synthesis.threads import threads_for

        device = self._trained.device
        with threads_for(self.size**2, device), computing(device, "exact"):
            yield

    def _values(self, z: np.ndarray, number: int) -> np.ndarray:
        from napari_synth.synthesis.architectures.ising import mask_values

        with self._exact():
            return mask_values(self._trained, z, number)


def pairs_recipe(model: str, options: Sequence[str] = (), n: int = 1, seed: int = 1) -> Recipe:
    """The recipe of pairs from noise, of which none is made yet.

    Parameters
    ----------
    model : str
        Bundled id or path.
    options : sequence of str
        Looks that the pairs are shared out among; the first of the model when none is given.
    n : int
        Number of pairs.
    seed : int
        The first pair is that of ``PairModel.sample(seed, option)``.

    Raises
    ------
    InputError
        If the model makes no pairs, or has no such look.
    """
    path, card = resolve_model(model), model_card(model)
    if card.role not in PairModel.roles:
        raise wrong_role(card, PairModel.does)
    name = str(model) if str(model) in bundled_paths() else str(path.resolve())
    looks = [option_name(card, option) for option in options] or [option_name(card, None)]
    sources = [PairSource(model=name, option=look, seed=series_seed(seed, "look", k)) for k, look in enumerate(looks)]
    return masks_recipe(name, sources, seed=seed, n=n)
