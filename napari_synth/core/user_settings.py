"""What the program remembers between two starts."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from platformdirs import user_config_path, user_documents_path, user_state_path
from pydantic import BaseModel, Field, FiniteFloat, ValidationError

from napari_synth.core.devices import DEVICES
from napari_synth.core.errors import WorkError
from napari_synth.core.files import writing


class Settings(BaseModel):
    """Choices of the panels that outlive a session."""

    device: str = Field("auto", pattern="|".join(DEVICES))
    model: str = ""
    """Id or file; empty: the one the program begins with."""
    option: str = ""
    seed: int = 1
    export_folder: str = ""
    variants: int = Field(1, ge=1)
    style: int | list[FiniteFloat] | None = None
    """Member of the model's bank or code; None: drawn by the seed."""
    choices: dict[str, dict[str, bool | int | float | str | list[str]]] = {}
    """What else was chosen in the window, by the name of the panel."""


def settings_path() -> Path:
    """The settings file; the environment variable ``NAPARI_SYNTH_SETTINGS`` overrides it."""
    override = os.environ.get("NAPARI_SYNTH_SETTINGS")
    return Path(override) if override else _of_user(user_config_path) / "settings.json"


def state_folder() -> Path:
    """Where autosaved masks lie; the environment variable ``NAPARI_SYNTH_STATE`` overrides it."""
    override = os.environ.get("NAPARI_SYNTH_STATE")
    return Path(override) if override else _of_user(user_state_path)


def documents_folder() -> Path:
    """Where a user keeps what they made; a temporary folder for a user without a home."""
    with suppress(RuntimeError):
        path = user_documents_path()
        if path.is_absolute():
            return path
    return Path(tempfile.gettempdir())


def _of_user(folder: Callable[..., Path]) -> Path:
    """A folder of the user; a temporary one for a user without a home."""
    with suppress(RuntimeError):
        path = folder("napari-synth", appauthor=False)
        if path.is_absolute():
            return path
    return Path(tempfile.gettempdir()) / f"napari-synth-{os.getuid() if hasattr(os, 'getuid') else 0}"


def load_settings() -> Settings:
    """The stored settings; defaults where there are none or the file is unreadable."""
    try:
        return Settings.model_validate_json(settings_path().read_bytes())
    except (OSError, ValidationError):
        return Settings()


def save_settings(settings: Settings) -> None:
    """Store the settings; a folder that cannot be written is no reason to stop the user."""
    try:
        with writing(settings_path()) as path:
            path.write_text(settings.model_dump_json(indent=2))
    except WorkError:
        return
