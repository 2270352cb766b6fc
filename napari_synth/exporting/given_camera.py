"""The camera in a file: one of its own, a recipe's, or that of an exported image."""

from __future__ import annotations

from pathlib import Path

from napari_synth.core import arguments
from napari_synth.core.errors import InputError
from napari_synth.core.recipe import CameraSettings, checked_camera
from napari_synth.core.untrusted import load_yaml

LARGEST_FILE = 16 * 2**20


def camera_of(source: str | Path) -> CameraSettings:
    """The camera in a YAML file (of `fit_camera`, or a recipe), or of the recipe inside an exported TIFF.

    Raises
    ------
    InputError
        If the file cannot be read or holds no camera.
    """
    from napari_synth.datasets.image_files import TIFF_SUFFIXES
    from napari_synth.exporting.formats.tiff import embedded_recipe

    path = arguments.place(source, "source")
    action = "Use a file that fit-camera wrote, or a recipe with a camera."
    if path.suffix.lower() in TIFF_SUFFIXES:
        found = embedded_recipe(path).camera
        if found is None:
            raise InputError(f"The image {path} was made without a camera.", action)
        return found
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise InputError(f"{path} is no camera: it is too large.", action)
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"The camera {path} cannot be read.", "Check the path.") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is no camera.", action) from error
    record = load_yaml(text, path.name, action)
    if not isinstance(record, dict) or not isinstance(record.get("camera"), dict):
        raise InputError(f"{path} holds no camera.", action)
    return checked_camera(record["camera"], f"The camera in {path.name}")
