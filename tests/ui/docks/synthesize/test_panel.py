from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtGui import QGuiApplication
from qtpy.QtWidgets import QFileDialog

from napari_synth.models.registry import bundled_paths
from napari_synth.ui.docks.synthesize.actions import SynthesizeActions
from tests.helpers import small_metgan
from tests.ui.conftest import anatomy, painted
from tests.ui.hands import click


@pytest.fixture
def synthesize(panel):
    return panel("synthesize")


def test_looks_come_from_the_card(synthesize, session):
    names = [synthesize.looks.item(i).data(Qt.ItemDataRole.UserRole) for i in range(synthesize.looks.count())]
    assert names == ["he", "he-dark", "purple", "fluorescence"]
    icons = {synthesize.looks.item(i).icon().pixmap(56, 56).toImage().pixel(28, 28) for i in range(4)}
    assert len(icons) > 1, "thumbnails differ"
    synthesize.looks.setCurrentRow(2)
    assert session.context.look.option == "purple"
    assert "Purple" in synthesize.render_button.text()
    session.context.look.option = "he"
    assert synthesize.looks.chosen == "he"


def test_render_from_the_panel(synthesize, session, fake, viewer, qtbot, finish, monkeypatch):
    monkeypatch.setattr("napari_synth.ui.docks.synthesize.actions.random_seed", lambda: 31)
    viewer.add_labels(painted(), name="mask")
    click(qtbot, synthesize.seed.dice)
    click(qtbot, synthesize.render_button)
    finish(session.actions(SynthesizeActions).jobs)
    assert viewer.layers["mask · he"].metadata["napari_synth"]["seed"] == 31
    assert "12 ms on cpu" in synthesize.foot.status.text.text()
    synthesize.no_noise.setChecked(True)
    assert not synthesize.seed.isEnabled()
    click(qtbot, synthesize.render_button)
    finish(session.actions(SynthesizeActions).jobs)
    assert viewer.layers["mask · he"].metadata["napari_synth"]["seed"] is None


def test_copied_python_makes_the_same_image(synthesize, session, viewer, qtbot, finish):
    viewer.add_labels(painted(), name="mask")
    session.context.look.device, session.context.look.seed = "cpu", 9
    click(qtbot, synthesize.render_button)
    finish(session.actions(SynthesizeActions).jobs)
    click(qtbot, synthesize.copy_python)
    scope = {"viewer": viewer}
    exec(QGuiApplication.clipboard().text(), scope)
    np.testing.assert_array_equal(scope["image"], viewer.layers["mask · he"].data)


def test_problem_shows_sentence_action_and_details(synthesize, session, fake, viewer, qtbot, finish):
    assert synthesize.foot.status.copy.isHidden()
    viewer.add_labels(np.zeros((32, 32), int))
    click(qtbot, synthesize.render_button)
    finish(session.actions(SynthesizeActions).jobs)
    text = synthesize.foot.status.text.text()
    assert text.splitlines() == ["⚠ Problem: The mask is empty.", "Paint or sample at least one nucleus."]
    assert not synthesize.foot.status.copy.isHidden()
    click(qtbot, synthesize.foot.status.copy)
    copied = QGuiApplication.clipboard().text()
    assert "The mask is empty." in copied
    assert "Traceback" in copied


def test_model_file_dialog(synthesize, session, qtbot, monkeypatch, tmp_path):
    path = tmp_path / "model.pt"
    path.write_bytes(b"\x80\x04")
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *a: (str(path), ""))
    offered = synthesize.model.count()
    click(qtbot, synthesize.open)
    assert "pickle" in synthesize.foot.status.text.text()
    assert synthesize.model.count() == offered
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *a: ("", ""))
    before = synthesize.foot.status.text.text()
    click(qtbot, synthesize.open)
    assert synthesize.foot.status.text.text() == before


def test_an_opened_model_is_offered_and_chosen(synthesize, session, tmp_path):

    path = tmp_path / "mine.safetensors"
    path.write_bytes(bundled_paths()["optional-pix2pix-nuclei"].read_bytes())
    offered = synthesize.model.count()
    session.actions(SynthesizeActions).open_model(path)
    assert synthesize.model.count() == offered + 1
    assert "mine.safetensors" in synthesize.model.currentText()
    synthesize.model.setCurrentIndex(synthesize.model.findData("optional-pix2pix-nuclei"))
    synthesize.model.activated.emit(synthesize.model.currentIndex())
    assert session.context.look.model == "optional-pix2pix-nuclei"


def test_outline_box_follows_and_sets(synthesize, session, viewer):
    layer = viewer.add_labels(painted())
    synthesize.outline.setChecked(False)
    synthesize.outline.setChecked(True)
    assert layer.contour == 1
    assert session.context.look.outline


def test_the_panel_asks_for_an_image_only_when_the_model_needs_one(synthesize, session, viewer, tmp_path):
    synthesize.show()
    assert not synthesize.image.isVisible()
    assert synthesize.seed.isVisible()
    session.actions(SynthesizeActions).open_model(small_metgan(tmp_path / "brain.safetensors"))
    assert synthesize.image.isVisible()
    assert synthesize.image_label.text() == "Anatomy"
    assert not synthesize.seed.isVisible(), "a model without noise has no seed"
    noisy = small_metgan(tmp_path / "noisy.safetensors", noise=True)
    session.actions(SynthesizeActions).open_model(noisy)
    assert synthesize.seed.isVisible()
    assert "seed 1" in session.actions(SynthesizeActions).headline
    assert synthesize.image.currentText() == "no image yet"
    viewer.add_image(anatomy(), name="one")
    viewer.add_image(anatomy(1), name="two")
    assert [synthesize.image.itemText(i) for i in range(synthesize.image.count())] == ["one", "two"]
    assert synthesize.image.currentText() == "one"
    synthesize.image.activated.emit(1)
    assert session.context.images.current.name == "two"
    viewer.layers["two"].name = "renamed"
    assert synthesize.image.currentText() == "renamed"
    viewer.layers.remove("renamed")
    assert synthesize.image.currentText() == "one"
    assert "condition=viewer.layers['one'].data" in session.actions(SynthesizeActions).as_python()
