"""The part of the panel that is about the camera: a slider for each setting, and what was fitted."""

from __future__ import annotations

import weakref
from functools import partial
from typing import TYPE_CHECKING

from qtpy.QtWidgets import QAbstractSlider, QCheckBox, QFileDialog, QGridLayout, QHBoxLayout, QLabel, QMenu, QPushButton

from napari_synth.core.recipe import CAMERA_FIELDS, CameraSettings
from napari_synth.ui.widgets.binding import bind
from napari_synth.ui.widgets.cards import Fold
from napari_synth.ui.widgets.forms import Form
from napari_synth.ui.widgets.panel import described, row, watch

if TYPE_CHECKING:
    from napari.layers import Image

    from napari_synth.ui.docks.synthesize.actions import SynthesizeActions


class CameraBox(Fold):
    """Set the camera, or fit it.

    Attributes
    ----------
    on : QCheckBox
    fit, reset : QPushButton
    form : Form
    marks : dict of QLabel
        Beside each slider: whether it was fitted.
    """

    def __init__(self, dock: SynthesizeActions):
        super().__init__("Camera", "Blur, background, exposure and noise of a microscope, after the model")
        self.dock = dock
        self.on = described(
            QCheckBox("seen by a camera"), "Camera", "Put blur, background, exposure and noise onto the image"
        )
        bind(dock.context.camera, "on", self.on, store=dock.camera.switch)
        self.fit = described(
            QPushButton("Fit to my images…"),
            "Fit to my images",
            "Find these settings, and number and size of nuclei, from images without labels; a minute or two",
        )
        self.menu = QMenu(self.fit)
        self.menu.aboutToShow.connect(self._fill_menu)
        self.fit.setMenu(self.menu)
        self.reset = described(QPushButton("Reset"), "Reset the camera", "All settings as at the start")
        self.reset.clicked.connect(dock.camera.reset)
        buttons = QHBoxLayout()
        buttons.addWidget(self.fit, 1)
        buttons.addWidget(self.reset)
        self.body.addWidget(self.on)
        self.body.addLayout(buttons)
        self._build_sliders()
        watch(self, dock.context.camera.events, self._show)

    def _build_sliders(self) -> None:
        dock = self.dock
        self.form = Form(CameraSettings, dock.context.camera, CAMERA_FIELDS, edited=dock.camera.set_by_hand)
        self.marks: dict[str, QLabel] = {}
        grid = QGridLayout()
        grid.setVerticalSpacing(2)
        for name, (title, control) in zip(CAMERA_FIELDS, self.form.rows().items(), strict=True):
            mark = described(
                QLabel("fitted"), f"{title} was fitted", "Found from your images; moving it takes this away"
            )
            mark.setStyleSheet("font-style: italic;")
            row(grid, title, control, mark)
            self.marks[name] = mark
        self.body.addLayout(grid)

    def _show(self) -> None:
        camera = self.dock.context.camera
        self.retitle(f"Camera: {self.dock.camera.words}")
        for name, mark in self.marks.items():
            mark.setVisible(name in camera.fitted)
            slider, value = self.form.controls[name], getattr(camera, name)
            if isinstance(slider, QAbstractSlider) and not slider.minimum() <= value <= slider.maximum():
                slider.setRange(min(slider.minimum(), value), max(slider.maximum(), value))
                self.form.show(name)

    def _fill_menu(self) -> None:
        layers = self.dock.context.images.layers
        self.menu.clear()
        self.menu.addAction("A folder of images…", self._ask_folder)
        if len(layers) > 1:
            self._add(f"All {len(layers)} open images", layers)
        for layer in layers:
            self._add(layer.name, [layer])

    def _add(self, text: str, layers: list[Image]) -> None:
        action = self.menu.addAction(text.replace("&", "&&"))
        action.triggered.connect(partial(_fit, self.dock, [weakref.ref(layer) for layer in layers]))

    def _ask_folder(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Folder of images")
        if folder:
            self.dock.camera.fit_folder(folder)


def _fit(dock: SynthesizeActions, layers: list[weakref.ref[Image]], *_: object) -> None:
    """Qt keeps a partial for as long as the action; one of the box's own methods would keep the box too."""
    alive = [layer for layer in (one() for one in layers) if layer is not None]
    if alive:
        dock.camera.fit_layers(alive)
