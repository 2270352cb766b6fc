"""Masks that cannot be worked on: one sentence on what is wrong, one on what to do, and nothing changed."""

from __future__ import annotations

import numpy as np
import pytest

from napari_synth.datasets.shape_library import ShapeLibrary
from napari_synth.ui.docks.masks.actions import MaskActions
from napari_synth.ui.docks.nuclei.actions import NucleusActions
from tests.ui.conftest import painted

TOOLS = ("stamp", "grow", "edit")


def filled(value, dtype=np.int64) -> np.ndarray:
    labels = np.zeros((64, 64), dtype)
    labels[10:30, 10:30] = value
    return labels


@pytest.fixture
def dock(session, finish):
    """The Nuclei dock with a chosen shape and its model in memory."""
    dock = session.actions(NucleusActions)
    dock.shapes.show_thumbnails()
    dock.loader.load()
    finish(dock.jobs, 60_000)
    return dock


def act(dock, tool):
    """Use a tool on a place that has a nucleus, and on one that has none."""
    dock.use_tool(tool)
    for place in ((20, 20), (50, 50)):
        dock.stamping.hover(place)
        dock.click(place)
    dock.draw_box((0, 0), (63, 63))


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize(
    ("data", "problem", "action"),
    [
        (filled(2**31), "The layer 'bad' contains labels over 2147483647.", "Renumber the labels from 1."),
        (filled(2**32), "The layer 'bad' contains labels over 2147483647.", "Renumber the labels from 1."),
        (filled(-3), "The layer 'bad' contains negative labels.", "Use 0 for background and 1, 2, … for nuclei."),
        (np.zeros((3, 32, 32), int), "There is no 2-D mask to work on.", "Make a new mask under Mask."),
    ],
    ids=["over 2³¹", "over 2³²", "negative", "stack"],
)
def test_no_tool_works_on_a_bad_mask(dock, viewer, finish, data, problem, action, tool):
    layer = viewer.add_labels(data.copy(), name="bad")
    act(dock, tool)
    finish(dock.jobs)
    assert (dock.note.kind, dock.note.text, dock.note.action) == ("problem", problem, action)
    assert dock.choices.tool == ""
    assert dock.stamping.ghost.pixels is None
    np.testing.assert_array_equal(layer.data, data)


def test_several_resolutions_are_not_worked_on(dock, viewer):
    viewer.add_labels([filled(1), filled(1)[::2, ::2]], name="pyramid", multiscale=True)
    act(dock, "stamp")
    assert dock.note.text == "The layer 'pyramid' has several resolutions."
    assert dock.choices.tool == ""


@pytest.mark.parametrize("tool", TOOLS)
def test_an_image_is_no_mask(dock, viewer, tool):
    image = viewer.add_image(np.random.default_rng(0).random((64, 64)), name="photo")
    before = image.data.copy()
    act(dock, tool)
    assert dock.note.kind == "problem"
    assert dock.note.action == "Make a new mask under Mask."
    np.testing.assert_array_equal(image.data, before)
    assert list(viewer.layers) == [image]


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (np.zeros((64, 64), int), "There is no nucleus in the mask 'bad'."),
        (filled(2**31), "The mask 'bad' contains labels over 2147483647."),
        (np.full((64, 64), 1), "All nuclei touch the border of their masks."),
        (np.zeros((3, 32, 32), int), "The mask 'bad' has 3 dimensions (shape (3, 32, 32)), but a 2-D mask is needed."),
    ],
    ids=["empty", "over 2³¹", "one nucleus", "stack"],
)
def test_nothing_is_fitted_to_a_bad_mask(session, viewer, finish, data, problem):
    viewer.add_labels(data, name="bad")
    session.actions(MaskActions).fit()
    finish(session.actions(MaskActions).jobs, 60_000)
    note = session.context.notes["masks"]
    assert (note.kind, note.text) == ("problem", problem)
    assert note.action
    assert session.context.field.base is None
    assert session.actions(MaskActions).real is None


def test_an_image_is_not_fitted(session, viewer):
    viewer.add_image(np.ones((64, 64)))
    session.actions(MaskActions).fit()
    assert session.context.notes["masks"].text == "There is no mask to fit to."
    assert session.context.notes["masks"].action == "Choose a folder of masks instead."


def test_an_empty_layer_is_no_density(session, viewer, finish):
    layer = viewer.add_labels(np.zeros((64, 64), int), name="mine")
    density = viewer.add_labels(np.zeros((64, 64), int), name="where")
    viewer.layers.selection.active = layer
    session.context.density.follow(density)
    session.actions(MaskActions).sample(64, 64)
    finish(session.actions(MaskActions).jobs, 60_000)
    assert session.context.notes["masks"].text == "The density has no positive values."
    assert not layer.data.any()


def test_a_full_rectangle_says_how_many_found_no_place(dock, session, viewer, finish):
    layer = viewer.add_labels(np.ones((64, 64), int), name="full")
    session.context.field.count_mean, session.context.field.count_law = 32, "fixed"
    dock.grow((0, 0, 64, 64))
    finish(dock.jobs)
    assert dock.note.text == "Grew 0 of 2 nuclei."
    assert dock.note.action.startswith("2 found no place: ask for fewer or smaller")
    assert (layer.data == 1).all()


def test_a_layer_without_numbers_left_says_so(dock, viewer):
    layer = viewer.add_labels(filled(255, np.uint8), name="many")
    before = layer.data.copy()
    dock.use_tool("stamp")
    dock.click((50, 50))
    assert dock.note.text == "The layer 'many' (uint8) holds at most 255 nuclei."
    assert dock.note.action == "Make a new mask."
    np.testing.assert_array_equal(layer.data, before)


def test_a_file_with_fractions_is_not_opened(dock, viewer, tmp_path):
    import tifffile

    tifffile.imwrite(tmp_path / "soft.tif", np.full((32, 32), 0.5, np.float32))
    dock.open(tmp_path / "soft.tif")
    assert dock.note.text == "The mask soft.tif contains fractions."
    assert "Threshold" in dock.note.action
    assert not viewer.layers


@pytest.mark.parametrize("sampler", ["library", "jitter", "prior", "knn", "manifold"])
def test_a_library_of_one_shape(sampler, tmp_path):
    import napari_synth as ns
    from napari_synth.core.errors import InputError

    one = ShapeLibrary(
        np.pad(np.ones((1, 30, 20), np.uint8), ((0, 0), (17, 17), (22, 22))), np.array([600.0], np.float32)
    )
    one.save(tmp_path / "one.npz")
    settings = ns.field_settings(height=96, width=96, library=str(tmp_path / "one.npz"), sampler=sampler, area_mean=200)
    if sampler in ("knn", "manifold"):
        with pytest.raises(InputError, match="1 shape, but this sampler needs") as caught:
            next(ns.compose_masks(settings))
        assert "'library', 'jitter' or 'prior'" in caught.value.action
    else:
        _, field = next(ns.compose_masks(settings))
        assert field.placed > 0


def test_a_painted_mask_is_a_good_one(dock, viewer):
    viewer.add_labels(painted(), name="good")
    dock.use_tool("stamp")
    assert dock.choices.tool == "stamp"
