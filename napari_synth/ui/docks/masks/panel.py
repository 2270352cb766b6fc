"""The Masks dock: paint a mask, sample one, or take one of the user's own data."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, cast

from qtpy.QtWidgets import QFileDialog, QMenu, QPushButton

from napari_synth.ui.docks.masks.data_card import DataCard
from napari_synth.ui.docks.masks.finding_list import FindingList
from napari_synth.ui.docks.masks.noise_card import NoiseCard
from napari_synth.ui.docks.masks.paint_card import PaintCard
from napari_synth.ui.docks.masks.sample_card import SampleCard
from napari_synth.ui.widgets.cards import Cards
from napari_synth.ui.widgets.controls import MaskCombo
from napari_synth.ui.widgets.footer import Foot
from napari_synth.ui.widgets.panel import Panel, beside, described, row

if TYPE_CHECKING:
    from napari_synth.ui.docks.masks.actions import MaskActions
    from napari_synth.ui.docks.masks.choices import Card


class MasksPanel(Panel):
    """The chosen mask, and the ways to get another one.

    Attributes
    ----------
    mask : MaskCombo
    check : QPushButton
    cards : Cards
    paint, sampling, data, noise : PaintCard, SampleCard, DataCard, NoiseCard
    found : FindingList
    """

    def __init__(self, dock: MaskActions):
        super().__init__(dock.context)
        self.dock = dock
        self.mask = described(MaskCombo(dock.context.masks, dock.choose), "Mask layer", "The mask to work on")
        self.check = described(
            QPushButton("Check…"), "Check masks", "Look for faults in masks: shifted, binary, noisy, empty and more"
        )
        self.check_menu = QMenu(self.check)
        self.check_menu.aboutToShow.connect(self._fill_checks)
        self.check.setMenu(self.check_menu)
        row(self.grid(), "Mask", beside(self.mask, self.check, wide=1))
        self.paint, self.sampling, self.data = PaintCard(dock), SampleCard(dock), DataCard(dock)
        self.noise = NoiseCard(dock)
        self.cards = Cards(
            {
                "paint": ("Paint", "Paint nuclei by hand", self.paint),
                "sample": ("Sample", "Let the program place nuclei", self.sampling),
                "data": ("From my data", "Masks of your own: layers, files, folders", self.data),
                "noise": ("From noise", "Image and mask together, by a model that needs no mask", self.noise),
            }
        )
        self.body.addWidget(self.cards)
        self.found = FindingList(dock.checking)
        self.body.addWidget(self.found)
        self.foot = Foot(dock.jobs.lane)
        self.set_foot(self.foot)
        self._connect()

    def _connect(self) -> None:
        context, dock = self.context, self.dock
        self.paint.single.clicked.connect(self._open_nuclei)
        self.cards.chosen.connect(self._choose_card)
        self.watch(context.masks.changed, self.mask.show_masks)
        self.watch(context.masks.current_changed, self.mask.show_masks)
        self.watch(context.notes.changed, self._show_note)
        self.watch(dock.jobs.lane.state.events, self.foot.show_lane)
        self.watch(dock.choices.events.card, self._show_card)
        self.watch(context.catalogue.changed, self._offer_noise)

    def _offer_noise(self) -> None:
        """Only where a model makes pairs."""
        self.cards.offer("noise", bool(self.dock.noise.models))

    def _choose_card(self, key: str) -> None:
        self.dock.choices.card = cast("Card", key)

    def _show_card(self) -> None:
        self.cards.open(self.dock.choices.card)

    def _open_nuclei(self) -> None:
        self.context.column.open_tab("nuclei")

    def _fill_checks(self) -> None:
        """What can be checked now."""
        menu, checking, masks = self.check_menu, self.dock.checking, self.context.masks
        menu.clear()
        if masks.current is not None:
            menu.addAction(f"This mask: {masks.current.name}", partial(checking.check_layers, [masks.current]))
        if len(masks.layers) > 1:
            menu.addAction(f"All {len(masks.layers)} masks", partial(checking.check_layers, masks.layers))
        menu.addAction("A folder of pairs or masks…", self._check_folder)

    def _check_folder(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Folder of images/ and masks/, or of masks")
        if folder:
            self.dock.checking.check_folder(folder)

    def _show_note(self) -> None:
        self.foot.status.show_note(self.dock.note)
