"""A list whose chosen name goes on in the line below where the column is too narrow for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QEvent, QRect, QSize, Qt
from qtpy.QtGui import QHelpEvent, QTextLayout, QTextOption
from qtpy.QtWidgets import QComboBox, QStyle, QStyleOptionComboBox, QStylePainter, QToolTip

from napari_synth.ui.widgets.panel import literal

if TYPE_CHECKING:
    from qtpy.QtGui import QFont, QPaintEvent, QResizeEvent

MOST_LINES = 3
"""Of the closed list; of a name that needs more, the tooltip has the rest."""


class NameCombo(QComboBox):
    """A list of names that may be longer than the column is wide: closed it is as high as the chosen name needs."""

    def __init__(self) -> None:
        super().__init__()
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(10)
        policy = self.sizePolicy()
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.currentTextChanged.connect(self.updateGeometry)

    def showPopup(self) -> None:
        """Open it as wide as its longest name."""
        self.view().setMinimumWidth(self.view().sizeHintForColumn(0))
        super().showPopup()

    def heightForWidth(self, width: int) -> int:
        """As many lines as the chosen name has in this width."""
        more = len(self._lines(width)) - 1
        return int(super().sizeHint().height() + more * self.fontMetrics().lineSpacing())

    def sizeHint(self) -> QSize:
        """For layouts that ask for no height by width."""
        return QSize(super().sizeHint().width(), self.heightForWidth(self.width()))

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Another width, other lines."""
        super().resizeEvent(event)
        self.updateGeometry()

    def event(self, event: QEvent | None) -> bool:
        """The tooltip of a name that is cut even so is the name."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip and self._is_cut():
            QToolTip.showText(event.globalPos(), literal(self.currentText()), self)
            return True
        return bool(super().event(event))

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """As the style draws it, the name in lines."""
        painter, option = QStylePainter(self), QStyleOptionComboBox()
        self.initStyleOption(option)
        painter.drawComplexControl(QStyle.ComplexControl.CC_ComboBox, option)
        option.currentText = "\n".join(self._lines(self.width()))
        painter.drawControl(QStyle.ControlElement.CE_ComboBoxLabel, option)

    def _is_cut(self) -> bool:
        return len(in_lines(self.currentText(), self.font(), self._room(self.width()))) > MOST_LINES

    def _lines(self, width: int) -> list[str]:
        """The chosen name in lines that fit into a closed list of this width."""
        room = self._room(width)
        lines = in_lines(self.currentText(), self.font(), room)
        if len(lines) > MOST_LINES:
            rest = " ".join(lines[MOST_LINES - 1 :])
            lines[MOST_LINES - 1 :] = [self.fontMetrics().elidedText(rest, Qt.TextElideMode.ElideMiddle, room)]
        return lines

    def _room(self, width: int) -> int:
        """Pixels for words in a closed list of this width."""
        option = QStyleOptionComboBox()
        self.initStyleOption(option)
        option.rect = QRect(0, 0, width, self.height())
        field = self.style().subControlRect(
            QStyle.ComplexControl.CC_ComboBox, option, QStyle.SubControl.SC_ComboBoxEditField, self
        )
        return max(int(field.width()) - 2, 1)  # some styles leave a pixel at either side


def in_lines(text: str, font: QFont, width: int) -> list[str]:
    """A text in lines of at most so many pixels; broken between words, and inside those that are wider."""
    layout, how = QTextLayout(text, font), QTextOption()
    how.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
    layout.setTextOption(how)
    units = text.encode("utf-16-le")  # what Qt counts in
    lines = []
    layout.beginLayout()
    while (line := layout.createLine()).isValid():
        line.setLineWidth(width)
        start = 2 * line.textStart()
        lines.append(units[start : start + 2 * line.textLength()].decode("utf-16-le").strip())
    layout.endLayout()
    return lines or [""]
