"""The model card: everything a person or a program must know to use a trained model."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from napari_synth.core.intensity import Intensity


class Look(BaseModel):
    """One option of a generator: its name and what it looks like."""

    model_config = ConfigDict(extra="forbid")

    name: str
    title: str = ""
    rgb: bool = True
    """False: the image is grey, ``(Y, X)``."""
    thumbnail: str = ""
    """A small PNG of the look, base64."""


class TrainingData(BaseModel):
    """Where training pairs came from."""

    model_config = ConfigDict(extra="forbid")

    name: str
    source: str = ""
    licence: str = ""
    attribution: str = ""
    files: int
    held_out: int = 0


def joint_licence(data: list[TrainingData]) -> str:
    """The licences of all data, each once."""
    return ", ".join(dict.fromkeys(entry.licence for entry in data if entry.licence))


class Training(BaseModel):
    """How the weights were made."""

    model_config = ConfigDict(extra="forbid")

    steps: int
    planned_steps: int
    batch_size: int
    seed: int
    init: str = ""
    """The model it started from."""
    device: str
    precision: str
    hours: float
    settings: dict[str, float | int | str | bool] = Field(default_factory=dict)
    data: list[TrainingData] = Field(default_factory=list)


class ModelCard(BaseModel):
    """Description of a trained model; stored as JSON in the header of its weights file.

    Attributes
    ----------
    id : str
        Name under which it is loaded.
    architecture : str
        Name in the architecture registry.
    hyper : dict
        Arguments of the architecture's builder.
    role : {'generator', 'shapes', 'segmentor', 'pairs'}
        mask -> image, latent -> shape, image -> mask, or latent -> image and mask.
    mask_meaning : str
        A key of `datasets.encoding.MASK_MEANINGS`.
    condition_channels : list of str
        Images needed beside the mask; empty for a generator from the mask alone.
    output_channel : str
        What the image shows, for a model with condition channels.
    intensities : dict
        Scales of the condition channels and of the output, by channel.
    segmentor : str
        Id of the segmentor the model was trained against; its file lies in the same folder.
    looks : list of Look
        The options, in the order of the option plane.
    latent_size : int
        Length of z; 0 where there is none.
    shape_side : int
        Longer side in pixels to which a shape model wants shapes scaled; 0: their own size.
    value_range : tuple of float
        Range of the output array.
    network_range : tuple of float
        What the network gives for black and white.
    option_values : {'fraction', 'number'}
        Whether the option plane holds (k + 1) / K or k + 1.
    tile_multiple : int
        Height and width the network accepts are multiples of this.
    figures : dict
        Measured quality, name to value.
    """

    model_config = ConfigDict(extra="forbid")

    format: Literal[1] = 1
    id: str
    title: str = ""
    architecture: str
    hyper: dict[str, float | int | str | bool] = Field(default_factory=dict)
    role: Literal["generator", "shapes", "segmentor", "pairs"]
    mask_meaning: str = ""
    condition_channels: list[str] = Field(default_factory=list)
    output_channel: str = ""
    intensities: dict[str, Intensity] = Field(default_factory=dict)
    segmentor: str = ""
    looks: list[Look] = Field(default_factory=list)
    latent_size: int = 0
    shape_side: int = 0
    value_range: tuple[float, float] = (0, 255)
    network_range: tuple[float, float] = (-1, 1)
    option_values: Literal["fraction", "number"] = "fraction"
    tile_multiple: int = 1
    licence: str = ""
    training: Training | None = None
    figures: dict[str, float] = Field(default_factory=dict)
    notes: str = ""

    @property
    def options(self) -> list[str]:
        """Names of the options."""
        return [look.name for look in self.looks]
