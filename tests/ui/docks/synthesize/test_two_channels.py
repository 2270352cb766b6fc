"""A model that needs an image beside the mask."""

from __future__ import annotations

import numpy as np
import pytest

from napari_synth.core.recipe import METADATA_KEY, Recipe, image_hash
from napari_synth.ui.docks.synthesize.actions import SynthesizeActions
from tests.helpers import set_whole_pixels, small_metgan
from tests.ui.conftest import ANATOMY_SHAPE as SHAPE
from tests.ui.conftest import anatomy, painted


@pytest.fixture
def dock(session, tmp_path):
    """The dock, with a model that needs an anatomy."""
    session.context.open_model(small_metgan(tmp_path / "brain.safetensors"))
    session.context.look.device = "cpu"
    return session.actions(SynthesizeActions)


def test_the_signal_lies_over_the_anatomy_in_colour(dock, viewer, finish):
    below = viewer.add_image(anatomy(), name="anatomy")
    mask = viewer.add_labels(painted(), name="lesions")
    dock.render()
    finish(dock.jobs)
    signal = viewer.layers["lesions · signal"]
    assert [layer.name for layer in viewer.layers] == ["anatomy", "lesions · signal", "lesions"]
    assert signal.data.dtype == np.uint16
    assert (signal.blending, signal.colormap.name) == ("additive", "green")
    low, high = signal.contrast_limits
    assert 100 <= low < high, "what all tissue gives off is dark"
    recipe = Recipe.model_validate(signal.metadata[METADATA_KEY])
    assert recipe.conditions[0].sha256 == image_hash(anatomy())
    assert recipe.conditions[0].name == "anatomy"
    first = signal.data.copy()
    signal.colormap = "magenta"
    mask.data = np.roll(painted(), 12, 0)
    dock.render()
    finish(dock.jobs)
    assert len(viewer.layers) == 3
    assert not np.array_equal(signal.data, first)
    assert signal.colormap.name == "magenta", "the user's choice stays"
    assert below.data is not None


def test_the_signal_lies_over_an_anatomy_above_the_mask(dock, viewer, finish):
    viewer.add_labels(painted(), name="lesions")
    viewer.add_image(anatomy(), name="anatomy")
    dock.render()
    finish(dock.jobs)
    assert [layer.name for layer in viewer.layers] == ["lesions", "anatomy", "lesions · signal"]


def test_an_empty_mask_is_rendered_over_an_anatomy(dock, viewer, finish):
    viewer.add_image(anatomy(), name="anatomy")
    viewer.add_labels(np.zeros(SHAPE, np.uint16), name="lesions")
    dock.render()
    finish(dock.jobs)
    assert dock.note.kind == "done"


def test_what_is_missing_or_wrong_is_said(dock, viewer, finish):
    viewer.add_labels(painted(), name="lesions")
    dock.render()
    assert "no image layer" in dock.note.text
    image = viewer.add_image(np.zeros((*SHAPE, 3), np.uint8), name="photo")
    for data, words in (
        (None, "3 channels"),
        (anatomy(shape=(64, 64)), "64×64 pixels but the mask is 48×64"),
        (np.full(SHAPE, 9, np.uint16), "constant"),
    ):
        if data is not None:
            viewer.layers.remove(image)
            image = viewer.add_image(data, name="photo")
        dock.render()
        finish(dock.jobs)
        assert dock.note.kind == "problem"
        assert words in dock.note.text


def test_a_large_signal_fills_over_its_anatomy_and_is_never_taken_for_one(dock, viewer, finish, monkeypatch):
    set_whole_pixels(monkeypatch, "metgan", 0)
    shape = (1000, 64)
    viewer.add_labels(painted(shape), name="lesions")
    below = viewer.add_image(anatomy(shape=shape), name="anatomy")
    filled, sources = [], []

    def look(progress):
        signal = next((layer for layer in viewer.layers if layer.name == "lesions · signal"), None)
        if signal is not None:
            sources.append(list(dock.context.images.layers))
            filled.append((METADATA_KEY in signal.metadata, int(signal.data.any(1).sum())))

    dock.jobs.lane.state.events.progress.connect(look)
    dock.render()
    finish(dock.jobs)
    signal = viewer.layers["lesions · signal"]
    assert any(not finished and 0 < rows < shape[0] for finished, rows in filled), "it was seen while it filled"
    assert all(known == [below] for known in sources)
    assert (signal.blending, viewer.layers.index(signal) > viewer.layers.index(below)) == ("additive", True)
    assert signal.contrast_limits[1] == pytest.approx(max(np.percentile(signal.data, 99.8), 300))
    assert Recipe.model_validate(signal.metadata[METADATA_KEY]).conditions[0].name == "anatomy"
