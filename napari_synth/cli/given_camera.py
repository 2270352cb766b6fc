"""The camera that a command line asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from napari_synth.core.recipe import CameraSettings

GivenCamera = Annotated[
    str | None,
    typer.Option(
        "--camera",
        metavar="SETTINGS|FILE",
        help="Blur, noise, exposure of a camera: blur=1.5,read_noise=3, or a file of fit-camera, or a recipe.",
    ),
]


def camera_asked(text: str | None) -> CameraSettings | None:
    """What was asked for: settings, or those in a file; None where nothing was.

    Raises
    ------
    InputError
        If a setting is unknown or out of range, or the file holds no camera.
    """
    from napari_synth.core.recipe import camera_from_text
    from napari_synth.exporting.given_camera import camera_of

    if text is None:
        return None
    return camera_from_text(text) if "=" in text else camera_of(text)
