"""Stepping through what is wrong in pairs: predictions of other programs, and the second look."""

from __future__ import annotations

import imageio.v3 as iio
import numpy as np
import pytest

from napari_synth.ui.docks.evaluate.actions import EvaluateActions
from napari_synth.ui.docks.evaluate.places import Place, Places
from tests.evaluation.usefulness.small_sets import disc_folder, disc_pair
from tests.ui.hands import click


@pytest.fixture
def actions(session, tmp_path):
    """With a prediction for each of three pairs; in two of them an object was not found."""
    disc_folder(tmp_path / "made", 3)
    (tmp_path / "found").mkdir()
    for number in range(3):
        labels = disc_pair(number)[1]
        if number != 1:
            labels = np.where(labels == np.unique(labels)[1], 0, labels)
        iio.imwrite(tmp_path / "found" / f"{number:03d}_cp_masks.png", labels.astype(np.uint16))
    actions = session.actions(EvaluateActions)
    actions.choices.synthetic = str(tmp_path / "made")
    actions.choices.predictions = str(tmp_path / "found")
    return actions


def test_next_and_previous_bring_what_was_not_found_into_the_middle(actions, panel, finish, viewer, qtbot):
    shown = panel("evaluate")
    assert not shown.next.isEnabled()
    click(qtbot, shown.predictions)
    finish(actions.jobs)
    assert "2 objects of 2 in 3 pairs" in actions.note.text
    assert shown.next.isEnabled()
    click(qtbot, shown.next)
    finish(actions.jobs)
    image, labels, found = viewer.layers[-3:]
    assert (image.name, labels.name, found.name) == ("000", "000 labels", "000 found")
    middle = tuple(round(value) for value in viewer.scene.camera.center[-2:])
    assert labels.data[middle] > 0
    assert found.data[middle] == 0
    assert not np.allclose(labels.get_color(1), found.get_color(1))
    assert "1 of 2" in actions.note.text
    assert "found nothing" in actions.note.text
    click(qtbot, shown.next)
    finish(actions.jobs)
    assert viewer.layers[-1].name == "002 found"
    assert not image.visible
    count = len(viewer.layers)
    click(qtbot, shown.previous)
    finish(actions.jobs)
    assert image.visible
    assert len(viewer.layers) == count


def test_layers_the_user_removed_are_opened_again(actions, finish, viewer):
    actions.ask_predictions()
    finish(actions.jobs)
    actions.next_place()
    finish(actions.jobs)
    viewer.layers.clear()
    actions.next_place()
    actions.jobs.lane.state.running and finish(actions.jobs)
    actions.previous_place()
    finish(actions.jobs)
    assert viewer.layers[-1].name == "000 found"


def test_without_a_folder_or_a_place_it_says_what_to_do(session):
    actions = session.actions(EvaluateActions)
    actions.next_place()
    assert "Check pairs or Compare predictions" in actions.note.action
    actions.choices.synthetic = "x"
    actions.ask_predictions()
    assert "folder of predictions" in actions.note.text


def test_the_last_place_is_followed_by_the_first(tmp_path):
    places = Places([Place(tmp_path / str(number), (0, 0), "") for number in range(3)])
    assert [places.step(by).image.name for by in (1, 1, 1, 1, -1, -1)] == ["0", "1", "2", "0", "2", "1"]
    assert Places([Place(tmp_path, (0, 0), "")]).step(-1).image == tmp_path
