"""Controls bound to choices: what the user sets is stored, what is stored is shown, and no one hears an echo."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from functools import partial
from typing import Any

from qtpy.QtCore import QObject
from qtpy.QtWidgets import QAbstractButton, QAbstractSlider, QComboBox, QDoubleSpinBox, QLineEdit, QSpinBox, QWidget
from superqt import QLargeIntSpinBox
from superqt.utils import signals_blocked

NUMBERS = (QSpinBox, QDoubleSpinBox, QLargeIntSpinBox, QAbstractSlider)


def bind(
    choices: Any,
    name: str,
    control: QWidget,
    *,
    shown: Callable[[Any], Any] | None = None,
    stored: Callable[[Any], Any] | None = None,
    store: Callable[[Any], object] | None = None,
) -> Binding:
    """Tie a control to a field of evented choices, as long as the control lives.

    Parameters
    ----------
    choices : evented dataclass
        With a signal group ``events``.
    name : str
        The field.
    control : spin box, QAbstractSlider, QAbstractButton, QComboBox or QLineEdit
        A combo box shows and stores the data of its entries.
    shown, stored : callable, optional
        Turn the field into what the control shows, and back.
    store : callable, optional
        Called with a new value instead of setting the field.
    """
    return Binding(choices, name, control, shown or _same, stored or _same, store)


class Binding(QObject):
    """One tie; made by `bind`, owned by its control."""

    def __init__(
        self,
        choices: Any,
        name: str,
        control: QWidget,
        shown: Callable[[Any], Any],
        stored: Callable[[Any], Any],
        store: Callable[[Any], object] | None,
    ):
        super().__init__(control)
        self._choices, self._name, self._control = choices, name, control
        self._shown, self._stored = _weakly(shown), _weakly(stored)
        self._store = None if store is None else _weakly(store)
        signal = choices.events[name]
        signal.connect(self.show)
        control.destroyed.connect(partial(_unbind, signal, self.show))
        _changed(control).connect(self.store)
        self.show()

    def show(self) -> None:
        """Show what is stored."""
        set_value(self._control, self._shown(getattr(self._choices, self._name)))

    def store(self) -> None:
        """Store what the control shows."""
        value = self._stored(_value(self._control))
        if self._store is not None:
            self._store(value)
        else:
            setattr(self._choices, self._name, value)


def set_value(control: QWidget, value: Any) -> None:
    """Show a value in a control, without telling anyone."""
    with signals_blocked(control):
        if isinstance(control, NUMBERS):
            control.setValue(value)
        elif isinstance(control, QAbstractButton):
            control.setChecked(value)
        elif isinstance(control, QComboBox):
            control.setCurrentIndex(max(control.findData(value), 0))
        elif isinstance(control, QLineEdit):
            control.setText(value)
        else:
            raise TypeError(f"A {type(control).__name__} cannot be bound.")


def _value(control: QWidget) -> Any:
    if isinstance(control, NUMBERS):
        return control.value()
    if isinstance(control, QAbstractButton):
        return control.isChecked()
    if isinstance(control, QComboBox):
        return control.currentData()
    if isinstance(control, QLineEdit):
        return control.text()
    raise TypeError(f"A {type(control).__name__} cannot be bound.")


def _changed(control: QWidget) -> Any:
    """The signal of a change by the user."""
    if isinstance(control, NUMBERS):
        return control.valueChanged
    if isinstance(control, QAbstractButton):
        return control.toggled
    if isinstance(control, QComboBox):
        return control.activated
    if isinstance(control, QLineEdit):
        return control.editingFinished
    raise TypeError(f"A {type(control).__name__} cannot be bound.")


def _weakly(call: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The same call, without keeping the widget alive whose method it is.

    A widget in a circle of references is left to Python's garbage collector, which may run in the thread of a job;
    Qt crashes when a widget is deleted there.
    """
    if not isinstance(getattr(call, "__self__", None), QObject):
        return call
    method = weakref.WeakMethod(call)

    def call_if_alive(value: Any) -> Any:
        alive = method()
        return alive(value) if alive is not None else None

    return call_if_alive


def _same(value: Any) -> Any:
    return value


def _unbind(signal: Any, slot: Callable[[], None], *_: object) -> None:
    signal.disconnect(slot, missing_ok=True)
