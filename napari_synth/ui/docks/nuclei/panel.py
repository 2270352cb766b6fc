"""The Nuclei dock: choose, shape, stamp, grow and change single nuclei."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from napari_synth.core.errors import SynthError
from napari_synth.masks.samplers import SAMPLERS
from napari_synth.ui.context.choices import Note
from napari_synth.ui.docks.nuclei.library_button import LibraryButton
from napari_synth.ui.docks.nuclei.shape_choice import REACH
from napari_synth.ui.docks.nuclei.shape_pictures import PREVIEW, LatentSliders, ShapeGrid, shape_pixmap
from napari_synth.ui.napari_bridge.window import theme_colours
from napari_synth.ui.widgets.controls import choose, number
from napari_synth.ui.widgets.footer import Foot
from napari_synth.ui.widgets.panel import Panel, beside, described, row

if TYPE_CHECKING:
    import napari

    from napari_synth.masks.shape_codes import Latents
    from napari_synth.ui.docks.nuclei.actions import Studio

SETTLE_MS = 150
"""A slider that rests so long makes one change, and one step of undo, of the nucleus that is edited."""
TOOLS = (
    ("stamp", "Stamp", "Click on the mask to put the shape there. Shift+wheel morphs it first"),
    ("grow", "Grow", "Drag a rectangle on the mask to fill it with nuclei, as set in the Masks panel"),
    ("edit", "Edit", "Click on a nucleus, then change its angle, size or shape"),
)


class NucleiPanel(Panel):
    """Nuclei one by one."""

    def __init__(self, napari_viewer: napari.viewer.Viewer):
        super().__init__(napari_viewer, steps=(1,))
        self.studio: Studio = self.session.studio
        self._settle = QTimer(self, singleShot=True, interval=SETTLE_MS)
        self._settle.timeout.connect(self._apply)
        self._wanted: np.ndarray | None = None
        self.foot = Foot(self.studio.lane)
        try:
            latents = self.studio.latents
        except SynthError as error:
            self.body.addWidget(QLabel(str(error), wordWrap=True))
            self.set_foot(self.foot)
            return
        self._build_choice()
        self._build_tabs(latents)
        self._build_nucleus()
        self._build_tools()
        self.set_foot(self.foot)
        self._connect()
        if self.studio.thumbnails is None:
            self.studio.show_thumbnails()

    def _build_choice(self) -> None:
        self.sampler = described(QComboBox(), "Shapes from", "How the thumbnails are drawn")
        for name, kind in SAMPLERS.items():
            self.sampler.addItem(kind.title, name)
        self.sampler.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.sampler.setMinimumContentsLength(10)
        self.resample = described(QPushButton("Resample"), "Resample", "Show other shapes")
        grid = self.grid()
        self.library = LibraryButton(self.studio, self.session.masks)
        row(grid, "Shapes", beside(self.sampler, self.resample, self.library, wide=1))
        self.shapes = ShapeGrid()
        self.body.addWidget(self.shapes)

    def _build_tabs(self, latents: Latents) -> None:
        from napari_synth.ui.docks.nuclei.latent_map import LatentMap

        self.tabs = described(QTabWidget(), "Shape", "Change the chosen shape by its latent code")
        self.sliders = LatentSliders(self.studio.latent_size, REACH)
        self.preview = described(QLabel(), "Chosen shape", "The shape that is stamped")
        self.preview.setFixedSize(PREVIEW, PREVIEW)
        sliders = QWidget()
        layout = QHBoxLayout(sliders)
        layout.setContentsMargins(6, 4, 8, 4)
        layout.addWidget(self.preview)
        layout.addWidget(self.sliders, 1)
        self.tabs.addTab(sliders, "Sliders")
        self.map = LatentMap(latents)
        self.map_preview = described(QLabel(), "Chosen shape", "The shape at the cross")
        self.map_preview.setFixedSize(PREVIEW, PREVIEW)
        self.mark_a = described(QPushButton("A"), "Start of the walk", "Let a walk start at the chosen shape")
        self.mark_b = described(QPushButton("B"), "End of the walk", "Let a walk end at the chosen shape")
        self.walk = described(QPushButton("Walk"), "Walk", "Add the shapes from A to B as a layer with an axis alpha")
        self.traversals = described(
            QPushButton("Traversals"), "Traversals", "Add a layer with a row of shapes for each latent dimension"
        )
        side = QVBoxLayout()
        pair = QHBoxLayout()
        pair.addWidget(self.mark_a)
        pair.addWidget(self.mark_b)
        side.addWidget(self.map_preview)
        side.addLayout(pair)
        side.addWidget(self.walk)
        side.addWidget(self.traversals)
        side.addStretch(1)
        place = QWidget()
        layout = QHBoxLayout(place)
        layout.setContentsMargins(6, 4, 8, 4)
        layout.addWidget(self.map, 1)
        layout.addLayout(side)
        self.tabs.addTab(place, "Map")
        self.body.addWidget(self.tabs)

    def _build_nucleus(self) -> None:
        grid = self.grid()
        self.angle = number(
            0, 360, 5, 1, "Angle", "Degrees counter-clockwise, of stamps or of the nucleus that is edited"
        )
        self.angle.setWrapping(True)
        self.turn_random = described(QCheckBox("by chance"), "Angle by chance", "Turn each stamp by chance")
        row(grid, "Angle (°)", self.angle, self.turn_random)
        self.area = number(4, 100_000, 50, 0, "Area", "Square pixels, of stamps or of the nucleus that is edited")
        self.size_random = described(
            QCheckBox("by chance"), "Area by chance", "Draw the area of each stamp as set in the Masks panel"
        )
        self.true_size = described(
            QCheckBox("true size"), "True size", "Stamp a shape of the library with the area it had in its mask"
        )
        row(grid, "Area (px²)", self.area, self.size_random, self.true_size)

    def _build_tools(self) -> None:
        self.tools: dict[str, QPushButton] = {}
        for name, text, tip in TOOLS:
            button = described(QPushButton(text), text, tip)
            button.setCheckable(True)
            button.clicked.connect(partial(self._use, name))
            self.buttons.addWidget(button, 1)
            self.tools[name] = button
        self.open = described(QPushButton("Open…"), "Open a mask", "Open a mask with the table of its nuclei")
        self.save = described(QPushButton("Save…"), "Save the mask", "Save the mask with the codes of its nuclei")
        self.buttons.addWidget(self.open)
        self.buttons.addWidget(self.save)

    def _connect(self) -> None:
        studio = self.studio
        self.sampler.activated.connect(self._change_sampler)
        self.resample.clicked.connect(studio.resample)
        self.shapes.chosen.connect(studio.choose)
        self.sliders.moved.connect(self._move)
        self.sliders.picked.connect(self._pick_dimension)
        self.map.picked.connect(self._request)
        self.mark_a.clicked.connect(partial(studio.mark, 0))
        self.mark_b.clicked.connect(partial(studio.mark, 1))
        self.walk.clicked.connect(studio.walk)
        self.traversals.clicked.connect(studio.traversals)
        for box in (self.angle, self.area):
            box.valueChanged.connect(self._store)
        for box in (self.turn_random, self.size_random, self.true_size):
            box.toggled.connect(self._store)
        self.open.clicked.connect(self._open)
        self.save.clicked.connect(self._save)
        self.session.viewer.events.theme.connect(self._show_theme)
        self._show_theme()
        self.watch(studio.choices.events, self._show_choices)
        self.watch(studio.library_changed, self._show_library)
        self.watch(studio.thumbnails_changed, self._show_thumbnails)
        self.watch(studio.shape_changed, self._show_shape)
        self.watch(studio.note_changed, self._show_note)
        self.watch(studio.lane.state.events, self.foot.show_lane)

    def _use(self, tool: str) -> None:
        self.studio.use_tool("" if self.studio.choices.tool == tool else tool)
        self._show_choices()

    def _change_sampler(self) -> None:
        self.studio.choices.sampler = self.sampler.currentData()
        self.studio.show_thumbnails()

    def _pick_dimension(self, dimension: int) -> None:
        self.studio.choices.dimension = dimension

    def _move(self, dimension: int, value: float) -> None:
        z = np.array(self.studio.choices.z if self._wanted is None else self._wanted, np.float32)
        if z.size:
            z[dimension] = value
            self._request(z)

    def _request(self, z: np.ndarray) -> None:
        """Show a code at once; a nucleus that is edited follows when the hand rests."""
        if self.studio.choices.selected:
            self._wanted = np.array(z, np.float32)
            self._settle.start()
            self.studio.show_code(self._wanted)
        else:
            self.studio.set_z(z)

    def _store(self) -> None:
        choices = self.studio.choices
        choices.turn_random, choices.size_random = self.turn_random.isChecked(), self.size_random.isChecked()
        choices.true_size = self.true_size.isChecked()
        choices.angle = self.angle.value()
        if self.area.isEnabled():  # else it shows the area of another one
            choices.area = self.area.value()
        if choices.selected:
            self._settle.start()

    def _apply(self) -> None:
        wanted, self._wanted = self._wanted, None
        if wanted is not None:
            self.studio.set_z(wanted)
        else:
            self.studio.apply_edit()

    def _show_choices(self) -> None:
        choices = self.studio.choices
        choose(self.sampler, choices.sampler)
        editing = bool(choices.selected)
        true_size = choices.stamps_true_size and not editing
        area = choices.true_area if true_size else choices.area
        for box, value in ((self.angle, choices.angle), (self.area, area)):
            blocked = box.blockSignals(True)
            box.setValue(value)
            box.blockSignals(blocked)
        for check, value, enabled in (
            (self.turn_random, choices.turn_random, not editing),
            (self.size_random, choices.size_random, not editing and not true_size),
            (self.true_size, choices.true_size, not editing and choices.true_area > 0),
        ):
            blocked = check.blockSignals(True)
            check.setChecked(value)
            check.blockSignals(blocked)
            check.setEnabled(enabled)
        self.angle.setEnabled(editing or not choices.turn_random)
        self.area.setEnabled(editing or not (choices.size_random or true_size))
        for name, button in self.tools.items():
            button.setChecked(choices.tool == name)
        self.sliders.mark(choices.dimension)

    def _show_library(self) -> None:
        self.library.show_library()
        self.map.show_latents(self.studio.latents)
        self._show_shape()

    def _show_thumbnails(self) -> None:
        if self.studio.thumbnails is not None:
            self.shapes.show_shapes(self.studio.thumbnails.pictures, theme_colours(self.session.viewer))
            self.shapes.show_chosen(self.studio.chosen)

    def _show_theme(self) -> None:
        self.map.show_colours(theme_colours(self.session.viewer)[0])
        self._show_thumbnails()
        self._show_shape()

    def _show_shape(self) -> None:
        studio = self.studio
        if studio.shape is None:
            return
        colours = theme_colours(self.session.viewer)
        pixmap = shape_pixmap(studio.shape, PREVIEW, colours)
        self.preview.setPixmap(pixmap)
        self.map_preview.setPixmap(pixmap)
        self.shapes.show_chosen(studio.chosen)
        self.sliders.show_code(studio.choices.z)
        self.sliders.show_ends(studio.ends, colours)
        self.map.show_code(studio.choices.z)
        self.map.show_marks(studio.marks)

    def _show_note(self) -> None:
        self.foot.status.show_note(self.studio.note)

    def _open(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Open a mask", "", "Masks (*.tif *.tiff *.png)")
        if path:
            self.studio.open(path)

    def _save(self) -> None:
        if self.session.masks.current is None:
            self.studio.say(Note("problem", "There is no mask to save.", "Make a new mask first."))
            return
        path, _ = QFileDialog.getSaveFileName(self, "Save the mask", "nuclei.tif", "TIFF (*.tif)")
        if path:
            self.studio.save(path)

    def showEvent(self, event: object) -> None:
        """A person who sees this dock is going to need the shape model."""
        super().showEvent(event)  # type: ignore[arg-type]
        self.studio.get_ready()

    def hideEvent(self, event: object) -> None:
        """A dock out of sight keeps no tool on the canvas."""
        if self.studio.choices.tool:
            self.studio.use_tool("")
        super().hideEvent(event)  # type: ignore[arg-type]
