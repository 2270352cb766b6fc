"""What the program remembers between two starts."""

from __future__ import annotations

import os
from pathlib import Path

from platformdirs import user_config_path, user_state_path
from pydantic import BaseModel, Field, ValidationError

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


def settings_path() -> Path:
    """The settings file; the environment variable ``NAPARI_SYNTH_SETTINGS`` overrides it."""
    override = os.environ.get("NAPARI_SYNTH_SETTINGS")
    return Path(override) if override else user_config_path("napari-synth", appauthor=False) / "settings.json"


def state_folder() -> Path:
    """Where autosaved masks lie; the environment variable ``NAPARI_SYNTH_STATE`` overrides it."""
    override = os.environ.get("NAPARI_SYNTH_STATE")
    return Path(override) if override else user_state_path("napari-synth", appauthor=False)


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
