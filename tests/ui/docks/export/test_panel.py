from __future__ import annotations

from pathlib import Path

import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFileDialog

from napari_synth.ui.docks.export.actions import ExportActions
from tests.ui.conftest import painted
from tests.ui.hands import click


@pytest.fixture
def export(panel):
    return panel("export")


def test_plan_and_ticks(export, session, viewer):
    assert export.export_button.text() == "Export 0 pairs"
    viewer.add_labels(painted(), name="first")
    viewer.add_labels(painted(), name="second")
    export.form.controls["variants"].setValue(3)
    assert export.export_button.text() == "Export 24 pairs"
    export.masks.item(0).setCheckState(Qt.CheckState.Unchecked)
    assert export.export_button.text() == "Export 12 pairs"
    export.looks.item(1).setCheckState(Qt.CheckState.Unchecked)
    assert export.export_button.text() == "Export 9 pairs"
    assert session.context.export.options == ("he", "purple", "fluorescence")
    viewer.layers["first"].name = "renamed"
    assert export.masks.item(1).text() == "renamed"
    assert export.masks.item(0).checkState() == Qt.CheckState.Unchecked


def test_a_model_without_looks_offers_none(export, session):
    assert not export.looks.parentWidget().isHidden()
    session.context.choose_model("metgan-brain")
    assert export.looks.parentWidget().isHidden()
    session.context.choose_model("optional-pix2pix-nuclei")
    assert export.looks.count() == 4
    assert not export.looks.parentWidget().isHidden()


def test_export_from_the_panel(export, session, fake, viewer, qtbot, finish, monkeypatch, tmp_path):
    viewer.add_labels(painted())
    click(qtbot, export.export_button)
    assert "No folder is chosen" in export.foot.status.text.text()
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *a: str(tmp_path / "out"))
    click(qtbot, export.browse)
    assert export.form.line("folder").text() == str(tmp_path / "out")
    fake.gate.clear()
    click(qtbot, export.export_button)
    assert not export.foot.job.isHidden()
    assert export.foot.job.bar.maximum() == 4
    assert not export.export_button.isEnabled()
    fake.gate.set()
    finish(session.actions(ExportActions).jobs)
    assert export.foot.job.isHidden()
    assert export.export_button.isEnabled()
    assert "4 pairs are in" in export.foot.status.text.text()
    assert len(list(Path(tmp_path / "out" / "images").iterdir())) == 4


def test_typed_folder_counts_without_leaving_the_field(export, session, fake, viewer, qtbot, finish, tmp_path):
    viewer.add_labels(painted())
    qtbot.keyClicks(export.form.line("folder"), str(tmp_path / "typed"))
    click(qtbot, export.export_button)
    finish(session.actions(ExportActions).jobs)
    assert (tmp_path / "typed" / "images").is_dir()
