"""The page of napari's Preferences."""

from __future__ import annotations

from napari_synth.ui.napari_bridge.preferences import LivePreferences


def test_the_preferences_page_has_the_budget():
    from pathlib import Path

    from npe2 import PluginManifest

    import napari_synth

    manifest = PluginManifest.from_file(Path(napari_synth.__file__).parent.parent / "napari.yaml")
    (page,) = manifest.contributions.configurations.values()
    assert page.properties["budget_ms"].default == LivePreferences().budget_ms
    assert page.properties["memory_gb"].default == LivePreferences().memory_gb
    assert page.properties["autosave_seconds"].default == LivePreferences().autosave_seconds
