"""The foot of a panel: its last message, or a job bar while something runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QSize, Qt
from qtpy.QtGui import QGuiApplication
from qtpy.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from napari_synth.ui.widgets.panel import described

if TYPE_CHECKING:
    from napari_synth.core.progress import Progress
    from napari_synth.ui.context.notes import Note
    from napari_synth.ui.jobs.lanes import JobState, Lane

LINES = 4
"""Lines of a message that are seen at once; a longer one scrolls, so that the buttons above never move."""
ROOM = 20
"""Above and below the lines, in pixels."""
FASTEST = 50
"""Items per second that say something to a person."""
MARKS = {"hint": "→", "done": "✓", "stopped": "■", "problem": "⚠"}
WORDS = {"hint": "Next", "done": "Done", "stopped": "Stopped", "problem": "Problem"}


class StatusBox(QWidget):
    """Mark, word and sentence of a `Note`, what to do next, and a button for the details."""

    def __init__(self) -> None:
        super().__init__()
        self._details = ""
        self.text = described(wrapped_label(), "Message", "What happened last")
        self.copy = described(
            QPushButton("Copy"), "Copy details", "Copy the message and the technical details, for a report"
        )
        self.copy.clicked.connect(self._copy)
        scroll = QScrollArea()
        scroll.setWidget(self.text)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(scroll, 1)
        layout.addWidget(self.copy, 0, Qt.AlignmentFlag.AlignTop)

    def show_note(self, note: Note) -> None:
        """Show a message."""
        head = f"{MARKS[note.kind]} {WORDS[note.kind]}: "
        self.text.setText("\n".join(filter(None, [head + note.text, note.action])))
        self._details = "\n".join(filter(None, [note.text, note.action, note.details]))
        self.copy.setVisible(note.kind == "problem")

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self._details)


class JobBar(QWidget):
    """Progress of one lane with a known end, items per second, and Cancel."""

    def __init__(self, lane: Lane):
        super().__init__()
        self._lane = lane
        self.title = described(QLabel(), "Job", "What is running")
        self.bar = described(QProgressBar(), "Progress", "How far the job is, and how fast")
        self.cancel = described(QPushButton("Cancel"), "Cancel", "Stop; what is finished is kept")
        self.cancel.clicked.connect(lane.cancel)
        line = QHBoxLayout()
        line.addWidget(self.bar, 1)
        line.addWidget(self.cancel)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self.title)
        layout.addLayout(line)

    def show_state(self, state: JobState) -> None:
        """Show how far the lane is."""
        progress = state.progress
        what = "Stopping…" if state.stopping else progress.message or "Starting…"
        self.title.setText(f"{state.title}: {what}")
        self.bar.setRange(0, max(progress.total, 1))
        self.bar.setValue(progress.done)
        self.bar.setFormat(_counted(progress, state.unit))
        self.cancel.setEnabled(not state.stopping)


class Foot(QStackedWidget):
    """The message of a panel, or its job bar while the lane runs."""

    def __init__(self, lane: Lane):
        super().__init__()
        self._lane = lane
        self.status = StatusBox()
        self.job = JobBar(lane)
        self.addWidget(self.status)
        self.addWidget(self.job)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setContentsMargins(8, 2, 8, 2)

    def sizeHint(self) -> QSize:
        """The same height for every message and for the job bar."""
        margins = self.contentsMargins()
        lines = LINES * self.status.text.fontMetrics().lineSpacing() + ROOM
        return QSize(0, max(lines, self.job.sizeHint().height()) + margins.top() + margins.bottom())

    def minimumSizeHint(self) -> QSize:
        """No lower."""
        return self.sizeHint()

    def show_lane(self) -> None:
        """Follow the lane."""
        self.job.show_state(self._lane.state)
        self.setCurrentWidget(self.job if self._lane.state.running else self.status)


def _counted(progress: Progress, unit: str) -> str:
    """How far it is; how fast only where a person could count along."""
    text = f"{progress.done} of {progress.total} {unit}"
    return f"{text} · {progress.rate:.1f}/s" if progress.done and 0 < progress.rate <= FASTEST else text


def wrapped_label() -> QLabel:
    """A label for sentences."""
    label = QLabel()
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    label.setMinimumWidth(120)
    return label
