from __future__ import annotations

import errno
import threading

import imageio.v3 as iio
import numpy as np
import pytest
import tifffile

from napari_synth.core.recipe import METADATA_KEY, Recipe, mask_hash
from napari_synth.evaluation.ranking import rank_units
from napari_synth.synthesis.latents.paths import latent_at, latent_path
from napari_synth.synthesis.latents.sources import Drawn, OnWay, Spot
from napari_synth.synthesis.recipes import request_of
from napari_synth.ui.docks.export.actions import ExportActions
from napari_synth.ui.docks.inspect.actions import InspectActions
from napari_synth.ui.docks.synthesize.actions import SynthesizeActions
from tests.helpers import small_capsules
from tests.ui.conftest import painted

LAYER = "convcaps4"


@pytest.fixture(scope="module")
def model_file(tmp_path_factory):
    return small_capsules(tmp_path_factory.mktemp("model") / "axon-test.safetensors")


class Gated:
    """A generator that waits before it renders while its gate is closed."""

    def __init__(self, generator):
        self.inner = generator
        self.gate = threading.Event()
        self.gate.set()
        self.entered = threading.Event()
        self.calls = 0

    def __getattr__(self, name):
        return getattr(self.inner, name)

    def run(self, request, steering=None):
        self.calls += 1
        self.entered.set()
        assert self.gate.wait(20)
        return self.inner.run(request, steering)


@pytest.fixture(scope="module")
def loaded(model_file):
    from napari_synth.synthesis.recipes import load_generator

    return load_generator(model_file, "cpu")


@pytest.fixture
def generator(session, models, model_file, loaded):
    """A session that renders with a small capsule model; returns the model."""
    session.actions(SynthesizeActions).open_model(model_file)
    session.context.look.device = "cpu"
    gated = models.stand_in = Gated(loaded)
    yield gated
    gated.gate.set()


@pytest.fixture
def mask(viewer, generator):
    place = {"scale": (0.5, 0.25), "translate": (3, 4), "units": ("um", "um")}
    return viewer.add_labels(painted(), name="axons", **place)


@pytest.fixture
def inspecting(session, mask):
    return session.actions(InspectActions)


@pytest.fixture
def walking(session, mask):
    session.actions(InspectActions).walks.choices.steps = 4
    return session.actions(InspectActions).walks


def pick(session, mask, place):
    session.actions(InspectActions).picker.picked.emit(tuple(mask.data_to_world(place)))


def rank(session, mask, label):
    mask.selected_label = label
    session.actions(InspectActions).rank_label()


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
    finish(inspecting.ranking_jobs)
    labels = painted()
    activation = generator.render(labels, seed=session.context.look.seed, capture=[LAYER]).activations[LAYER]
    expected = rank_units(LAYER, activation, labels == 1, labels == 0)
    scores = inspecting.ranking.scores
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
    finish(inspecting.ranking_jobs)
    scores = inspecting.ranking.scores
    assert scores[0].auc == min(score.auc for score in scores)
    assert scores[0].name("axon") == "background-like"
    assert "background" in session.context.notes["inspect"].text


def test_ranking_all_layers_and_the_selected_label(inspecting, mask, finish):
    inspecting.choices.everywhere = True
    mask.selected_label = 2
    inspecting.rank_label()
    finish(inspecting.ranking_jobs)
    assert {score.layer for score in inspecting.ranking.scores} == {stage.name for stage in inspecting.stages}


@pytest.mark.parametrize(
    ("prepare", "words"),
    [
        (lambda session, mask: pick(session, mask, (-9, 5)), "beside the mask"),
        (
            lambda session, mask: setattr(mask, "selected_label", 0) or session.actions(InspectActions).rank_label(),
            "background",
        ),
        (
            lambda session, mask: setattr(mask, "selected_label", 7) or session.actions(InspectActions).rank_label(),
            "label 7",
        ),
    ],
)
def test_no_structure_is_said(inspecting, session, mask, finish, prepare, words):
    prepare(session, mask)
    finish(inspecting.ranking_jobs)
    assert session.context.notes["inspect"].kind == "problem"
    assert words in session.context.notes["inspect"].text
    assert session.context.notes["inspect"].action
    assert inspecting.ranking is None


@pytest.mark.parametrize(("data", "words"), [(np.ones((24, 24), int), "outside"), (np.zeros((24, 24), int), "empty")])
def test_masks_without_a_structure_or_a_background(generator, session, viewer, finish, data, words):
    mask = viewer.add_labels(data)
    pick(session, mask, (5, 5))
    finish(session.actions(InspectActions).ranking_jobs)
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


def test_the_pad_renders_the_place_between_the_corners(walking, inspecting, generator, session, viewer, finish):
    walking.move_to(0.2, 0.7)
    walking.move_to(0.3, 0.4)
    finish(inspecting.jobs)
    a, b, c = (Drawn(seed).vector(100) for seed in (1, 2, 3))
    z = latent_at(a, b, c, 0.3, 0.4)
    image = viewer.layers["axons · axon-test"]
    np.testing.assert_array_equal(image.data, generator.render(painted(), z=z).image)
    recipe = Recipe.model_validate(image.metadata[METADATA_KEY])
    np.testing.assert_array_equal(np.array(recipe.z, np.float32), z)
    walking.pin("c")
    assert walking.choices.c == Spot(Drawn(1), Drawn(2), Drawn(3), 0.3, 0.4)
    np.testing.assert_array_equal(walking.choices.c.vector(100), z)
    session.actions(SynthesizeActions).render()
    finish(session.actions(SynthesizeActions).jobs)
    np.testing.assert_array_equal(np.array(image.metadata[METADATA_KEY]["z"], np.float32), z)
    session.context.look.seed += 1
    session.actions(SynthesizeActions).render()
    finish(session.actions(SynthesizeActions).jobs)
    assert image.metadata[METADATA_KEY]["z"] is None, "another seed means its own latent vector"
    assert walking.current == Drawn(session.context.look.seed)


def test_what_is_chosen_on_the_pad_is_what_python_and_export_make(
    walking, inspecting, generator, session, viewer, finish, tmp_path
):
    walking.move_to(0.3, 0.4)
    finish(inspecting.jobs)
    shown = viewer.layers["axons · axon-test"].data
    names = {"viewer": viewer}
    exec(session.actions(SynthesizeActions).as_python(), names)
    np.testing.assert_array_equal(names["image"], shown)
    session.context.export.folder = str(tmp_path / "pairs")
    session.actions(ExportActions).export()
    finish(session.actions(ExportActions).jobs)
    (path,) = (tmp_path / "pairs" / "images").iterdir()
    np.testing.assert_array_equal(tifffile.imread(path), shown)
    session.context.export.variants = 2
    session.actions(ExportActions).export()
    assert "latent" in session.context.notes["export"].text, "all variants would be the same"


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


def test_a_walk_is_a_stack_with_its_capsules_in_step(walking, inspecting, generator, viewer, finish):
    inspecting.choose_layer(LAYER)
    walking.walk()
    finish(walking.jobs)
    images, maps = viewer.layers["axons · walk"], viewer.layers[f"axons · walk {LAYER}"]
    assert images.axis_labels == maps.axis_labels == ("alpha", "capsule", "pose", "y", "x")
    path = latent_path(Drawn(1).vector(100), Drawn(2).vector(100), 4)
    for step in range(4):
        python = generator.render(painted(), z=path[step], capture=[LAYER])
        np.testing.assert_array_equal(images.data[step, 3, 7], python.image)
        np.testing.assert_array_equal(maps.data[step], python.activations[LAYER])
    inspecting.stacks.go_to(alpha=2)
    viewer.layers.selection.active = images
    walking.pin("a")
    assert walking.choices.a == OnWay(Drawn(1), Drawn(2), 4, "spherical", 2)
    np.testing.assert_array_equal(walking.choices.a.vector(100), path[2])


def test_a_change_after_a_walk_is_seen(walking, inspecting, viewer, finish):
    inspecting.choose(("convcaps10", 0, None))
    inspecting.change(scale=0.5)
    finish(inspecting.jobs)
    walking.walk()
    finish(walking.jobs)
    walk, difference = viewer.layers["axons · walk"], viewer.layers["axons · difference"]
    assert (walk.visible, difference.visible) == (True, False)
    inspecting.change(scale=0.0)
    finish(inspecting.jobs)
    assert (walk.visible, difference.visible) == (False, True)


def test_a_walk_without_capsules_has_three_axes(walking, viewer, finish):
    walking.choices.with_capsules = False
    walking.choices.path = "linear"
    walking.walk()
    finish(walking.jobs)
    layer = viewer.layers["axons · walk"]
    assert layer.data.shape == (4, 64, 48)
    assert layer.axis_labels == ("alpha", "y", "x")


def test_moving_the_slider_never_waits_and_cancel_keeps_what_is_there(
    walking, inspecting, generator, session, viewer, finish, qtbot
):
    walking.choices.with_capsules = False
    walking.walk()
    qtbot.waitUntil(lambda: "axons · walk" in viewer.layers, timeout=20_000)
    generator.gate.clear()
    qtbot.waitUntil(lambda: generator.calls >= 2)
    layer = viewer.layers["axons · walk"]
    inspecting.stacks.go_to(alpha=3)
    assert not np.asarray(layer.data[3]).any(), "not there yet, and nobody waits"
    walking.jobs.lane.cancel()
    finish(walking.jobs)
    assert session.context.notes["inspect"].kind == "stopped"
    assert "of 4 steps are there" in session.context.notes["inspect"].text
    generator.gate.set()
    path = latent_path(Drawn(1).vector(100), Drawn(2).vector(100), 4)
    np.testing.assert_array_equal(np.asarray(layer.data[0]), generator.render(painted(), z=path[0]).image)
    inspecting.stacks.go_to(alpha=2)
    inspecting.stacks.go_to(alpha=3)
    expected = generator.render(painted(), z=path[3]).image
    qtbot.waitUntil(lambda: np.array_equal(np.asarray(layer.data[3]), expected), timeout=20_000)


def test_a_walk_of_one_step(walking, session, viewer, finish):
    walking.choices.steps = 1
    walking.walk()
    finish(walking.jobs)
    assert session.context.notes["inspect"].kind == "problem"
    assert "1 step" in session.context.notes["inspect"].text
    assert "at least 2" in session.context.notes["inspect"].action
    assert "axons · walk" not in viewer.layers


def test_mask_deleted_before_the_walk_begins(walking, generator, session, viewer, mask, finish):
    generator.gate.clear()
    walking.walk()
    assert generator.entered.wait(20)
    viewer.layers.remove(mask)
    generator.gate.set()
    finish(walking.jobs)
    assert len(viewer.layers) == 0
    assert "deleted" in session.context.notes["inspect"].text


def test_stack_deleted_while_the_walk_is_filled(walking, session, viewer, finish, qtbot):
    walking.walk()
    qtbot.waitUntil(lambda: "axons · walk" in viewer.layers, timeout=20_000)
    viewer.layers.remove("axons · walk")
    finish(walking.jobs)
    assert session.context.notes["inspect"].kind == "done"


@pytest.mark.parametrize("suffix", [".tif", ".gif", ".mp4"])
def test_a_walk_is_saved(walking, session, viewer, finish, tmp_path, suffix):
    walking.choices.with_capsules = False
    walking.walk()
    finish(walking.jobs)
    path = tmp_path / f"walk{suffix}"
    walking.save(path)
    finish(walking.jobs)
    assert str(path) in session.context.notes["inspect"].text
    stack = tifffile.imread(path) if suffix == ".tif" else iio.imread(path)
    assert stack.shape[:3] == (4, 64, 48)
    if suffix == ".tif":
        np.testing.assert_array_equal(stack, np.asarray(viewer.layers["axons · walk"].data))


def test_saving_without_a_walk_and_on_a_full_disk(walking, session, finish, tmp_path, monkeypatch):
    walking.save(tmp_path / "walk.gif")
    assert session.context.notes["inspect"].action == "Press Walk first."
    walking.walk()
    finish(walking.jobs)

    def full(*args, **kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tifffile.TiffWriter, "write", full)
    walking.save(tmp_path / "walk.tif")
    finish(walking.jobs)
    note = session.context.notes["inspect"]
    assert note.kind == "problem"
    assert "disk is full" in note.text
    assert note.action
    assert list(tmp_path.iterdir()) == [tmp_path / "settings"] or not list(tmp_path.glob("*walk*"))


def test_a_click_picks_once_and_gives_the_tool_back(inspecting, session, viewer, mask, finish):
    viewer.layers.selection.active = mask
    mask.mode = "paint"
    before = mask.data.copy()
    callbacks = list(viewer.mouse_drag_callbacks)
    inspecting.picker.start()
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
    finish(inspecting.ranking_jobs)
    assert inspecting.ranking is not None
    assert mask.mode == "paint"
    assert viewer.mouse_drag_callbacks == callbacks
    np.testing.assert_array_equal(mask.data, before)
