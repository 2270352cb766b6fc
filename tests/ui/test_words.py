"""The window speaks the words of its users."""

from __future__ import annotations

import re

import pytest
from qtpy.QtWidgets import QAbstractButton, QComboBox, QLabel, QTabWidget, QWidget

from napari_synth.ui.column.column import Column
from napari_synth.ui.column.commands import commands
from napari_synth.ui.docks.registry import DOCKS

NOT_THEIRS = re.compile(r"thesis|label maps|(first|second) component|no noise|\bdock\b|z_style", re.IGNORECASE)
"""Words of those who made the program, and the preset that only they know."""


def words(panel: QWidget) -> list[str]:
    """All that a widget and those in it say or tell on request."""
    found = []
    for widget in [panel, *panel.findChildren(QWidget)]:
        found += [widget.toolTip(), widget.accessibleName()]
        if isinstance(widget, QLabel | QAbstractButton):
            found.append(widget.text())
        if isinstance(widget, QComboBox):
            found += [widget.itemText(i) for i in range(widget.count())]
        if isinstance(widget, QTabWidget):
            found += [widget.tabText(i) for i in range(widget.count())]
        found += [action.text() for action in widget.actions()]
    return [text for text in found if text]


@pytest.mark.parametrize("key", DOCKS)
def test_panels_speak_the_words_of_users(key, panel):
    said = words(panel(key))
    assert len(said) > 10
    assert [text for text in said if NOT_THEIRS.search(text)] == []


def test_the_column_and_the_commands_speak_the_words_of_users(viewer, session, qtbot):
    column = Column(viewer)
    qtbot.addWidget(column)
    said = words(column) + [entry.command.title for entry in commands().values()]
    said += [action.text() for action in column.menu.actions()] + [dock.tip for dock in DOCKS.values()]
    assert [text for text in said if NOT_THEIRS.search(text)] == []
