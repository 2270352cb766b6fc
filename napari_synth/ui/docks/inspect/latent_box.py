"""Latent vectors: three corners, a pad between them, the walk from A to B."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from qtpy.QtCore import QPointF, QRectF, Qt, Signal
from qtpy.QtGui import QPainter, QPen
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from napari_synth.synthesis.latents.paths import PathKind
from napari_synth.synthesis.latents.sources import Drawn, source_words
from napari_synth.ui.docks.inspect.unit_boxes import LaneBar
from napari_synth.ui.widgets.controls import SeedBox, choose, whole, wide
from napari_synth.ui.widgets.panel import described, row

if TYPE_CHECKING:
    from qtpy.QtGui import QKeyEvent, QMouseEvent, QPaintEvent

    from napari_synth.ui.docks.inspect.latent_walks import Walking

CORNERS = ("a", "b", "c")
PAD_SIDE = 220
MARGIN = 16
STEP = 0.05
MOVIES = "GIF (*.gif);;MP4 (*.mp4);;TIFF stack (*.tif)"


class Pad(QWidget):
    """A square with A, B and C at three corners; drag the dot, or move it with the arrow keys."""

    moved = Signal(float, float)

    def __init__(self) -> None:
        super().__init__()
        self.u = self.v = 0.0
        self.setMinimumSize(PAD_SIDE, PAD_SIDE)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def show_place(self, u: float, v: float) -> None:
        """Put the dot somewhere, without telling anyone."""
        self.u, self.v = u, v
        self.setAccessibleDescription(f"{u:.2f} from A to B, {v:.2f} from A to C")
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """The square, its corners and the dot, in the colours of the theme."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        text, area = self.palette().text().color(), self._area()
        faint = self.palette().text().color()
        faint.setAlpha(110)
        painter.setPen(QPen(self.palette().highlight().color() if self.hasFocus() else faint, 2))
        painter.drawRect(area)
        painter.setPen(QPen(faint, 1, Qt.PenStyle.DashLine))
        painter.drawLine(area.topLeft(), area.bottomRight())
        painter.setPen(text)
        for letter, u, v in (("A", 0, 0), ("B", 1, 0), ("C", 0, 1)):
            at = self._at(u, v) + QPointF(-11 if u == 0 else 11, 0)
            painter.drawText(QRectF(at.x() - 8, at.y() - 8, 16, 16), Qt.AlignmentFlag.AlignCenter, letter)
        painter.setBrush(text)
        painter.drawEllipse(self._at(self.u, self.v), 5, 5)
        painter.end()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Go there."""
        self._go(event.position())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Follow the drag."""
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._go(event.position())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrow keys move the dot by a twentieth of the way."""
        moves = {
            Qt.Key.Key_Left: (-STEP, 0),
            Qt.Key.Key_Right: (STEP, 0),
            Qt.Key.Key_Up: (0, STEP),
            Qt.Key.Key_Down: (0, -STEP),
        }
        if event.key() not in moves:
            super().keyPressEvent(event)
            return
        du, dv = moves[Qt.Key(event.key())]
        self._move(self.u + du, self.v + dv)

    def _area(self) -> QRectF:
        side = min(self.width(), self.height()) - 2 * MARGIN
        return QRectF((self.width() - side) / 2, (self.height() - side) / 2, side, side)

    def _at(self, u: float, v: float) -> QPointF:
        area = self._area()
        return QPointF(area.left() + u * area.width(), area.bottom() - v * area.height())

    def _go(self, position: QPointF) -> None:
        area = self._area()
        self._move((position.x() - area.left()) / area.width(), (area.bottom() - position.y()) / area.height())

    def _move(self, u: float, v: float) -> None:
        self.show_place(min(max(u, 0.0), 1.0), min(max(v, 0.0), 1.0))
        self.moved.emit(self.u, self.v)


class Corner(QWidget):
    """One latent vector: a seed with its dice, or the one of the present image, pinned."""

    def __init__(self, letter: str, walking: Walking):
        super().__init__()
        self._walking, self._name = walking, letter.lower()
        self.seed = SeedBox(f"Seed of {letter}", f"The latent vector {letter} is drawn from this seed")
        self.pinned = QLabel()
        self.pin = described(
            QPushButton("Pin current"),
            f"Pin the current one as {letter}",
            "Keep the latent vector of what is looked at: of the image, the pad or the walk's step",
        )
        self.unpin = described(
            QPushButton("Use a seed"),
            f"Use a seed for {letter}",
            f"Draw {letter} from a seed instead of what is pinned",
        )
        self.unpin.clicked.connect(self._unpin)
        self.seed.changed.connect(self._draw)
        self.seed.rolled.connect(self._roll)
        self.pin.clicked.connect(self._pin)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.seed, 1)
        layout.addWidget(self.pinned, 1)
        layout.addWidget(self.unpin)
        layout.addWidget(self.pin)
        self.setFocusProxy(self.seed)

    def show_source(self) -> None:
        """Show the seed, or what is pinned instead."""
        source = self._walking.source(self._name)
        drawn = isinstance(source, Drawn) and source.seed is not None
        self.pinned.setText("" if drawn else f"pinned: {source_words(source)}")
        self.seed.setVisible(drawn)
        for widget in (self.pinned, self.unpin):
            widget.setVisible(not drawn)
        if drawn:
            blocked = self.seed.value.blockSignals(True)
            self.seed.value.setValue(source.seed)
            self.seed.value.blockSignals(blocked)

    def _draw(self, seed: int) -> None:
        self._walking.draw(self._name, seed)

    def _roll(self) -> None:
        self._walking.roll(self._name)

    def _unpin(self) -> None:
        self._walking.draw(self._name, self.seed.value.value())

    def _pin(self) -> None:
        self._walking.pin(self._name)


class LatentBox(QWidget):
    """Corners, pad and walk."""

    def __init__(self, walking: Walking):
        super().__init__()
        self._walking = walking
        self.corners = {name: Corner(name.upper(), walking) for name in CORNERS}
        self.pad = described(
            Pad(),
            "Pad between A, B and C",
            "Drag the dot, or move it with the arrow keys: the image follows; A, B and C are at the corners",
        )
        self.steps = whole(1, 1000, "Steps", "Images of the walk from A to B, both included")
        self.path = described(
            QComboBox(), "Path", "spherical: turns from A to B and stays as likely as they are; linear: straight"
        )
        self.path.addItems(list(get_args(PathKind)))
        for index, kind in enumerate(get_args(PathKind)):
            self.path.setItemData(index, kind)
        self.with_capsules = described(
            QCheckBox("with capsules"),
            "Walk with capsules",
            "Keep the capsules of the chosen layer along the walk, as a second stack in step (switched off at first)",
        )
        self.walk = wide(described(QPushButton("Walk A → B"), "Walk from A to B", "Render the walk as a stack alpha"))
        self.save = described(QPushButton("Save…"), "Save the walk", "Save the walk as GIF, MP4 or TIFF")
        self.bar = LaneBar(walking.lane)
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 4, 0, 0)
        grid = QGridLayout()
        grid.setHorizontalSpacing(6)
        grid.setVerticalSpacing(3)
        for name, corner in self.corners.items():
            row(grid, name.upper(), corner)
        layout.addLayout(grid)
        layout.addWidget(self.pad)
        grid = QGridLayout()
        grid.setHorizontalSpacing(6)
        row(grid, "Steps", self.steps, self.path, self.with_capsules)
        layout.addLayout(grid)
        line = QHBoxLayout()
        line.addWidget(self.walk, 1)
        line.addWidget(self.save)
        layout.addLayout(line)
        layout.addWidget(self.bar)
        layout.addStretch(1)

    def _connect(self) -> None:
        walking = self._walking
        self.pad.moved.connect(walking.move_to)
        self.steps.valueChanged.connect(self._store)
        self.path.activated.connect(self._store)
        self.with_capsules.toggled.connect(self._store)
        self.walk.clicked.connect(walking.walk)
        self.save.clicked.connect(self._ask_file)

    def show_choices(self) -> None:
        """Follow the choices."""
        choices = self._walking.choices
        for corner in self.corners.values():
            corner.show_source()
        self.pad.show_place(choices.u, choices.v)
        shown = (
            (self.steps, self.steps.setValue, choices.steps),
            (self.with_capsules, self.with_capsules.setChecked, choices.with_capsules),
        )
        for control, show, value in shown:
            blocked = control.blockSignals(True)
            show(value)
            control.blockSignals(blocked)
        choose(self.path, choices.path)

    def _store(self) -> None:
        choices = self._walking.choices
        steps, path, with_capsules = self.steps.value(), self.path.currentData(), self.with_capsules.isChecked()
        choices.steps, choices.path, choices.with_capsules = steps, path, with_capsules

    def _ask_file(self) -> None:
        path, kind = QFileDialog.getSaveFileName(self, "Save the walk", "walk.gif", MOVIES)
        if path:
            self._walking.save(with_suffix(path, kind))


def with_suffix(path: str, kind: str) -> str:
    """The path with the suffix of the chosen kind where the user typed none."""
    name = path.replace("\\", "/").rpartition("/")[2]
    return path if "." in name else path + kind.partition("*")[2].rstrip(")")
