from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def settings_file(tmp_path, monkeypatch):
    """No test reads or writes the settings and autosaved masks of the person who runs it."""
    monkeypatch.setenv("NAPARI_SYNTH_SETTINGS", str(tmp_path / "settings.json"))
    monkeypatch.setenv("NAPARI_SYNTH_STATE", str(tmp_path / "state"))


@pytest.fixture
def viewer(make_napari_viewer):
    viewer = make_napari_viewer(show=True)
    viewer.window._qt_window.resize(1500, 950)
    return viewer
