"""`fit_camera` of the Python surface."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from napari_synth.core import arguments
from napari_synth.core.errors import InputError
from napari_synth.core.progress import CancelToken, OnProgress, ignore_progress
from napari_synth.core.recipe import DEFAULT_SHAPES, FieldSettings, Style
from napari_synth.evaluation.microscope.fit import FittedCamera, fit_to
from napari_synth.evaluation.microscope.images import Images
from napari_synth.models.defaults import DEFAULT_GENERATOR

if TYPE_CHECKING:
    from napari_synth.synthesis.generator import Generator


def fit_camera(
    images: Images,
    model: Generator | str | Path = DEFAULT_GENERATOR,
    option: str | None = None,
    *,
    style: Style | None = None,
    masks: str | Path | Sequence[np.ndarray] = (),
    field: FieldSettings | None = None,
    seed: int = 1,
    device: str = "auto",
    on_progress: OnProgress = ignore_progress,
    cancel: CancelToken | None = None,
) -> FittedCamera:
    """Fit the camera to images of your microscope, which need no labels; see `evaluation.microscope.fit.fit_to`.

    >>> fitted = ns.fit_camera("my-images", option="fluorescence")
    >>> image = model.render(mask, "fluorescence", seed=1, camera=fitted.camera).image
    >>> fitted.save("camera.yaml")

    Parameters
    ----------
    images : path, ndarray or a list of them
        A folder, a file, ``(Y, X)`` or ``(Y, X, 3)``, of at least 64 pixels a side. A handful is enough.
    model : Generator, str or Path
    option : str, optional
        Look; the first that is grey or in colour as the images are, when not given.
    style : int or tuple of float, optional
    masks : path or list of ndarray
        Masks of such images, where you have some: number and size of the nuclei are not fitted then.
    field : FieldSettings, optional
        All but number and size of the nuclei.
    seed : int
        The same seed gives the same numbers.
    device : {'auto', 'cuda', 'mps', 'cpu'}
        For a model that is given by name.
    on_progress, cancel
        Counts evaluations of cameras; about a minute on two cores.

    Returns
    -------
    FittedCamera
        With ``camera``, ``field``, ``fitted``, ``agreement`` and ``remarks``; ``save(path)`` writes it.

    Raises
    ------
    InputError
        If there is no image, one is smaller than 64 pixels, has one colour, NaN or infinity, is mostly saturated, or if
        the look is grey and they are in colour.
    Cancelled
    """
    from napari_synth.masks.shape_model import ShapeModel
    from napari_synth.models.registry import load_trained
    from napari_synth.synthesis.generator import Generator

    generator = model if isinstance(model, Generator) else Generator(load_trained(_place(model), device))
    if field is not None and not isinstance(field, FieldSettings):
        raise InputError("The argument field is no FieldSettings.", "Make them with field_settings(…).")
    return fit_to(
        images,
        generator,
        ShapeModel(load_trained(field.shapes if field is not None else DEFAULT_SHAPES, "cpu")),
        None if option is None else arguments.text(option, "option"),
        style,
        _masks(masks),
        field,
        arguments.whole_number(seed, "seed"),
        on_progress,
        cancel,
    )


def _place(model: str | Path) -> Path:
    return arguments.place(model, "model")


def _masks(masks: str | Path | Sequence[np.ndarray]) -> list[np.ndarray]:
    from napari_synth.datasets.image_files import as_labels, read_labels
    from napari_synth.datasets.listing import mask_files

    if isinstance(masks, str | Path):
        read = [read_labels(path) for path in mask_files(arguments.place(masks, "masks"))]
    elif isinstance(masks, Sequence):
        read = [as_labels(arguments.numbers(mask, "masks")) for mask in masks]
    else:
        raise InputError("The argument masks holds no masks.", "Give a folder or a list of masks.")
    if read and not any(mask.any() for mask in read):
        raise InputError("All masks are empty.", "Use masks with nuclei.")
    return [mask for mask in read if mask.any()]
