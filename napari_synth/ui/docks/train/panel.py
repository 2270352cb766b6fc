"""The dock "My look": choose pairs, plan, train, use the look."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QUrl
from qtpy.QtGui import QDesktopServices
from qtpy.QtWidgets import QGridLayout, QPushButton, QWidget

from napari_synth.ui.docks.train.choices import TrainChoices
from napari_synth.ui.docks.train.looks_fold import LooksFold
from napari_synth.ui.docks.train.run_box import RunBox
from napari_synth.ui.widgets.cards import Fold
from napari_synth.ui.widgets.controls import wide
from napari_synth.ui.widgets.drops import accept_files, take_files
from napari_synth.ui.widgets.folder_row import BrowseButton
from napari_synth.ui.widgets.footer import Foot, wrapped_label
from napari_synth.ui.widgets.forms import Form
from napari_synth.ui.widgets.panel import Panel, described, row

if TYPE_CHECKING:
    from qtpy.QtGui import QDragEnterEvent, QDropEvent

    from napari_synth.ui.docks.train.actions import TrainActions

FORM = ("source", "data", "name", "minutes", "high_frequency", "unlabelled", "folder")
STARTS = ("start", "start_look")
TYPED = ("data", "name", "unlabelled", "folder")
SHOWN = 5
"""Findings and pairs that are named."""
ANY_LOOK = "the most similar"


class TrainPanel(Panel):
    """Teach a model the look of one's own images."""

    def __init__(self, dock: TrainActions):
        super().__init__(dock.context)
        self.dock = dock
        self.setAcceptDrops(True)
        self._build_rows()
        self.plan_text = described(wrapped_label(), "Plan", "What the label doctor found, and what it will take")
        self.body.addWidget(self.plan_text)
        self.run = RunBox(dock)
        self.body.addWidget(self.run)
        self.looks = LooksFold(dock.finding)
        self.body.addWidget(self.looks)
        self._build_buttons()
        self.foot = Foot(dock.jobs.lane)
        self.set_foot(self.foot)
        self._connect()

    def _build_rows(self) -> None:
        choices = self.dock.choices
        self.form = Form(TrainChoices, choices, FORM)
        controls = self.form.controls
        titles = {
            "data": "folder of pairs",
            "unlabelled": "images without masks",
            "folder": "folder to keep the look in",
        }
        self.browse = {name: BrowseButton(choices, name, title) for name, title in titles.items()}
        self.pairs = described(wrapped_label(), "Pairs among the layers", "Images and masks that belong together")
        lists = {name: [("", "")] for name in STARTS}
        self.start = Form(TrainChoices, choices, STARTS, lists)
        self.form.line("name").setPlaceholderText("such as my-microscope")
        self.form.line("unlabelled").setPlaceholderText("none")
        grid = self.grid()
        row(grid, "Pairs", controls["source"])
        folder_label = row(grid, "Folder", controls["data"], self.browse["data"])
        pairs_label = row(grid, "", self.pairs)
        self._of_source: dict[str, tuple[QWidget, ...]] = {
            "folder": (folder_label, controls["data"], self.browse["data"]),
            "layers": (pairs_label, self.pairs),
        }
        row(grid, "Name", controls["name"])
        row(grid, "Start from", self.start.controls["start"])
        row(grid, "As its look", self.start.controls["start_look"])
        row(grid, "Time", controls["minutes"])
        fold = Fold("More settings", "Images without masks, fine detail, where the look is kept")
        inside = QGridLayout()
        fold.body.addLayout(inside)
        row(inside, "More images", controls["unlabelled"], self.browse["unlabelled"])
        row(inside, "Fine detail", controls["high_frequency"])
        row(inside, "Keep in", controls["folder"], self.browse["folder"])
        self.body.addWidget(fold)

    def _build_buttons(self) -> None:
        def button(words: str, tip: str) -> QPushButton:
            made: QPushButton = described(QPushButton(words), words, tip)
            return made

        self.plan = wide(button("Plan", "Let the label doctor look, measure a few steps, and say what it will take"))
        self.begin = wide(button("Start", "Train in a process of its own, which goes on without this window"))
        self.pause = wide(button("Pause", "Let the training wait, or go on"))
        self.stop = wide(button("Stop and keep", "End the training; what it learned is kept"))
        for one in (self.plan, self.begin, self.pause, self.stop):
            self.buttons.addWidget(one, 1)
        self.use = button("Use this look", "Choose what was trained under Look")
        self.go_on = button("Go on", "Train further from where it ended")
        self.open = button("Open picture", "Show mask, real image, before and now at full size")
        self.close_run = button("Put away", "Show this training no more; its files stay")
        for one in (self.use, self.go_on, self.open, self.close_run):
            self.more.addWidget(one)

    def _connect(self) -> None:
        dock, context = self.dock, self.context
        self.plan.clicked.connect(self._plan)
        self.begin.clicked.connect(self._start)
        self.pause.clicked.connect(dock.go_on)
        self.stop.clicked.connect(dock.stop)
        self.use.clicked.connect(dock.use)
        self.go_on.clicked.connect(dock.go_on)
        self.open.clicked.connect(self._open)
        self.close_run.clicked.connect(dock.forget)
        self.watch(dock.choices.events, self._show_choices)
        self.watch(context.catalogue.changed, self._show_choices)
        self.watch(dock.pairs_changed, self._show_pairs)
        self.watch(dock.planned_changed, self._show_plan)
        self.watch(dock.watching.changed, self._show_run)
        self.watch(context.notes.changed, self._show_note)
        self.watch(dock.jobs.lane.state.events, self._show_lane)

    def dragEnterEvent(self, event: QDragEnterEvent | None) -> None:
        """A folder may be dropped."""
        accept_files(event)

    def dropEvent(self, event: QDropEvent | None) -> None:
        """Train on the folder that was dropped."""
        take_files(event, lambda paths: self.dock.take_folder(paths[0]))

    def _store_typed(self) -> None:
        for name in TYPED:  # what is typed counts without Enter
            setattr(self.dock.choices, name, self.form.line(name).text())

    def _plan(self) -> None:
        self._store_typed()
        self.dock.plan()

    def _start(self) -> None:
        self._store_typed()
        self.dock.start()

    def _open(self) -> None:
        run = self.dock.watching.run
        path = (run.sheet or run.preview) if run is not None else ""
        if path:
            QDesktopServices.openUrl(QUrl.fromLocalFile(path))

    def _show_choices(self) -> None:
        choices, catalogue = self.dock.choices, self.context.catalogue
        for source, widgets in self._of_source.items():
            for widget in widgets:
                widget.setVisible(source == choices.source)
        card = catalogue.card(choices.start)
        looks = [(one.title or one.name, one.name) for one in card.looks] if card is not None else []
        _offer(self.start, "start", [(catalogue.title(name), name) for name in self.dock.starts])
        _offer(self.start, "start_look", [(ANY_LOOK, ""), *looks])
        self._show_pairs()

    def _show_pairs(self) -> None:
        if self.dock.choices.source != "layers":
            return
        pairs = [f"{image} with {mask}" for image, mask in self.dock.layer_names]
        more = [f"and {len(pairs) - SHOWN} more"] if len(pairs) > SHOWN else []
        count = f"{len(pairs)} pair{'s' * (len(pairs) != 1)}:" if pairs else "No image and mask of one size are open."
        self.pairs.setText("\n".join([count, *pairs[:SHOWN], *more]))

    def _show_plan(self) -> None:
        planned = self.dock.planned
        self.plan_text.setVisible(planned is not None)
        if planned is None:
            return
        lines = [f"⚠ {finding}" for finding in planned.serious[:SHOWN]]
        lines += [f"· {finding}" for finding in planned.others[: max(0, SHOWN - len(lines))]]
        left = len(planned.serious) + len(planned.others) - len(lines)
        lines += [f"and {left} more: press Check… under Mask"] if left else []
        self.plan_text.setText("\n".join([*lines, planned.sentence]))

    def _show_run(self) -> None:
        run = self.dock.watching.run
        running = run is not None and run.running
        stopping = self.dock.watching.stopping
        for one in (self.plan, self.begin):
            one.setVisible(not running)
        for one in (self.pause, self.stop):
            one.setVisible(running)
            one.setEnabled(run is not None and run.phase in ("training", "paused") and not stopping)
        self.pause.setText("Go on" if self.dock.watching.pausing else "Pause")
        self.use.setVisible(run is not None and run.usable and not running)
        self.go_on.setVisible(run is not None and run.resumable)
        self.open.setVisible(run is not None and bool(run.sheet or run.preview))
        self.close_run.setVisible(run is not None)

    def _show_note(self) -> None:
        self.foot.status.show_note(self.dock.note)

    def _show_lane(self) -> None:
        self.foot.show_lane()
        busy = self.dock.jobs.lane.state.running
        for one in (self.plan, self.begin, self.go_on, self.looks.find, self.looks.merge, self.looks.write):
            one.setEnabled(not busy)


def _offer(form: Form, name: str, entries: list[tuple[str, str]]) -> None:
    """Other entries of a list."""
    combo = form.combo(name)
    if [(combo.itemText(i), combo.itemData(i)) for i in range(combo.count())] != entries:
        combo.clear()
        for words, value in entries:
            combo.addItem(words, value)
    form.show(name)
