"""What a camera does to an image: the part of a recipe between the generator and the file."""

from __future__ import annotations

from typing import Any

from pydantic import ConfigDict, Field, ValidationError

from napari_synth.core.errors import InputError, unknown_name
from napari_synth.core.recipe.strict import Strict
from napari_synth.core.untrusted import first_problem

FULL_SCALE = 255.0
"""Grey values are counted from black, 0, to white, whatever the dtype of the image."""


class CameraSettings(Strict):
    """How a microscope and its camera change an image; see `synthesis.camera.photograph`.

    Everything at its start changes nothing. Grey levels count from 0 (black) to 255 (white), also where an image has 16
    bit. ``title`` and ``json_schema_extra`` say how a window asks for a field.
    """

    model_config = ConfigDict(use_attribute_docstrings=True, frozen=True)

    blur: float = Field(
        0.0, ge=0, le=50, title="Blur (px)", json_schema_extra={"slider": True, "max": 5.0, "step": 0.05, "decimals": 2}
    )
    """Standard deviation of the Gaussian that the optics spread a point to, in pixels."""
    background_x: float = Field(
        0.0,
        ge=-255,
        le=255,
        title="Background →",
        json_schema_extra={"slider": True, "min": -100.0, "max": 100.0, "step": 0.5, "decimals": 1},
    )
    """How much brighter the background is at the right edge than at the left one, in grey levels before the gain."""
    background_y: float = Field(
        0.0,
        ge=-255,
        le=255,
        title="Background ↓",
        json_schema_extra={"slider": True, "min": -100.0, "max": 100.0, "step": 0.5, "decimals": 1},
    )
    """How much brighter the background is at the bottom than at the top, in grey levels before the gain."""
    background_bowl: float = Field(
        0.0,
        ge=-255,
        le=255,
        title="Corners",
        json_schema_extra={"slider": True, "min": -100.0, "max": 100.0, "step": 0.5, "decimals": 1},
    )
    """How much brighter the background is in the corners than in the middle, in grey levels before the gain;
    below 0: vignetting."""
    gain: float = Field(
        1.0,
        ge=0.01,
        le=100,
        title="Gain",
        json_schema_extra={"slider": True, "min": 0.1, "max": 3.0, "step": 0.01, "decimals": 2},
    )
    """Factor of all grey values: exposure and amplification."""
    offset: float = Field(
        0.0,
        ge=-255,
        le=255,
        title="Offset",
        json_schema_extra={"slider": True, "min": -100.0, "max": 100.0, "step": 0.5, "decimals": 1},
    )
    """Grey levels that are added everywhere, after the gain."""
    gamma: float = Field(
        1.0,
        ge=0.1,
        le=10,
        title="Gamma",
        json_schema_extra={"slider": True, "min": 0.3, "max": 3.0, "step": 0.01, "decimals": 2},
    )
    """Exponent of the grey values, black and white staying: above 1 the middle becomes darker."""
    shot_noise: float = Field(
        0.0,
        ge=0,
        le=255,
        title="Photon noise",
        json_schema_extra={"slider": True, "max": 5.0, "step": 0.01, "decimals": 2},
    )
    """Poisson noise: grey levels per electron, which is 1 / gain of the camera in electrons per grey level.
    The variance is this times the grey value; 0: none."""
    read_noise: float = Field(
        0.0,
        ge=0,
        le=255,
        title="Read noise",
        json_schema_extra={"slider": True, "max": 30.0, "step": 0.1, "decimals": 1},
    )
    """Standard deviation of the Gaussian noise of the camera, in grey levels, the same in dark and bright parts."""

    @property
    def changed(self) -> dict[str, float]:
        """The fields that are not at their start."""
        return self.model_dump(exclude_defaults=True)


CAMERA_FIELDS = list(CameraSettings.model_fields)


def checked_camera(record: Any, what: str) -> CameraSettings:
    """Camera settings from a record.

    Raises
    ------
    InputError
        If a name is unknown or a number out of range; ``what`` is the subject of the sentence.
    """
    action = f"Use numbers within their bounds, for: {', '.join(CAMERA_FIELDS)}."
    for name in record if isinstance(record, dict) else ():
        if name not in CAMERA_FIELDS:
            raise unknown_name("camera setting", str(name), CAMERA_FIELDS)
    try:
        return CameraSettings.model_validate(record)
    except ValidationError as error:
        raise InputError(f"{what} is not valid: {': '.join(first_problem(error, 'it'))}.", action) from error


def camera_from_text(text: str) -> CameraSettings:
    """Camera settings from ``blur=1.5,read_noise=3``.

    Raises
    ------
    InputError
        If it is written differently, or a setting is unknown or out of range.
    """
    record: dict[str, str] = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        name, equals, value = part.partition("=")
        if not equals:
            raise InputError(f"The camera setting {part!r} is not understood.", "Write blur=1.5,read_noise=3.")
        record[name.strip()] = value.strip()
    return checked_camera(record, "The camera")


def camera_text(camera: CameraSettings) -> str:
    """The settings as `camera_from_text` reads them; exact."""
    return ",".join(f"{name}={value!r}" for name, value in camera.changed.items()) or "gain=1.0"
