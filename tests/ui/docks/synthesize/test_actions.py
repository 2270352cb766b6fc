from __future__ import annotations

import gc
import pickle
import weakref

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_synth.core.errors import InputError
from napari_synth.core.quantities import moment_text
from napari_synth.core.recipe import METADATA_KEY, Recipe, mask_hash, read_recipe
from napari_synth.models.registry import WEIGHTS_FOLDER, bundled_paths
from napari_synth.ui.docks.export.actions import ExportActions
from napari_synth.ui.docks.synthesize.actions import SynthesizeActions
from napari_synth.ui.session import session_for
from tests.helpers import small_generator
from tests.ui.conftest import painted

MODEL = "optional-pix2pix-nuclei"


def test_panel_and_python_make_the_same_array(session, viewer, finish):
    import napari_synth as ns

    layer = viewer.add_labels(painted(), name="mask", scale=(0.5, 0.5))
    session.context.look.option, session.context.look.seed = "he", 7
    session.actions(SynthesizeActions).render()
    finish(session.actions(SynthesizeActions).jobs)
    result = viewer.layers["mask · he"]
    assert viewer.layers.index(result) < viewer.layers.index(layer)
    np.testing.assert_array_equal(result.data, ns.load_model(MODEL, "cpu").render(painted(), "he", 7).image)
    np.testing.assert_array_equal(result.scale, layer.scale)
    recipe = Recipe.model_validate(result.metadata[METADATA_KEY])
    assert (recipe.model, recipe.options, recipe.seed) == (MODEL, ["he"], 7)
    assert recipe.masks[0].sha256 == mask_hash(painted())
    note = session.context.notes["synthesize"]
    assert note.kind == "done"
    assert moment_text(session.context.seconds_per_pixel * painted().size) in note.text


def test_rendering_again_refreshes_and_no_noise_has_no_seed(session, fake, viewer, finish):
    viewer.add_labels(painted(), name="mask")
    for seed in (1, 2):
        session.context.look.seed = seed
        session.actions(SynthesizeActions).render()
        finish(session.actions(SynthesizeActions).jobs)
    assert len(viewer.layers) == 2
    result = viewer.layers["mask · he"]
    assert result.metadata[METADATA_KEY]["seed"] == 2
    session.context.look.noise = False
    session.actions(SynthesizeActions).render()
    finish(session.actions(SynthesizeActions).jobs)
    assert result.metadata[METADATA_KEY]["seed"] is None
    assert viewer.layers.selection.active.name == "mask"


def test_painting_while_rendering_does_not_change_the_image(session, fake, viewer, finish):
    layer = viewer.add_labels(painted(), name="mask")
    fake.gate.clear()
    session.actions(SynthesizeActions).render()
    assert fake.entered.wait(10)
    layer.paint((50, 10), 9)
    fake.gate.set()
    finish(session.actions(SynthesizeActions).jobs)
    recipe = viewer.layers["mask · he"].metadata[METADATA_KEY]
    assert recipe["masks"][0]["sha256"] == mask_hash(painted())


def test_only_the_newest_render_is_shown(session, fake, viewer, finish):
    viewer.add_labels(painted(), name="mask")
    fake.gate.clear()
    for seed in range(5):
        session.context.look.seed = seed
        session.actions(SynthesizeActions).render()
    fake.gate.set()
    finish(session.actions(SynthesizeActions).jobs)
    assert viewer.layers["mask · he"].metadata[METADATA_KEY]["seed"] == 4
    assert fake.calls <= 2, "the renders between are skipped"


def test_layer_deleted_while_rendering(session, fake, viewer, finish):
    layer = viewer.add_labels(painted())
    fake.gate.clear()
    session.actions(SynthesizeActions).render()
    assert fake.entered.wait(10)
    viewer.layers.remove(layer)
    fake.gate.set()
    finish(session.actions(SynthesizeActions).jobs)
    assert len(viewer.layers) == 0
    assert session.context.notes["synthesize"].kind == "stopped"
    assert "deleted" in session.context.notes["synthesize"].text


def test_layer_renamed_while_rendering(session, fake, viewer, finish):
    layer = viewer.add_labels(painted(), name="old")
    fake.gate.clear()
    session.actions(SynthesizeActions).render()
    layer.name = "new"
    fake.gate.set()
    finish(session.actions(SynthesizeActions).jobs)
    assert "new · he" in viewer.layers


def test_cancelled_render_adds_no_layer(session, fake, viewer, finish):
    viewer.add_labels(painted())
    fake.gate.clear()
    session.actions(SynthesizeActions).render()
    session.actions(SynthesizeActions).jobs.lane.cancel()
    finish(session.actions(SynthesizeActions).jobs)
    fake.gate.set()
    assert session.context.notes["synthesize"].kind == "stopped"
    assert len(viewer.layers) == 1


def test_outline_shows_the_image_through_the_mask(session, fake, viewer, finish):
    layer = viewer.add_labels(painted())
    session.actions(SynthesizeActions).render()
    finish(session.actions(SynthesizeActions).jobs)
    assert layer.contour == 1
    session.actions(SynthesizeActions).set_outline(False)
    assert layer.contour == 0


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (np.zeros((32, 32), int), "The mask is empty"),
        (np.ones((3, 32, 32), int), "a stack"),
        (np.ones((8200, 20), int), "8192"),
    ],
)
def test_unusable_masks_are_refused_without_loading_the_model(session, fake, viewer, finish, data, words):
    viewer.add_labels(data)
    session.actions(SynthesizeActions).render()
    finish(session.actions(SynthesizeActions).jobs)
    note = session.context.notes["synthesize"]
    assert note.kind == "problem"
    assert words in note.text
    assert note.action
    assert fake.calls == 0


def test_no_mask_layer(session, viewer):
    viewer.add_image(np.full((8, 8), np.nan))
    session.actions(SynthesizeActions).render()
    assert session.context.notes["synthesize"].text == "There is no mask layer."
    assert "New mask" in session.context.notes["synthesize"].action
    assert not session.actions(SynthesizeActions).jobs.lane.state.running


def test_runtime_errors_are_not_swallowed(session, fake, viewer, finish):
    viewer.add_labels(painted())
    fake.failure = RuntimeError("mat1 and mat2 shapes cannot be multiplied")
    session.actions(SynthesizeActions).render()
    finish(session.actions(SynthesizeActions).jobs)
    note = session.context.notes["synthesize"]
    assert note.kind == "problem"
    assert "mat1 and mat2" in note.text
    assert "Traceback" in note.details
    fake.failure = None
    session.actions(SynthesizeActions).render()
    finish(session.actions(SynthesizeActions).jobs)
    assert session.context.notes["synthesize"].kind == "done"


def _truncated(folder):
    path = folder / "cut.safetensors"
    path.write_bytes(bundled_paths()[MODEL].read_bytes()[:50_000])
    return path


def _pickled(folder):
    path = folder / "model.pt"
    path.write_bytes(pickle.dumps({"weights": [1.0]}))
    return path


def _disguised(folder):
    path = folder / "model.safetensors"
    path.write_bytes(pickle.dumps({"weights": [1.0]}))
    return path


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (_truncated, "damaged"),
        (_pickled, "pickle"),
        (_disguised, "pickle"),
        (lambda folder: folder / "none.safetensors", "does not exist"),
        (lambda folder: WEIGHTS_FOLDER / "nucleus-dvae.safetensors", "does not render"),
    ],
)
def test_bad_model_files_are_refused_and_the_choice_stays(session, tmp_path, make, words):
    offered = list(session.context.catalogue.names)
    session.actions(SynthesizeActions).open_model(make(tmp_path))
    note = session.context.notes["synthesize"]
    assert note.kind == "problem"
    assert words in note.text
    assert note.action
    assert session.context.look.model == MODEL
    assert session.context.catalogue.names == offered


def test_model_file_of_the_user_is_used_and_named_by_its_path(session, viewer, finish, tmp_path):
    path = tmp_path / "mine.safetensors"
    path.write_bytes(bundled_paths()[MODEL].read_bytes())
    session.actions(SynthesizeActions).open_model(path)
    assert session.context.look.model == str(path)
    viewer.add_labels(painted(), name="mask")
    session.actions(SynthesizeActions).render()
    finish(session.actions(SynthesizeActions).jobs)
    (image, _) = viewer.layers
    assert image.metadata[METADATA_KEY]["model"] == str(path)


def test_model_that_vanished_is_said(session, viewer, finish, tmp_path):
    path = tmp_path / "mine.safetensors"
    path.write_bytes(bundled_paths()[MODEL].read_bytes())
    session.actions(SynthesizeActions).open_model(path)
    path.unlink()
    viewer.add_labels(painted())
    session.actions(SynthesizeActions).render()
    finish(session.actions(SynthesizeActions).jobs)
    assert "does not exist" in session.context.notes["synthesize"].text


def test_missing_device_is_said(session, viewer, finish):
    viewer.add_labels(painted())
    session.context.look.device = "mps"
    session.actions(SynthesizeActions).render()
    finish(session.actions(SynthesizeActions).jobs)
    assert "no mps device" in session.context.notes["synthesize"].text
    assert "cpu" in session.context.notes["synthesize"].action


def test_choices_are_remembered(session, qapp, opened):
    session.context.look.option, session.context.look.seed, session.context.look.device = "purple", 23, "cpu"
    session.context.export.folder, session.context.export.variants = "/data/pairs", 5
    later = opened()
    assert (later.context.look.option, later.context.look.seed, later.context.look.device) == ("purple", 23, "cpu")
    assert (later.context.export.folder, later.context.export.variants) == ("/data/pairs", 5)


def test_a_remembered_model_that_is_gone_is_replaced_by_the_default(session, qapp, opened):
    session.context.look.model = "/nowhere/old.safetensors"
    later = opened()
    assert later.context.look.model == MODEL
    assert later.context.notes["synthesize"].kind == "hint"


def test_viewers_do_not_share_a_session_and_are_not_kept_alive(qapp, monkeypatch):
    one, two = ViewerModel(), ViewerModel()
    first, second = session_for(one), session_for(two)
    assert first is session_for(one)
    assert first is not second
    first.context.look.seed = 99
    assert second.context.look.seed != 99
    gone = weakref.ref(one)
    del one
    gc.collect()
    assert gone() is None
    assert first.context.closed
    second.close()


def test_a_closed_session_drops_its_results(session, fake, viewer, qtbot):
    viewer.add_labels(painted())
    fake.gate.clear()
    session.actions(SynthesizeActions).render()
    assert fake.entered.wait(10)
    session.close()
    fake.gate.set()
    qtbot.wait(50)
    assert len(viewer.layers) == 1


def test_shelf_loads_once_per_device_and_again_when_the_file_changed(session, monkeypatch, tmp_path):
    import os

    from napari_synth.synthesis import recipes as make

    loaded = []
    monkeypatch.setattr(make, "load_generator", lambda name, device: loaded.append((name, device)) or object())
    path = tmp_path / "mine.safetensors"
    path.write_bytes(b"1")
    first = session.context.models.generator(path, "cpu")
    assert session.context.models.generator(path, "cpu") is first
    session.context.models.generator(path, "auto")
    os.utime(path, ns=(1, 1))
    assert session.context.models.generator(path, "cpu") is not first
    assert len(loaded) == 3
    with pytest.raises(InputError):
        session.context.models.generator("no-such-model", "cpu")


def test_fast_is_a_choice_that_the_recipe_keeps(session, viewer, tmp_path, finish, panel):
    session.actions(SynthesizeActions).open_model(small_generator(tmp_path / "small.safetensors"))
    session.context.look.device = "cpu"
    panel = panel("synthesize")
    assert not panel.fast.isChecked()
    assert "16 bit" in panel.fast.toolTip()
    mask = viewer.add_labels(painted(), name="mask")
    images = []
    for fast in (False, True, False):
        panel.fast.setChecked(fast)
        assert session.context.look.fast is fast
        session.actions(SynthesizeActions).render()
        finish(session.actions(SynthesizeActions).jobs)
        (image,) = (layer for layer in viewer.layers if layer is not mask)
        images.append(image.data.copy())
        assert Recipe.model_validate(image.metadata[METADATA_KEY]).precision == ("fast" if fast else "exact")
        assert ("in 16 bit" in session.context.notes["synthesize"].text) is fast
        names = {"viewer": viewer}
        exec(session.actions(SynthesizeActions).as_python(), names)
        np.testing.assert_array_equal(names["image"], image.data)
    assert (images[0] != images[1]).any()
    np.testing.assert_array_equal(images[0], images[2])
    session.context.look.fast = True
    assert panel.fast.isChecked()
    session.context.export.folder = str(tmp_path / "pairs")
    session.actions(ExportActions).export()
    finish(session.actions(ExportActions).jobs)
    assert read_recipe(tmp_path / "pairs" / "recipe.yaml").precision == "fast"
