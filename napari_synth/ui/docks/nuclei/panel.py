"""The Nuclei dock: choose, shape, stamp, grow and change single nuclei."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import (
    QButtonGroup,
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
from superqt.utils import signals_blocked

from napari_synth.core.errors import SynthError
from napari_synth.masks.samplers import SAMPLERS
from napari_synth.ui.context.notes import Note
from napari_synth.ui.docks.nuclei.library_button import LibraryButton
from napari_synth.ui.docks.nuclei.shape_choice import REACH
from napari_synth.ui.docks.nuclei.shape_pictures import PREVIEW, LatentSliders, ShapeGrid, shape_pixmap
from napari_synth.ui.napari_bridge.theme import follow_theme, theme_colours
from napari_synth.ui.widgets.binding import bind, set_value
from napari_synth.ui.widgets.controls import number
from napari_synth.ui.widgets.footer import Foot, wrapped_label
from napari_synth.ui.widgets.panel import Panel, beside, described, row
from napari_synth.ui.widgets.units import fit_digits, unit_of

if TYPE_CHECKING:
    from qtpy.QtGui import QHideEvent, QShowEvent

    from napari_synth.masks.shape_codes import Latents
    from napari_synth.ui.docks.nuclei.actions import NucleusActions
    from napari_synth.ui.docks.nuclei.choices import Tool

AREAS = (4, 100_000)
"""Smallest and largest nucleus, in square pixels."""
SETTLE_MS = 150
"""A slider that rests so long makes one change, and one step of undo, of the nucleus that is edited."""
TOOLS: tuple[tuple[Tool, str, str], ...] = (
    ("stamp", "Stamp", "Click on the mask to put the shape there. Shift+wheel morphs it first"),
    ("grow", "Grow", "Drag a rectangle on the mask to fill it with nuclei, as set under Mask"),
    ("edit", "Edit", "Choose nuclei: drag, turn and scale, nudge, copy or remove them, change their shape"),
)


class NucleiPanel(Panel):
    """Nuclei one by one."""

    def __init__(self, dock: NucleusActions):
        super().__init__(dock.context)
        self.dock = dock
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(SETTLE_MS)
        self._settle.timeout.connect(self._apply)
        self._wanted: np.ndarray | None = None
        self.foot = Foot(dock.jobs.lane)
        try:
            latents = dock.libraries.latents
        except SynthError as error:
            problem = wrapped_label()
            problem.setText(str(error))
            self.body.addWidget(problem)
            self.set_foot(self.foot)
            return
        self._build_choice()
        self._build_tabs(latents)
        self._build_nucleus()
        self._build_tools()
        self.set_foot(self.foot)
        self._bind()
        self._connect()
        if dock.shapes.thumbnails is None:
            dock.shapes.show_thumbnails()

    def _build_choice(self) -> None:
        self.sampler = described(QComboBox(), "Shapes from", "How the thumbnails are drawn")
        for name, kind in SAMPLERS.items():
            self.sampler.addItem(kind.title, name)
        self.sampler.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.sampler.setMinimumContentsLength(10)
        self.resample = described(QPushButton("Resample"), "Resample", "Show other shapes")
        grid = self.grid()
        self.library = LibraryButton(self.dock.libraries, self.context.masks)
        row(grid, "Shapes", self.sampler)
        row(grid, "", beside(self.library, self.resample, wide=1))
        self.shapes = ShapeGrid()
        self.body.addWidget(self.shapes)

    def _build_tabs(self, latents: Latents) -> None:
        from napari_synth.ui.docks.nuclei.latent_map import LatentMap

        self.tabs = described(QTabWidget(), "Shape", "Change the chosen shape by its latent code")
        self.sliders = LatentSliders(self.dock.libraries.latent_size, REACH)
        self.preview = described(QLabel(), "Chosen shape", "The shape that is stamped")
        self.preview.setFixedSize(PREVIEW, PREVIEW)
        sliders = QWidget()
        layout = QVBoxLayout(sliders)
        layout.setContentsMargins(6, 4, 8, 4)
        layout.addWidget(self.preview, 0, Qt.AlignmentFlag.AlignHCenter)
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
        self.reshapes = described(
            QCheckBox(), "Change the chosen nucleus", "Else sliders and map only choose the shape of the next stamp"
        )
        self.body.addWidget(self.reshapes)

    def _build_nucleus(self) -> None:
        grid = self.grid()
        self.angle = number(
            0, 360, 5, 1, "Angle", "Degrees counter-clockwise, of stamps or of the nucleus that is edited"
        )
        self.angle.setWrapping(True)
        self.turn_random = described(QCheckBox("by chance"), "Angle by chance", "Turn each stamp by chance")
        row(grid, "Angle (°)", beside(self.angle, self.turn_random))
        self.area = number(*AREAS, 50, 0, "Area", "Of stamps or of the nucleus that is edited, in the unit of the mask")
        self.size_random = described(
            QCheckBox("by chance"), "Area by chance", "Draw the area of each stamp as set under Mask"
        )
        self.true_size = described(
            QCheckBox("true size"), "True size", "Stamp a shape of the library with the area it had in its mask"
        )
        self.area_label = row(grid, "Area", beside(self.area, self.size_random, self.true_size))

    def _build_tools(self) -> None:
        self.tools: dict[Tool, QPushButton] = {}
        group = QButtonGroup(self)
        group.setExclusive(False)
        for name, text, tip in TOOLS:
            button = described(QPushButton(text), text, tip)
            button.setCheckable(True)
            self.buttons.addWidget(button, 1)
            self.tools[name] = button
            group.addButton(button)
        group.buttonClicked.connect(self._use)
        self.open = described(QPushButton("Open…"), "Open a mask", "Open a mask with the table of its nuclei")
        self.save = described(QPushButton("Save…"), "Save the mask", "Save the mask with the codes of its nuclei")
        self.more.addWidget(self.open)
        self.more.addWidget(self.save)

    def _bind(self) -> None:
        choices = self.dock.choices
        bind(choices, "sampler", self.sampler, store=self.dock.shapes.use_sampler)
        bind(choices, "angle", self.angle)
        bind(choices, "area", self.area, shown=self._shown_area, stored=self._stored_area)
        bind(choices, "turn_random", self.turn_random)
        bind(choices, "size_random", self.size_random)
        bind(choices, "true_size", self.true_size)
        bind(choices, "reshapes", self.reshapes)

    def _connect(self) -> None:
        dock, shapes = self.dock, self.dock.shapes
        self.resample.clicked.connect(shapes.resample)
        self.shapes.chosen.connect(shapes.choose)
        self.sliders.moved.connect(self._move)
        self.sliders.picked.connect(self._pick_dimension)
        self.map.picked.connect(self._request)
        self.mark_a.clicked.connect(partial(shapes.mark, 0))
        self.mark_b.clicked.connect(partial(shapes.mark, 1))
        self.walk.clicked.connect(shapes.walk)
        self.traversals.clicked.connect(shapes.traversals)
        for box in (self.angle, self.area):
            box.valueChanged.connect(self._change_nucleus)
        self.open.clicked.connect(self._open)
        self.save.clicked.connect(self._save)
        follow_theme(self.context.viewer, self, self._show_theme)
        self.watch(dock.choices.events, self._show_choices)
        self.watch(self.context.masks.current_changed, self._show_unit)
        self.watch(self.context.masks.changed, self._show_unit)
        self.watch(dock.libraries.changed, self._show_library)
        self.watch(shapes.thumbnails_changed, self._show_thumbnails)
        self.watch(shapes.changed, self._show_shape)
        self.watch(self.context.notes.changed, self._show_note)
        self.watch(dock.jobs.lane.state.events, self.foot.show_lane)

    def _use(self, button: QPushButton) -> None:
        tool = next(name for name, known in self.tools.items() if known is button)
        self.dock.use_tool("" if self.dock.choices.tool == tool else tool)
        self._show_choices()  # the button stays down only where the tool is on

    def _pick_dimension(self, dimension: int) -> None:
        self.dock.choices.dimension = dimension

    def _move(self, dimension: int, value: float) -> None:
        z = np.array(self.dock.choices.z if self._wanted is None else self._wanted, np.float32)
        if z.size:
            z[dimension] = value
            self._request(z)

    def _request(self, z: np.ndarray) -> None:
        """Show a code at once; a nucleus that is edited follows when the hand rests."""
        if self.dock.choices.selected and self.dock.choices.reshapes:
            self._wanted = np.array(z, np.float32)
            self._settle.start()
            self.dock.shapes.show_code(self._wanted)
        else:
            self.dock.shapes.set_code(z)

    def _change_nucleus(self) -> None:
        """A nucleus that is edited follows its boxes when the hand rests."""
        if self.dock.choices.selected:
            self._settle.start()

    def _apply(self) -> None:
        wanted, self._wanted = self._wanted, None
        if wanted is not None:
            self.dock.shapes.set_code(wanted)
        else:
            self.dock.reshaping.apply()

    def _shown_area(self, area: float) -> float:
        return self.dock.choices.shown_area * self._pixel_area

    def _stored_area(self, area: float) -> float:
        return area / self._pixel_area

    @property
    def _pixel_area(self) -> float:
        """Of the chosen mask, in its unit."""
        return unit_of(self.context.masks.current)[0] ** 2

    def _show_unit(self) -> None:
        pixel, unit = unit_of(self.context.masks.current)
        self.area_label.setText(f"Area ({unit}²)")
        fit_digits(self.area, pixel)
        with signals_blocked(self.area):
            self.area.setRange(*(area * pixel**2 for area in AREAS))
        self._show_choices()

    def _show_choices(self) -> None:
        choices = self.dock.choices
        editing = bool(choices.selected)
        self.reshapes.setVisible(editing)
        self.reshapes.setText(f"Sliders and map change nucleus {choices.selected}")
        true_size = choices.stamps_true_size and not editing
        set_value(self.area, self._shown_area(choices.area))
        self.angle.setEnabled(editing or not choices.turn_random)
        self.area.setEnabled(editing or not (choices.size_random or true_size))
        self.turn_random.setEnabled(not editing)
        self.size_random.setEnabled(not editing and not true_size)
        self.true_size.setEnabled(not editing and choices.true_area > 0)
        for name, button in self.tools.items():
            set_value(button, choices.tool == name)
        self.sliders.mark(choices.dimension)

    def _show_library(self) -> None:
        self.library.show_library()
        self.map.show_latents(self.dock.libraries.latents)
        self._show_shape()

    def _show_thumbnails(self) -> None:
        shapes = self.dock.shapes
        if shapes.thumbnails is not None:
            self.shapes.show_shapes(shapes.thumbnails.pictures, self._colours())
            self.shapes.show_chosen(shapes.chosen)

    def _colours(self) -> tuple[str, str]:
        """Of small pictures."""
        return theme_colours(self.context.viewer, self.context.preferences().thumbnails)

    def _show_theme(self) -> None:
        self.map.show_colours(theme_colours(self.context.viewer)[0])
        self._show_thumbnails()
        self._show_shape()

    def _show_shape(self) -> None:
        shapes, z = self.dock.shapes, self.dock.choices.z
        if shapes.picture is None:
            return
        colours = self._colours()
        pixmap = shape_pixmap(shapes.picture, PREVIEW, colours)
        self.preview.setPixmap(pixmap)
        self.map_preview.setPixmap(pixmap)
        self.shapes.show_chosen(shapes.chosen)
        self.sliders.show_code(z)
        self.sliders.show_ends(shapes.ends, colours)
        self.map.show_code(z)
        self.map.show_marks(shapes.marks)

    def _show_note(self) -> None:
        self.foot.status.show_note(self.dock.note)

    def _open(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Open a mask", "", "Masks (*.tif *.tiff *.png)")
        if path:
            self.dock.open(path)

    def _save(self) -> None:
        if self.context.masks.current is None:
            self.dock.say(Note("problem", "There is no mask to save.", "Make a new mask first."))
            return
        path, _ = QFileDialog.getSaveFileName(self, "Save the mask", "nuclei.tif", "TIFF (*.tif)")
        if path:
            self.dock.save(path)

    def showEvent(self, event: QShowEvent | None) -> None:
        """A person who sees this dock is going to need the shape model."""
        super().showEvent(event)
        self.dock.loader.load()

    def hideEvent(self, event: QHideEvent | None) -> None:
        """A dock out of sight keeps no tool on the canvas."""
        if self.dock.choices.tool:
            self.dock.use_tool("")
        super().hideEvent(event)
