"""Names that are longer than a list is wide."""

from __future__ import annotations

import pytest
from qtpy.QtCore import QRect, Qt
from qtpy.QtGui import QFontMetrics
from qtpy.QtWidgets import QGridLayout, QLabel, QStyle, QStyleOptionComboBox, QWidget

from napari_synth.ui.widgets.name_combo import NameCombo, in_lines

NAMES = (
    "short",
    "Two-photon axons, physics-based",
    "plate_3_well_B07_channel_2_nuclei.tif",
    "Zellkerne 🔬 der dritten Platte",
)


@pytest.fixture
def combo(qtbot):
    """A closed list in a narrow column."""
    column = QWidget()
    grid, combo = QGridLayout(column), NameCombo()
    combo.addItems(NAMES)
    grid.addWidget(QLabel("Model"), 0, 0)
    grid.addWidget(combo, 0, 1)
    grid.setRowStretch(1, 1)
    column.setFixedWidth(220)
    qtbot.addWidget(column)
    column.show()
    qtbot.waitExposed(column)
    yield combo
    column.close()


def field(combo):
    option = QStyleOptionComboBox()
    option.initFrom(combo)
    part = QStyle.SubControl.SC_ComboBoxEditField
    return combo.style().subControlRect(QStyle.ComplexControl.CC_ComboBox, option, part, combo)


@pytest.mark.parametrize("place", range(len(NAMES)))
def test_a_name_has_the_room_it_needs(combo, qtbot, place):
    combo.setCurrentIndex(place)
    room = field(combo)
    wrap = Qt.TextFlag.TextWordWrap | Qt.TextFlag.TextWrapAnywhere

    def fits():
        needed = combo.fontMetrics().boundingRect(QRect(0, 0, field(combo).width(), 999), int(wrap.value), NAMES[place])
        return needed.height() <= field(combo).height()

    qtbot.waitUntil(fits)
    assert room.width() < 180


def test_a_wider_column_needs_fewer_lines(combo, qtbot):
    combo.setCurrentIndex(1)
    qtbot.waitUntil(lambda: combo.height() > 30)
    narrow = combo.height()
    combo.window().setFixedWidth(600)
    qtbot.waitUntil(lambda: combo.height() < narrow)
    combo.setCurrentIndex(0)
    assert combo.height() < narrow


@pytest.mark.parametrize("name", NAMES)
def test_lines_are_the_name_and_none_is_too_wide(combo, name):
    lines = in_lines(name, combo.font(), 90)
    assert "".join(lines).replace(" ", "") == name.replace(" ", "")
    assert all(QFontMetrics(combo.font()).horizontalAdvance(line) <= 91 for line in lines)
    assert in_lines("", combo.font(), 90) == [""]
