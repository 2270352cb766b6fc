from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from napari.qt import get_stylesheet
from qtpy.QtCore import Qt
from qtpy.QtGui import QGuiApplication, QImage
from qtpy.QtWidgets import QFileDialog

from napari_synth.ui.docks.export.actions import ExportActions
from tests.ui.conftest import painted
from tests.ui.hands import choose, click


@pytest.fixture
def export(panel):
    return panel("export")


def texts(export):
    table = export.table
    return [[table.item(y, x).text() for x in range(table.columnCount())] for y in range(table.rowCount())]


def tick(export, line, column, on):
    export.table.item(line, column).setCheckState(Qt.CheckState.Checked if on else Qt.CheckState.Unchecked)


def test_plan_and_ticks(export, session, viewer):
    assert export.export_button.text() == "Export 0 pairs"
    viewer.add_labels(painted(), name="first")
    viewer.add_labels(painted(), name="second")
    export.form.controls["variants"].setValue(3)
    assert export.export_button.text() == "Export 24 pairs"
    assert texts(export) == [["Looks", "", "", "", ""], ["second", "▸ 3", *"333"], ["first", *"3333"]]
    tick(export, 1, 0, False)
    assert export.export_button.text() == "Export 12 pairs"
    tick(export, 0, 2, False)
    assert export.export_button.text() == "Export 9 pairs"
    assert session.context.export.options == ("he", "purple", "fluorescence")
    viewer.layers["first"].name = "renamed"
    assert texts(export)[1:] == [["second", *"––––"], ["renamed", "▸ 3", "–", "3", "3"]]
    session.context.look.option = "purple"
    assert texts(export)[2] == ["renamed", "3", "–", "▸ 3", "3"], "the look that is seen is written first"


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_an_empty_box_is_seen(export, viewer, theme):
    viewer.add_labels(painted(), name="mask")
    tick(export, 1, 0, False)
    export.table.setStyleSheet(get_stylesheet(theme) + export.table.styleSheet())
    cell = export.table.visualItemRect(export.table.item(1, 0))
    shown = export.table.viewport().grab(cell).toImage().convertToFormat(QImage.Format.Format_Grayscale8)
    middle = shown.height() // 2
    box = [shown.pixelColor(x, middle).lightness() for x in range(20)]
    assert max(box) - min(box) >= 40, "of 255, between the box and what is around it"


def test_a_model_without_looks_offers_none(export, session, viewer):
    viewer.add_labels(painted(), name="mask")
    assert export.table.columnCount() == 5
    session.context.choose_model("metgan-brain")
    assert texts(export) == [["mask", "▸ 1"]]
    session.context.choose_model("optional-pix2pix-nuclei")
    assert export.table.columnCount() == 5


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


def test_a_finished_export_says_how_to_train(export, session, fake, viewer, qtbot, finish, tmp_path):
    viewer.add_labels(painted())
    assert export.card.isHidden()
    choose(export.form.combo("format"), "cellpose")
    session.context.export.folder = str(tmp_path / "out")
    export.split.setValue((50, 100))
    assert export.split_words.text() == "50 % train · 50 % validate"
    click(qtbot, export.export_button)
    finish(session.actions(ExportActions).jobs)
    assert "leaves val empty" in export.foot.status.text.text(), "one mask cannot be split"
    export.split.setValue((100, 100))
    export.resize(340, 420)
    export.show()
    click(qtbot, export.export_button)
    finish(session.actions(ExportActions).jobs)
    assert not export.card.isHidden()
    qtbot.waitUntil(lambda: not export.card.open.visibleRegion().isEmpty())  # however low the window
    assert "python -m cellpose --train" in export.card.command.toPlainText()
    assert str(tmp_path / "out") in export.card.command.toPlainText()
    assert "synthetic" in export.card.about.text()
    click(qtbot, export.card.copy)
    assert QGuiApplication.clipboard().text() == export.card.command.toPlainText()
    click(qtbot, export.card.more)
    finish(session.actions(ExportActions).jobs)
    assert len(list((tmp_path / "out" / "train").glob("*_masks.tif"))) == 8
    table = export.table
    qtbot.waitUntil(lambda: table.visibleRegion().isEmpty() or table.visibleRegion().boundingRect().top() > 0)
    viewer.add_labels(painted(), name="another")
    qtbot.waitUntil(lambda: export.table.visibleRegion().boundingRect().top() == 0)


def test_what_is_next_knows_whether_there_is_a_folder(export, session, viewer, tmp_path):
    viewer.add_labels(painted())
    assert "Choose a folder and press Export." in export.foot.status.text.text()
    session.context.export.folder = str(tmp_path)
    assert export.foot.status.text.text().endswith("Press Export.")
    session.context.export.folder = ""
    assert "Choose a folder and press Export." in export.foot.status.text.text()


def test_masks_that_cannot_be_exported_say_why(export, viewer):
    viewer.add_labels(np.zeros((8, 8), int), name="blank")
    viewer.add_labels(painted(), name="mask")
    ticked = {item.text(): item.checkState() for item in (export.table.item(line, 0) for line in (1, 2))}
    assert ticked == {"blank is empty": Qt.CheckState.Unchecked, "mask": Qt.CheckState.Checked}
    assert "Export 4 pairs" in export.export_button.text()


def test_one_button_samples_masks_in_place_of_variants(export, session, viewer, qtbot):
    viewer.add_labels(painted())
    assert export.sample.isHidden()
    export.form.controls["variants"].setValue(25)
    assert "nuclei are the same" in export.alike.text()
    click(qtbot, export.sample)
    assert "Export 120 pairs" in export.export_button.text()
    assert "30 masks are sampled" in export.alike.text()
    assert texts(export)[1] == ["sampled masks", "▸ 30", "30", "30", "30"]
    click(qtbot, export.sample)
    assert session.context.export.sampled == 0


def test_real_pairs_are_chosen_and_left_out(export, session, viewer, qtbot, monkeypatch, tmp_path):
    viewer.add_labels(painted())
    assert export.without_real.isHidden()
    assert not export.form.controls["strict"].isEnabled(), "nothing is split"
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *a: str(tmp_path / "mine"))
    click(qtbot, export.real)
    assert session.context.export.real == str(tmp_path / "mine")
    assert export.real.text() == "With mine"
    assert "beside real ones" in export.export_button.text()
    export.split.setValue((80, 90))
    assert export.form.controls["strict"].isEnabled()
    click(qtbot, export.without_real)
    assert export.real.text() == "With my real pairs…"
    choose(export.form.combo("format"), "webdataset")
    assert session.context.export.format == "webdataset"
