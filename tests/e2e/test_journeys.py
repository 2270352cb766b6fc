"""The journeys of the documentation, gone in a real window: what a person ends with, and after how many clicks."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile

import napari_synth as ns
from napari_synth.datasets.image_files import read_image, read_labels
from napari_synth.synthesis.recipes import request_of
from napari_synth.ui.docks.inspect.actions import InspectActions
from napari_synth.ui.docks.synthesize.actions import SynthesizeActions
from napari_synth.ui.docks.train.actions import TrainActions
from napari_synth.ui.napari_bridge.window import PLUGIN
from napari_synth.ui.samples import sample_folder

SCRIPTS = Path(__file__).parents[2] / "docs" / "scripts"
LAPTOP, DESK = (1280, 800), (1600, 1000)
WINDOWS = [
    pytest.param((size, theme), id=f"{size[0]}-{theme}", marks=pytest.mark.slow)
    for size in (LAPTOP, DESK)
    for theme in ("dark", "light")
]
"""Every journey is gone in each of them."""


@pytest.fixture(scope="module")
def journeys():
    sys.path.insert(0, str(SCRIPTS))
    try:
        yield importlib.import_module("journeys")
    finally:
        sys.path.remove(str(SCRIPTS))
        for name in ("journeys", "person", "recorder", "captions"):
            sys.modules.pop(name, None)


@pytest.fixture(params=WINDOWS)
def window(request):
    """Size and theme."""
    return request.param


@pytest.fixture
def person(journeys, make_napari_viewer, window):
    """Opens a window as the program does, with somebody in front of it."""

    def sit_down(sample=False, window=window):
        viewer = make_napari_viewer(show=True)
        if sample:
            viewer.open_sample(PLUGIN, "nuclei_256")
        someone = journeys.Person(viewer, None, *window)
        someone.session.context.look.device = "cpu"
        if sample:
            someone.session.actions(SynthesizeActions).render()
        return someone

    return sit_down


@pytest.mark.parametrize("window", [(LAPTOP, "dark"), *WINDOWS[1:]], indirect=True)
def test_from_the_first_start_to_four_pairs_and_back(journeys, person, tmp_path):
    someone = person(sample=True)
    pairs = journeys.first_start(someone, tmp_path)
    assert len(pairs) == 4
    assert someone.clicks <= 8
    labels = read_labels(tmp_path / "pairs" / "masks" / pairs[0].name)
    assert labels.max() == 24
    someone.viewer.close()
    other = person()
    journeys.dropped_export(other, pairs[0])
    mask = other.session.context.masks.current
    np.testing.assert_array_equal(mask.data, labels)
    (image,) = other.session.context.results.of(mask).values()
    np.testing.assert_array_equal(image.data, read_image(pairs[0]))
    recipe, look = ns.recipe_of(pairs[0]), other.session.context.look
    assert (look.model, [look.option], look.seed) == (recipe.model, recipe.options, recipe.seed)


def test_a_capsule_switched_off_and_a_walk_saved(journeys, person, tmp_path):
    someone = person()
    walk = journeys.capsule_off(someone, tmp_path)
    context = someone.session.context
    assert context.changes.of(context.look.model)
    images = tifffile.imread(walk)
    assert images.ndim == 3
    assert len(images) == someone.session.actions(InspectActions).walks.choices.steps
    assert (images[0] != images[-1]).any()
    assert ns.recipe_of(walk).interventions


def test_a_lesion_put_into_a_brain(journeys, person):
    someone = person()
    journeys.lesion(someone)
    context = someone.session.context
    mask = context.masks.current
    (signal,) = context.results.of(mask).values()
    assert context.catalogue.condition(context.look.model) == "anatomy", "neurons are not rendered in H&E"
    new = mask.data == mask.data.max()
    assert 100 < new.sum() < 600, "what was painted"
    assert signal.data[new].mean() > 1.5 * np.median(signal.data)
    anatomy = someone.viewer.layers["anatomy"]
    assert someone.viewer.layers.index(signal) > someone.viewer.layers.index(anatomy)


def test_a_mask_in_a_png_that_is_dropped_becomes_an_image_and_pairs_for_cellpose(journeys, person, tmp_path):
    someone = person()
    path = journeys.png_of(sample_folder() / "nuclei_256.tif", tmp_path)
    files = journeys.own_mask(someone, path, tmp_path)
    context = someone.session.context
    mask = context.masks.current
    np.testing.assert_array_equal(mask.data, read_labels(path))
    (image,) = context.results.of(mask).values()
    look = context.look
    expected = ns.load_model(look.model, "cpu").render(mask.data, look.option, look.seed).image
    np.testing.assert_array_equal(image.data, expected)
    seen = [layer for layer in someone.viewer.layers if layer.visible]
    assert seen == [image, mask], "nothing covers it"
    assert len(files) == 2 * len(someone.session.context.catalogue.options(look.model))
    first = next(file for file in files if file.stem.endswith(f"_s{look.seed}"))
    np.testing.assert_array_equal(read_image(first), expected)
    np.testing.assert_array_equal(read_labels(first.with_name(f"{first.stem}_masks.tif")), mask.data)


def test_painted_with_the_image_following_compared_and_the_stars_exported(journeys, person, tmp_path):
    someone = person()
    journeys.compared(someone, tmp_path)
    images = sorted((tmp_path / "stars").rglob("images/*.tif"))
    assert len(images) == 2
    mask = someone.session.context.masks.current
    model = ns.load_model(someone.session.context.look.model, "cpu")
    for path in images:
        recipe = ns.recipe_of(path)
        np.testing.assert_array_equal(read_labels(path.parents[1] / "masks" / path.name), mask.data)
        assert (model.run(request_of(recipe, mask.data)).image == read_image(path)).all()


def test_thirty_masks_like_my_own_and_a_tenth_kept_apart_to_test(journeys, person, tmp_path):
    someone = person()
    journeys.fitted(someone, journeys.my_masks(tmp_path), tmp_path)
    folder = tmp_path / "thirty"
    images = sorted(folder.rglob("images/*.tif"))
    assert len(images) == 30
    masks = [read_labels(path.parents[1] / "masks" / path.name) for path in images]
    assert len({mask.tobytes() for mask in masks}) == 30
    assert len(list((folder / "test").rglob("images/*.tif"))) == 3
    assert len(list((folder / "val").rglob("images/*.tif"))) == 3
    areas = np.concatenate([np.bincount(mask.ravel())[1:] for mask in masks])
    real = np.concatenate([np.bincount(read_labels(path).ravel())[1:] for path in (tmp_path / "my_masks").iterdir()])
    assert abs(np.median(areas[areas > 0]) / np.median(real[real > 0]) - 1) < 0.3


def test_single_nuclei_by_hand(journeys, person):
    someone = person()
    journeys.single_nuclei(someone)
    mask = someone.session.context.masks.current
    assert len(np.unique(mask.data)) > 6, "five stamps, and what the rectangle was filled with"
    assert mask.data[180:220, 60:200].any()
    assert someone.viewer.dims.ndim == 3, "the walk is a stack"


def test_five_images_and_masks_become_a_look_that_renders_and_is_exported(journeys, person, tmp_path):
    someone = person()
    someone.session.actions(TrainActions).settings = {"crop": 64, "batch_size": 1}  # it is the way that is tested
    path = journeys.my_look(someone, journeys.my_pairs(tmp_path / "mine"), tmp_path)
    assert path.is_relative_to(tmp_path / "looks")
    model, context = ns.load_model(path, "cpu"), someone.session.context
    (option,) = model.card.options
    (image,) = context.results.of(context.masks.current).values()
    np.testing.assert_array_equal(image.data, model.render(context.masks.current.data, option, context.look.seed).image)
    images = sorted((tmp_path / "pairs").rglob("images/*.tif"))
    assert len(images) == 5
    for exported in images:
        recipe, labels = ns.recipe_of(exported), read_labels(exported.parents[1] / "masks" / exported.name)
        assert (model.run(request_of(recipe, labels)).image == read_image(exported)).all()
