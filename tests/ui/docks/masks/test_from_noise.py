"""Pairs from noise in the window."""

import numpy as np
import pytest
from qtpy.QtGui import QGuiApplication

from napari_synth import api
from napari_synth.core.recipe import METADATA_KEY, Recipe, mask_hash
from napari_synth.ui.docks.masks.actions import MaskActions
from napari_synth.ui.docks.synthesize.actions import SynthesizeActions
from tests.helpers import small_pairs


@pytest.fixture
def path(tmp_path):
    return small_pairs(tmp_path / "noise.safetensors")


@pytest.fixture
def dock(session, path):
    note = session.context.open_model(path)
    assert (note.kind, "makes pairs from noise" in note.text) == ("done", True)
    return session.actions(MaskActions)


def test_a_model_of_pairs_is_offered_for_pairs_and_not_for_masks(session, panel, path):
    masks, look = panel("masks"), session.context.look.model
    masks.show()
    assert masks.cards.tabs["noise"].isHidden() == (not session.context.catalogue.pair_models)
    session.context.open_model(path)
    assert not masks.cards.tabs["noise"].isHidden()
    assert session.context.look.model == look
    assert str(path) not in session.context.catalogue.names
    assert masks.noise.model.currentData() == str(path)
    assert [masks.noise.look.itemData(number) for number in range(2)] == ["he", "grey"]


def test_a_pair_is_a_mask_and_an_image_with_their_recipe(session, dock, viewer, finish, path):
    session.context.noise.seed, session.context.noise.option = 5, "he"
    dock.noise.make()
    finish(dock.jobs)
    pair = api.load_model(path, "cpu").sample(5, "he")
    image, mask = viewer.layers
    np.testing.assert_array_equal(image.data, pair.image)
    np.testing.assert_array_equal(mask.data, pair.labels)
    assert session.context.masks.current is mask
    for layer in (image, mask):
        recipe = Recipe.model_validate(layer.metadata[METADATA_KEY])
        assert recipe.masks[0].sha256 == mask_hash(pair.labels)
    assert "an image and its mask" in dock.note.text
    before = mask.data.copy()
    dock.noise.roll()
    finish(dock.jobs)
    assert not np.array_equal(viewer.layers[-1].data, before)
    assert len(viewer.layers) == 4


def test_a_walk_is_a_stack_of_images_and_one_of_masks(session, dock, viewer, finish, path):
    noise = session.context.noise
    noise.seed, noise.to_seed, noise.steps = 5, 8, 4
    look = session.context.look.model
    dock.noise.walk()
    finish(dock.jobs)
    images, masks = viewer.layers
    assert session.context.look.model == look, "no mask can be rendered with a model of pairs"
    model = api.load_model(path, "cpu")
    first, last = model.sample(5, "he"), model.mask(model.source(8, "he"))
    assert images.data.shape == (4, 64, 64, 3)
    np.testing.assert_array_equal(images.data[0], first.image)
    np.testing.assert_array_equal(masks.data[0], first.labels)
    np.testing.assert_array_equal(masks.data[-1], last.labels)
    assert viewer.dims.axis_labels[0] == "alpha"
    assert viewer.dims.current_step[0] == 0


def test_what_is_copied_makes_the_same_pair(session, dock, viewer, finish):
    dock.noise.make()
    finish(dock.jobs)
    names = {}
    dock.noise.copy_python()
    exec(QGuiApplication.clipboard().text(), names)
    np.testing.assert_array_equal(names["image"], viewer.layers[0].data)
    np.testing.assert_array_equal(names["labels"], viewer.layers[1].data)
    dock.noise.copy_command()
    assert QGuiApplication.clipboard().text().startswith("napari-synth pairs ")


def test_choices_outlive_the_window(opened, path):
    first = opened()
    first.context.open_model(path)
    first.context.noise.seed, first.context.noise.option = 77, "grey"
    again = opened().context
    assert (again.noise.model, again.noise.option, again.noise.seed) == (str(path), "grey", 77)
    path.write_bytes(b"damaged")
    assert opened().context.noise.model in ("", *again.catalogue.pair_models)


@pytest.mark.parametrize("what", ["image", "recipe"])
def test_exported_pairs_come_back(session, viewer, finish, path, tmp_path, what):
    model = api.load_model(path, "cpu")
    pair = model.sample(9, "grey")
    api.export(pair.recipe, tmp_path / "out", device="cpu")
    (image,) = (tmp_path / "out" / "images").iterdir()
    if what == "recipe":
        pair.recipe.save(tmp_path / "alone.yaml")
        image = tmp_path / "alone.yaml"
    synthesize = session.actions(SynthesizeActions)
    synthesize.replaying.replay(image)
    finish(synthesize.jobs)
    shown, mask = viewer.layers
    np.testing.assert_array_equal(shown.data, pair.image)
    np.testing.assert_array_equal(mask.data, pair.labels)
    noise = session.context.noise
    assert (noise.model, noise.option, noise.seed) == (str(path), "grey", 9)


def test_without_a_model_it_says_so(session):
    dock = session.actions(MaskActions)
    session.context.noise.model = "gone"
    dock.noise.make()
    assert dock.note.kind == "problem"
