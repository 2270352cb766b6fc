from __future__ import annotations

import numpy as np

from napari_synth.ui.docks.masks.actions import MaskActions
from tests.ui.conftest import painted


def test_new_mask_takes_the_place_of_the_selected_image(session, viewer):
    viewer.add_image(np.zeros((100, 120)), scale=(0.5, 0.5), translate=(7, 8), name="photo")
    layer = session.actions(MaskActions).new_mask(100, 120)
    assert layer.data.shape == (100, 120)
    assert tuple(layer.scale) == (0.5, 0.5)
    assert tuple(layer.translate) == (7, 8)
    assert session.context.masks.current is layer
    other = session.actions(MaskActions).new_mask(64, 64)
    assert tuple(other.scale) == (1, 1)
    assert session.context.notes["masks"].kind == "done"


def test_a_field_replaces_the_mask_in_one_undoable_step(session, viewer, finish):
    layer = viewer.add_labels(painted((128, 160)), name="mine")
    session.context.field.count_mean, session.context.field.count_sd = 12, 0
    session.actions(MaskActions).replace(layer)
    assert session.actions(MaskActions).jobs.lane.state.running
    finish(session.actions(MaskActions).jobs)
    assert viewer.layers[:] == [layer], "the same canvas"
    placed = len(layer.features) - 1
    assert layer.data.max() == placed > 0
    assert {"area", "angle", "z0"} <= set(layer.features)
    area = np.bincount(layer.data.ravel())[1:]
    np.testing.assert_array_equal(np.sort(layer.features["area"][1:]).sum(), layer.features["area"].sum())
    assert (area <= layer.features["area"][1:]).all()
    assert f"Placed {placed} of" in session.context.notes["masks"].text
    layer.undo()
    np.testing.assert_array_equal(layer.data, painted((128, 160)))


def test_the_table_follows_undo_and_redo(session, viewer, finish):
    layer = viewer.add_labels(painted((128, 160)))
    session.actions(MaskActions).replace(layer)
    finish(session.actions(MaskActions).jobs)
    first, table = layer.data.copy(), layer.features.copy()
    session.context.field.seed += 1
    session.actions(MaskActions).replace(layer)
    finish(session.actions(MaskActions).jobs)
    assert not layer.features.equals(table)
    layer.undo()
    np.testing.assert_array_equal(layer.data, first)
    assert layer.features.equals(table)
    layer.undo()
    assert len(layer.features.columns) == 0
    layer.redo()
    assert layer.features.equals(table)


def test_field_is_that_of_the_python_function(session, viewer, finish):
    import napari_synth as ns

    session.context.field.seed = 11
    session.actions(MaskActions).sample(96, 128)
    finish(session.actions(MaskActions).jobs)
    ((_, field),) = ns.compose_masks(ns.FieldSettings(height=96, width=128), 1, seed=11)
    (layer,) = viewer.layers
    np.testing.assert_array_equal(layer.data, field.labels)
    assert viewer.layers.selection.active is layer


def test_crowded_field_says_how_many_found_room(session, viewer, finish):
    session.context.field.count_mean, session.context.field.count_sd, session.context.field.spacing = 400, 0, "apart"
    session.actions(MaskActions).sample(256, 256)
    finish(session.actions(MaskActions).jobs)
    note = session.context.notes["masks"]
    placed, wanted = (int(word) for word in note.text.split() if word.isdigit())
    assert wanted == 400
    assert placed == viewer.layers[0].data.max() < 400
    assert "fewer or smaller" in note.action


def test_a_stack_is_not_replaced(session, viewer):
    layer = viewer.add_labels(np.zeros((3, 32, 32), int), name="stack")
    session.actions(MaskActions).replace(layer)
    assert not session.actions(MaskActions).jobs.lane.state.running
    assert session.context.notes["masks"].kind == "problem"
    assert "is a stack" in session.context.notes["masks"].text
    assert "use the plane shown" in session.context.notes["masks"].action


def test_too_small_a_canvas_is_refused(session, viewer):
    session.actions(MaskActions).sample(8, 8)
    assert "8×8" in session.context.notes["masks"].text
    assert not session.actions(MaskActions).jobs.lane.state.running


def test_layer_deleted_while_sampling(session, viewer, finish, models):
    models.gate.clear()
    layer = viewer.add_labels(painted())
    session.actions(MaskActions).replace(layer)
    viewer.layers.remove(layer)
    models.gate.set()
    finish(session.actions(MaskActions).jobs)
    assert session.context.notes["masks"].kind == "stopped"
    assert "deleted" in session.context.notes["masks"].text
    assert len(viewer.layers) == 0
    np.testing.assert_array_equal(layer.data, painted())


def test_cancelled_sampling_changes_nothing(session, viewer, finish, models):
    models.gate.clear()
    layer = viewer.add_labels(painted())
    session.actions(MaskActions).replace(layer)
    session.actions(MaskActions).jobs.lane.cancel()
    finish(session.actions(MaskActions).jobs)
    models.gate.set()
    assert session.context.notes["masks"].kind == "stopped"
    np.testing.assert_array_equal(layer.data, painted())


def test_clear_says_how_to_get_the_nuclei_back(session, viewer):
    session.actions(MaskActions).clear()
    assert session.context.notes["masks"].kind == "problem"
    layer = viewer.add_labels(painted())
    session.actions(MaskActions).clear()
    assert not layer.data.any()
    assert "Ctrl+Z" in session.context.notes["masks"].action
    layer.undo()
    assert layer.data.any()


def test_dice_gives_another_seed(session, finish):
    seeds = set()
    for _ in range(5):
        session.actions(MaskActions).roll()
        seeds.add(session.context.field.seed)
    assert len(seeds) > 1
