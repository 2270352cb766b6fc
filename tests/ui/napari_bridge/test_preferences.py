"""The page of napari's Preferences."""

from __future__ import annotations

from pathlib import Path

import yaml
from npe2 import PluginManifest
from pydantic import TypeAdapter

import napari_synth
from napari_synth.ui.napari_bridge.preferences import Preferences
from napari_synth.ui.napari_bridge.theme import theme_colours

MANIFEST = Path(napari_synth.__file__).with_name("napari.yaml")


def test_the_page_says_what_the_preferences_say():
    (page,) = yaml.safe_load(MANIFEST.read_text(encoding="utf-8"))["contributions"]["configurations"].values()
    asked = TypeAdapter(Preferences).json_schema()["properties"]
    assert page["properties"] == asked
    assert list(page["properties"]) == list(asked), "in the same order"
    for field in asked.values():
        assert set(field) >= {"title", "description", "type", "default"}


def test_napari_reads_the_page_with_the_same_defaults():
    (page,) = PluginManifest.from_file(MANIFEST).contributions.configurations.values()
    assert Preferences(**{name: field.default for name, field in page.properties.items()}) == Preferences()


def test_auto_means_the_device_of_the_preferences(session, preferences):
    context = session.context
    preferences.now = Preferences(device="cpu")
    assert context.order_of("mask").device == "cpu"
    context.look.device = "cuda"
    assert context.order_of("mask").device == "cuda", "what is chosen in the window wins"


def test_pairs_are_written_to_the_preferred_folder_until_another_is_chosen(opened, preferences):
    preferences.now = Preferences(folder="/data/pairs")
    first = opened().context
    assert first.export.folder == "/data/pairs"
    first.export.folder = "/data/other"
    assert opened().context.export.folder == "/data/other"


def test_small_pictures_have_the_preferred_background(viewer):
    viewer.theme = "dark"
    assert theme_colours(viewer, "as napari") == theme_colours(viewer, "dark")
    assert theme_colours(viewer, "light") != theme_colours(viewer, "dark")
