"""The recipe: all that is needed to make an image again."""

from __future__ import annotations

import hashlib
import math
from importlib.metadata import PackageNotFoundError, version
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import numpy as np
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from napari_synth.core.errors import InputError
from napari_synth.core.files import writing
from napari_synth.core.seeds import derived_seed
from napari_synth.core.settings import DEFAULT_SHAPES

REFERENCE_AREA = 256 * 256
DEFAULT_SAMPLER = "library"
RECIPE_NAME = "recipe.yaml"
METADATA_KEY = "napari_synth"

Precision = Literal["exact", "fast"]
"""``exact``: float32; ``fast``: convolutions in 16 bit."""
PRECISIONS: tuple[str, ...] = get_args(Precision)

Quantiles = tuple[float, ...]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class FieldSettings(_Strict):
    """How a field of nuclei is composed; see `masks.field.compose_field`.

    Counts are per area, so a canvas four times as large gets four times as many nuclei.
    """

    composer: Literal[1, 2] = 2
    """Version of the composing; 1 is what recipes without this line were made with."""
    height: int = Field(256, ge=16, le=8192)
    width: int = Field(256, ge=16, le=8192)
    count_mean: float = Field(20.0, ge=0, le=5000)
    """Mean number of nuclei per 256×256 pixels."""
    count_sd: float = Field(4.0, ge=0, le=5000)
    """Standard deviation of that number."""
    count_law: Literal["normal", "poisson", "fixed", "measured"] = "normal"
    """How the number varies; ``measured`` follows ``count_quantiles``."""
    count_quantiles: Quantiles = ()
    """Measured numbers per 256×256 pixels, at evenly spaced shares."""
    count_scaling: Literal["area", "length"] = "area"
    """``length`` multiplies the number by the side of the canvas, as the thesis did."""
    area_mean: float = Field(700.0, gt=0)
    """Mean area of a nucleus in square pixels."""
    area_sd: float = Field(250.0, ge=0)
    """Standard deviation of the area."""
    area_law: Literal["normal", "measured", "scale"] = "normal"
    """How the size varies; ``measured`` follows ``area_quantiles``, ``scale`` enlarges 64×64 shapes."""
    area_quantiles: Quantiles = ()
    """Measured areas in square pixels, at evenly spaced shares."""
    scale_low: float = Field(0.5, gt=0, le=16)
    scale_high: float = Field(1.0, gt=0, le=16)
    """Range of the enlargement for ``scale``."""
    eccentricity_quantiles: Quantiles = ()
    """Measured eccentricities, at evenly spaced shares; empty: as the sampler gives them."""
    orientation: Literal["uniform", "preferred", "none"] = "uniform"
    """``preferred``: long axes near ``angle``; ``none``: shapes are not turned."""
    angle: float = Field(0.0, ge=-360, le=360)
    """Preferred direction of the long axis in degrees, counter-clockwise from horizontal."""
    angle_sd: float = Field(15.0, ge=0, le=360)
    touching: bool = True
    """False is short for ``spacing="apart"``."""
    spacing: str = "touching"
    """A key of `masks.spacing.SPACINGS`; nuclei never merge."""
    touching_fraction: float = Field(0.2, ge=0, le=1)
    """Share of the nuclei that touch another one, for ``touching`` and ``clusters``."""
    gap: int = Field(1, ge=1, le=200)
    """Free pixels between two nuclei, for ``apart``."""
    cluster_size: float = Field(6.0, ge=1)
    """Mean number of nuclei in a group, for ``clusters``."""
    cluster_radius: float = Field(30.0, gt=0)
    """Standard deviation of the distance to the centre of the group, in pixels."""
    density: str = ""
    """An image file: the brighter, the more nuclei; empty: everywhere alike."""
    density_sha256: str = ""
    """`mask_hash` of its numbers; empty: not checked."""
    sampler: str = DEFAULT_SAMPLER
    spread: float = Field(1.0, ge=0, le=3)
    """How far the sampler goes from what is known; see `masks.samplers`."""
    shapes: str = DEFAULT_SHAPES
    """Id or file of the shape model."""
    library: str = ""
    """A shape library or a folder of masks; empty: the library of the shape model; ``held:…``: in memory alone."""

    @field_validator("count_quantiles", "area_quantiles", "eccentricity_quantiles")
    @classmethod
    def _rising(cls, quantiles: Quantiles) -> Quantiles:
        if len(quantiles) == 1 or any(b < a for a, b in pairwise(quantiles)) or any(q < 0 for q in quantiles):
            raise ValueError("quantiles must rise, from 0 or more")
        return quantiles

    @model_validator(mode="after")
    def _consistent(self) -> FieldSettings:
        if self.count_law == "measured" and not self.count_quantiles:
            raise ValueError("count_law 'measured' needs count_quantiles")
        if self.area_law == "measured" and not (self.area_quantiles and self.area_quantiles[0] > 0):
            raise ValueError("area_law 'measured' needs area_quantiles over 0")
        if self.scale_low > self.scale_high:
            raise ValueError("scale_low is larger than scale_high")
        if self.composer > 1 and not self.touching:
            self.touching, self.spacing = True, "apart"
        return self


class FieldSource(_Strict):
    """A mask composed of sampled nuclei."""

    kind: Literal["field"] = "field"
    settings: FieldSettings
    seed: int = Field(ge=0)
    sha256: str = ""
    """`mask_hash` of its labels; empty: not checked."""

    @field_validator("settings", mode="before")
    @classmethod
    def _written_before_composers_had_numbers(cls, settings: Any) -> Any:
        if isinstance(settings, dict) and "composer" not in settings:
            return {"composer": 1, "sampler": "prior", "spread": 0.7} | settings
        return settings


class FileSource(_Strict):
    """A mask in a file; a relative path counts from the folder of the recipe."""

    kind: Literal["file"] = "file"
    path: str
    sha256: str = ""
    """`mask_hash` of its labels; empty: not checked."""


class LayerSource(_Strict):
    """A mask that was painted in a layer and is not on disk."""

    kind: Literal["layer"] = "layer"
    name: str
    sha256: str


class ImageFileSource(_Strict):
    """An image in a file; a relative path counts from the folder of the recipe."""

    kind: Literal["file"] = "file"
    path: str
    channel: int | None = Field(None, ge=0)
    """Which channel of a file with several, counted from 0."""
    dtype: str = ""
    """What the grey values are turned into; empty: as stored."""
    sha256: str = ""
    """`image_hash` of it; empty: not checked."""


class RecombineSettings(_Strict):
    """How new labels are made of real label maps; see `masks.recombine.recombine`."""

    height: int = Field(256, ge=16, le=8192)
    width: int = Field(256, ge=16, le=8192)
    merge: float = Field(0.5, ge=0, le=1)
    """Probability that two maps are merged."""
    flip: bool = True
    rotate: float = Field(180.0, ge=0, le=180)
    """Largest turn in degrees, either way."""
    scale_low: float = Field(0.8, gt=0, le=10)
    scale_high: float = Field(1.25, gt=0, le=10)


class RecombinedSource(_Strict):
    """A mask made of real label maps by chance."""

    kind: Literal["recombined"] = "recombined"
    maps: list[str] = Field(min_length=1)
    """Files of label maps; relative paths count from the folder of the recipe."""
    settings: RecombineSettings
    seed: int = Field(ge=0)
    sha256: str = ""
    """`mask_hash` of its labels; empty: not checked."""


ConditionSource = Annotated[ImageFileSource | LayerSource, Field(discriminator="kind")]


MaskSource = Annotated[FieldSource | FileSource | LayerSource | RecombinedSource, Field(discriminator="kind")]


class Intervention(_Strict):
    """A change inside the network: one capsule, or one of its pose channels, scaled or set."""

    layer: str
    capsule: int = Field(ge=0)
    channel: int | None = Field(None, ge=0)
    """None: all pose channels."""
    scale: float = Field(1.0, allow_inf_nan=False)
    """Factor for the activation; 0 switches it off."""
    value: float | None = Field(None, allow_inf_nan=False)
    """Number to set the activation to instead."""


class Recipe(_Strict):
    """Model, mask, option and seed of one image; or, with several of them, of a batch.

    Attributes
    ----------
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
    interventions : list of Intervention
        Changes inside the network.
    precision : {'exact', 'fast'}
        How the network computes; recipes without this line are exact.
    n : int, optional
        Number of pairs; ``masks × options × variants`` when not given.
    versions : dict
        Versions of the programs that made it.
    """

    format: Literal[1] = 1
    model: str
    model_sha256: str = ""
    masks: list[MaskSource] = Field(min_length=1)
    conditions: list[ConditionSource] = Field(default_factory=list)
    options: list[str] = Field(default_factory=list)
    variants: int = Field(1, ge=1)
    seed: int | None = Field(1, ge=0)
    z: list[float] | None = None
    interventions: list[Intervention] = Field(default_factory=list)
    precision: Precision = "exact"
    n: int | None = Field(None, ge=1)
    versions: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _conditions_fit(self) -> Recipe:
        if len(self.conditions) not in (0, 1, len(self.masks)):
            raise ValueError(f"{len(self.conditions)} conditions for {len(self.masks)} masks")
        return self

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
            first = {"masks": self.masks[:1], "conditions": self.conditions[:1], "options": self.options[:1]}
            return self.model_copy(update=first | {"n": None, "variants": 1})
        mask_number, rest = divmod(index, self.per_mask)
        repetition, position = divmod(mask_number, len(self.masks))
        source = self.masks[position]
        if isinstance(source, FieldSource | RecombinedSource) and repetition:
            seed = derived_seed(source.seed, "field", repetition)
            source = source.model_copy(update={"seed": seed, "sha256": ""})
        option, variant = divmod(rest, self.variants)
        return self.model_copy(
            update={
                "masks": [source],
                "conditions": [self.condition(position)] if self.conditions else [],
                "options": self.options[option : option + 1],
                "variants": 1,
                "n": None,
                "seed": None if self.seed is None else derived_seed(self.seed, "pair", mask_number, variant),
            }
        )

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
    try:
        return Recipe.model_validate(yaml.safe_load(text))
    except yaml.YAMLError as error:
        raise InputError(f"{where} is not valid YAML.", "Use a recipe written by napari-synth.") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "it"
        raise InputError(
            f"The recipe in {where} is not valid: {place}: {first['msg']}.", "Use a recipe written by napari-synth."
        ) from error


def read_recipe(path: Path) -> Recipe:
    """Read a recipe file; relative mask paths become absolute."""
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


def mask_hash(labels: np.ndarray) -> str:
    """SHA-256 of a label image: its shape and its int32 values."""
    digest = hashlib.sha256(str(labels.shape).encode())
    digest.update(np.ascontiguousarray(labels, np.int32).tobytes())
    return digest.hexdigest()


def image_hash(image: np.ndarray) -> str:
    """SHA-256 of an image: its shape, dtype and values."""
    digest = hashlib.sha256(f"{image.shape} {image.dtype.name}".encode())
    digest.update(np.ascontiguousarray(image).tobytes())
    return digest.hexdigest()


def versions() -> dict[str, str]:
    """Versions of the programs an image depends on."""
    found = {}
    for name in ("napari-synth", "torch", "numpy"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "unknown"
    return found
