"""The dock "Is it helping?", its actions without a window and its panel."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QMenu

from napari_synth.evaluation.usefulness import BUDGETS
from napari_synth.ui.docks.evaluate.actions import EvaluateActions
from tests.evaluation.usefulness.small_sets import disc_folder
from tests.ui.hands import click


@pytest.fixture
def asked(session, tmp_path, monkeypatch):
    """The actions, with folders chosen and a budget of moments."""
    tiny = replace(BUDGETS["quick"], steps=6, crop=32, hyper={"width": 4}, repeats=2, arms=("real", "joint"))
    monkeypatch.setitem(BUDGETS, "quick", tiny)
    disc_folder(tmp_path / "real", 12)
    disc_folder(tmp_path / "made", 6, 500)
    actions = session.actions(EvaluateActions)
    actions.choices.real, actions.choices.synthetic = str(tmp_path / "real"), str(tmp_path / "made")
    actions.choices.out = str(tmp_path / "report")
    session.context.look.device = "cpu"
    return actions


def test_it_says_what_is_missing(session):
    actions = session.actions(EvaluateActions)
    actions.ask_help()
    assert actions.note.kind == "problem"
    assert "folder of real pairs" in actions.note.text
    actions.choices.real = actions.choices.synthetic = actions.choices.out = "~nobody-at-all/x"
    actions.ask_realism()
    assert "home folder" in actions.note.text


def test_help_with_curves_and_its_report(asked, finish, tmp_path):
    curves, found = [], []
    asked.moved.connect(lambda: curves.append(len(asked.points)))
    asked.found.connect(lambda: found.append(asked.help))
    asked.ask_help()
    finish(asked.jobs)
    assert asked.note.kind == "done"
    assert asked.note.text == asked.help.sentence
    assert curves
    assert found[-1].complete
    assert (tmp_path / "report" / "report.html").is_file()


def test_a_folder_that_cannot_be_compared_is_told(asked, finish, tmp_path):
    asked.choices.groups = "^(0)"
    asked.ask_help()
    finish(asked.jobs)
    assert asked.note.kind == "problem"
    assert "too few" in asked.note.text


def test_a_point_of_the_map_opens_its_image(asked, panel, finish, viewer, tmp_path, qtbot):
    shown = panel("evaluate")
    shown.form.line("out").setText(str(tmp_path / "other"))
    seen = []
    asked.moved.connect(lambda: seen.append(shown.answer.text()))
    click(qtbot, shown.realism)
    finish(asked.jobs)
    assert any("grey values: " in text for text in seen)  # read along before the report is there
    assert asked.note.kind == "done"
    assert (tmp_path / "other" / "report.html").is_file()
    assert not shown.plots.isHidden()
    assert shown.plots.currentWidget() is shown.map
    assert asked.realism.sentence in shown.answer.text()
    assert shown.report.isEnabled()
    assert not any(menu.isVisibleTo(shown) for menu in shown.findChildren(QMenu))
    point = next(point for point in asked.realism.map if point.set == "synthetic")
    shown.map.chosen.emit(point.path)
    finish(asked.jobs)
    image, labels = viewer.layers[-2:]
    assert image.name == point.path.stem
    assert image.data.shape == labels.data.shape == (64, 64)
    assert np.unique(labels.data).size > 1


def test_the_answer_of_a_comparison_is_in_the_panel(asked, panel, finish, qtbot):
    shown = panel("evaluate")
    assert shown.plots.isHidden()
    click(qtbot, shown.help)
    assert not shown.help.isEnabled()
    finish(asked.jobs)
    assert shown.help.isEnabled()
    assert shown.plots.currentWidget() is shown.intervals
    assert asked.help.sentence in shown.answer.text()
    assert shown.answer.textFormat() == Qt.TextFormat.PlainText


def test_exchanged_masks_are_named_before_anything_is_trained_and_the_second_press_trains(asked, finish, tmp_path):
    first, second, *_ = sorted((tmp_path / "real" / "masks").iterdir())
    pixels = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(pixels)
    asked.ask_help()
    finish(asked.jobs)
    assert asked.note.kind == "problem"
    assert "exchanged" in asked.note.text
    assert not asked.points
    asked.ask_help()
    finish(asked.jobs)
    assert asked.note.kind == "done"
