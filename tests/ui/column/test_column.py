"""The column: what is open, what its headers say, what a restart brings back."""

from __future__ import annotations

import numpy as np
import pytest
from napari.components import ViewerModel
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QToolButton

from napari_synth.models.style_bank import style_bank
from napari_synth.synthesis.styles import style_code
from napari_synth.ui.column.column import Column
from napari_synth.ui.column.commands import run_command
from napari_synth.ui.column.tour import STOPS
from napari_synth.ui.docks.inspect.actions import InspectActions
from napari_synth.ui.docks.masks.actions import MaskActions
from napari_synth.ui.docks.nuclei.actions import NucleusActions
from napari_synth.ui.docks.registry import DOCKS
from napari_synth.ui.widgets.panel import WIDTH
from tests.ui.conftest import painted
from tests.ui.hands import click, controls


@pytest.fixture
def column(viewer, session, qtbot):
    column = Column(viewer)
    qtbot.addWidget(column)
    return column


def open_steps(column):
    return [key for key, panel in column.steps.panels.items() if not panel.isHidden()]


def test_one_step_is_open_at_a_time(column, qtbot):
    column.resize(WIDTH, 700)
    column.show()
    assert list(column.steps.headers) == ["masks", "synthesize", "export"]
    for key, header in column.steps.headers.items():
        click(qtbot, header)
        assert open_steps(column) == [key]
        assert [other.isChecked() for other in column.steps.headers.values()].count(True) == 1
        click(qtbot, header)
        assert open_steps(column) == [key], "a second click closes nothing"


def test_headers_say_how_things_stand(column, viewer, session, qtbot):
    headers = column.steps.headers
    assert headers["masks"].accessibleName() == "Mask: none yet"
    viewer.add_labels(painted(), name="mask")
    qtbot.waitUntil(lambda: headers["masks"].accessibleName() == "Mask: 2 nuclei")
    viewer.layers["mask"].data_setitem((np.array([60]), np.array([2])), 9)
    qtbot.waitUntil(lambda: headers["masks"].accessibleName() == "Mask: 3 nuclei")
    session.context.look.option, session.context.look.seed = "fluorescence", 12
    assert headers["synthesize"].accessibleName() == "Look: Fluorescence, seed 12"
    session.context.export.options = ("he", "purple")
    assert headers["export"].accessibleName() == "Export: 2 pairs ready"
    session.actions(MaskActions).new_mask(32, 32)
    qtbot.waitUntil(lambda: headers["masks"].accessibleName() == "Mask: 0 nuclei")


def test_a_long_state_is_shortened_and_told_in_full_by_the_tooltip(column, viewer, session, qtbot):
    column.resize(WIDTH, 700)
    column.show()
    header = column.steps.headers["synthesize"]
    qtbot.waitUntil(lambda: header.width() > 200)
    session.context.look.seed = 2**31 - 1
    session.context.look.option = "he"
    assert str(2**31 - 1) in header.toolTip()
    assert header.fontMetrics().horizontalAdvance(header.text()) <= header.width()


def test_tabs_leave_no_trace_when_they_are_closed(column, session):
    choices = session.context.column
    assert column.tabs.count() == 1
    make, *others = column.menu.actions()
    for action in others:
        action.trigger()
    tabs = [dock for dock in DOCKS.values() if dock.area == "tab"]
    assert list(column.opened) == [dock.key for dock in tabs]
    assert column.tabs.currentWidget() is column.opened[tabs[-1].key]
    make.trigger()
    assert column.tabs.currentWidget() is column.steps
    others[-1].trigger()
    for name in (dock.title for dock in tabs):
        buttons = column.tabs.tabBar().findChildren(QToolButton)
        next(button for button in buttons if button.accessibleName() == f"Close {name}").click()
    assert column.tabs.count() == 1
    assert (column.opened, choices.tabs, choices.tab) == ({}, (), "")
    assert column.tabs.currentWidget() is column.steps


def test_choices_survive_a_restart(column, session, opened):
    choices, context = session.context.column, session.context
    choices.open_tab("nuclei")
    choices.open_section("export")
    context.look.fast, context.look.outline, context.export.variants = True, False, 7
    context.field.count_mean, context.field.spacing = 33.0, "apart"
    session.actions(InspectActions).choices.everywhere = True
    session.actions(InspectActions).walks.choices.steps = 9
    session.actions(NucleusActions).choices.turn_random = False
    second = opened(ViewerModel())
    assert second.actions(InspectActions).choices.everywhere
    assert second.actions(InspectActions).walks.choices.steps == 9
    assert not second.actions(NucleusActions).choices.turn_random
    again = second.context
    assert (again.column.section, again.column.tabs, again.column.tab) == ("export", ("nuclei",), "")
    assert (again.look.fast, again.look.outline, again.export.variants) == (True, False, 7)
    assert (again.field.count_mean, again.field.spacing) == (33.0, "apart")


@pytest.mark.parametrize(
    "style", [None, 7, (0.5, -1.25, 0.0, 2.0, 0.1, -0.2, 0.3, 1e-3)], ids=["seed", "bank", "mixed"]
)
def test_the_style_survives_a_restart(session, opened, qtbot, style):
    look = session.context.look
    look.option = "purple"
    look.style = style
    look.seed = 11
    viewer = ViewerModel()
    again = opened(viewer)
    assert (again.context.look.option, again.context.look.style) == ("purple", style)
    panel = again.panel("synthesize")
    qtbot.addWidget(panel)
    box = panel.styles
    words = {None: "drawn by the seed", 7: "style 7"}.get(style, "your own")
    assert box.title.text() == f"Style: {words}"
    assert box.tiles.chosen == (7 if style == 7 else None)
    viewer.add_labels(painted(), name="mask")
    first, second = (one.order_of("mask") for one in (session.context, again.context))
    assert first == second, "it renders the same image"


def test_a_style_that_a_seed_drew_is_called_so_when_its_code_comes_back(session):
    look, bank = session.context.look, style_bank("optional-pix2pix-nuclei")
    dock = session.docks["synthesize"]
    look.option, look.seed = "he", 3
    number = session.context.catalogue.options(look.model).index("he")
    drawn = style_code(bank.codes[number], bank.spreads[number], None, 3)
    look.style = tuple(float(one) for one in drawn)
    assert "style of seed 3" in dock.headline
    look.seed = 4
    assert "style of seed 3" in dock.headline, "the style stays"
    look.style = tuple(float(one) for one in bank.codes[number, 5])
    assert "style 5" in dock.headline
    look.style = tuple(float(one) + 0.01 for one in drawn)
    assert "your own" in dock.headline


@pytest.mark.parametrize("style", ["7000", "-1", "[1, 2]", '"bright"', "1.5", "[1, 2, null]"])
def test_a_stored_style_that_the_model_does_not_have_is_passed_over(settings_file, opened, style):
    settings_file.parent.mkdir(parents=True, exist_ok=True)
    settings_file.write_text(f'{{"seed": 5, "option": "he", "style": {style}}}')
    look = opened(ViewerModel()).context.look
    assert look.style is None
    assert look.option == "he"


def test_what_is_stored_and_makes_no_sense_is_passed_over(settings_file, opened, qtbot):
    settings_file.parent.mkdir(parents=True, exist_ok=True)
    settings_file.write_text(
        '{"choices": {"column": {"section": "attic", "tabs": ["cellar", "nuclei"], "tab": 3},'
        ' "look": {"fast": "very"}}}'
    )
    viewer = ViewerModel()
    session = opened(viewer)
    column = Column(viewer)
    qtbot.addWidget(column)
    assert open_steps(column) == ["masks"]
    assert list(column.opened) == ["nuclei"]
    assert session.context.look.fast is False


def test_a_button_of_a_step_opens_a_tab(column, qtbot):
    column.resize(WIDTH, 700)
    column.show()
    click(qtbot, column.steps.panels["masks"].paint.single)
    assert column.tabs.currentWidget() is column.opened["nuclei"]


def test_every_control_of_the_column_has_a_tooltip_a_name_and_a_place_in_the_tab_order(column, session):
    for action in column.menu.actions():
        action.trigger()
    for widget in controls(column):
        assert widget.toolTip(), (widget, widget.parentWidget(), widget.parentWidget().parentWidget())
        assert widget.accessibleName(), widget
        assert widget.focusPolicy() & Qt.FocusPolicy.TabFocus, widget.accessibleName()


def test_the_tour_goes_along_with_steps_that_are_opened(column, qtbot):
    column.resize(WIDTH, 700)
    column.show()
    for step, number in (("synthesize", 2), ("export", 4), ("masks", 4), ("synthesize", 4)):
        click(qtbot, column.steps.headers[step])
        assert open_steps(column) == [step]
        assert column.tour.number.text() == f"{number} of {len(STOPS)}"


def test_the_tour_leads_through_the_steps_and_ends(column, session, opened, qtbot):
    column.resize(WIDTH, 700)
    column.show()
    sections = []
    for number in range(1, len(STOPS) + 1):
        assert column.tour.number.text() == f"{number} of {len(STOPS)}"
        sections += open_steps(column)
        click(qtbot, column.tour.on)
    assert sections == ["masks", "synthesize", "synthesize", "export", "masks"]
    assert column.tour.isHidden()
    assert opened(ViewerModel()).context.column.tour < 0, "it comes once"
    run_command("tour", session)
    assert not column.tour.isHidden()
    click(qtbot, column.tour.on)
    click(qtbot, column.tour.skip)
    assert column.tour.isHidden()
