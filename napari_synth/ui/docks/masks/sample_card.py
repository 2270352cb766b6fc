"""The card *Sample*: fields of nuclei, as chosen or like real masks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QGridLayout, QHBoxLayout, QMessageBox, QPushButton, QVBoxLayout, QWidget

from napari_synth.core.recipe import FieldSettings
from napari_synth.masks.samplers import SAMPLERS
from napari_synth.masks.spacing import SPACINGS
from napari_synth.ui.docks.masks.density_combo import DensityCombo
from napari_synth.ui.docks.masks.fit_fold import FitFold
from napari_synth.ui.docks.masks.size_boxes import AreaBoxes, SizeBoxes
from napari_synth.ui.widgets.binding import bind, set_value
from napari_synth.ui.widgets.cards import Fold
from napari_synth.ui.widgets.controls import SeedBox, show_key, wide
from napari_synth.ui.widgets.forms import Form
from napari_synth.ui.widgets.panel import beside, described, literal, row, watch

if TYPE_CHECKING:
    from napari_synth.ui.docks.masks.actions import MaskActions

FORM = (
    "count_mean",
    "count_sd",
    "count_law",
    "orientation",
    "angle",
    "angle_sd",
    "spacing",
    "touching_fraction",
    "sampler",
    "spread",
)
"""Fields of `FieldSettings` that the card asks for."""
DRAWN = "How shapes are drawn"


class SampleCard(QWidget):
    """How nuclei are sampled, and the buttons to do it.

    Attributes
    ----------
    size : SizeBoxes
    form : Form
    area : AreaBoxes
    seed : SeedBox
    density : DensityCombo
        The layer where nuclei lie.
    more : Fold
        What is rarely changed.
    fit : FitFold
        Real masks to follow.
    sample, replace : QPushButton
    """

    def __init__(self, dock: MaskActions):
        super().__init__()
        self._dock, self._context = dock, dock.context
        field = dock.context.field
        self.size = SizeBoxes(dock.choices)
        lists = {
            "spacing": [(kind.title, name) for name, kind in SPACINGS.items()],
            "sampler": [(kind.title, name) for name, kind in SAMPLERS.items()],
        }
        self.form = Form(FieldSettings, field, FORM, lists, edited=field.set_by_hand)
        self.area = AreaBoxes(dock.context)
        self.seed = SeedBox("Field seed", "The same number gives the same field of nuclei")
        self.seed.dice.setToolTip("Sample another field, in place of the one that was sampled last")
        self.density = DensityCombo(dock.context)
        bind(field, "seed", self.seed.value)
        self.sample = wide(
            described(QPushButton("Sample a field"), "Sample a field", "Make a new mask of sampled nuclei")
        )
        show_key(self.sample, dock.commands, "sample")
        self.replace = described(
            QPushButton("Replace…"), "Replace the nuclei", "Sample into the chosen mask; asks first, Ctrl+Z undoes"
        )
        self.more = Fold(
            "Spacing, direction, shapes", "How close nuclei lie, how they are turned, what shapes they have"
        )
        self.fit = FitFold(dock)
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        controls = self.form.controls
        grid, more = QGridLayout(), QGridLayout()
        row(grid, "Size (px)", self.size)
        row(grid, "Per 256² px", beside(controls["count_mean"], "±", controls["count_sd"]))
        line = grid.rowCount()
        grid.addWidget(self.area.label, line, 0)
        grid.addWidget(self.area, line, 1, 1, 3)
        row(grid, "Seed", self.seed)
        row(more, "Number", controls["count_law"])
        row(more, "Spacing", controls["spacing"])
        row(more, "Touching", controls["touching_fraction"])
        row(more, "Direction", controls["orientation"])
        row(more, "", beside(controls["angle"], "±", controls["angle_sd"]))
        row(more, "Shapes", controls["sampler"])
        row(more, "Spread", controls["spread"])
        row(more, "Where", self.density)
        self.more.body.addLayout(more)
        buttons = QHBoxLayout()
        buttons.setSpacing(6)
        buttons.addWidget(self.sample, 1)
        buttons.addWidget(self.replace)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(grid)
        layout.addLayout(buttons)
        layout.addWidget(self.more)
        layout.addWidget(self.fit)

    def _connect(self) -> None:
        context = self._context
        self.sample.clicked.connect(self._sample)
        self.replace.clicked.connect(self._ask_to_replace)
        self.seed.rolled.connect(self._dock.roll)
        watch(self, context.field.events, self._show_field)
        watch(self, context.masks.current_changed, self._show_mask)

    def _sample(self) -> None:
        choices = self._dock.choices
        self._dock.sample(choices.height, choices.width)

    def _ask_to_replace(self) -> None:
        layer = self._context.masks.current
        if layer is None:
            return
        question = self._dock.question(layer)
        if question and QMessageBox.question(self, "Replace nuclei", question) != QMessageBox.StandardButton.Yes:
            return
        self._dock.replace(layer)

    def _show_mask(self) -> None:
        self.replace.setEnabled(self._context.masks.current is not None)

    def _show_field(self) -> None:
        field, controls = self._context.field, self.form.controls
        self._offer_measured_law()
        controls["count_sd"].setEnabled(field.count_law in ("normal", "measured"))
        controls["touching_fraction"].setEnabled(field.spacing in ("touching", "clusters"))
        for name in ("angle", "angle_sd"):
            controls[name].setEnabled(field.orientation == "preferred")
        title = field.library_title
        controls["sampler"].setToolTip(literal(f"{DRAWN}; real ones are those of {title!r}" if title else DRAWN))
        means = SAMPLERS[field.sampler].spread_means
        controls["spread"].setEnabled(bool(means))
        controls["spread"].setToolTip(means or "This sampler has nothing to vary")

    def _offer_measured_law(self) -> None:
        """A law that was measured can be chosen while there is one."""
        base, law = self._context.field.base, self.form.combo("count_law")
        place, there_is = law.findData("measured"), base is not None and bool(base.count_quantiles)
        if there_is and place < 0:
            law.addItem("as measured", "measured")
        elif place >= 0 and not there_is:
            law.removeItem(place)
        set_value(law, self._context.field.count_law)
