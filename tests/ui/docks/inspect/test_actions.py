"""The microscope: stacks, rankings and changes inside the network."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile

from napari_synth.core.recipe import METADATA_KEY, Recipe, mask_hash
from napari_synth.evaluation.ranking import rank_units
from napari_synth.synthesis.recipes import request_of
from napari_synth.ui.docks.export.actions import ExportActions
from napari_synth.ui.docks.inspect.actions import InspectActions
from napari_synth.ui.docks.synthesize.actions import SynthesizeActions
from tests.ui.conftest import painted
from tests.ui.napari_bridge.mouse import Mouse

LAYER = "convcaps4"


def pick(session, mask, place):
    session.actions(InspectActions).ranking.picker.picked.emit(tuple(mask.data_to_world(place)))


def corners(layer):
    """World positions of the outer corners of a layer's first and last pixel in y and x."""
    ends = np.array([[-0.5, -0.5], np.array(layer.data.shape[-2:]) - 0.5])
    zeros = [0] * (layer.ndim - 2)
    return np.array([layer.data_to_world((*zeros, *end))[-2:] for end in ends])


def test_capsules_are_one_layer_with_named_axes_that_lies_on_the_mask(
    inspecting, generator, session, viewer, mask, finish
):
    inspecting.show("capsules", LAYER)
    finish(inspecting.jobs)
    layer = viewer.layers[f"axons · {LAYER} capsules"]
    expected = generator.render(painted(), seed=session.context.look.seed, capture=[LAYER]).activations[LAYER]
    np.testing.assert_array_equal(layer.data, expected)
    assert layer.data.shape == (8, 32, 16, 12)
    assert layer.axis_labels == ("capsule", "pose", "y", "x")
    assert viewer.dims.axis_labels == ("capsule", "pose", "y", "x")
    np.testing.assert_allclose(corners(layer), corners(mask))
    assert [str(unit) for unit in layer.units[-2:]] == ["micrometer", "micrometer"]
    assert viewer.layers.index(layer) < viewer.layers.index(mask)
    recipe = Recipe.model_validate(layer.metadata[METADATA_KEY])
    assert recipe.masks[0].sha256 == mask_hash(painted())
    image = viewer.layers["axons · axon-test"]
    np.testing.assert_array_equal(image.data, generator.run(request_of(recipe, painted())).image)


def test_a_stack_on_a_turned_mask_lies_on_it(generator, session, viewer, finish):
    mask = viewer.add_labels(painted((60, 44)), name="turned", scale=(2, 3), rotate=30, translate=(5, 6), shear=[0.2])
    session.actions(InspectActions).show("lengths", LAYER)
    finish(session.actions(InspectActions).jobs)
    layer = viewer.layers[f"turned · {LAYER} lengths"]
    np.testing.assert_allclose(corners(layer)[0], corners(mask)[0])
    np.testing.assert_allclose(corners(layer)[1], mask.data_to_world((59.5, 43.5)))


def test_contrast_follows_the_sliders(inspecting, viewer, finish):
    inspecting.show("capsules", LAYER)
    finish(inspecting.jobs)
    layer = viewer.layers[f"axons · {LAYER} capsules"]
    for capsule, pose in ((0, 0), (3, 7)):
        inspecting.stacks.go_to(capsule=capsule, pose=pose)
        shown = layer.data[capsule, pose]
        low, high = layer.contrast_limits
        assert shown.min() <= low < high <= shown.max()
        assert np.mean((shown >= low) & (shown <= high)) > 0.95


def test_lengths_and_routing_move_with_the_same_sliders(inspecting, generator, session, viewer, finish):
    inspecting.show("lengths", LAYER)
    inspecting.show("routing", LAYER)
    finish(inspecting.jobs)
    python = generator.render(painted(), seed=session.context.look.seed, capture=[LAYER], routing=[LAYER])
    lengths, routing = (viewer.layers[f"axons · {LAYER} {what}"] for what in ("lengths", "routing"))
    poses = python.activations[LAYER]
    np.testing.assert_allclose(lengths.data[:, 5], np.sqrt((poses**2).sum(1)), rtol=1e-5)
    assert routing.axis_labels == ("iteration", "input", "alpha", "capsule", "pose", "y", "x")
    np.testing.assert_array_equal(routing.data[:, :, 0, :, 9], python.routing[LAYER])
    np.testing.assert_allclose(routing.data[:, :, 0].sum(1), 1, rtol=1e-5)
    assert viewer.dims.point[0] == 2, "the last iteration is shown first"


def test_showing_another_layer_switches_the_eye_of_the_first_off(inspecting, viewer, finish):
    for layer in (LAYER, "convcaps10"):
        inspecting.show("capsules", layer)
        finish(inspecting.jobs)
    assert not viewer.layers[f"axons · {LAYER} capsules"].visible
    assert viewer.layers["axons · convcaps10 capsules"].visible


def test_ranking_is_that_of_python_and_a_row_moves_the_sliders(inspecting, generator, session, viewer, mask, finish):
    pick(session, mask, (20, 20))
    finish(inspecting.ranking.jobs)
    labels = painted()
    activation = generator.render(labels, seed=session.context.look.seed, capture=[LAYER]).activations[LAYER]
    expected = rank_units(LAYER, activation, labels == 1, labels == 0)
    scores = inspecting.ranking.last.scores
    assert {(s.capsule, s.channel, s.auc) for s in scores} == {(s.capsule, s.channel, s.auc) for s in expected}
    assert len(scores) == 8 * 33
    assert scores[0].auc == max(score.auc for score in expected)
    assert scores[0].name(inspecting.structure) == "axon-like"
    assert f"AUC {scores[0].auc:.2f}" in session.context.notes["inspect"].text
    unit = next(score for score in scores if score.channel is not None)
    inspecting.show_unit((unit.layer, unit.capsule, unit.channel))
    finish(inspecting.jobs)
    assert inspecting.choices.unit == (LAYER, unit.capsule, unit.channel)
    assert tuple(viewer.dims.point[:2]) == (unit.capsule, unit.channel)


def test_background_under_the_cursor_ranks_what_answers_to_the_background(inspecting, session, mask, finish):
    pick(session, mask, (60, 2))
    finish(inspecting.ranking.jobs)
    scores = inspecting.ranking.last.scores
    assert scores[0].auc == min(score.auc for score in scores)
    assert scores[0].name("axon") == "background-like"
    assert "background" in session.context.notes["inspect"].text


def test_ranking_all_layers_and_the_selected_label(inspecting, mask, finish):
    inspecting.choices.everywhere = True
    mask.selected_label = 2
    inspecting.ranking.rank_label()
    finish(inspecting.ranking.jobs)
    assert {score.layer for score in inspecting.ranking.last.scores} == {stage.name for stage in inspecting.stages}


@pytest.mark.parametrize(
    ("prepare", "words"),
    [
        (lambda session, mask: pick(session, mask, (-9, 5)), "beside the mask"),
        (
            lambda session, mask: (
                setattr(mask, "selected_label", 0) or session.actions(InspectActions).ranking.rank_label()
            ),
            "background",
        ),
        (
            lambda session, mask: (
                setattr(mask, "selected_label", 7) or session.actions(InspectActions).ranking.rank_label()
            ),
            "label 7",
        ),
    ],
)
def test_no_structure_is_said(inspecting, session, mask, finish, prepare, words):
    prepare(session, mask)
    finish(inspecting.ranking.jobs)
    assert session.context.notes["inspect"].kind == "problem"
    assert words in session.context.notes["inspect"].text
    assert session.context.notes["inspect"].action
    assert inspecting.ranking.last is None


@pytest.mark.parametrize(("data", "words"), [(np.ones((24, 24), int), "outside"), (np.zeros((24, 24), int), "empty")])
def test_masks_without_a_structure_or_a_background(generator, session, viewer, finish, data, words):
    mask = viewer.add_labels(data)
    pick(session, mask, (5, 5))
    finish(session.actions(InspectActions).ranking.jobs)
    note = session.context.notes["inspect"]
    assert note.kind == "problem"
    assert words in note.text
    assert note.action


def test_off_shows_the_difference_and_reset_restores_exactly(inspecting, generator, session, viewer, mask, finish):
    inspecting.refresh()
    finish(inspecting.jobs)
    image = viewer.layers["axons · axon-test"]
    before = image.data.copy()
    assert "axons · difference" not in viewer.layers

    inspecting.choose(("convcaps10", 0, 5))
    inspecting.change(scale=0.0)
    finish(inspecting.jobs)
    python = generator.render(painted(), seed=session.context.look.seed, scale={("convcaps10", 0, 5): 0}).image
    np.testing.assert_array_equal(image.data, python)
    assert (python != before).any()
    difference = viewer.layers["axons · difference"]
    assert viewer.layers.index(image) < viewer.layers.index(difference) < viewer.layers.index(mask)
    np.testing.assert_array_equal(difference.data, python.astype(int) - before)
    low, high = difference.contrast_limits
    assert low == -high
    assert high == np.abs(difference.data).max()
    recipe = Recipe.model_validate(image.metadata[METADATA_KEY])
    assert [(i.layer, i.capsule, i.channel, i.scale) for i in recipe.interventions] == [("convcaps10", 0, 5, 0.0)]
    np.testing.assert_array_equal(generator.run(request_of(recipe, painted())).image, python)
    assert "convcaps10, capsule 0, channel 5: off" in session.context.notes["inspect"].text

    inspecting.change(value=2.0)
    finish(inspecting.jobs)
    python = generator.render(painted(), seed=session.context.look.seed, set={("convcaps10", 0, 5): 2}).image
    np.testing.assert_array_equal(image.data, python)
    assert len(inspecting.active_changes) == 1, "a unit has one change"

    inspecting.reset()
    finish(inspecting.jobs)
    np.testing.assert_array_equal(image.data, before)
    assert not difference.data.any()
    assert image.metadata[METADATA_KEY]["interventions"] == []


def test_shown_capsules_follow_a_change_and_hidden_ones_when_they_are_looked_at(inspecting, viewer, finish):
    inspecting.show("capsules", LAYER)
    finish(inspecting.jobs)
    layer = viewer.layers[f"axons · {LAYER} capsules"]
    inspecting.choose((LAYER, 3, None))
    inspecting.change(scale=0.0)
    finish(inspecting.jobs)
    assert not layer.data[3].any()
    assert not layer.visible, "the first difference is not covered"
    inspecting.reset_all()
    finish(inspecting.jobs)
    assert not layer.data[3].any(), "nothing is captured that is not looked at"
    layer.visible = True
    finish(inspecting.jobs)
    assert layer.data[3].any()


def test_changes_count_for_synthesize_export_and_python(inspecting, generator, session, viewer, finish, tmp_path):
    inspecting.choose((LAYER, 2, None))
    inspecting.change(scale=2.5)
    finish(inspecting.jobs)
    session.context.look.seed = 11
    session.actions(SynthesizeActions).render()
    finish(session.actions(SynthesizeActions).jobs)
    assert "1 change inside the network" in session.context.notes["synthesize"].text
    expected = generator.render(painted(), seed=11, scale={(LAYER, 2): 2.5}).image
    image = viewer.layers["axons · axon-test"]
    np.testing.assert_array_equal(image.data, expected)
    finish(inspecting.jobs)
    plain = generator.render(painted(), seed=11).image.astype(int)
    np.testing.assert_array_equal(viewer.layers["axons · difference"].data, expected - plain)

    session.context.export.folder = str(tmp_path / "pairs")
    session.actions(ExportActions).export()
    finish(session.actions(ExportActions).jobs)
    (path,) = (tmp_path / "pairs" / "images").iterdir()
    np.testing.assert_array_equal(tifffile.imread(path), expected)

    names = {"viewer": viewer}
    exec(session.actions(SynthesizeActions).as_python(), names)
    np.testing.assert_array_equal(names["image"], expected)


def test_mask_deleted_while_looking(inspecting, generator, session, viewer, mask, finish):
    generator.gate.clear()
    inspecting.show("capsules", LAYER)
    assert generator.entered.wait(20)
    viewer.layers.remove(mask)
    generator.gate.set()
    finish(inspecting.jobs)
    assert len(viewer.layers) == 0
    assert session.context.notes["inspect"].kind == "stopped"
    assert "deleted" in session.context.notes["inspect"].text


def test_a_deleted_stack_is_made_again_on_request(inspecting, viewer, finish):
    inspecting.show("capsules", LAYER)
    finish(inspecting.jobs)
    viewer.layers.remove(f"axons · {LAYER} capsules")
    inspecting.refresh()
    finish(inspecting.jobs)
    assert f"axons · {LAYER} capsules" not in viewer.layers, "what the user deleted stays away"
    inspecting.show("capsules", LAYER)
    finish(inspecting.jobs)
    assert f"axons · {LAYER} capsules" in viewer.layers


def test_models_without_capsules_say_which_to_choose(session, viewer):
    viewer.add_labels(painted())
    session.actions(InspectActions).show("capsules")
    assert session.context.notes["inspect"].kind == "problem"
    assert "no capsules" in session.context.notes["inspect"].text
    session.actions(InspectActions).walks.walk()
    assert not session.actions(InspectActions).walks.jobs.lane.state.running


def test_fast_is_fast_in_the_microscope_too(inspecting, generator, session, viewer, finish):
    session.context.look.fast = True
    session.actions(SynthesizeActions).render()
    finish(session.actions(SynthesizeActions).jobs)
    image = viewer.layers["axons · axon-test"]
    fast = image.data.copy()
    assert (fast != generator.render(painted(), seed=session.context.look.seed).image).any()
    inspecting.show("capsules", LAYER)
    finish(inspecting.jobs)
    np.testing.assert_array_equal(image.data, fast)
    assert image.metadata[METADATA_KEY]["precision"] == "fast"
    assert viewer.layers[f"axons · {LAYER} capsules"].metadata[METADATA_KEY]["precision"] == "fast"


def test_a_slider_tick_while_live_is_on_is_rendered_once(inspecting, generator, session, viewer, finish, qtbot):
    synthesize = session.actions(SynthesizeActions)
    synthesize.following.switch(True)
    qtbot.waitUntil(lambda: "axons · axon-test" in viewer.layers, timeout=20_000)
    finish(synthesize.jobs)
    followed = synthesize.following.state.text
    inspecting.choose((LAYER, 2, None))
    inspecting.change(scale=2.5)
    finish(inspecting.jobs)
    qtbot.wait(100)
    assert synthesize.following.state.text == followed, "Live rendered the same change again"
    expected = generator.render(painted(), seed=session.context.look.seed, scale={(LAYER, 2): 2.5}).image
    np.testing.assert_array_equal(viewer.layers["axons · axon-test"].data, expected)


def test_a_click_picks_once_and_gives_the_tool_back(inspecting, session, viewer, mask, finish):
    viewer.layers.selection.active = mask
    mask.mode = "paint"
    before = mask.data.copy()
    callbacks = list(viewer.mouse_drag_callbacks)
    inspecting.ranking.picker.start()
    assert mask.mode == "pan_zoom"
    (callback,) = [new for new in viewer.mouse_drag_callbacks if new not in callbacks]

    class Press:
        button, handled, type = 1, False, "mouse_press"
        position = tuple(mask.data_to_world((20, 20)))

    drag = callback(viewer, Press)
    next(drag)
    assert mask.mode == "pan_zoom", "the tool comes back after the release, not for the press"
    Press.type = "mouse_release"
    assert next(drag, None) is None
    finish(inspecting.ranking.jobs)
    assert inspecting.ranking.last is not None
    assert mask.mode == "paint"
    assert viewer.mouse_drag_callbacks == callbacks
    np.testing.assert_array_equal(mask.data, before)


def test_pointing_ranks_structure_after_structure_and_a_click_stays(inspecting, session, viewer, mask, finish, qtbot):
    ranking = inspecting.ranking
    numbers = sorted(set(np.unique(mask.data)) - {0})[:2]
    places = [tuple(np.argwhere(mask.data == number)[0]) for number in numbers]
    first, second = (tuple(mask.data_to_world(place)) for place in places)
    mouse = Mouse(viewer)
    ranking.picker.start()
    mouse.move(first)
    qtbot.waitUntil(lambda: ranking.last is not None and ranking.last.label == numbers[0], timeout=20_000)
    assert ranking.title == f"Ranked for {inspecting.structure} {numbers[0]}, in {inspecting.choices.layer}"
    mouse.move(second)
    qtbot.waitUntil(lambda: ranking.last.label == numbers[1], timeout=20_000)
    mouse.move(first)
    mouse.click(second)
    finish(ranking.jobs)
    qtbot.waitUntil(lambda: ranking.last.label == numbers[1])
    assert not ranking.picker.waiting
    mouse.move(first)
    qtbot.wait(300)
    assert ranking.last.label == numbers[1], "the click stays"
    assert "answers best to" in inspecting.note.text


@pytest.fixture
def pointing(inspecting, session, viewer, mask, generator):
    """A mouse that points at two structures while each ranking waits at the gate, and the places of these."""
    numbers = sorted(set(np.unique(mask.data)) - {0})[:2]
    places = [tuple(mask.data_to_world(tuple(np.argwhere(mask.data == number)[0]))) for number in numbers]
    inspecting.ranking.picker.start()
    generator.gate.clear()
    return Mouse(viewer), numbers, places


def test_pointing_asks_for_one_ranking_at_a_time_and_the_newest_place_is_next(
    inspecting, generator, pointing, finish, qtbot
):
    mouse, numbers, places = pointing
    ranking, told = inspecting.ranking, []
    ranking.changed.connect(lambda: told.append(ranking.last.label))
    mouse.move(places[0])
    qtbot.waitUntil(generator.entered.is_set, timeout=20_000)
    for _ in range(20):
        for place in places:
            mouse.move(place)
            qtbot.wait(10)
    assert generator.calls == 1, "forty moves are one ranking"
    generator.gate.set()
    qtbot.waitUntil(lambda: told[-1:] == [numbers[1]], timeout=20_000)
    assert told == numbers


def test_a_click_while_a_ranking_runs_is_not_lost(inspecting, generator, pointing, finish, qtbot):
    mouse, numbers, places = pointing
    mouse.move(places[0])
    qtbot.waitUntil(generator.entered.is_set, timeout=20_000)
    mouse.click(places[1])
    generator.gate.set()
    finish(inspecting.ranking.jobs)
    assert inspecting.ranking.last.label == numbers[1]
    assert "answers best to" in inspecting.note.text


def test_no_longer_pointing_gives_the_ranking_up(inspecting, generator, pointing, finish, qtbot):
    mouse, _, places = pointing
    mouse.move(places[0])
    qtbot.waitUntil(generator.entered.is_set, timeout=20_000)
    inspecting.ranking.picker.stop()
    qtbot.waitUntil(lambda: not inspecting.ranking.jobs.lane.state.running, timeout=200)
    generator.gate.set()
    qtbot.wait(100)
    assert inspecting.ranking.last is None
    assert inspecting.note.kind == "hint", "nothing is said of it"
