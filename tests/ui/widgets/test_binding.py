"""Controls bound to choices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pytest
from psygnal import SignalGroupDescriptor
from qtpy.QtWidgets import QCheckBox, QComboBox, QDoubleSpinBox, QLabel, QLineEdit, QSlider, QSpinBox
from superqt import QLargeIntSpinBox

from napari_synth.ui.widgets.binding import bind, set_value


@dataclass
class Choices:
    events: ClassVar[SignalGroupDescriptor] = SignalGroupDescriptor()

    value: object = 1


def combo():
    box = QComboBox()
    for title, data in (("first", "a"), ("second", "b"), ("third", "c")):
        box.addItem(title, data)
    return box


def choose(box):
    box.setCurrentIndex(1)
    box.activated.emit(1)


def write(line):
    line.setText("typed")
    line.editingFinished.emit()


CONTROLS = {
    "whole number": (QSpinBox, 5, 7, lambda box: box.setValue(7), QSpinBox.value),
    "number": (QDoubleSpinBox, 0.5, 1.25, lambda box: box.setValue(1.25), QDoubleSpinBox.value),
    "large number": (QLargeIntSpinBox, 2**31, 2**40, lambda box: box.setValue(2**40), QLargeIntSpinBox.value),
    "slider": (QSlider, 5, 7, lambda slider: slider.setValue(7), QSlider.value),
    "box": (QCheckBox, True, False, lambda box: box.click(), QCheckBox.isChecked),
    "list": (combo, "c", "b", choose, QComboBox.currentData),
    "text": (QLineEdit, "stored", "typed", write, QLineEdit.text),
}


@pytest.fixture
def make(qtbot):
    def make(kind):
        control = CONTROLS[kind][0]()
        if isinstance(control, QLargeIntSpinBox):
            control.setRange(0, 2**62)
        qtbot.addWidget(control)
        return control

    return make


@pytest.mark.parametrize("kind", CONTROLS)
def test_what_is_stored_is_shown_and_what_is_set_is_stored(make, kind):
    _, first, second, by_hand, shown = CONTROLS[kind]
    choices, control = Choices(first), make(kind)
    bind(choices, "value", control)
    assert shown(control) == first
    by_hand(control)
    assert choices.value == second
    choices.value = first
    assert shown(control) == first


def test_what_is_shown_is_no_edit(make):
    choices, control = Choices(5), make("whole number")
    heard, stored = [], []
    control.valueChanged.connect(heard.append)
    bind(choices, "value", control, store=stored.append)
    choices.value = 9
    set_value(control, 11)
    assert (heard, stored, control.value()) == ([], [], 11)


def test_the_field_can_be_shown_in_another_way_and_stored_by_another(make):
    choices, control, stored = Choices(0.25), make("whole number"), []
    bind(choices, "value", control, shown=lambda v: round(100 * v), stored=lambda v: v / 100, store=stored.append)
    assert control.value() == 25
    control.setValue(50)
    assert (stored, choices.value) == ([0.5], 0.25)


def test_two_controls_of_one_field_show_the_same(make):
    choices, one, two = Choices(5), make("whole number"), make("slider")
    bind(choices, "value", one)
    bind(choices, "value", two)
    one.setValue(8)
    assert two.value() == 8


def test_an_unknown_entry_shows_the_first(make):
    choices, control = Choices("b"), make("list")
    bind(choices, "value", control)
    choices.value = "nowhere"
    assert control.currentData() == "a"
    assert choices.value == "nowhere"


def test_a_control_that_is_gone_is_not_shown_to(make, qtbot):
    choices, control = Choices(5), make("whole number")
    bind(choices, "value", control)
    assert len(choices.events["value"]) == 1
    with qtbot.waitSignal(control.destroyed):
        control.deleteLater()
    choices.value = 6
    assert len(choices.events["value"]) == 0


def test_a_method_of_a_widget_does_not_keep_it_alive(make, qtbot):
    class Owner(QLabel):
        def take(self, value):
            self.setText(str(value))

    owner, choices, control = Owner(), Choices(5), make("whole number")
    bind(choices, "value", control, store=owner.take)
    control.setValue(6)
    assert owner.text() == "6"
    with qtbot.waitSignal(owner.destroyed):
        del owner
    control.setValue(7)
    assert choices.value == 5


@pytest.mark.parametrize("step", [lambda label: set_value(label, 1), lambda label: bind(Choices(), "value", label)])
def test_other_widgets_are_refused(qtbot, step):
    label = QLabel()
    qtbot.addWidget(label)
    with pytest.raises(TypeError, match="QLabel cannot be bound"):
        step(label)
