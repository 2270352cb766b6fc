from __future__ import annotations

import pytest

from napari_synth.ui.napari_bridge.window import main_window
from napari_synth.ui.session import Session
from tests.ui.conftest import ChosenPreferences, StandInModels


@pytest.fixture
def models():
    return StandInModels()


@pytest.fixture
def preferences():
    return ChosenPreferences()


@pytest.fixture
def opened(make_napari_viewer, models, preferences):
    """Opens windows with sessions that have these models and preferences."""

    def open_one():
        return Session(make_napari_viewer(show=True), models, preferences)

    return open_one


@pytest.fixture
def viewer(make_napari_viewer):
    viewer = make_napari_viewer(show=True)
    main_window(viewer).resize(1500, 950)
    return viewer
