"""The Compare dock: what is compared, the images of the board, stars."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFileDialog, QHBoxLayout, QLabel, QListWidget, QListWidgetItem, QPushButton
from superqt.utils import signals_blocked

from napari_synth.ui.docks.compare.choices import MOST
from napari_synth.ui.napari_bridge.board_layers import STAR
from napari_synth.ui.widgets.binding import bind
from napari_synth.ui.widgets.controls import SEEN_BOXES, MaskCombo, show_key, whole, wide
from napari_synth.ui.widgets.footer import Foot, wrapped_label
from napari_synth.ui.widgets.panel import Panel, described, literal, row
from napari_synth.ui.widgets.tiles import Tile, TileList, icon_of

if TYPE_CHECKING:
    from napari_synth.ui.docks.compare.actions import CompareActions
    from napari_synth.ui.docks.compare.choices import Variation

LINES_SHOWN = 5


class ComparePanel(Panel):
    """Compare looks, styles and seeds of one mask."""

    def __init__(self, dock: CompareActions):
        super().__init__(dock.context)
        self.dock = dock
        grid = self.grid()
        self.mask = described(MaskCombo(self.context.masks), "Mask layer", "The mask whose images are compared")
        row(grid, "Mask", self.mask)
        self.looks = described(QListWidget(), "Looks to compare", "Tick the looks that go onto the board")
        self.looks.setStyleSheet(SEEN_BOXES)
        self.looks.setFixedHeight(LINES_SHOWN * (self.looks.fontMetrics().lineSpacing() + 6))
        self.looks.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        row(grid, "Looks", self.looks)
        self.styles = whole(1, MOST, "Styles", "Styles of each look: the chosen one, then others of the bank")
        row(grid, "Styles", self.styles)
        self.seeds = whole(1, MOST, "Seeds", "Seeds of each style: the chosen one, then others")
        row(grid, "Seeds", self.seeds)
        self.count = described(QLabel(), "Images", "How many images the board will have")
        self.body.addWidget(self.count)
        self.whose = described(wrapped_label(), "Whose images", "The mask whose images are listed below")
        self.body.addWidget(self.whose)
        tip = "The images of the board, the one most like the present choice first"
        self.tiles = described(TileList(3), "Images of the board", tip)
        self.body.addWidget(self.tiles)
        lines = [QHBoxLayout(), QHBoxLayout()]
        for line in lines:
            self.body.addLayout(line)
        self.star = described(QPushButton("★ Star"), "Star", "Star the chosen image, or take its star back")
        self.use = described(QPushButton("Use this"), "Use this", "Choose model, look, style and seed of the image")
        self.away = described(QPushButton("Close the board"), "Close the board", "Give up these images and their stars")
        self.stars = described(
            QPushButton("Export the stars…"), "Export the stars", "The whole mask in each starred way, with its recipe"
        )
        show_key(self.star, dock.commands, "star")
        for place, button in enumerate((self.star, self.use, self.away, self.stars)):
            lines[place // 2].addWidget(button, 1)
        self.compare = wide(described(QPushButton("Compare"), "Compare", "Render the board"))
        self.buttons.addWidget(self.compare, 1)
        self.foot = Foot(self.dock.jobs.lane)
        self.set_foot(self.foot)
        self._connect()

    def _connect(self) -> None:
        context, dock = self.context, self.dock
        bind(dock.choices, "styles", self.styles)
        bind(dock.choices, "seeds", self.seeds)
        self.looks.itemChanged.connect(self._choose_looks)
        self.compare.clicked.connect(dock.compare)
        self.star.clicked.connect(self._star)
        self.use.clicked.connect(self._use)
        self.away.clicked.connect(dock.close_board)
        self.stars.clicked.connect(self._ask_folder)
        self.watch(context.masks.changed, self._show_masks)
        self.watch(context.masks.current_changed, self._show_masks)
        self.watch(context.catalogue.changed, self._show_looks)
        self.watch(dock.choices.events, self._show_looks)
        self.watch(context.look.events, self._show_count)
        self.watch(dock.board.events, self._show_board)
        self.watch(dock.images_changed, self._show_images)
        self.watch(context.notes.changed, self._show_note)
        self.watch(dock.jobs.lane.state.events, self.foot.show_lane)

    @property
    def chosen(self) -> Variation | None:
        """The image chosen in the list."""
        found: Variation | None = self.tiles.chosen
        return found

    def _choose_looks(self) -> None:
        items = [self.looks.item(place) for place in range(self.looks.count())]
        ticked = [item for item in items if item.checkState() == Qt.CheckState.Checked]
        self.dock.choices.looks = tuple(tuple(item.data(Qt.ItemDataRole.UserRole)) for item in ticked)

    def _star(self) -> None:
        if self.chosen is not None:
            self.dock.toggle_star(self.chosen)

    def _use(self) -> None:
        if self.chosen is not None:
            self.dock.use(self.chosen)

    def _ask_folder(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "A folder for the starred pairs")
        if folder:
            self.dock.export_stars(folder)

    def _show_masks(self) -> None:
        self.mask.show_masks()
        mask = self.dock.mask
        other = " (another mask is chosen now)" if mask is not self.context.masks.current else ""
        self.whose.setText(f"Images of {mask.name}{other}:" if mask is not None else "")
        self.whose.setVisible(mask is not None)

    def _show_looks(self) -> None:
        with signals_blocked(self.looks):
            self.looks.clear()
            for model, option in self.dock.offered:
                card = self.context.catalogue.card(model)
                title = next((one.title for one in card.looks if one.name == option), "") if card is not None else ""
                item = QListWidgetItem(title or option or self.context.catalogue.title(model))
                item.setToolTip(literal(self.context.catalogue.title(model)))
                item.setData(Qt.ItemDataRole.UserRole, (model, option))
                chosen = (model, option) in self.dock.choices.looks
                item.setCheckState(Qt.CheckState.Checked if chosen else Qt.CheckState.Unchecked)
                self.looks.addItem(item)
        self._show_count()

    def _show_count(self) -> None:
        count = self.dock.count
        too_many = f": a board holds at most {MOST}" if count > MOST else ""
        self.count.setText(f"{count} {'image' if count == 1 else 'images'}{too_many}")
        self.compare.setEnabled(1 <= count <= MOST)

    def _show_board(self) -> None:
        board, before = self.dock.board, self.chosen
        tiles = []
        for variation in board.tiles:
            title = self.dock.title(variation)
            number = board.tiles.index(variation) + 1
            tiles.append(Tile(variation, f"{STAR * (variation in board.stars)}{number} {title}", title))
        self.tiles.show_tiles(tiles, before)
        self.tiles.setVisible(bool(tiles))
        for button in (self.star, self.use, self.away, self.stars):
            button.setEnabled(bool(tiles))
        self._show_masks()
        self._show_images()

    def _show_images(self) -> None:
        for variation, image in self.dock.images.items():
            self.tiles.show_icon(variation, icon_of(image))

    def _show_note(self) -> None:
        self.foot.status.show_note(self.dock.note)
