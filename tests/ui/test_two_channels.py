from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtWidgets import QFileDialog, QInputDialog

from napari_synth.core.recipe import METADATA_KEY, Recipe, image_hash
from napari_synth.ui.docks.masks.actions import MaskActions
from napari_synth.ui.docks.synthesize.actions import SynthesizeActions
from napari_synth.ui.napari_bridge.image_layers import over_anatomy
from napari_synth.ui.napari_bridge.window import PLUGIN
from napari_synth.ui.samples import brain_256
from napari_synth.ui.session import session_for
from tests.helpers import nuclei, small_metgan
from tests.ui.conftest import painted

SHAPE = (64, 48)


@pytest.fixture
def brain(session, tmp_path):
    """A session whose chosen model needs an anatomy."""
    session.actions(SynthesizeActions).open_model(small_metgan(tmp_path / "brain.safetensors"))
    session.context.look.device = "cpu"
    return session


def anatomy(seed=0, shape=SHAPE):
    return np.random.default_rng(seed).integers(50, 700, shape).astype(np.uint16)


def test_the_signal_lies_over_the_anatomy_in_colour(brain, viewer, finish):
    below = viewer.add_image(anatomy(), name="anatomy")
    mask = viewer.add_labels(painted(), name="lesions")
    brain.rendering.render()
    finish(brain.rendering.lane)
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
    brain.rendering.render()
    finish(brain.rendering.lane)
    assert len(viewer.layers) == 3
    assert not np.array_equal(signal.data, first)
    assert signal.colormap.name == "magenta", "the user's choice stays"
    assert below.data is not None


def test_the_signal_lies_over_an_anatomy_above_the_mask(brain, viewer, finish):
    viewer.add_labels(painted(), name="lesions")
    viewer.add_image(anatomy(), name="anatomy")
    brain.rendering.render()
    finish(brain.rendering.lane)
    assert [layer.name for layer in viewer.layers] == ["lesions", "anatomy", "lesions · signal"]


def test_an_empty_mask_is_rendered_over_an_anatomy(brain, viewer, finish):
    viewer.add_image(anatomy(), name="anatomy")
    viewer.add_labels(np.zeros(SHAPE, np.uint16), name="lesions")
    brain.rendering.render()
    finish(brain.rendering.lane)
    assert brain.notes.synthesize.kind == "done"


def test_what_is_missing_or_wrong_is_said(brain, viewer, finish):
    viewer.add_labels(painted(), name="lesions")
    brain.rendering.render()
    assert "no image layer" in brain.notes.synthesize.text
    image = viewer.add_image(np.zeros((*SHAPE, 3), np.uint8), name="photo")
    for data, words in (
        (None, "3 channels"),
        (anatomy(shape=(64, 64)), "64×64 pixels but the mask is 48×64"),
        (np.full(SHAPE, 9, np.uint16), "constant"),
    ):
        if data is not None:
            viewer.layers.remove(image)
            image = viewer.add_image(data, name="photo")
        brain.rendering.render()
        finish(brain.rendering.lane)
        assert brain.notes.synthesize.kind == "problem"
        assert words in brain.notes.synthesize.text


def test_the_panel_asks_for_an_image_only_when_the_model_needs_one(session, viewer, tmp_path, qtbot):
    panel = session_for(viewer).panel("synthesize")
    qtbot.addWidget(panel)
    panel.show()
    assert not panel.image.isVisible()
    assert panel.seed.isVisible()
    session.actions(SynthesizeActions).open_model(small_metgan(tmp_path / "brain.safetensors"))
    assert panel.image.isVisible()
    assert panel.image_label.text() == "Anatomy"
    assert not panel.seed.isVisible(), "a model without noise has no seed"
    assert panel.image.currentText() == "no image yet"
    viewer.add_image(anatomy(), name="one")
    viewer.add_image(anatomy(1), name="two")
    assert [panel.image.itemText(i) for i in range(panel.image.count())] == ["one", "two"]
    assert panel.image.currentText() == "one"
    panel.image.activated.emit(1)
    assert session.context.images.current.name == "two"
    viewer.layers["two"].name = "renamed"
    assert panel.image.currentText() == "renamed"
    viewer.layers.remove("renamed")
    assert panel.image.currentText() == "one"
    assert "condition=viewer.layers['one'].data" in session.actions(SynthesizeActions).as_python()


def test_a_large_signal_fills_over_its_anatomy_and_is_never_taken_for_one(brain, viewer, finish, monkeypatch):
    from napari_synth.synthesis.tiles import WHOLE_PIXELS

    monkeypatch.setitem(WHOLE_PIXELS, "metgan", 0)
    shape = (1000, 64)
    viewer.add_labels(painted(shape), name="lesions")
    below = viewer.add_image(anatomy(shape=shape), name="anatomy")
    filled, sources = [], []

    def look(progress):
        signal = next((layer for layer in viewer.layers if layer.name == "lesions · signal"), None)
        if signal is not None:
            sources.append(list(brain.images.layers))
            filled.append((METADATA_KEY in signal.metadata, int(signal.data.any(1).sum())))

    brain.rendering.lane.state.events.progress.connect(look)
    brain.rendering.render()
    finish(brain.rendering.lane)
    signal = viewer.layers["lesions · signal"]
    assert any(not finished and 0 < rows < shape[0] for finished, rows in filled), "it was seen while it filled"
    assert all(known == [below] for known in sources)
    assert (signal.blending, viewer.layers.index(signal) > viewer.layers.index(below)) == ("additive", True)
    assert signal.contrast_limits[1] == pytest.approx(max(np.percentile(signal.data, 99.8), 300))
    assert Recipe.model_validate(signal.metadata[METADATA_KEY]).conditions[0].name == "anatomy"


def test_export_writes_the_anatomy_beside_the_signal(brain, viewer, finish, tmp_path):
    import tifffile

    viewer.add_image(anatomy(), name="anatomy")
    viewer.add_labels(painted(), name="lesions")
    brain.export.folder = str(tmp_path / "pairs")
    brain.exporting.export()
    finish(brain.exporting.lane)
    assert brain.notes.export.kind == "done"
    both = tifffile.imread(tmp_path / "pairs" / "images" / "0001.tif")
    assert both.dtype == np.uint16
    np.testing.assert_array_equal(both[0], anatomy())
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "pairs" / "masks" / "0001.tif"), painted())
    brain.export.form.controls["variants"] = 3
    brain.exporting.export()
    assert "no noise" in brain.notes.export.text
    viewer.layers.remove("anatomy")
    brain.export.form.controls["variants"] = 1
    brain.exporting.export()
    assert "no image layer" in brain.notes.export.text


def test_masks_of_real_label_maps(session, viewer, finish, tmp_path, qtbot, monkeypatch):
    np.savez(tmp_path / "maps.npz", labels=np.stack([nuclei((80, 80), seed=s) for s in range(3)]))
    panel = session_for(viewer).panel("masks")
    qtbot.addWidget(panel)
    monkeypatch.setattr(QFileDialog, "getOpenFileNames", lambda *_: ([str(tmp_path / "maps.npz")], ""))
    panel.width_box.setValue(96)
    panel.height_box.setValue(64)
    monkeypatch.setattr(QInputDialog, "getInt", lambda *_: (3, False))
    panel.maps.click()
    assert not session.actions(MaskActions).jobs.lane.state.running, "the question was cancelled"
    monkeypatch.setattr(QInputDialog, "getInt", lambda *_: (3, True))
    panel.maps.click()
    finish(session.actions(MaskActions).jobs)
    assert [layer.name for layer in viewer.layers] == ["label map 1", "label map 2", "label map 3"]
    assert all(layer.data.shape == (64, 96) and layer.data.any() for layer in viewer.layers)
    assert len({layer.data.tobytes() for layer in viewer.layers}) == 3
    layer = viewer.layers[-1]
    layer.undo()
    assert not layer.data.any()
    monkeypatch.setattr(QFileDialog, "getOpenFileNames", lambda *_: ([str(tmp_path / "none.npz")], ""))
    panel.maps.click()
    finish(session.actions(MaskActions).jobs)
    assert session.context.notes["masks"].kind == "problem"


def test_the_two_channel_sample(viewer):
    for data, settings, kind in brain_256():
        getattr(viewer, f"add_{kind}")(data, **settings)
    image, signal, labels = viewer.layers
    assert image.data.dtype == signal.data.dtype == np.uint16
    assert image.data.shape == signal.data.shape == labels.data.shape == (256, 256)
    assert signal.data[labels.data > 0].mean() > 2 * signal.data[labels.data == 0].mean()
    assert PLUGIN == "napari-synth"


def test_the_tissue_of_a_signal_is_dark_and_its_objects_are_not():
    signal = np.full((100, 100), 300.0)
    signal[40:55, 40:55] = 900
    low, high = over_anatomy(signal, (0, 2000))["contrast_limits"]
    assert low >= 300
    assert high == 900
    crowded = np.full((100, 100), 900.0)
    crowded[:20] = 300
    low, high = over_anatomy(crowded, (0, 2000))["contrast_limits"]
    assert low <= 450, "many objects do not hide themselves"
