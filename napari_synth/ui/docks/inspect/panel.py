"""The Inspect dock: a microscope for the capsules of the network."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from qtpy.QtWidgets import QFileDialog, QHBoxLayout, QLabel, QPushButton, QTabWidget, QVBoxLayout, QWidget

from napari_synth.ui.docks.inspect.latent_box import LatentBox
from napari_synth.ui.docks.inspect.network_map import NetworkMap
from napari_synth.ui.docks.inspect.unit_boxes import SMALL_BUTTON, ChangeBox, RankBox
from napari_synth.ui.napari_bridge.placement import finest
from napari_synth.ui.napari_bridge.stack_layers import CAPSULES, LENGTHS, ROUTING
from napari_synth.ui.widgets.controls import MaskCombo
from napari_synth.ui.widgets.footer import Foot
from napari_synth.ui.widgets.panel import Panel, described, row

if TYPE_CHECKING:
    from napari_synth.ui.docks.inspect.actions import InspectActions
    from napari_synth.ui.napari_bridge.click_picker import Picker


class InspectPanel(Panel):
    """Look into the network that renders, and change it."""

    def __init__(self, dock: InspectActions):
        super().__init__(dock.context)
        self.dock = dock
        grid = self.grid()
        self.mask = described(MaskCombo(self.context.masks), "Mask layer", "The mask whose image is looked into")
        row(grid, "Mask", self.mask)
        self._build_advice()
        self._build_capsules()
        self.latents = LatentBox(dock.walks)
        self.tabs = described(QTabWidget(), "Inspect", "Capsules of the network, or its latent vectors")
        self.tabs.setDocumentMode(True)
        self.tabs.addTab(self.capsules, "Capsules")
        self.tabs.addTab(self.latents, "Latents")
        self.body.addWidget(self.tabs, 100)
        self.foot = Foot(dock.jobs.lane)
        self.set_foot(self.foot)
        self._connect()

    def _build_advice(self) -> None:
        self.advice = QWidget()
        self.advice_text = described(QLabel(), "Model", "Why there is nothing to look into")
        self.advice_text.setWordWrap(True)
        self.use_model = described(QPushButton(), "Use a model with capsules", "Choose this model")
        self.open_model = described(
            QPushButton("Open…"), "Open a model file", "Use a capsule generator from a .safetensors file"
        )
        layout = QVBoxLayout(self.advice)
        layout.setContentsMargins(0, 4, 0, 4)
        layout.addWidget(self.advice_text)
        line = QHBoxLayout()
        line.addWidget(self.use_model)
        line.addWidget(self.open_model)
        line.addStretch(1)
        layout.addLayout(line)
        self.body.addWidget(self.advice)

    def _build_capsules(self) -> None:
        self.capsules = QWidget()
        layout = QVBoxLayout(self.capsules)
        layout.setContentsMargins(6, 6, 6, 4)
        layout.setSpacing(6)
        self.map = NetworkMap()
        layout.addWidget(self.map)
        self.views = {
            CAPSULES: described(
                QPushButton("Show capsules"), "Show capsules", "All channels of the layer as one image: capsule × pose"
            ),
            LENGTHS: described(
                QPushButton("Lengths"), "Show lengths", "How present each capsule is: the length of its pose"
            ),
            ROUTING: described(
                QPushButton("Routing"),
                "Show routing",
                "Routing coefficients of each iteration: how much each input capsule sends to each capsule",
            ),
        }
        line = QHBoxLayout()
        for what, button in self.views.items():
            button.clicked.connect(partial(_show, self.dock, what))
            button.setMinimumWidth(SMALL_BUTTON)
            line.addWidget(button, 3 if what == CAPSULES else 2)
        layout.addLayout(line)
        self.ranks = RankBox(self.dock)
        layout.addWidget(self.ranks, 1)
        self.changes = ChangeBox(self.dock)
        layout.addWidget(self.changes)

    def _connect(self) -> None:
        context, dock = self.context, self.dock
        self.use_model.clicked.connect(dock.use_advised)
        self.open_model.clicked.connect(self._ask_model)
        self.map.chosen.connect(dock.choose_layer)
        self.watch(context.masks.changed, self.mask.show_masks)
        self.watch(context.masks.current_changed, self._show_mask)
        self.watch(context.look.events.model, self._show_model)
        self.watch(context.catalogue.changed, self._show_model)
        self.watch(dock.choices.events, self._show_unit)
        self.watch(dock.ranking.changed, self.ranks.show_ranking)
        self.watch(dock.ranking.picker.waiting_changed, self.ranks.show_waiting)
        self.watch(context.changes.changed, self.changes.show_changes)
        self.watch(dock.walks.choices.events, self.latents.show_choices)
        self.watch(context.notes.changed, self._show_note)
        self.watch(dock.jobs.lane.state.events, self.foot.show_lane)
        self.watch(dock.ranking.jobs.lane.state.events, self.ranks.bar.show_lane)
        self.watch(dock.walks.jobs.lane.state.events, self.latents.bar.show_lane)
        self.destroyed.connect(partial(_release, dock.ranking.picker))

    def _ask_model(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Open a model", "", "Models (*.safetensors);;All files (*)")
        if path:
            self.dock.say(self.context.open_model(path))

    def _show_mask(self) -> None:
        self.mask.show_masks()
        layer = self.context.masks.current
        if layer is not None:
            shape = finest(layer).shape
            self.map.show_size((int(shape[-2]), int(shape[-1])))

    def _show_model(self) -> None:
        context, stages, advised = self.context, self.dock.stages, self.dock.advised
        self.advice.setVisible(not stages)
        self.tabs.setVisible(bool(stages))
        title = context.catalogue.title(context.look.model) if context.look.model else "no model"
        self.advice_text.setText(
            f"The model chosen now ({title}) has no capsules to look at. "
            + ("Choose one that has:" if advised else "Open one that has:")
        )
        self.use_model.setVisible(bool(advised))
        if advised:
            self.use_model.setText(f"Use {context.catalogue.title(advised)}".replace("&", "&&"))
        if stages:
            self.map.show_stages(stages)
            self._show_mask()
        self._show_unit()
        self.changes.show_changes()

    def _show_unit(self) -> None:
        choices = self.dock.choices
        self.map.choose(choices.layer)
        stage = self.dock.stage()
        self.views[ROUTING].setEnabled(stage is not None and bool(stage.inputs))
        self.changes.show_unit()

    def _show_note(self) -> None:
        self.foot.status.show_note(self.dock.note)


def _show(dock: InspectActions, what: str, *_: object) -> None:
    """Qt keeps a partial for as long as the button; one of the panel's own methods would keep the panel too."""
    dock.show(what)


def _release(picker: Picker, *_: object) -> None:
    picker.stop()
