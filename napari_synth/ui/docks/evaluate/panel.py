"""The dock "Is it helping?": two folders, three questions, and the answers."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from qtpy.QtCore import QUrl
from qtpy.QtGui import QDesktopServices
from qtpy.QtWidgets import QFileDialog, QPushButton, QStackedWidget

from napari_synth.evaluation.metrics import METRICS
from napari_synth.ui.docks.evaluate.choices import EvaluateChoices
from napari_synth.ui.docks.evaluate.plots import Curves, ImageMap, Intervals
from napari_synth.ui.napari_bridge.theme import follow_theme, theme_colours
from napari_synth.ui.widgets.controls import wide
from napari_synth.ui.widgets.footer import Foot, wrapped_label
from napari_synth.ui.widgets.forms import Form
from napari_synth.ui.widgets.panel import Panel, described, row

if TYPE_CHECKING:
    from napari_synth.ui.docks.evaluate.actions import EvaluateActions

FORM = ("real", "synthetic", "out", "predictions", "groups", "budget", "overwrite")
FOLDERS = ("real", "synthetic", "out", "predictions")
PLACEHOLDERS = {
    "real": "images/ and masks/",
    "synthetic": "an exported folder",
    "out": "a new folder",
    "predictions": "if there are any",
    "groups": "each file alone",
}
"""What an empty line stands for."""
BUDGET_TITLES = [("quick: large differences only", "quick"), ("standard: may take hours", "standard")]


class EvaluatePanel(Panel):
    """Ask whether synthetic pairs help, how real they look, and whether masks fit."""

    def __init__(self, dock: EvaluateActions):
        super().__init__(dock.context)
        self.dock = dock
        self._build_rows()
        self._build_answers()
        self._build_buttons()
        self.foot = Foot(dock.jobs.lane)
        self.set_foot(self.foot)
        self._connect()

    def _build_rows(self) -> None:
        self.form = Form(EvaluateChoices, self.dock.choices, FORM, {"budget": BUDGET_TITLES})
        self.browse = {name: QPushButton("Browse…") for name in FOLDERS}
        grid = self.grid()
        for name, title in zip(FOLDERS, ("Real", "Synthetic", "Report", "Predictions"), strict=True):
            described(self.browse[name], f"Browse for {title.lower()}", "Choose the folder")
            row(grid, title, self.form.controls[name], self.browse[name])
        for name, words in PLACEHOLDERS.items():
            self.form.line(name).setPlaceholderText(words)
        row(grid, "Groups", self.form.controls["groups"])
        row(grid, "Budget", self.form.controls["budget"])

    def _build_answers(self) -> None:
        self.answer = described(wrapped_label(), "Answer", "What was found last")
        self.plots = QStackedWidget()
        self.curves, self.intervals, self.map = Curves(), Intervals(), ImageMap()
        for plot in (self.curves, self.intervals, self.map):
            self.plots.addWidget(plot)
        self.plots.hide()
        self.body.addWidget(self.plots)
        self.body.addWidget(self.answer)

    def _build_buttons(self) -> None:
        asks = (
            ("Does it help?", "Train segmenters on real, synthetic and both kinds of pairs, and compare them"),
            ("How real?", "Compare how synthetic and real images look"),
            ("Check pairs", "Look at every synthetic pair with a segmenter trained on the real ones"),
        )
        self.help, self.realism, self.pairs = (wide(described(QPushButton(name), name, tip)) for name, tip in asks)
        for button in (self.help, self.realism, self.pairs):
            self.buttons.addWidget(button, 1)
        self.report = described(QPushButton("Open report"), "Open report", "Show report.html in the browser")
        self.report.setEnabled(False)
        self.more.addWidget(self.report)
        self.more.addWidget(self.form.controls["overwrite"])
        steps = (
            ("Compare predictions", "Find what is labelled but was not found by Cellpose or StarDist, and the reverse"),
            ("Previous", "Show the place before, in the middle of the canvas"),
            ("Next", "Show the next place where something is wrong, in the middle of the canvas"),
        )
        self.predictions, self.previous, self.next = (described(QPushButton(name), name, tip) for name, tip in steps)
        for button in (self.predictions, self.previous, self.next):
            self.more.addWidget(button)

    def _connect(self) -> None:
        dock = self.dock
        for name, button in self.browse.items():
            button.clicked.connect(partial(_ask_folder, dock.choices, name))
        self.help.clicked.connect(self._ask_help)
        self.realism.clicked.connect(self._ask_realism)
        self.pairs.clicked.connect(self._ask_pairs)
        self.predictions.clicked.connect(self._ask_predictions)
        self.previous.clicked.connect(dock.previous_place)
        self.next.clicked.connect(dock.next_place)
        self.map.chosen.connect(dock.open_picture)
        self.report.clicked.connect(self._open_report)
        self.watch(dock.found, self._show_found)
        self.watch(dock.moved, self._show_meanwhile)
        self.watch(self.context.notes.changed, self._show_note)
        self.watch(dock.jobs.lane.state.events, self._show_lane)
        follow_theme(self.context.viewer, self, self._show_colours)

    def _show_colours(self) -> None:
        for plot in (self.curves, self.intervals, self.map):
            plot.show_colours(theme_colours(self.context.viewer)[0])

    def _store_typed(self) -> None:
        for name in (*FOLDERS, "groups"):  # what is typed counts without Enter
            setattr(self.dock.choices, name, self.form.line(name).text())

    def _ask_help(self) -> None:
        self._store_typed()
        self.dock.ask_help()

    def _ask_realism(self) -> None:
        self._store_typed()
        self.dock.ask_realism()

    def _ask_pairs(self) -> None:
        self._store_typed()
        self.dock.ask_pairs()

    def _ask_predictions(self) -> None:
        self._store_typed()
        self.dock.ask_predictions()

    def _open_report(self) -> None:
        if self.dock.newest is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self.dock.newest.folder.resolve() / "report.html")))

    def _show_meanwhile(self) -> None:
        if not self.dock.jobs.lane.state.running:
            return
        if self.dock.points:
            self.curves.show_points(self.dock.points)
            self._show_plot(self.curves)
        if self.dock.lines:
            self.answer.setText("\n".join(line.words for line in self.dock.lines))

    def _show_found(self) -> None:
        self._show_steps()
        report = self.dock.newest
        if report is None:
            return
        self.answer.setText(report.brief)
        self.report.setEnabled(True)
        if report is self.dock.help and report.comparisons:
            self.intervals.show_comparisons(report.comparisons, METRICS[report.metric].title)
            self._show_plot(self.intervals)
        elif report is self.dock.realism:
            self.map.show_points(report.map)
            self._show_plot(self.map)

    def _show_plot(self, plot: Curves | Intervals | ImageMap) -> None:
        self.plots.setCurrentWidget(plot)
        self.plots.show()

    def _show_note(self) -> None:
        self.foot.status.show_note(self.dock.note)

    def _show_lane(self) -> None:
        self.foot.show_lane()
        for button in (self.help, self.realism, self.pairs, self.predictions):
            button.setEnabled(not self.dock.jobs.lane.state.running)
        self._show_steps()

    def _show_steps(self) -> None:
        for button in (self.previous, self.next):
            button.setEnabled(len(self.dock.places) > 0 and not self.dock.jobs.lane.state.running)


def _ask_folder(choices: EvaluateChoices, name: str) -> None:
    folder = QFileDialog.getExistingDirectory(None, "Choose a folder", getattr(choices, name))
    if folder:
        setattr(choices, name, folder)
