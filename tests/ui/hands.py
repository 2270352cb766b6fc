"""What tests do to widgets."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QComboBox,
    QLineEdit,
    QListWidget,
    QMenu,
    QScrollBar,
    QSlider,
    QTabBar,
    QTableWidget,
    QWidget,
)


def click(qtbot, button):
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def entries(combo):
    return [combo.itemText(i) for i in range(combo.count())]


def choose(combo, data):
    """Choose an entry as a person does."""
    combo.setCurrentIndex(combo.findData(data))
    combo.activated.emit(combo.currentIndex())


def controls(panel: QWidget) -> list[QWidget]:
    kinds = (QAbstractButton, QAbstractSpinBox, QComboBox, QLineEdit, QListWidget, QSlider)
    inside = (QAbstractSpinBox, QComboBox, QListWidget, QScrollBar, QTabBar, QTableWidget)
    found = [widget for kind in kinds for widget in panel.findChildren(kind)]
    return [widget for widget in found if not isinstance(widget.parent(), inside) and not in_a_menu(widget)]


def in_a_menu(widget: QWidget) -> bool:
    """Whether a control lies in a menu: pyqtgraph makes some for every plot, and ours switch them off."""
    while widget is not None and not isinstance(widget, QMenu):
        widget = widget.parentWidget()
    return widget is not None
