from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def settings_file(tmp_path, monkeypatch):
    """No test reads or writes the settings of the person who runs it."""
    monkeypatch.setenv("NAPARI_SYNTH_SETTINGS", str(tmp_path / "settings.json"))
