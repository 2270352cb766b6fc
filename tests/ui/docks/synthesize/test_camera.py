"""The camera in the Look section: sliders, what was fitted, and that the image is the one of Python."""

from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtGui import QGuiApplication

import napari_synth as ns
from napari_synth.ui.docks.synthesize.actions import SynthesizeActions
from napari_synth.ui.docks.synthesize.camera import Camera
from tests.helpers import small_generator
from tests.ui.conftest import painted
from tests.ui.hands import click

CAMERA = ns.CameraSettings(blur=1.2, gain=0.9, offset=8, shot_noise=0.4, read_noise=2)


@pytest.fixture
def synthesize(panel):
    return panel("synthesize")


@pytest.fixture
def chosen(session, viewer, tmp_path):
    """A small model, and a mask."""
    session.context.open_model(small_generator(tmp_path / "small.safetensors"))
    session.context.look.device = "cpu"
    viewer.add_labels(painted(), name="mask")
    return session.actions(SynthesizeActions)


def test_the_camera_is_off_and_folded_at_first(synthesize, session):
    assert session.context.camera.settings is None
    assert not synthesize.camera.head.isChecked()
    assert "off" in synthesize.camera.head.text()


def test_a_slider_switches_it_on_and_the_image_is_that_of_python(synthesize, session, chosen, viewer, qtbot, finish):
    synthesize.camera.form.controls["blur"].setValue(1.5)
    qtbot.waitUntil(lambda: "mask · he" in viewer.layers, timeout=20_000)
    finish(chosen.jobs)
    assert session.context.camera.settings == ns.CameraSettings(blur=1.5)
    assert "blur 1.5" in synthesize.camera.head.text()
    model = ns.load_model(session.context.look.model, "cpu")
    expected = model.render(painted(), "he", session.context.look.seed, camera=ns.CameraSettings(blur=1.5)).image
    np.testing.assert_array_equal(viewer.layers["mask · he"].data, expected)
    assert viewer.layers["mask · he"].metadata["napari_synth"]["camera"]["blur"] == 1.5
    click(qtbot, synthesize.copy_python)
    scope = {"viewer": viewer}
    exec(QGuiApplication.clipboard().text(), scope)
    np.testing.assert_array_equal(scope["image"], expected)
    click(qtbot, synthesize.copy_command)
    assert "--camera blur=1.5" in QGuiApplication.clipboard().text()
    synthesize.camera.on.setChecked(False)
    finish(chosen.jobs)
    plain = model.render(painted(), "he", session.context.look.seed).image
    qtbot.waitUntil(lambda: np.array_equal(viewer.layers["mask · he"].data, plain), timeout=20_000)
    assert "camera" not in viewer.layers["mask · he"].metadata["napari_synth"]


def test_the_image_that_follows_the_brush_follows_the_camera(session, chosen, viewer, qtbot, finish):
    chosen.following.switch(True)
    qtbot.waitUntil(lambda: "mask · he" in viewer.layers, timeout=20_000)
    session.context.camera.take(CAMERA)
    model = ns.load_model(session.context.look.model, "cpu")
    expected = model.render(painted(), "he", session.context.look.seed, camera=CAMERA).image
    qtbot.waitUntil(lambda: np.abs(viewer.layers["mask · he"].data.astype(int) - expected).max() <= 1, timeout=20_000)


def test_what_was_fitted_is_marked_until_it_is_moved(synthesize, session):
    session.context.camera.take(CAMERA.model_copy(update={"shot_noise": 40.0}), ("blur", "shot_noise"))
    marks = synthesize.camera.marks
    assert [name for name, mark in marks.items() if not mark.isHidden()] == ["blur", "shot_noise"]
    assert synthesize.camera.form.controls["shot_noise"].value() == pytest.approx(40)
    synthesize.camera.form.controls["blur"].setValue(2)
    assert marks["blur"].isHidden()
    assert not marks["shot_noise"].isHidden()
    assert session.context.camera.settings.shot_noise == 40


def test_fitting_takes_over_camera_and_field_and_tells_what_is_wrong_with_images(
    session, chosen, qtbot, finish, monkeypatch, tmp_path
):
    field = ns.field_settings(count_mean=33)
    found = type("Found", (), {"camera": CAMERA, "fitted": ("blur",), "field": field, "agreement": (), "remarks": ()})
    monkeypatch.setattr("napari_synth.evaluation.microscope.fit_to", lambda *_, **__: found)
    chosen.camera.fit_folder(str(tmp_path))
    finish(chosen.jobs)
    assert session.context.camera.settings == CAMERA
    assert session.context.camera.fitted == ("blur",)
    assert session.context.field.count_mean == 33
    monkeypatch.undo()
    chosen.camera.fit_folder(str(tmp_path / "empty"))
    finish(chosen.jobs)
    assert session.context.camera.settings == CAMERA
    assert chosen.note.kind == "problem"


def test_a_recipe_brings_its_camera_back(session, chosen, synthesize):
    assert isinstance(chosen.camera, Camera)
    from napari_synth.core.recipe import LayerSource, Recipe

    recipe = Recipe(model="optional-pix2pix-nuclei", masks=[LayerSource(name="m", sha256="0")], camera=CAMERA)
    session.context.take_recipe(recipe, recipe, "optional-pix2pix-nuclei")
    assert session.context.camera.settings == CAMERA
    plain = recipe.model_copy(update={"camera": None})
    session.context.take_recipe(plain, plain, "optional-pix2pix-nuclei")
    assert session.context.camera.settings is None
