"""The Masks dock: new masks, sampled fields of nuclei, clearing."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtWidgets import (
    QFileDialog,
    QGridLayout,
    QInputDialog,
    QMenu,
    QPushButton,
)

from napari_synth.core.recipe import FieldSettings
from napari_synth.masks.samplers import SAMPLERS
from napari_synth.masks.spacing import SPACINGS
from napari_synth.ui.docks.masks.statistics_table import StatisticsTable
from napari_synth.ui.widgets.binding import bind, set_value
from napari_synth.ui.widgets.controls import MaskCombo, SeedBox, show_key, whole, wide
from napari_synth.ui.widgets.footer import Foot
from napari_synth.ui.widgets.forms import Form
from napari_synth.ui.widgets.panel import Panel, beside, described, literal, row

if TYPE_CHECKING:
    from napari_synth.ui.docks.masks.actions import MaskActions

FORM = (
    "count_mean",
    "count_sd",
    "count_law",
    "area_mean",
    "area_sd",
    "orientation",
    "angle",
    "angle_sd",
    "spacing",
    "touching_fraction",
    "sampler",
    "spread",
)
"""Fields of `FieldSettings` that the panel asks for."""
DRAWN = "How shapes are drawn"
PRESET_TITLES = (
    ("", "Preset: number per area (as at the start)"),
    ("thesis", "Preset: thesis, number by side (46 ± 7 on 350²)"),
)


class MasksPanel(Panel):
    """Make masks by painting or by sampling a field of nuclei."""

    def __init__(self, dock: MaskActions):
        super().__init__(dock.context)
        self.dock = dock
        grid = self.grid()
        self._build_mask_row(grid)
        self._build_field_rows(grid)
        self._build_buttons()
        self.foot = Foot(dock.jobs.lane)
        self.set_foot(self.foot, self.statistics)
        self._connect()

    def _build_mask_row(self, grid: QGridLayout) -> None:
        self.mask = described(
            MaskCombo(self.context.masks), "Mask layer", "The mask that is sampled, cleared, rendered"
        )
        tip = "for a new mask; follows the image selected in the layer list"
        self.width_box = whole(16, 8192, "Width", f"Width in pixels {tip}")
        self.height_box = whole(16, 8192, "Height", f"Height in pixels {tip}")
        self.new = described(QPushButton("New mask"), "New mask", "Add an empty mask of this size, ready to paint")
        for box in (self.width_box, self.height_box):
            box.setValue(256)
        row(grid, "Mask", self.mask)
        row(grid, "New", beside(self.width_box, "×", self.height_box, self.new))

    def _build_field_rows(self, grid: QGridLayout) -> None:
        field = self.context.field
        lists = {
            "spacing": [(kind.title, name) for name, kind in SPACINGS.items()],
            "sampler": [(kind.title, name) for name, kind in SAMPLERS.items()],
        }
        self.form = Form(FieldSettings, field, FORM, lists, edited=field.set_by_hand)
        self.seed = SeedBox("Field seed", "The same number gives the same field of nuclei")
        bind(field, "seed", self.seed.value)
        for label, controls in self.form.rows().items():
            row(grid, label, controls)
        row(grid, "Seed", self.seed)

    def _build_buttons(self) -> None:
        self.follow = described(
            QPushButton("Follow…"),
            "Follow real masks, a preset or a density",
            "Take number, size, elongation and distances from real masks or a preset; "
            "let nuclei lie where a layer is bright",
        )
        self.follow_menu = QMenu(self.follow)
        self.follow_menu.aboutToShow.connect(self._fill_follow)
        self.follow.setMenu(self.follow_menu)
        self.nuclei = described(QPushButton("Nuclei…"), "Single nuclei", "Open Nuclei: stamp, grow, reshape")
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
        show_key(self.sample, self.dock.commands, "sample")
        self.buttons.addWidget(self.sample, 1)
        for button in (self.follow, self.nuclei, self.maps, self.clear):
            self.more.addWidget(button)
        self.statistics = StatisticsTable()

    def _connect(self) -> None:
        context, dock = self.context, self.dock
        self.new.clicked.connect(self._new_mask)
        self.sample.clicked.connect(self._sample)
        self.maps.clicked.connect(self._ask_maps)
        self.clear.clicked.connect(dock.clear)
        self.seed.rolled.connect(dock.roll_seed)
        self.nuclei.clicked.connect(self._open_nuclei)
        self.watch(context.masks.changed, self.mask.show_masks)
        self.watch(context.masks.current_changed, self.mask.show_masks)
        self.watch(context.field.events, self._show_field)
        self.watch(context.density.changed, self._show_following)
        self.watch(dock.statistics_changed, self._show_statistics)
        self.watch(context.notes.changed, self._show_note)
        self.watch(dock.jobs.lane.state.events, self.foot.show_lane)
        self.watch(context.masks.selected, self._follow_image)

    def _new_mask(self) -> None:
        self.dock.new_mask(self.height_box.value(), self.width_box.value())

    def _sample(self) -> None:
        self.dock.sample(self.height_box.value(), self.width_box.value())

    def _fit(self, folder: Path | None) -> None:
        self.dock.fit(folder)

    def _fit_folder(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Folder of real masks")
        if folder:
            self._fit(Path(folder))

    def _open_nuclei(self) -> None:
        self.context.column.open_tab("nuclei")

    def _ask_maps(self) -> None:
        kinds = "Label maps (*.tif *.tiff *.png *.npz);;All files (*)"
        paths, _ = QFileDialog.getOpenFileNames(self, "Choose real label maps", "", kinds)
        if not paths:
            return
        variants, given = QInputDialog.getInt(self, "Label maps", "How many masks shall be made of them?", 1, 1, 1000)
        if given:
            self.dock.recombine(paths, variants, self.height_box.value(), self.width_box.value())

    def _show_field(self) -> None:
        field, controls = self.context.field, self.form.controls
        self._offer_measured_law()
        self._show_area_law()
        controls["count_sd"].setEnabled(field.count_law in ("normal", "measured"))
        controls["touching_fraction"].setEnabled(field.spacing in ("touching", "clusters"))
        for name in ("angle", "angle_sd"):
            controls[name].setEnabled(field.orientation == "preferred")
        title = field.library_title
        controls["sampler"].setToolTip(literal(f"{DRAWN}; real ones are those of {title!r}" if title else DRAWN))
        means = SAMPLERS[field.sampler].spread_means
        controls["spread"].setEnabled(bool(means))
        controls["spread"].setToolTip(means or "This sampler has nothing to vary")
        self._show_following()

    def _offer_measured_law(self) -> None:
        """A law that was measured can be chosen while there is one."""
        base, law = self.context.field.base, self.form.combo("count_law")
        place, there_is = law.findData("measured"), base is not None and bool(base.count_quantiles)
        if there_is and place < 0:
            law.addItem("as measured", "measured")
        elif place >= 0 and not there_is:
            law.removeItem(place)
        set_value(law, self.context.field.count_law)

    def _show_area_law(self) -> None:
        """A preset may enlarge 64×64 shapes instead; a number by hand gives them an area."""
        field, base = self.context.field, self.context.field.base
        enlarged = base is not None and field.area_law == "scale"
        texts = ("64² shapes", f"× {base.scale_low:g}–{base.scale_high:g}") if base and enlarged else ("", "")
        for name, text in zip(("area_mean", "area_sd"), texts, strict=True):
            box = self.form.box(name)
            box.setSpecialValueText(text)
            if text:
                set_value(box, box.minimum())
            else:
                self.form.show(name)

    def _show_following(self) -> None:
        followed = self.context.field.base is not None or self.context.density.layer is not None
        self.follow.setText("Following" if followed else "Follow…")

    def _show_statistics(self) -> None:
        dock = self.dock
        if dock.real is None:
            self.statistics.show_lines([])
            return
        from napari_synth.masks.statistics import side_by_side

        self.statistics.show_lines(side_by_side(dock.real, dock.composed))

    def _fill_follow(self) -> None:
        """What can be followed now."""
        menu, dock, density = self.follow_menu, self.dock, self.context.density
        menu.clear()
        menu.addAction("Fit to the chosen mask", partial(self._fit, None))
        menu.addAction("Fit to a folder of masks…", self._fit_folder)
        if dock.real is not None:
            menu.addAction("Forget the fit", dock.forget_fit)
        menu.addSeparator()
        for name, title in PRESET_TITLES:
            action = menu.addAction(title, partial(dock.use_preset, name))
            action.setCheckable(True)
            action.setChecked(dock.real is None and name == self.context.field.preset)
        menu.addSeparator()
        densities = density.candidates(self.context.masks.current)
        if not densities:
            menu.addAction("Density: paint or open a layer of the size of the mask").setEnabled(False)
        for layer in densities:
            action = menu.addAction(f"Density: {layer.name}", partial(dock.follow_density, layer))
            action.setCheckable(True)
            action.setChecked(layer is density.layer)
        if density.layer is not None:
            menu.addAction("Density: everywhere alike", partial(dock.follow_density, None))

    def _show_note(self) -> None:
        self.foot.status.show_note(self.dock.note)

    def _follow_image(self) -> None:
        """Offer the size of the image selected in napari."""
        canvas = self.context.masks.selected_canvas
        if canvas is not None:
            self.height_box.setValue(canvas[0][0])
            self.width_box.setValue(canvas[0][1])
