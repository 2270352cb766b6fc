"""The recipe: all that is needed to make an image again."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Any, Literal, TypeGuard, get_args

import yaml
from pydantic import Field, SerializerFunctionWrapHandler, ValidationError, model_serializer, model_validator

from napari_synth.core import arguments
from napari_synth.core.errors import InputError
from napari_synth.core.files import writing
from napari_synth.core.names import FileName, FilePath
from napari_synth.core.recipe.camera import CameraSettings
from napari_synth.core.recipe.sources import (
    ConditionSource,
    FieldSource,
    FileSource,
    ImageFileSource,
    MadeSource,
    MaskSource,
    PairSource,
    RecombinedSource,
    renewed,
)
from napari_synth.core.recipe.strict import Strict
from napari_synth.core.seeds import derived_seed, wide_seed
from napari_synth.core.untrusted import first_problem, load_yaml

RECIPE_NAME = "recipe.yaml"
METADATA_KEY = "napari_synth"
MAX_PAIRS = 1_000_000
"""What one export may hold."""

Precision = Literal["exact", "fast"]
"""``exact``: float32; ``fast``: convolutions in 16 bit."""
PRECISIONS: tuple[str, ...] = get_args(Precision)

Style = int | tuple[float, ...]
"""A member of a model's bank of styles, or the numbers of a code."""


class Intervention(Strict):
    """A change inside the network: one capsule, or one of its pose channels, scaled or set."""

    layer: str
    capsule: int = Field(ge=0)
    channel: int | None = Field(None, ge=0)
    """None: all pose channels."""
    scale: float = 1.0
    """Factor for the activation; 0 switches it off."""
    value: float | None = None
    """Number to set the activation to instead."""


class Recipe(Strict):
    """Model, mask, option and seed of one image; or, with several of them, of a batch.

    Attributes
    ----------
    format : {1, 2}
        How the seeds of a batch follow from ``seed`` and from those of its masks: with 31 bits, of which some are there
        twice among 100 000 pairs, or with 64. A file that does not say is of format 1.
    model : str
        Bundled id or path of a weights file.
    model_sha256 : str
        Hash of that file; empty where it is not known yet.
    masks : list of MaskSource
    conditions : list of ConditionSource
        Image beside each mask, or one for all of them, for a model that needs it.
    options : list of str
        Looks to render; empty for a model without options.
    variants : int
        Images per mask and option, each with its own seed.
    seed : int or None
        None switches the noise off; a batch needs a number.
    z : list of float, optional
        Latent vector of a model that has one; drawn from the seed when not given.
    style : int or list of float, optional
        Number in the bank, or code, of a model that has styles; drawn from the seed when not given. A recipe
        without one does not mention it.
    camera : CameraSettings, optional
        What a camera does to each image, under the seed of the image. A recipe without one does not mention it.
    interventions : list of Intervention
        Changes inside the network.
    precision : {'exact', 'fast'}
        How the network computes; recipes without this line are exact.
    n : int, optional
        Number of pairs; ``masks × options × variants`` when not given.
    versions : dict
        Versions of the programs that made it.
    """

    format: Literal[1, 2] = 2
    model: FilePath
    model_sha256: str = ""
    masks: list[MaskSource] = Field(min_length=1)
    conditions: list[ConditionSource] = Field(default_factory=list)
    options: list[FileName] = Field(default_factory=list)
    variants: int = Field(1, ge=1, le=MAX_PAIRS)
    seed: int | None = Field(1, ge=0)
    z: list[float] | None = None
    style: Annotated[int, Field(ge=0)] | list[Annotated[float, Field(allow_inf_nan=False)]] | None = None
    camera: CameraSettings | None = None
    interventions: list[Intervention] = Field(default_factory=list)
    precision: Precision = "exact"
    n: int | None = Field(None, ge=1, le=MAX_PAIRS)
    versions: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _conditions_fit(self) -> Recipe:
        if len(self.conditions) not in (0, 1, len(self.masks)):
            raise ValueError(f"{len(self.conditions)} conditions for {len(self.masks)} masks")
        if self.count() > MAX_PAIRS:
            raise ValueError(f"{self.count()} pairs are more than the {MAX_PAIRS} that one export may hold")
        return self

    @model_serializer(mode="wrap")
    def _as_ever_without_style_and_camera(self, serialise: SerializerFunctionWrapHandler) -> dict[str, Any]:
        written: dict[str, Any] = serialise(self)
        for name in ("style", "camera"):
            if getattr(self, name) is None:
                written.pop(name, None)
        return written

    @property
    def per_mask(self) -> int:
        """Pairs made of one mask."""
        return max(len(self.options), 1) * self.variants

    def count(self) -> int:
        """Number of pairs."""
        return self.n or len(self.masks) * self.per_mask

    def item(self, index: int) -> Recipe:
        """The recipe of pair number ``index`` alone: one mask, one option, one seed.

        A pure function of the index. When more pairs are wanted than the masks give, fields are
        composed anew and other masks are used again with new seeds.
        """
        if self.count() == 1:
            first = {"masks": self.masks[:1], "conditions": self.conditions[:1]}
            options = self.options[:1] or self._own_look(self.masks[0])
            return self.model_copy(update=first | {"options": options, "n": None, "variants": 1})
        derived = derived_seed if self.format == 1 else wide_seed
        mask_number, rest = divmod(index, self.per_mask)
        repetition, position = divmod(mask_number, len(self.masks))
        source = self.masks[position]
        if isinstance(source, MadeSource) and repetition:
            source = renewed(source, derived(source.seed, "field", repetition))
        option, variant = divmod(rest, self.variants)
        looked_at = self.format > 1 and mask_number == variant == 0  # the first pair is the very image
        drawn = self.seed if self.seed is None or looked_at else derived(self.seed, "pair", mask_number, variant)
        return self.model_copy(
            update={
                "masks": [source],
                "conditions": [self.condition(position)] if self.conditions else [],
                "options": self.options[option : option + 1] or self._own_look(source),
                "variants": 1,
                "n": None,
                "seed": drawn,
            }
        )

    def _own_look(self, source: MaskSource) -> list[str]:
        """The look of a pair that the model made from noise, which is no choice any more."""
        return [source.option] if self.makes(source) and source.option else []

    def makes(self, source: MaskSource) -> TypeGuard[PairSource]:
        """Whether mask and image are a pair that the model makes from noise."""
        return isinstance(source, PairSource) and source.model == self.model

    def condition(self, position: int) -> ConditionSource:
        """The image beside the mask at a position."""
        return self.conditions[position if len(self.conditions) > 1 else 0]

    def mask_number(self, index: int) -> int:
        """Which mask pair ``index`` shows; pairs of one mask share it."""
        return index // self.per_mask

    def stem(self, index: int) -> str:
        """File stem of pair ``index``."""
        digits = max(4, math.ceil(math.log10(self.count() + 1)))
        option = self.item(index).options
        return "_".join([f"{index + 1:0{digits}d}", *option])

    def to_yaml(self) -> str:
        return yaml.safe_dump(self.model_dump(exclude_none=False), sort_keys=False)

    def save(self, path: Path) -> None:
        """Write as YAML, beside and renamed."""
        with writing(path) as temporary:
            temporary.write_text(self.to_yaml(), encoding="utf-8")


def parse_recipe(text: str, where: str) -> Recipe:
    """A recipe from YAML.

    Raises
    ------
    InputError
        If the text is not a valid recipe.
    """
    action = "Use a recipe written by napari-synth."
    record = load_yaml(text, where, action)
    if isinstance(record, dict):
        record = {"format": 1} | record
    return checked_recipe(record, f"The recipe in {where}", action)


def checked_recipe(record: Any, what: str, action: str) -> Recipe:
    """A recipe from its record; `InputError` where something in it is wrong."""
    try:
        return Recipe.model_validate(record)
    except ValidationError as error:
        raise InputError(f"{what} is not valid: {': '.join(first_problem(error, 'it'))}.", action) from error


def read_recipe(path: str | Path) -> Recipe:
    """Read a recipe file; relative mask paths become absolute."""
    path = arguments.place(path, "path")
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"The recipe {path} cannot be read.", "Check the path.") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not a recipe.", "Use a recipe.yaml written by napari-synth.") from error
    return located(parse_recipe(text, path.name), path.parent)


def located(recipe: Recipe, folder: Path) -> Recipe:
    """The recipe with relative mask paths resolved from ``folder``."""
    masks = [_located(source, folder) for source in recipe.masks]
    conditions = [_located(source, folder) for source in recipe.conditions]
    return recipe.model_copy(update={"masks": masks, "conditions": conditions})


def _located(source: Any, folder: Path) -> Any:
    if isinstance(source, FileSource | ImageFileSource):
        return source.model_copy(update={"path": str((folder / source.path).resolve())})
    if isinstance(source, RecombinedSource):
        return source.model_copy(update={"maps": [str((folder / path).resolve()) for path in source.maps]})
    if isinstance(source, FieldSource):
        paths = {name: getattr(source.settings, name) for name in ("density", "library")}
        update = {name: str((folder / path).resolve()) for name, path in paths.items() if path}
        return source.model_copy(update={"settings": source.settings.model_copy(update=update)})
    return source
