"""From the mask source of a recipe to labels."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from napari_synth.core.errors import InputError
from napari_synth.core.recipe import (
    ConditionSource,
    FieldSource,
    FileSource,
    ImageFileSource,
    MadeSource,
    MaskSource,
    PairSource,
    RecombinedSource,
    image_hash,
    mask_hash,
)
from napari_synth.datasets.image_files import read_channel, read_labels
from napari_synth.masks.field import compose_field
from napari_synth.masks.recombine import read_maps, recombine
from napari_synth.masks.shape_model import ShapeModel
from napari_synth.models.registry import recipe_weights

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_synth.masks.from_noise import MaskMaker, NoiseMask


class MaskReader:
    """Labels of mask sources; keeps the shape models it needed and the last mask.

    Parameters
    ----------
    load_shapes : callable
        Model id to `ShapeModel`.
    in_memory : dict, optional
        `mask_hash` to labels and `image_hash` to images, for masks and images that live in layers.
    load_pairs : callable, optional
        Id or path of a model of pairs to what makes its masks; without it there are none.
    """

    def __init__(
        self,
        load_shapes: Callable[[str], ShapeModel],
        in_memory: dict[str, np.ndarray] | None = None,
        load_pairs: Callable[[str], MaskMaker] | None = None,
    ):
        self._load_shapes = load_shapes
        self._load_pairs = load_pairs
        self._makers: dict[str, MaskMaker] = {}
        self._made: tuple[PairSource, NoiseMask] | None = None
        self._in_memory = in_memory or {}
        self._models: dict[str, ShapeModel] = {}
        self._last: tuple[MaskSource, np.ndarray] | None = None
        self._maps: tuple[list[str], list[np.ndarray]] = ([], [])

    def labels(self, source: MaskSource) -> np.ndarray:
        """Labels ``(Y, X)`` int32 of a source.

        Raises
        ------
        InputError
            If a file is missing, the labels are not those the recipe was made with, or a layer's
            mask is not at hand.
        """
        if self._last is None or self._last[0] != source:
            labels = self._read(source)
            if source.sha256 and mask_hash(labels) != source.sha256:
                raise InputError(
                    f"The mask {_described(source)} is not the one the recipe was made with.",
                    "Put the original back, or make a new recipe from this one.",
                )
            self._last = (source, labels)
        return self._last[1]

    def code(self, source: PairSource) -> np.ndarray:
        """The code z that the labels of a source are made of, ``(latent size,)`` float32; errors as `labels`."""
        self.labels(source)
        return self._from_noise(source).z

    def image(self, source: ConditionSource) -> np.ndarray:
        """The image of a source, ``(Y, X)``.

        Raises
        ------
        InputError
            If a file is missing, the image is not the one the recipe was made with, or a layer's image
            is not at hand.
        """
        if isinstance(source, ImageFileSource):
            image = read_channel(Path(source.path), source.channel)
            image = image.astype(source.dtype) if source.dtype else image
        elif source.sha256 in self._in_memory:
            return self._in_memory[source.sha256]
        else:
            raise InputError(
                f"The image of layer {source.name!r} was never saved to a file.",
                "Save the layer and synthesize from the file, or export pairs instead.",
            )
        if source.sha256 and image_hash(image) != source.sha256:
            raise InputError(
                f"The image {source.path} is not the one the recipe was made with.",
                "Put the original back, or make a new recipe from this one.",
            )
        return image

    def _read(self, source: MaskSource) -> np.ndarray:
        if isinstance(source, FieldSource):
            name = source.settings.shapes
            if name not in self._models:
                self._models[name] = self._load_shapes(name)
            return compose_field(source.settings, self._models[name], source.seed).labels
        if isinstance(source, RecombinedSource):
            if self._maps[0] != source.maps:
                self._maps = (source.maps, read_maps(source.maps))
            return recombine(self._maps[1], source.settings, source.seed)
        if isinstance(source, PairSource):
            return self._from_noise(source).labels
        if isinstance(source, FileSource):
            return read_labels(Path(source.path))
        if source.sha256 not in self._in_memory:
            raise InputError(
                f"The mask of layer {source.name!r} was never saved to a file.",
                "Save the layer and synthesize from the file, or export pairs instead.",
            )
        return self._in_memory[source.sha256]

    def _from_noise(self, source: PairSource) -> NoiseMask:
        """The mask of a model of pairs; the last one is kept."""
        if self._load_pairs is None:
            raise ValueError("this reader was given no models of pairs")
        if self._made is None or self._made[0] != source:
            name = str(recipe_weights(source.model, source.model_sha256))
            if name not in self._makers:
                self._makers[name] = self._load_pairs(name)
            self._made = source, self._makers[name].mask(source)
        return self._made[1]


def _described(source: MaskSource) -> str:
    if isinstance(source, FileSource):
        return source.path
    if isinstance(source, MadeSource):
        return f"{source.kind} with seed {source.seed}"
    return f"of layer {source.name!r}"
