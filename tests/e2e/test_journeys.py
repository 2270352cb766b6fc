"""The journeys of the documentation, gone in a real window: what a person ends with, and after how many clicks."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

import napari_synth as ns
from napari_synth.datasets.image_files import read_image, read_labels
from napari_synth.ui.docks.synthesize.actions import SynthesizeActions
from napari_synth.ui.napari_bridge.window import PLUGIN
from napari_synth.ui.samples import sample_folder

SCRIPT = Path(__file__).parents[2] / "docs" / "scripts" / "journeys.py"


@pytest.fixture(scope="module")
def journeys():
    spec = importlib.util.spec_from_file_location("journeys", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    sys.modules["journeys"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["journeys"]


@pytest.fixture
def person(journeys, make_napari_viewer, tmp_path):
    """Opens a window as the program does, with somebody in front of it."""

    def sit_down(sample=False, theme="dark"):
        viewer = make_napari_viewer(show=True)
        if sample:
            viewer.open_sample(PLUGIN, "nuclei_256")
        someone = journeys.Person(viewer, None, theme=theme)
        someone.session.context.look.device = "cpu"
        if sample:
            someone.session.actions(SynthesizeActions).render()
        return someone

    return sit_down


def test_from_the_first_start_to_four_pairs_and_back(journeys, person, tmp_path):
    someone = person(sample=True)
    pairs = journeys.first_start(someone, tmp_path)
    assert len(pairs) == 4
    assert someone.clicks <= 8
    labels = read_labels(tmp_path / "pairs" / "masks" / pairs[0].name)
    assert labels.max() == 24
    someone.viewer.close()
    other = person(theme="light")
    journeys.dropped_export(other, pairs[0])
    mask = other.session.context.masks.current
    np.testing.assert_array_equal(mask.data, labels)
    (image,) = other.session.context.results.of(mask).values()
    np.testing.assert_array_equal(image.data, read_image(pairs[0]))
    recipe, look = ns.recipe_of(pairs[0]), other.session.context.look
    assert (look.model, [look.option], look.seed) == (recipe.model, recipe.options, recipe.seed)


@pytest.mark.slow
def test_a_capsule_switched_off_and_a_walk_saved(journeys, person, tmp_path):
    someone = person()
    walk = journeys.capsule_off(someone, tmp_path)
    assert someone.session.context.changes.of(someone.session.context.look.model)
    import tifffile

    assert tifffile.imread(walk).ndim == 3
    assert ns.recipe_of(walk).interventions


@pytest.mark.slow
def test_a_lesion_put_into_a_brain(journeys, person):
    someone = person()
    journeys.lesion(someone)
    context = someone.session.context
    mask = context.masks.current
    (signal,) = context.results.of(mask).values()
    new = mask.data == mask.data.max()
    assert 100 < new.sum() < 600, "what was painted"
    assert signal.data[new].mean() > 1.5 * np.median(signal.data)
    anatomy = someone.viewer.layers["anatomy"]
    assert someone.viewer.layers.index(signal) > someone.viewer.layers.index(anatomy)


@pytest.mark.slow
def test_a_mask_in_a_png_that_is_dropped_becomes_an_image(journeys, person, tmp_path):
    someone = person()
    path = journeys.png_of(sample_folder() / "nuclei_256.tif", tmp_path)
    journeys.own_mask(someone, path)
    context = someone.session.context
    mask = context.masks.current
    np.testing.assert_array_equal(mask.data, read_labels(path))
    (image,) = context.results.of(mask).values()
    look = context.look
    expected = ns.load_model(look.model, "cpu").render(mask.data, look.option, look.seed).image
    np.testing.assert_array_equal(image.data, expected)
    seen = [layer for layer in someone.viewer.layers if layer.visible]
    assert seen == [image, mask], "nothing covers it"
