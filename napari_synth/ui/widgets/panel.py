"""What all panels share: a scrolling body, buttons that stay in sight, one place for messages."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from functools import partial
from html import escape
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QEvent, QObject, QSize, Qt, QTimer
from qtpy.QtWidgets import (
    QComboBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QScrollArea,
    QSizePolicy,
    QStyle,
    QVBoxLayout,
    QWidget,
)
from superqt import QFlowLayout

if TYPE_CHECKING:
    from napari_synth.ui.context.context import Context

WIDTH = 340
"""Of the column that panels lie in, in pixels."""
SHORTEST = 6
"""Letters of a list that has little room."""
IN_A_LINE = 2
"""Controls beside each other."""


class Panel(QWidget):
    """Base of the docks: rows that scroll, and below them what always stays in sight.

    Attributes
    ----------
    body : QVBoxLayout
        The rows.
    buttons : QHBoxLayout
        The main buttons.
    more : QFlowLayout
        Lesser buttons below these, in as many lines as they need.
    """

    def __init__(self, context: Context):
        super().__init__()
        self.context = context
        self._above: QWidget | None = None
        self._asked_for: QWidget | None = None
        self._grids: list[QGridLayout] = []
        self.buttons = QHBoxLayout()
        self.buttons.setContentsMargins(8, 2, 8, 2)
        self.buttons.setSpacing(6)
        self.more = QFlowLayout()
        self.more.setContentsMargins(8, 0, 8, 2)
        self.more.setHorizontalSpacing(6)
        self.more.setVerticalSpacing(3)
        self._inside = QWidget()
        self._inside.installEventFilter(self)
        self.body = QVBoxLayout(self._inside)
        self.body.setContentsMargins(8, 2, 8, 2)
        self.body.setSpacing(4)
        self._scroll = scroll = QScrollArea()
        scroll.setWidget(self._inside)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.outer = QVBoxLayout(self)
        self.outer.setContentsMargins(0, 0, 0, 0)
        self.outer.setSpacing(0)
        self.outer.addWidget(scroll, 1)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)

    def minimumSizeHint(self) -> QSize:
        """Never narrower than the rows, and low enough for a small screen."""
        bar = self.style().pixelMetric(QStyle.PixelMetric.PM_ScrollBarExtent)
        above = self._above.minimumSizeHint().width() if self._above is not None and not self._above.isHidden() else 0
        return QSize(max(self._inside.minimumSizeHint().width() + bar, above), 100)

    def set_foot(self, foot: QWidget, above: QWidget | None = None) -> None:
        """Put the main buttons and the messages under the body, where they are seen however low the dock is."""
        self._above = above
        for combo in self.findChildren(QComboBox):  # its longest entry may be wider than the column
            combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            combo.setMinimumContentsLength(SHORTEST)
        self.body.addStretch(1)
        self.outer.addLayout(self.buttons)
        self.outer.addLayout(self.more)
        if above is not None:
            self.outer.addWidget(above)
        self.outer.addWidget(foot)

    def watch(self, signal: Any, slot: Callable[..., None]) -> None:
        """Call the bound method ``slot`` on a psygnal signal while this widget lives, and once now."""
        watch(self, signal, slot)

    def show_first(self, widget: QWidget) -> None:
        """Put a widget above all rows."""
        self.body.insertWidget(0, widget)

    def bring_into_view(self, widget: QWidget) -> None:
        """Scroll to a row that appears, when it has found its place."""
        self._asked_for = widget
        QTimer.singleShot(0, self._scroll_there)

    def _scroll_there(self) -> None:
        if self._asked_for is not None:
            self._scroll.ensureWidgetVisible(self._asked_for, 0, 0)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Labels come, go and change their font with the theme."""
        if event.type() == QEvent.Type.LayoutRequest:
            self._align_labels()
        return False

    def _align_labels(self) -> None:
        """Let the controls of all blocks begin at the same place."""
        cells = [grid.itemAtPosition(line, 0) for grid in self._grids for line in range(grid.rowCount())]
        widest = max((cell.widget().sizeHint().width() for cell in cells if cell is not None), default=0)
        for grid in self._grids:
            if grid.columnMinimumWidth(0) != widest:
                grid.setColumnMinimumWidth(0, widest)

    def grid(self) -> QGridLayout:
        """A new block of rows with a label and one or more controls each."""
        grid = QGridLayout()
        grid.setHorizontalSpacing(6)
        grid.setVerticalSpacing(3)
        self._grids.append(grid)
        self.body.addLayout(grid)
        return grid


def watch(widget: QWidget, signal: Any, slot: Callable[..., None]) -> None:
    """Call the bound method ``slot`` on a psygnal signal while a widget lives, and once now."""
    signal.connect(slot)
    widget.destroyed.connect(partial(_disconnect, signal, weakref.WeakMethod(slot)))
    slot()


def _disconnect(signal: Any, slot: weakref.WeakMethod[Callable[..., None]]) -> None:
    method = slot()
    if method is not None:
        signal.disconnect(method, missing_ok=True)


def drop(widget: QWidget) -> None:
    """Take a widget away at once; Qt deletes it later."""
    widget.hide()
    widget.deleteLater()


def described(widget: Any, name: str, tip: str) -> Any:
    """Give a control its accessible name and tooltip; returns the control. A label shows its text as it is."""
    widget.setAccessibleName(name)
    widget.setToolTip(literal(tip))
    if isinstance(widget, QLabel):
        widget.setTextFormat(Qt.TextFormat.PlainText)
    return widget


def literal(text: str) -> str:
    """What a tooltip must be given to show a text as it is: Qt takes for markup what looks like it."""
    return f"<p>{escape(text)}</p>" if Qt.mightBeRichText(text) else text


def beside(*parts: QWidget | str, wide: int = 0) -> QWidget:
    """Controls, and signs between them, as one control of a row; more than two go on in a line below.

    Parameters
    ----------
    wide : int
        So many of the first controls share the room that is left; 0: all of them.
    """
    together = QWidget()
    lines = QVBoxLayout(together)
    lines.setContentsMargins(0, 0, 0, 0)
    lines.setSpacing(3)
    controls: list[QWidget] = []
    signs: list[QLabel] = []
    for part in parts:
        if isinstance(part, str):
            signs.append(QLabel(part))
            continue
        if len(controls) % IN_A_LINE == 0:
            line = QHBoxLayout()
            line.setSpacing(4)
            lines.addLayout(line)
        while signs:
            line.addWidget(signs.pop(0))
        line.addWidget(part, int(not wide or len(controls) < wide))
        controls.append(part)
    together.setFocusProxy(controls[0])
    return together


def row(grid: QGridLayout, text: str, *widgets: QWidget) -> QLabel:
    """Add a row: its label, then the controls; the first control takes the room that is left. Returns the label."""
    line = grid.rowCount()
    label = QLabel(text)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setBuddy(widgets[0])
    grid.addWidget(label, line, 0)
    last = 3
    for column, widget in enumerate(widgets, 1):
        span = last - column + 1 if widget is widgets[-1] else 1
        grid.addWidget(widget, line, column, 1, span)
    grid.setColumnStretch(1, 1)
    return label
