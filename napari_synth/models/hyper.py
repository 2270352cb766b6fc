"""What the hyper-parameters in a card may be: one record per architecture, with bounds.

A card comes from a file that anybody may have written, so it is checked before a network is built from it.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from napari_synth.core.appearance import AppearanceSettings
from napari_synth.core.errors import InputError
from napari_synth.core.untrusted import first_problem
from napari_synth.models.card import MAX_MULTIPLE, ModelCard

MOST_LEVELS = MAX_MULTIPLE.bit_length() - 1
Upsampling = Literal["transposed", "resize"]


class Hyper(BaseModel):
    """Base of the records."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, strict=True)

    @property
    def multiple(self) -> int:
        """Height and width the network accepts are multiples of this."""
        return 1

    @property
    def latent(self) -> int:
        """Length of the latent vector; 0 where there is none."""
        return 0


class Pix2PixHyper(Hyper):
    """Of `nets.pix2pix.Pix2PixGenerator`."""

    in_channels: Literal[1, 2, 3, 4]
    out_channels: Literal[1, 3] = 3
    ngf: int = Field(64, ge=1, le=512)
    levels: int = Field(8, ge=2, le=MOST_LEVELS)
    upsampling: Upsampling = "transposed"
    dropout: float = Field(0.5, ge=0, lt=1)
    dropout_blocks: int = Field(3, ge=0, le=MOST_LEVELS)
    dropout_first: int = Field(0, ge=0, le=MOST_LEVELS)
    head_dropout: float = Field(0.0, ge=0, lt=1)
    bias: bool = False
    norm: Literal["batch", "image", "instance", "none"] = "batch"
    noise_periods: str = Field("", pattern=r"^(|[1-9]\d{0,3}(,[1-9]\d{0,3}){0,7})$")
    style_size: int = Field(0, ge=0, le=64)
    options: int = Field(1, ge=1, le=64)
    bank_size: int = Field(0, ge=0, le=1000)

    @model_validator(mode="after")
    def _head_has_channels(self) -> Pix2PixHyper:
        if self.upsampling == "resize" and self.ngf < 2:
            raise ValueError("upsampling 'resize' needs an ngf of 2 or more")
        return self

    @property
    def multiple(self) -> int:
        return int(2**self.levels)


class ResNetHyper(Hyper):
    """Of `nets.pix2pix_resnet.Pix2PixResNet`."""

    in_channels: Literal[1, 3, 4]
    out_channels: Literal[1, 3] = 3
    ngf: int = Field(64, ge=1, le=512)
    blocks: int = Field(9, ge=0, le=64)
    dropout: float = Field(0.0, ge=0, lt=1)
    bias: bool = False
    norm: Literal["batch", "image", "instance", "none"] = "batch"

    @property
    def multiple(self) -> int:
        return 4


class CapsPix2PixHyper(Hyper):
    """Of `nets.capspix2pix.CapsPix2PixGenerator`."""

    dropout: float = Field(0.5, ge=0, lt=1)
    beyond: Literal["reflection", "blocks"] = "reflection"

    @property
    def multiple(self) -> int:
        return 8

    @property
    def latent(self) -> int:
        return 100


class MetGANHyper(Hyper):
    """Of `nets.metgan.MetGen`."""

    in_channels: Literal[1] = 1
    out_channels: Literal[1] = 1
    width: float = Field(1.0, gt=0, le=4)
    blocks: Literal[6, 7] = 6
    at_least: int = Field(4, ge=1, le=512)
    noise: bool = False

    @property
    def multiple(self) -> int:
        return 64


class PublishedMetGANHyper(Hyper):
    """Of `nets.metgan_published.PublishedMetGen`."""

    width: float = Field(1.0, gt=0, le=4)
    ngf: int = Field(64, ge=1, le=64)
    hidden: int = Field(128, ge=1, le=1024)
    norm: Literal["batch", "image"] = "batch"

    @property
    def multiple(self) -> int:
        return 128 if self.norm == "image" else 64


class ForeignHyper(Hyper):
    """Of `nets.foreign`: a program of somebody else, and how it reads and gives its arrays."""

    program_bytes: int = Field(ge=1)
    in_channels: Literal[1, 3] = 1
    out_channels: Literal[1, 3] = 1
    background: float = 0.0
    object: float = 1.0
    axes: str = Field("bcyx", max_length=8)
    out_axes: str = Field("bcyx", max_length=8)
    side: int = Field(0, ge=0, le=1024)


class ConditionedUNetHyper(Hyper):
    """Of `nets.metgan.ConditionedUNet`."""

    ngf: int = Field(64, ge=1, le=512)
    levels: int = Field(8, ge=2, le=MOST_LEVELS)

    @property
    def multiple(self) -> int:
        return int(2**self.levels)


class IsingHyper(Hyper):
    """Of `nets.ising.IsingGenerator`."""

    size: Literal[64, 128, 256, 512] = 256
    latent_size: int = Field(100, ge=1, le=1024)
    looks: int = Field(1, ge=1, le=64)
    width: int = Field(64, ge=1, le=512)
    residual: bool = True
    upsampling: Upsampling = "transposed"
    noise: bool = False

    @property
    def latent(self) -> int:
        return self.latent_size


class DVAEHyper(Hyper):
    """Of `nets.dvae.DVAE`."""

    latent_size: int = Field(10, ge=1, le=512)

    @property
    def latent(self) -> int:
        return self.latent_size


class UNetHyper(Hyper):
    """Of the segmentation networks in `nets.unet`."""

    in_channels: Literal[1, 3] = 3
    width: int = Field(16, ge=1, le=512)

    @property
    def multiple(self) -> int:
        return 16


class SignalUNetHyper(UNetHyper):
    """Of `nets.unet.signal_unet`."""

    in_channels: Literal[1, 3] = 1


HYPER: dict[str, type[Hyper] | type[AppearanceSettings]] = {
    "optional-pix2pix": Pix2PixHyper,
    "pix2pix": Pix2PixHyper,
    "pix2pix-resnet": ResNetHyper,
    "foreign": ForeignHyper,
    "capspix2pix": CapsPix2PixHyper,
    "pbam": AppearanceSettings,
    "metgan": MetGANHyper,
    "metgan-published": PublishedMetGANHyper,
    "metgan-unet": ConditionedUNetHyper,
    "ising-gan": IsingHyper,
    "dvae": DVAEHyper,
    "unet": UNetHyper,
    "plain-unet": UNetHyper,
    "signal-unet": SignalUNetHyper,
}
"""By architecture; one of somebody else may do without a line and then checks its arguments itself."""
CONDITIONED = ("metgan", "metgan-unet", "metgan-published")
"""What these make of a mask goes into an image, so their cards say which and on what scale."""


def check_hyper(card: ModelCard, where: str) -> None:
    """Refuse a card whose parts cannot belong together.

    Parameters
    ----------
    card : ModelCard
    where : str
        Name of its file.

    Raises
    ------
    InputError
        If a hyper-parameter is unknown or out of bounds, or contradicts another part of the card.
    """
    kind = HYPER.get(card.architecture)
    if kind is None:
        return
    try:
        hyper = kind.model_validate(card.hyper)
    except ValidationError as error:
        place, reason = first_problem(error, "all together")
        raise _unfit(where, f"the hyper-parameter {place}: {reason}") from error
    if isinstance(hyper, Hyper):
        _check_agreement(card, hyper, where)


def _check_agreement(card: ModelCard, hyper: Hyper, where: str) -> None:
    """The rest of the card against its hyper-parameters."""
    if card.tile_multiple % hyper.multiple:
        raise _unfit(where, f"tile_multiple is {card.tile_multiple}, but the network needs {hyper.multiple}")
    if card.latent_size != hyper.latent:
        raise _unfit(where, f"latent_size is {card.latent_size}, but the network has {hyper.latent}")
    if isinstance(hyper, Pix2PixHyper) and hyper.in_channels == 2 and not card.looks:
        raise _unfit(where, "the network reads an option, but there are no looks")
    if card.architecture in CONDITIONED and not (card.condition_channels and card.output_channel):
        raise _unfit(where, "the network needs an image beside the mask, but no channels are named")
    if card.role == "generator" and not card.mask_meaning:
        raise _unfit(where, "mask_meaning is missing")


def _unfit(where: str, reason: str) -> InputError:
    return InputError(
        f"The model card in {where} does not fit its network: {reason}.", "Use a file made by napari-synth."
    )
