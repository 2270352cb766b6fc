"""The page of napari's Preferences."""

from __future__ import annotations

from pathlib import Path

import yaml
from npe2 import PluginManifest
from pydantic import TypeAdapter

import napari_synth
from napari_synth.ui.napari_bridge.preferences import LivePreferences

MANIFEST = Path(napari_synth.__file__).with_name("napari.yaml")


def test_the_page_says_what_the_preferences_say():
    (page,) = yaml.safe_load(MANIFEST.read_text(encoding="utf-8"))["contributions"]["configurations"].values()
    asked = TypeAdapter(LivePreferences).json_schema()["properties"]
    assert page["properties"] == asked
    assert list(page["properties"]) == list(asked), "in the same order"
    for field in asked.values():
        assert set(field) == {"title", "description", "type", "default", "minimum", "maximum"}


def test_napari_reads_the_page_with_the_same_defaults():
    (page,) = PluginManifest.from_file(MANIFEST).contributions.configurations.values()
    assert LivePreferences(**{name: field.default for name, field in page.properties.items()}) == LivePreferences()
