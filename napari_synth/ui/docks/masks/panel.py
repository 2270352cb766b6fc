"""The Masks dock: new masks, sampled fields of nuclei, clearing."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtWidgets import (
    QComboBox,
    QDoubleSpinBox,
    QFileDialog,
    QGridLayout,
    QInputDialog,
    QMenu,
    QPushButton,
)

from napari_synth.masks.samplers import SAMPLERS
from napari_synth.masks.spacing import SPACINGS
from napari_synth.ui.autosave.banner import RecoveryBanner
from napari_synth.ui.docks.masks.statistics_table import StatisticsTable
from napari_synth.ui.napari_bridge.window import open_panel
from napari_synth.ui.widgets.controls import MaskCombo, SeedBox, choose, number, show_value, whole, wide
from napari_synth.ui.widgets.footer import Foot
from napari_synth.ui.widgets.panel import Panel, beside, described, row

if TYPE_CHECKING:
    import napari


COUNT_LAWS = (("normal", "Normal"), ("poisson", "Poisson"), ("fixed", "fixed number"))
DRAWN = "How shapes are drawn"
ORIENTATIONS = (("uniform", "any"), ("preferred", "preferred"), ("none", "not turned"))
PRESET_TITLES = (
    ("", "Preset: number per area (as at the start)"),
    ("thesis", "Preset: thesis, number by side (46 ± 7 on 350²)"),
)


class MasksPanel(Panel):
    """Make masks by painting or by sampling a field of nuclei."""

    def __init__(self, napari_viewer: napari.viewer.Viewer):
        super().__init__(napari_viewer, steps=(1,))
        self.offer = RecoveryBanner(self.session.keeping)
        self.body.addWidget(self.offer)
        grid = self.grid()
        self._build_mask_row(grid)
        self._build_field_rows(grid)
        self._build_buttons()
        self.foot = Foot(self.session.masking.lane)
        self.set_foot(self.foot, self.statistics)
        self._connect()

    def _build_mask_row(self, grid: QGridLayout) -> None:
        self.mask = described(
            MaskCombo(self.session.masks), "Mask layer", "The mask that is sampled, cleared, rendered"
        )
        tip = "for a new mask; follows the image selected in the layer list"
        self.width_box = whole(16, 8192, "Width", f"Width in pixels {tip}")
        self.height_box = whole(16, 8192, "Height", f"Height in pixels {tip}")
        self.new = described(QPushButton("New mask"), "New mask", "Add an empty mask of this size, ready to paint")
        for box in (self.width_box, self.height_box):
            box.setValue(256)
        size = beside(self.width_box, "×", self.height_box)
        row(grid, "Mask", beside(self.mask, self.new, size, wide=1))

    def _build_field_rows(self, grid: QGridLayout) -> None:
        self.count_mean = number(0, 5000, 1, 1, "Nuclei, mean", "Mean number of nuclei per 256×256 pixels")
        self.count_sd = number(0, 5000, 1, 1, "Nuclei, spread", "Standard deviation of the number of nuclei")
        self.count_law = described(QComboBox(), "Law of the number", "How the number of nuclei varies between fields")
        for name, title in COUNT_LAWS:
            self.count_law.addItem(title, name)
        row(grid, "Nuclei / 256²", beside(self.count_mean, "±", self.count_sd, self.count_law))
        self.area_mean = number(1, 100_000, 50, 0, "Area, mean", "Mean area of a nucleus in square pixels")
        self.area_sd = number(0, 100_000, 50, 0, "Area, spread", "Standard deviation of the area in square pixels")
        row(grid, "Area (px²)", beside(self.area_mean, "±", self.area_sd))
        self.orientation = described(QComboBox(), "Direction", "How nuclei are turned")
        for name, title in ORIENTATIONS:
            self.orientation.addItem(title, name)
        tip = "in degrees, counter-clockwise from the right"
        self.angle = number(-180, 180, 5, 0, "Direction, mean", f"Preferred direction of the long axis {tip}")
        self.angle_sd = number(0, 180, 5, 0, "Direction, spread", "Standard deviation of the direction in degrees")
        for box in (self.angle, self.angle_sd):
            box.setSuffix("°")
        row(grid, "Direction", beside(self.orientation, self.angle, "±", self.angle_sd))
        self.spacing = described(QComboBox(), "Spacing", "How close nuclei lie; they never merge")
        for name, kind in SPACINGS.items():
            self.spacing.addItem(kind.title, name)
        self.touching = number(0, 100, 5, 0, "Touching", "Share of the nuclei that touch another one, in per cent")
        self.touching.setSuffix(" %")
        row(grid, "Spacing", beside(self.spacing, self.touching, wide=1))
        self.sampler = described(QComboBox(), "Sampler", DRAWN)
        for name, kind in SAMPLERS.items():
            self.sampler.addItem(kind.title, name)
        self.spread = number(0, 3, 0.1, 1, "Shape variation", "")
        self.follow = described(
            QPushButton("Follow…"),
            "Follow real masks, a preset or a density",
            "Take number, size, elongation and distances from real masks or a preset; "
            "let nuclei lie where a layer is bright",
        )
        self.follow_menu = QMenu(self.follow)
        self.follow_menu.aboutToShow.connect(self._fill_follow)
        self.follow.setMenu(self.follow_menu)
        self.studio = described(QPushButton("Nuclei…"), "Single nuclei", "Open the Nuclei panel: stamp, grow, reshape")
        self.seed = SeedBox("Field seed", "The same number gives the same field of nuclei")
        row(grid, "Shapes", beside(self.sampler, self.spread, "seed", self.seed, wide=1))

    def _build_buttons(self) -> None:
        self.maps = described(
            QPushButton("Label maps…"),
            "From label maps",
            "Add masks made of real label maps: drawn by chance, merged, flipped, turned and scaled",
        )
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
        self.buttons.addWidget(self.sample, 1)
        for button in (self.follow, self.studio, self.maps, self.clear):
            self.buttons.addWidget(button)
        self.statistics = StatisticsTable()

    def _connect(self) -> None:
        session = self.session
        self.new.clicked.connect(self._new_mask)
        self.sample.clicked.connect(self._sample)
        self.maps.clicked.connect(self._ask_maps)
        self.clear.clicked.connect(session.masking.clear)
        self.seed.rolled.connect(session.masking.roll_seed)
        for name, box in self._boxes().items():
            box.valueChanged.connect(partial(self._store, name))
        self.touching.valueChanged.connect(self._store_touching)
        self.seed.changed.connect(partial(self._store, "seed"))
        for name, combo in self._combos().items():
            combo.activated.connect(partial(self._store_choice, name))
        self.studio.clicked.connect(self._open_studio)
        self.watch(session.masks.changed, self.mask.show_masks)
        self.watch(session.masks.current_changed, self.mask.show_masks)
        self.watch(session.field.events, self._show_field)
        self.watch(session.masking.density_changed, self._show_following)
        self.watch(session.masking.statistics_changed, self._show_statistics)
        self.watch(session.notes.events.masks, self._show_note)
        self.watch(session.masking.lane.state.events, self.foot.show_lane)
        self.watch(session.masks.selected, self._follow_image)
        self.watch(session.keeping.offer.events, self.offer.show_offer)

    def _new_mask(self) -> None:
        self.session.masking.new_mask(self.height_box.value(), self.width_box.value())

    def _sample(self) -> None:
        self.session.masking.sample(self.height_box.value(), self.width_box.value())

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
        if not paths:
            return
        variants, given = QInputDialog.getInt(self, "Label maps", "How many masks shall be made of them?", 1, 1, 1000)
        if given:
            self.session.masking.recombine(paths, variants, self.height_box.value(), self.width_box.value())

    def _boxes(self) -> dict[str, QDoubleSpinBox]:
        names = ("count_mean", "count_sd", "area_mean", "area_sd", "angle", "angle_sd", "spread")
        return {name: getattr(self, name) for name in names}

    def _combos(self) -> dict[str, QComboBox]:
        return {name: getattr(self, name) for name in ("count_law", "orientation", "spacing", "sampler")}

    def _store(self, name: str, value: float) -> None:
        """Take a number over; one by hand wins over a measured law."""
        field = self.session.field
        setattr(field, name, value)
        if name.startswith("area"):
            field.area_law = "normal"
        elif name.startswith("count") and field.count_law == "measured":
            field.count_law = "normal"

    def _store_touching(self, percent: float) -> None:
        self.session.field.touching_fraction = percent / 100

    def _store_choice(self, name: str, index: int) -> None:
        setattr(self.session.field, name, self._combos()[name].itemData(index))

    def _show_field(self) -> None:
        field = self.session.field
        self._offer_measured_law()
        self._show_area_law()
        for name, box in self._boxes().items():
            show_value(box, getattr(field, name))
        show_value(self.touching, 100 * field.touching_fraction)
        show_value(self.seed.value, field.seed)
        for name, combo in self._combos().items():
            choose(combo, getattr(field, name))
        self.count_sd.setEnabled(field.count_law in ("normal", "measured"))
        self.touching.setEnabled(field.spacing in ("touching", "clusters"))
        for box in (self.angle, self.angle_sd):
            box.setEnabled(field.orientation == "preferred")
        library = self.session.studio.library_name
        self.sampler.setToolTip(f"How shapes are drawn; real ones are those of {library!r}" if library else DRAWN)
        means = SAMPLERS[field.sampler].spread_means
        self.spread.setEnabled(bool(means))
        self.spread.setToolTip(means or "This sampler has nothing to vary")
        self._show_following()

    def _offer_measured_law(self) -> None:
        """A law that was measured can be chosen while there is one."""
        base = self.session.field.base
        place, there_is = self.count_law.findData("measured"), base is not None and bool(base.count_quantiles)
        if there_is and place < 0:
            self.count_law.addItem("as measured", "measured")
        elif place >= 0 and not there_is:
            self.count_law.removeItem(place)

    def _show_area_law(self) -> None:
        """A preset may enlarge 64×64 shapes instead; a number by hand gives them an area."""
        field, base = self.session.field, self.session.field.base
        enlarged = base is not None and field.area_law == "scale"
        texts = ("64² shapes", f"× {base.scale_low:g}–{base.scale_high:g}") if base and enlarged else ("", "")
        for box, text in zip((self.area_mean, self.area_sd), texts, strict=True):
            box.setSpecialValueText(text)

    def _show_following(self) -> None:
        masking = self.session.masking
        followed = self.session.field.base is not None or masking.density_layer is not None
        self.follow.setText("Following" if followed else "Follow…")

    def _show_statistics(self) -> None:
        masking = self.session.masking
        if masking.real is None:
            self.statistics.show_lines([])
            return
        from napari_synth.masks.statistics import side_by_side

        self.statistics.show_lines(side_by_side(masking.real, masking.composed))

    def _fill_follow(self) -> None:
        """What can be followed now."""
        menu, masking = self.follow_menu, self.session.masking
        menu.clear()
        menu.addAction("Fit to the chosen mask", partial(self._fit, None))
        menu.addAction("Fit to a folder of masks…", self._fit_folder)
        if masking.real is not None:
            menu.addAction("Forget the fit", masking.forget_fit)
        menu.addSeparator()
        for name, title in PRESET_TITLES:
            action = menu.addAction(title, partial(masking.use_preset, name))
            action.setCheckable(True)
            action.setChecked(masking.real is None and name == self.session.field.preset)
        menu.addSeparator()
        densities = masking.densities()
        if not densities:
            menu.addAction("Density: paint or open a layer of the size of the mask").setEnabled(False)
        for layer in densities:
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
