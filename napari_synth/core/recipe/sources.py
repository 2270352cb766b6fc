"""Where the mask of an image, and the image beside it, come from."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from napari_synth.core.intensity import GreyDtype
from napari_synth.core.names import FileName, FilePath
from napari_synth.core.recipe.field import FieldSettings
from napari_synth.core.recipe.strict import Strict


class FieldSource(Strict):
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


class FileSource(Strict):
    """A mask in a file; a relative path counts from the folder of the recipe."""

    kind: Literal["file"] = "file"
    path: FilePath
    sha256: str = ""
    """`mask_hash` of its labels; empty: not checked."""


class LayerSource(Strict):
    """A mask that was painted in a layer and is not on disk."""

    kind: Literal["layer"] = "layer"
    name: str
    sha256: str


class ImageFileSource(Strict):
    """An image in a file; a relative path counts from the folder of the recipe."""

    kind: Literal["file"] = "file"
    path: FilePath
    channel: int | None = Field(None, ge=0)
    """Which channel of a file with several, counted from 0."""
    dtype: GreyDtype | Literal[""] = ""
    """What the grey values are turned into; empty: as stored."""
    sha256: str = ""
    """`image_hash` of it; empty: not checked."""


class RecombineSettings(Strict):
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


class RecombinedSource(Strict):
    """A mask made of real label maps by chance."""

    kind: Literal["recombined"] = "recombined"
    maps: list[FilePath] = Field(min_length=1)
    """Files of label maps; relative paths count from the folder of the recipe."""
    settings: RecombineSettings
    seed: int = Field(ge=0)
    sha256: str = ""
    """`mask_hash` of its labels; empty: not checked."""


class PairSource(Strict):
    """The mask of a pair that a model made from noise; see `synthesis.pairs`."""

    kind: Literal["pair"] = "pair"
    model: FilePath
    """Bundled id or path of the model of pairs."""
    model_sha256: str = ""
    """Hash of its file; empty: not checked."""
    option: FileName = ""
    """One of its looks; empty: the first."""
    seed: int = Field(ge=0)
    z: list[float] | None = None
    """The code; drawn from the seed when not given."""
    rise: float = Field(0.05, ge=0, le=10)
    """How touching nuclei are parted; see `masks.binary.binary_instances`."""
    sha256: str = ""
    """`mask_hash` of its labels; empty: not checked."""


ConditionSource = Annotated[ImageFileSource | LayerSource, Field(discriminator="kind")]


MadeSource = FieldSource | RecombinedSource | PairSource
"""Masks that are made by a seed, so that another seed makes another one."""


def renewed(source: MadeSource, seed: int) -> MadeSource:
    """The source of another mask of the same kind."""
    code = {"z": None} if isinstance(source, PairSource) else {}
    return source.model_copy(update={"seed": seed, "sha256": ""} | code)


MaskSource = Annotated[MadeSource | FileSource | LayerSource, Field(discriminator="kind")]
