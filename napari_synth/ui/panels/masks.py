"""The Masks dock: new masks, sampled fields of nuclei, clearing."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtWidgets import QComboBox, QFileDialog, QHBoxLayout, QLabel, QMenu, QPushButton, QWidget

from napari_synth.masks.samplers import SAMPLERS
from napari_synth.masks.spacing import SPACINGS
from napari_synth.ui.adapters.window import open_panel
from napari_synth.ui.panels.base import Panel, described, row
from napari_synth.ui.panels.status import Foot
from napari_synth.ui.panels.widgets import MaskCombo, SeedBox, choose, number, whole, wide

if TYPE_CHECKING:
    import napari


class MasksPanel(Panel):
    """Make masks by painting or by sampling a field of nuclei."""

    def __init__(self, napari_viewer: napari.viewer.Viewer):
        super().__init__(napari_viewer, steps=(1,))
        self._build_mask_rows()
        self._build_field_rows()
        self._build_buttons()
        self.foot = Foot(self.session.masking.lane)
        self.set_foot(self.foot)
        self._connect()

    def _build_mask_rows(self) -> None:
        grid = self.grid()
        self.mask = described(
            MaskCombo(self.session.masks), "Mask layer", "The mask that is sampled, cleared, rendered"
        )
        row(grid, "Mask", self.mask)
        tip = "for a new mask; follows the image selected in the layer list"
        self.width_box = whole(16, 8192, "Width", f"Width in pixels {tip}")
        self.height_box = whole(16, 8192, "Height", f"Height in pixels {tip}")
        self.new = described(QPushButton("New mask"), "New mask", "Add an empty mask of this size, ready to paint")
        for box in (self.width_box, self.height_box):
            box.setValue(256)
        row(grid, "Size", self._pair(self.width_box, "×", self.height_box), self.new)

    def _build_field_rows(self) -> None:
        grid = self.grid()
        self.count_mean = number(0, 5000, 1, 1, "Nuclei, mean", "Mean number of nuclei per 256×256 pixels")
        self.count_sd = number(0, 5000, 1, 1, "Nuclei, spread", "Standard deviation of the number of nuclei")
        row(grid, "Nuclei / 256²", self._pair(self.count_mean, "±", self.count_sd))
        self.area_mean = number(1, 100_000, 50, 0, "Area, mean", "Mean area of a nucleus in square pixels")
        self.area_sd = number(0, 100_000, 50, 0, "Area, spread", "Standard deviation of the area in square pixels")
        row(grid, "Area (px²)", self._pair(self.area_mean, "±", self.area_sd))
        self.spacing = described(QComboBox(), "Spacing", "How close nuclei lie; they never merge")
        for name, kind in SPACINGS.items():
            self.spacing.addItem(kind.title, name)
        self.touching = number(0, 100, 5, 0, "Touching", "Share of the nuclei that touch another one, in per cent")
        self.touching.setSuffix(" %")
        row(grid, "Spacing", self.spacing, self.touching)
        self.sampler = described(QComboBox(), "Sampler", "How shapes are drawn")
        for name, kind in SAMPLERS.items():
            self.sampler.addItem(kind.title, name)
        self.spread = number(0, 3, 0.1, 1, "Shape variation", "")
        row(grid, "Shapes", self.sampler, self.spread)
        self.follow = described(
            QPushButton("Follow…"),
            "Follow real masks or a density",
            "Take number, size, elongation and distances from real masks; let nuclei lie where a layer is bright",
        )
        self.follow_menu = QMenu(self.follow)
        self.follow_menu.aboutToShow.connect(self._fill_follow)
        self.follow.setMenu(self.follow_menu)
        self.studio = described(QPushButton("Nuclei…"), "Single nuclei", "Open the Nuclei panel: stamp, grow, reshape")
        self.seed = SeedBox("Field seed", "The same number gives the same field of nuclei")
        row(grid, "Seed", self.seed)

    def _build_buttons(self) -> None:
        self.variants = whole(1, 1000, "Masks of label maps", "How many masks to make of real label maps")
        self.maps = described(
            QPushButton("From label maps…"),
            "From label maps",
            "Add masks made of real label maps: drawn by chance, merged, flipped, turned and scaled",
        )
        row(self.grid(), "Real labels", self.variants, self.maps)
        self.sample = wide(
            described(
                QPushButton("Sample a field"),
                "Sample a field",
                "Fill the mask with sampled nuclei; Ctrl+Z brings back what was there",
            )
        )
        self.clear = described(
            QPushButton("Clear"), "Clear", "Remove all nuclei from the mask; Ctrl+Z brings them back"
        )
        self.actions.addWidget(self.sample, 1)
        for button in (self.follow, self.studio, self.clear):
            self.actions.addWidget(button)

    @staticmethod
    def _pair(first: QWidget, between: str, second: QWidget) -> QWidget:
        """Two boxes and a sign as one control."""
        both = QWidget()
        layout = QHBoxLayout(both)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(first, 1)
        layout.addWidget(QLabel(between))
        layout.addWidget(second, 1)
        both.setFocusProxy(first)
        return both

    def _connect(self) -> None:
        session = self.session
        self.new.clicked.connect(self._new_mask)
        self.sample.clicked.connect(self._sample)
        self.maps.clicked.connect(self._ask_maps)
        self.clear.clicked.connect(session.masking.clear)
        self.seed.rolled.connect(session.masking.roll_seed)
        for box in (self.count_mean, self.count_sd, self.area_mean, self.area_sd):
            box.valueChanged.connect(self._store_numbers)
        for box in (self.spread, self.touching):
            box.valueChanged.connect(self._store)
        self.seed.changed.connect(self._store)
        for combo in (self.spacing, self.sampler):
            combo.activated.connect(self._store)
        self.studio.clicked.connect(self._open_studio)
        self.watch(session.masks.changed, self.mask.show_masks)
        self.watch(session.masks.current_changed, self.mask.show_masks)
        self.watch(session.field.events, self._show_field)
        self.watch(session.masking.density_changed, self._show_following)
        self.watch(session.notes.events.masks, self._show_note)
        self.watch(session.masking.lane.state.events, self.foot.show_lane)
        self.watch(session.masks.selected, self._follow_image)

    def _new_mask(self) -> None:
        self.session.masking.new_mask(self.height_box.value(), self.width_box.value())

    def _sample(self) -> None:
        self.session.masking.sample(self.height_box.value(), self.width_box.value())

    def _store_numbers(self) -> None:
        """Number and size by hand win over measured ones."""
        self.session.masking.forget_fit()
        self._store()

    def _fit(self, folder: Path | None) -> None:
        self.session.masking.fit(folder)

    def _fit_folder(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Folder of real masks")
        if folder:
            self._fit(Path(folder))

    def _open_studio(self) -> None:
        open_panel(self.session.viewer, "Nuclei")

    def _ask_maps(self) -> None:
        kinds = "Label maps (*.tif *.tiff *.png *.npz);;All files (*)"
        paths, _ = QFileDialog.getOpenFileNames(self, "Choose real label maps", "", kinds)
        if paths:
            self.session.masking.recombine(
                paths, self.variants.value(), self.height_box.value(), self.width_box.value()
            )

    def _store(self) -> None:
        field = self.session.field
        field.count_mean = self.count_mean.value()
        field.count_sd = self.count_sd.value()
        field.area_mean = self.area_mean.value()
        field.area_sd = self.area_sd.value()
        field.spread = self.spread.value()
        field.spacing = self.spacing.currentData()
        field.touching_fraction = self.touching.value() / 100
        field.sampler = self.sampler.currentData()
        field.seed = self.seed.value.value()

    def _show_field(self) -> None:
        field = self.session.field
        shown = (
            (self.count_mean, field.count_mean),
            (self.count_sd, field.count_sd),
            (self.area_mean, field.area_mean),
            (self.area_sd, field.area_sd),
            (self.spread, field.spread),
            (self.touching, 100 * field.touching_fraction),
            (self.seed.value, field.seed),
        )
        for box, value in shown:
            blocked = box.blockSignals(True)
            box.setValue(value)
            box.blockSignals(blocked)
        choose(self.spacing, field.spacing)
        choose(self.sampler, field.sampler)
        self.touching.setEnabled(field.spacing in ("touching", "clusters"))
        means = SAMPLERS[field.sampler].spread_means
        self.spread.setEnabled(bool(means))
        self.spread.setToolTip(means or "This sampler has nothing to vary")
        self._show_following()

    def _show_following(self) -> None:
        masking = self.session.masking
        followed = self.session.field.fitted is not None or masking.density_layer is not None
        self.follow.setText("Following" if followed else "Follow…")

    def _fill_follow(self) -> None:
        """What can be followed now."""
        menu, masking = self.follow_menu, self.session.masking
        menu.clear()
        menu.addAction("Fit to the chosen mask", partial(self._fit, None))
        menu.addAction("Fit to a folder of masks…", self._fit_folder)
        if self.session.field.fitted is not None:
            menu.addAction("Forget the fit", masking.forget_fit)
        menu.addSeparator()
        for layer in masking.densities():
            action = menu.addAction(f"Density: {layer.name}", partial(masking.follow_density, layer))
            action.setCheckable(True)
            action.setChecked(layer is masking.density_layer)
        if masking.density_layer is not None:
            menu.addAction("Density: everywhere alike", partial(masking.follow_density, None))

    def _show_note(self) -> None:
        self.foot.status.show_note(self.session.notes.masks)

    def _follow_image(self) -> None:
        """Offer the size of the image selected in napari."""
        canvas = self.session.masks.selected_canvas
        if canvas is not None:
            self.height_box.setValue(canvas[0][0])
            self.width_box.setValue(canvas[0][1])
