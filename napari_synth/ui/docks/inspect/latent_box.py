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
from napari_synth.ui.widgets.binding import bind, set_value
from napari_synth.ui.widgets.controls import SeedBox, whole, wide
from napari_synth.ui.widgets.panel import described, row

if TYPE_CHECKING:
    from qtpy.QtGui import QKeyEvent, QMouseEvent, QPaintEvent

    from napari_synth.ui.docks.inspect.latent_walks import LatentWalks

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


class CornerRow(QWidget):
    """One latent vector: a seed with its dice, or the one of the present image, pinned."""

    def __init__(self, letter: str, walks: LatentWalks):
        super().__init__()
        self._walks, self._name = walks, letter.lower()
        self.seed = SeedBox(f"Seed of {letter}", f"The latent vector {letter} is drawn from this seed")
        self.pinned = described(QLabel(), f"Pinned as {letter}", "The latent vector that is pinned")
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
        self.seed.value.valueChanged.connect(self._draw)
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
        source = self._walks.choices.corner(self._name)
        seed = source.seed if isinstance(source, Drawn) else None
        self.pinned.setText(f"pinned: {source_words(source)}" if seed is None else "")
        self.seed.setVisible(seed is not None)
        for widget in (self.pinned, self.unpin):
            widget.setVisible(seed is None)
        if seed is not None:
            set_value(self.seed.value, seed)

    def _draw(self, seed: int) -> None:
        self._walks.choices.pin(self._name, Drawn(seed))

    def _roll(self) -> None:
        self._walks.roll(self._name)

    def _unpin(self) -> None:
        self._walks.choices.pin(self._name, Drawn(self.seed.value.value()))

    def _pin(self) -> None:
        self._walks.pin(self._name)


class LatentBox(QWidget):
    """Corners, pad and walk."""

    def __init__(self, walks: LatentWalks):
        super().__init__()
        self._walks = walks
        self.corners = {name: CornerRow(name.upper(), walks) for name in CORNERS}
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
        self.bar = LaneBar(walks.jobs.lane)
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 6, 6, 4)
        grid = QGridLayout()
        grid.setHorizontalSpacing(6)
        grid.setVerticalSpacing(3)
        for name, corner in self.corners.items():
            row(grid, name.upper(), corner)
        layout.addLayout(grid)
        layout.addWidget(self.pad)
        grid = QGridLayout()
        grid.setHorizontalSpacing(6)
        row(grid, "Steps", self.steps, self.path)
        layout.addLayout(grid)
        layout.addWidget(self.with_capsules)
        line = QHBoxLayout()
        line.addWidget(self.walk, 1)
        line.addWidget(self.save)
        layout.addLayout(line)
        layout.addWidget(self.bar)
        layout.addStretch(1)

    def _connect(self) -> None:
        walks = self._walks
        self.pad.moved.connect(walks.move_to)
        bind(walks.choices, "steps", self.steps)
        bind(walks.choices, "path", self.path)
        bind(walks.choices, "with_capsules", self.with_capsules)
        self.walk.clicked.connect(walks.walk)
        self.save.clicked.connect(self._ask_file)

    def show_choices(self) -> None:
        """Follow the choices."""
        choices = self._walks.choices
        for corner in self.corners.values():
            corner.show_source()
        self.pad.show_place(choices.u, choices.v)

    def _ask_file(self) -> None:
        path, kind = QFileDialog.getSaveFileName(self, "Save the walk", "walk.gif", MOVIES)
        if path:
            self._walks.save(with_suffix(path, kind))


def with_suffix(path: str, kind: str) -> str:
    """The path with the suffix of the chosen kind where the user typed none."""
    name = path.replace("\\", "/").rpartition("/")[2]
    return path if "." in name else path + kind.partition("*")[2].rstrip(")")
