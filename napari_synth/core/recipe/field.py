"""How a field of nuclei is composed."""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

from pydantic import ConfigDict, Field, field_validator, model_validator

from napari_synth.core.names import FilePath
from napari_synth.core.recipe.strict import Strict

REFERENCE_AREA = 256 * 256
LARGEST_AREA = 8192 * 8192
DEFAULT_SAMPLER = "library"
DEFAULT_SHAPES = "nucleus-dvae"

Quantiles = tuple[float, ...]


class FieldSettings(Strict):
    """How a field of nuclei is composed; see `masks.field.compose_field`.

    Counts are per area, so a canvas four times as large gets four times as many nuclei. ``title`` and ``control``
    say how a window asks for a field: ``row`` and ``sign`` place it, ``titles`` are the words for its values.
    """

    model_config = ConfigDict(use_attribute_docstrings=True)

    composer: Literal[1, 2] = 2
    """Version of the composing; 1 is what recipes without this line were made with."""
    height: int = Field(256, ge=16, le=8192)
    width: int = Field(256, ge=16, le=8192)
    count_mean: float = Field(
        20.0,
        ge=0,
        le=5000,
        title="Nuclei, mean",
        json_schema_extra={"row": "Nuclei / 256²", "step": 1.0, "decimals": 1},
    )
    """Mean number of nuclei per 256×256 pixels."""
    count_sd: float = Field(
        4.0,
        ge=0,
        le=5000,
        title="Nuclei, spread",
        json_schema_extra={"row": "Nuclei / 256²", "sign": "±", "step": 1.0, "decimals": 1},
    )
    """Standard deviation of that number."""
    count_law: Literal["normal", "poisson", "fixed", "measured"] = Field(
        "normal",
        title="Law of the number",
        json_schema_extra={
            "row": "Nuclei / 256²",
            "titles": {"normal": "Normal", "poisson": "Poisson", "fixed": "fixed number"},
        },
    )
    """How the number varies; ``measured`` follows ``count_quantiles``."""
    count_quantiles: Quantiles = ()
    """Measured numbers per 256×256 pixels, at evenly spaced shares."""
    count_scaling: Literal["area", "length"] = "area"
    """``length`` multiplies the number by the side of the canvas, as the thesis did."""
    area_mean: float = Field(
        700.0,
        ge=0.01,
        le=LARGEST_AREA,
        title="Area, mean",
        json_schema_extra={"row": "Area (px²)", "min": 1, "step": 50, "decimals": 0},
    )
    """Mean area of a nucleus in square pixels."""
    area_sd: float = Field(
        250.0,
        ge=0,
        le=LARGEST_AREA,
        title="Area, spread",
        json_schema_extra={"row": "Area (px²)", "sign": "±", "step": 50, "decimals": 0},
    )
    """Standard deviation of the area in square pixels."""
    area_law: Literal["normal", "measured", "scale"] = "normal"
    """How the size varies; ``measured`` follows ``area_quantiles``, ``scale`` enlarges 64×64 shapes."""
    area_quantiles: Quantiles = ()
    """Measured areas in square pixels, at evenly spaced shares."""
    scale_low: float = Field(0.5, gt=0, le=16)
    scale_high: float = Field(1.0, gt=0, le=16)
    """Range of the enlargement for ``scale``."""
    eccentricity_quantiles: Quantiles = ()
    """Measured eccentricities, at evenly spaced shares; empty: as the sampler gives them."""
    orientation: Literal["uniform", "preferred", "none"] = Field(
        "uniform",
        title="Direction",
        json_schema_extra={
            "row": "Direction",
            "titles": {"uniform": "any", "preferred": "preferred", "none": "not turned"},
        },
    )
    """How nuclei are turned; ``preferred``: long axes near ``angle``."""
    angle: float = Field(
        0.0,
        ge=-360,
        le=360,
        title="Direction, mean",
        json_schema_extra={"row": "Direction", "min": -180, "max": 180, "step": 5, "decimals": 0, "suffix": "°"},
    )
    """Preferred direction of the long axis in degrees, counter-clockwise from horizontal."""
    angle_sd: float = Field(
        15.0,
        ge=0,
        le=360,
        title="Direction, spread",
        json_schema_extra={"row": "Direction", "sign": "±", "max": 180, "step": 5, "decimals": 0, "suffix": "°"},
    )
    """Standard deviation of the direction in degrees."""
    touching: bool = True
    """False is short for ``spacing="apart"``."""
    spacing: str = Field("touching", title="Spacing", json_schema_extra={"row": "Spacing"})
    """How close nuclei lie, a key of `masks.spacing.SPACINGS`; nuclei never merge."""
    touching_fraction: float = Field(
        0.2,
        ge=0,
        le=1,
        title="Touching",
        json_schema_extra={"row": "Spacing", "percent": True, "step": 5, "decimals": 0, "suffix": " %"},
    )
    """Share of the nuclei that touch another one, for ``touching`` and ``clusters``."""
    gap: int = Field(1, ge=1, le=200)
    """Free pixels between two nuclei, for ``apart``."""
    cluster_size: float = Field(6.0, ge=1, le=1_000_000)
    """Mean number of nuclei in a group, for ``clusters``."""
    cluster_radius: float = Field(30.0, gt=0, le=8192)
    """Standard deviation of the distance to the centre of the group, in pixels."""
    density: FilePath = ""
    """An image file: the brighter, the more nuclei; empty: everywhere alike."""
    density_sha256: str = ""
    """`mask_hash` of its numbers; empty: not checked."""
    sampler: str = Field(DEFAULT_SAMPLER, title="Sampler", json_schema_extra={"row": "Shapes"})
    """How shapes are drawn, a key of `masks.samplers.SAMPLERS`."""
    spread: float = Field(
        1.0, ge=0, le=3, title="Shape variation", json_schema_extra={"row": "Shapes", "step": 0.1, "decimals": 1}
    )
    """How far the sampler goes from what is known; see `masks.samplers`."""
    shapes: FilePath = DEFAULT_SHAPES
    """Id or file of the shape model."""
    library: FilePath = ""
    """A shape library or a folder of masks; empty: the library of the shape model; ``held:…``: in memory alone."""

    @field_validator("count_quantiles", "area_quantiles", "eccentricity_quantiles")
    @classmethod
    def _rising(cls, quantiles: Quantiles) -> Quantiles:
        if len(quantiles) == 1 or any(b < a for a, b in pairwise(quantiles)) or any(q < 0 for q in quantiles):
            raise ValueError("quantiles must rise, from 0 or more")
        if quantiles and quantiles[-1] > LARGEST_AREA:
            raise ValueError(f"quantiles must not be over {LARGEST_AREA}")
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
