"""The style that a command line asks for: a number, a code, or that of an image."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from napari_synth.cli.console import err, watched
from napari_synth.core.errors import InputError

if TYPE_CHECKING:
    import numpy as np

    from napari_synth.core.recipe import Recipe, Style
    from napari_synth.models.card import ModelCard
    from napari_synth.synthesis.generator import Generator

GivenStyle = Annotated[
    str | None,
    typer.Option(
        "--style",
        help="Style of a model that has them: its number, its numbers with commas between, or a file of them; "
        "drawn by the seed if not given.",
    ),
]
StyleFrom = Annotated[
    Path | None, typer.Option("--style-from", metavar="IMAGE", help="Take the style of this image instead.")
]
StyleMask = Annotated[
    Path | None,
    typer.Option("--style-mask", metavar="MASK", help="Mask of that image; found by its colours if not given."),
]


@dataclass(frozen=True, eq=False)
class AskedStyle:
    """What was asked for.

    Attributes
    ----------
    given : int, list of float, ndarray or None
        A number or a code.
    image, mask : ndarray or None
        The image whose style is taken, and its nuclei.
    """

    given: int | list[float] | np.ndarray | None
    image: np.ndarray | None
    mask: np.ndarray | None

    @property
    def asked(self) -> bool:
        """Whether anything was."""
        return self.given is not None or self.image is not None

    def check(self, card: ModelCard) -> None:
        """Raise `InputError` where a model cannot have the style."""
        from napari_synth.synthesis.styles import check_style

        check_style(card, 0 if self.image is not None else self.given)

    def of(self, generator: Generator, option: str) -> Style | None:
        """The style for an option; what is remarkable about the image goes to stderr."""
        from napari_synth.synthesis.request import Steering
        from napari_synth.synthesis.styles import check_style
        from napari_synth.synthesis.styles.from_image import style_from_image

        if self.image is None:
            return check_style(generator.card, self.given)
        with watched("Taking the style") as (on_progress, cancel):
            found = style_from_image(generator, self.image, option, self.mask, Steering(on_progress, cancel))
        if found.remark:
            err.print(f"Note: {found.remark}")
        return found.code


def style_asked(style: str | None, image: Path | None, mask: Path | None) -> AskedStyle:
    """Read what was asked for.

    Raises
    ------
    InputError
        If a file cannot be read, two styles are asked for, or a mask without its image.
    """
    from napari_synth.datasets.image_files import read_image, read_labels

    if style is not None and image is not None:
        raise InputError("Both --style and --style-from are given.", "Give one of them.")
    if mask is not None and image is None:
        raise InputError("--style-mask is given without an image.", "Give its image with --style-from.")
    return AskedStyle(
        None if style is None else _number_or_code(style),
        None if image is None else read_image(image),
        None if mask is None else read_labels(mask),
    )


def style_for_recipe(asked: AskedStyle, recipe: Recipe, device: str) -> Style | None:
    """The style for all images of a recipe, for the one option that it has.

    Raises
    ------
    InputError
        If its model has no such style, or it has several options: a style belongs to one of them.
    """
    from napari_synth.models.registry import recipe_weights
    from napari_synth.synthesis.recipes import load_generator

    if len(recipe.options) > 1:
        raise InputError(
            f"A style belongs to one option, and the recipe has {len(recipe.options)} of them.",
            "Choose one with --option.",
        )
    generator = load_generator(recipe_weights(recipe.model, recipe.model_sha256), device)
    asked.check(generator.card)
    return asked.of(generator, next(iter(recipe.options), ""))


def _number_or_code(text: str) -> int | list[float] | np.ndarray:
    """A style as it is typed: ``3``, ``0.5,-1,...`` or a file of numbers."""
    from napari_synth.datasets.image_files import read_latent

    try:
        return [float(part) for part in text.split(",")] if "," in text else int(text)
    except ValueError:
        return read_latent(Path(text))
