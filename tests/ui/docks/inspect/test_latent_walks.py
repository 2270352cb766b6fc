"""The pad and the walks through the latent space."""

from __future__ import annotations

import errno

import imageio.v3 as iio
import numpy as np
import pytest
import tifffile
from typer.testing import CliRunner

from napari_synth.cli.main import app
from napari_synth.core.recipe import METADATA_KEY, Recipe
from napari_synth.synthesis.latents.paths import latent_at, latent_path
from napari_synth.synthesis.latents.sources import Drawn, OnWay, Spot
from napari_synth.ui.docks.export.actions import ExportActions
from napari_synth.ui.docks.synthesize.actions import SynthesizeActions
from tests.ui.conftest import painted

LAYER = "convcaps4"


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


@pytest.mark.usefixtures("plugins")
@pytest.mark.parametrize("way", ["dropped", "replayed"])
def test_a_walk_file_opened_again_brings_back_the_stack_and_every_choice(
    walking, inspecting, session, opened, model_file, finish, qtbot, tmp_path, way
):
    look = session.context.look
    look.seed = 9
    inspecting.choose((LAYER, 2, None))
    inspecting.change(scale=0.5)
    finish(inspecting.jobs)
    walking.choices.with_capsules = False
    walking.walk()
    finish(walking.jobs)
    path = tmp_path / "my walk.tif"
    walking.save(path)
    finish(walking.jobs)
    saved = tifffile.imread(path)

    other = opened()
    viewer, synthesize = other.context.viewer, other.actions(SynthesizeActions)
    if way == "dropped":
        viewer.open(str(path), plugin="napari")
    else:
        synthesize.replaying.replay(path)
    qtbot.waitUntil(lambda: any(METADATA_KEY in layer.metadata for layer in viewer.layers), timeout=20_000)
    finish(synthesize.jobs)
    walk = next(layer for layer in viewer.layers if METADATA_KEY in layer.metadata)
    np.testing.assert_array_equal(walk.data, saved)
    assert tuple(walk.axis_labels) == ("alpha", "y", "x")
    assert walk.visible
    assert [layer.visible for layer in viewer.layers if layer is not walk] == ([False] if way == "dropped" else [])
    assert other.context.look.model == str(model_file)
    assert other.context.changes.of(str(model_file)) == session.context.changes.of(str(model_file))
    assert other.context.look.latent is not None, "the place the walk begins at"
    assert other.context.notes["synthesize"].text.startswith("Brought back the walk 'my walk'")
    assert other.context.notes["synthesize"].action == "Open its mask to go on.", "it was painted"


def test_a_walk_of_a_mask_in_a_file_brings_back_the_mask_too(model_file, opened, finish, tmp_path):
    tifffile.imwrite(tmp_path / "axons.tif", painted())
    call = ["walk", str(tmp_path / "axons.tif"), "--model", str(model_file), "--steps", "3", "--device", "cpu"]
    done = CliRunner().invoke(app, [*call, "--out", str(tmp_path / "walk.tif")])
    assert done.exit_code == 0, done.output
    session = opened()
    synthesize = session.actions(SynthesizeActions)
    synthesize.replaying.replay(tmp_path / "walk.tif")
    finish(synthesize.jobs)
    np.testing.assert_array_equal(session.context.masks.current.data, painted())
    walk = next(layer for layer in session.context.viewer.layers if METADATA_KEY in layer.metadata)
    assert len(walk.data) == 3


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
