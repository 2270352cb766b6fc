"""The model card: everything a person or a program must know to use a trained model."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from napari_synth.core.intensity import Intensity
from napari_synth.core.meanings import MaskMeaning
from napari_synth.core.names import FileName

MAX_MULTIPLE = 1024
"""Of height and width: the largest that a network may ask for."""
Structure = Literal["nucleus", "axon", "neuron", "structure"]
PLURALS: dict[Structure, str] = {
    "nucleus": "nuclei",
    "axon": "axons",
    "neuron": "neurons",
    "structure": "structures",
}
STRUCTURES: dict[str, Structure] = {
    "capspix2pix-axons": "axon",
    "pbam-axons": "axon",
    "metgan-brain": "neuron",
    "metgan-brain-segmentor": "neuron",
}
"""Of bundled files that are older than the field; recipes name their hashes, so they stay as they are."""


class Look(BaseModel):
    """One option of a generator: its name and what it looks like."""

    model_config = ConfigDict(extra="forbid")

    name: FileName
    title: str = ""
    rgb: bool = True
    """False: the image is grey, ``(Y, X)``."""
    thumbnail: str = Field("", max_length=2**20)
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
    structure : {'nucleus', 'axon', 'neuron', 'structure'}
        What one label of a mask is. In a card that does not say: a nucleus for shapes and for masks with
        gaps between nuclei, what `STRUCTURES` has for a bundled file, else just a structure.
    mask_meaning : str
        A key of `core.meanings.MASK_MEANINGS`; empty for a model that reads no mask.
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

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    format: Literal[1] = 1
    id: str
    title: str = ""
    architecture: str
    hyper: dict[str, float | int | str | bool] = Field(default_factory=dict)
    role: Literal["generator", "shapes", "segmentor", "pairs"]
    structure: Structure = "structure"
    mask_meaning: MaskMeaning | Literal[""] = ""
    condition_channels: list[str] = Field(default_factory=list)
    output_channel: str = ""
    intensities: dict[str, Intensity] = Field(default_factory=dict)
    segmentor: FileName = ""
    looks: list[Look] = Field(default_factory=list, max_length=1000)
    latent_size: int = Field(0, ge=0, le=65536)
    shape_side: int = Field(0, ge=0, le=64)
    value_range: tuple[float, float] = (0, 255)
    network_range: tuple[float, float] = (-1, 1)
    option_values: Literal["fraction", "number"] = "fraction"
    tile_multiple: int = Field(1, ge=1, le=MAX_MULTIPLE)
    licence: str = ""
    training: Training | None = None
    figures: dict[str, float] = Field(default_factory=dict)
    notes: str = ""

    @model_validator(mode="before")
    @classmethod
    def _structure_where_the_card_does_not_say(cls, card: Any) -> Any:
        if not isinstance(card, dict) or "structure" in card:
            return card
        of_nuclei = card.get("role") == "shapes" or card.get("mask_meaning") == "foreground-gap"
        return card | {"structure": "nucleus" if of_nuclei else STRUCTURES.get(str(card.get("id")), "structure")}

    @model_validator(mode="after")
    def _ranges_and_channels(self) -> ModelCard:
        for name, (low, high) in (("value_range", self.value_range), ("network_range", self.network_range)):
            if not low < high:
                raise ValueError(f"{name} must rise")
        for channel in (*self.condition_channels, *filter(None, [self.output_channel])):
            if channel not in self.intensities:
                raise ValueError(f"the channel {channel!r} has no intensities")
        if len(set(self.options)) < len(self.looks):
            raise ValueError("two looks have the same name")
        return self

    @property
    def options(self) -> list[str]:
        """Names of the options."""
        return [look.name for look in self.looks]

    @property
    def style_size(self) -> int:
        """Numbers in the code of a style; 0 for a model without styles."""
        return int(self.hyper.get("style_size", 0))

    @property
    def styles(self) -> int:
        """Styles that come with each option; 0 for a model without."""
        return int(self.hyper.get("bank_size", 0)) if self.style_size else 0

    @property
    def structures(self) -> str:
        """What the labels of a mask are, such as nuclei or axons."""
        return PLURALS[self.structure]
