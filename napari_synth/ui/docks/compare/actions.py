"""The comparison board: one mask in many looks, styles and seeds; the good ones get a star."""

from __future__ import annotations

import re
import weakref
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from psygnal import Signal, SignalGroupDescriptor

from napari_synth.core.boxes import fullest_part
from napari_synth.core.recipe import Style
from napari_synth.core.seeds import series_seed
from napari_synth.ui.context.notes import Note
from napari_synth.ui.docks.compare.choices import MOST, CompareChoices, Variation, variations
from napari_synth.ui.docks.compare.jobs import BoardWork, StarsWork, order_for
from napari_synth.ui.docks.dock import Command, DockActions
from napari_synth.ui.napari_bridge.board_layers import STAR, BoardLayers
from napari_synth.ui.napari_bridge.mask_layers import mask_array
from napari_synth.ui.napari_bridge.placement import plane

if TYPE_CHECKING:
    from napari.layers import Labels

    from napari_synth.core.progress import Progress
    from napari_synth.ui.context.context import Context

SIDE = 256
FOUR = 4
"""Beside each other; up to so many there is room for their names."""


@dataclass
class BoardState:
    """What is on the board.

    Attributes
    ----------
    tiles : tuple of Variation
        In the order in which they lie and are rendered.
    stars : frozenset of Variation
    """

    events: ClassVar[SignalGroupDescriptor] = SignalGroupDescriptor()

    tiles: tuple[Variation, ...] = ()
    stars: frozenset[Variation] = frozenset()


class CompareActions(DockActions):
    """The actions of the Compare dock.

    Attributes
    ----------
    choices : CompareChoices
    board : BoardState
    images : dict of ndarray
        What is rendered of the board.
    """

    key = "compare"
    hint = Note("hint", "Choose looks, and how many styles and seeds of each; then press Compare.")
    images_changed = Signal()

    def __init__(self, context: Context):
        super().__init__(context)
        self.choices = CompareChoices()
        self.board = BoardState()
        self.images: dict[Variation, np.ndarray] = {}
        self._mask: weakref.ref[Labels] | None = None
        self._comparing: object = None
        """The job that renders the board."""
        self._layers = BoardLayers(context.viewer)
        context.look.events.model.connect(self._on_model)
        context.comparison_wanted.connect(self._on_wanted)
        context.rendered.connect(self._layers.close)
        context.masks.changed.connect(self._on_masks)
        self._on_model()

    @property
    def offered(self) -> list[tuple[str, str]]:
        """Models with their options that need no image beside the mask; those of the chosen model first."""
        catalogue, now = self.context.catalogue, self.context.look.model
        names = sorted(catalogue.names, key=lambda name: name != now)
        return [
            (name, option)
            for name in names
            if not catalogue.condition(name)
            for option in catalogue.options(name) or [""]
        ]

    def title(self, variation: Variation) -> str:
        """What a tile is called."""
        catalogue = self.context.catalogue
        card = catalogue.card(variation.model)
        parts = [self._look(variation)]
        if card is not None and card.style_size and variation.style is not None:
            parts.append(f"style {variation.style}" if isinstance(variation.style, int) else "own style")
        parts += [f"seed {variation.seed}"] if variation.seed is not None else []
        return ", ".join(parts)

    def _look(self, variation: Variation) -> str:
        """What a look is called, or its model where that has none."""
        card = self.context.catalogue.card(variation.model)
        looks = card.looks if card is not None else []
        name = next((one.title or one.name for one in looks if one.name == variation.option), "")
        return name or self.context.catalogue.title(variation.model)

    @property
    def mask(self) -> Labels | None:
        """The mask whose images are on the board; None where there is no board, or the mask is gone."""
        layer = self._mask() if self._mask else None
        return layer if layer is not None and layer in self.context.masks.layers else None

    @property
    def count(self) -> int:
        """Images the present choices make."""
        return len(self._planned())

    def compare(self) -> None:
        """Render the board of the present choices."""
        self.compare_these(self._planned())

    def compare_these(self, tiles: list[Variation]) -> None:
        """Render a board of these, the first ones first."""
        context, layer = self.context, self.context.masks.current
        order = context.order(layer)
        if isinstance(order, Note) or layer is None:
            self.say(order if isinstance(order, Note) else self.hint)
            return
        if order.condition is not None:
            text = "A signal over an anatomy is compared in its own layers, not on a board."
            self.say(Note("problem", text, "Choose a model that renders from the mask alone."))
            return
        if not 1 <= len(tiles) <= MOST:
            self.say(Note("problem", f"A board holds 1 to {MOST} images, not {len(tiles)}.", "Choose other numbers."))
            return
        data = plane(layer)
        if data.ndim != 2 or not np.any(data):
            text = f"The mask {layer.name!r} is empty." if data.ndim == 2 else f"The mask {layer.name!r} is a stack."
            self.say(Note("problem", text, "Choose another mask, or paint one."))
            return
        labels = np.array(data[fullest_part(np.asarray(data), SIDE)])
        work = BoardWork(context.models, {tile: order_for(order, tile) for tile in tiles}, labels)
        self._set_board(tuple(tiles), layer)
        self._layers.open(labels.shape, self._names(), f"{layer.name} · comparison")

        def fill() -> None:
            self._fill(work)

        def done(_: None) -> None:
            self._fill(work)
            advice = "Star the good ones (click one in the list, then Star), or use one."
            self.say(Note("done", f"{len(tiles)} images of {layer.name!r}.", advice))

        def cancelled(reached: Progress) -> Note:
            if not self.board.tiles:
                return Note("stopped", "The board was closed.", "Press Compare to start again.")
            text = f"Comparing was cancelled; {reached.done} of {reached.total} images are there and kept."
            return Note("stopped", text, "Press Compare to start again.")

        self._comparing = self.jobs.run(
            "Comparing", work, done, total=len(tiles), unit="images", cancelled=cancelled, meanwhile=fill
        )

    def toggle_star(self, tile: Variation) -> None:
        """Star an image, or take its star back."""
        if tile in self.board.tiles:
            self.board.stars = self.board.stars ^ {tile}
            self._layers.rename(self._names())

    def star_under_cursor(self) -> None:
        """Star the image under the mouse, or take its star back."""
        number = self._layers.tile_at(self.context.viewer.cursor.position)
        if number is None:
            self.say(Note("hint", "There is no image of the board under the cursor.", "Point at one, and try again."))
        else:
            self.toggle_star(self.board.tiles[number])

    def use(self, tile: Variation) -> None:
        """Set model, look, style and seed to those of an image; the board goes."""
        context, look = self.context, self.context.look
        self._layers.close()
        if tile.model != look.model:
            context.choose_model(tile.model)
        with look.events.paused():
            look.option, look.style = tile.option or look.option, tile.style
            look.noise = tile.seed is not None
            look.seed = look.seed if tile.seed is None else tile.seed
        self.say(Note("done", f"The look is now {self.title(tile)}.", "Press Render in the Look section."))

    def close_board(self) -> None:
        """Give up the board and its stars; what was seen before it is seen again."""
        if self._comparing is not None:
            self.jobs.withdraw(self._comparing)
        self._layers.close()
        self._set_board((), None)

    def export_stars(self, folder: str) -> None:
        """Export the whole mask in each starred way: a folder with image, mask and recipe per star."""
        layer, order = self.mask, self.context.order(self.mask)
        stars = [tile for tile in self.board.tiles if tile in self.board.stars]
        if layer is None or isinstance(order, Note):
            text = "The mask of the board is gone."
            self.say(
                order if isinstance(order, Note) and layer is not None else Note("problem", text, "Compare again.")
            )
            return
        if not stars:
            self.say(Note("problem", "No image has a star.", "Star the good ones first."))
            return
        orders = {
            f"{number:02d}_{_slug(self.title(tile))}": order_for(order, tile) for number, tile in enumerate(stars, 1)
        }
        work = StarsWork(self.context.models, orders, layer.name, mask_array(layer), Path(folder).expanduser())

        def done(count: int) -> None:
            text = f"{count} starred {'pair is' if count == 1 else 'pairs are'} in {folder}."
            action = "Each has its recipe.yaml: napari-synth export RECIPE --variants 10 makes more of its kind."
            self.say(Note("done", text, action))

        stopped = Note("stopped", "The export was stopped; what is written is kept.", "Export again to go on.")
        self.jobs.run("Exporting the stars", work, done, total=len(stars), unit="pairs", cancelled=stopped)

    commands = (
        Command("compare", "Compare looks, styles and seeds", compare),
        Command("star", "Star the image under the cursor", star_under_cursor, "Q"),
        Command("close_board", "Close the board", close_board),
    )

    def _planned(self) -> list[Variation]:
        look, catalogue = self.context.look, self.context.catalogue
        looks = [pair for pair in self.offered if pair in self.choices.looks]
        count = min(self.choices.seeds, MOST) if look.used_seed is not None else 1
        seeds: list[int | None] = [
            None if look.used_seed is None else series_seed(look.used_seed, "comparison", number)
            for number in range(count)
        ]
        styles: dict[str, list[Style | None]] = {}
        for model, _ in looks:
            card = catalogue.card(model)
            members = card.styles if card is not None else 0
            first = look.style if model == look.model else None
            spread = np.linspace(0, members - 1, min(self.choices.styles, members) + 1)[1:].astype(int).tolist()
            others = [member for member in spread if member != first]
            styles[model] = [first, *others][: self.choices.styles] if members else [None]
        now = Variation(look.model, look.option, look.style, look.used_seed)
        return variations(now, looks, styles, seeds)

    def _names(self) -> list[str]:
        """What the canvas says: the number of each image in the list, and where there is room what differs."""
        names = []
        for number, tile in enumerate(self.board.tiles, 1):
            words = self._difference(tile) if len(self.board.tiles) <= FOUR else ""
            names.append(f"{STAR * (tile in self.board.stars)}{number} {words}".strip())
        return names

    def _difference(self, tile: Variation) -> str:
        """What tells a tile from the others, in short."""
        tiles = self.board.tiles
        parts = []
        if len({(one.model, one.option) for one in tiles}) > 1:
            parts.append(self._look(tile))
        if len({one.style for one in tiles}) > 1:
            parts.append(
                "by seed" if tile.style is None else f"style {tile.style}" if isinstance(tile.style, int) else "own"
            )
        if len({one.seed for one in tiles}) > 1:
            parts.append(f"seed {tile.seed}")
        return ", ".join(parts)

    def _fill(self, work: BoardWork) -> None:
        for variation in [one for one in self.board.tiles if one in work.images and one not in self.images]:
            self.images[variation] = work.images[variation]
            self._layers.put(self.board.tiles.index(variation), work.images[variation])
        self.images_changed.emit()

    def _set_board(self, tiles: tuple[Variation, ...], mask: Labels | None) -> None:
        """Other images, of which none is there yet."""
        self.images, self._mask = {}, weakref.ref(mask) if mask is not None else None
        with self.board.events.paused():
            self.board.tiles, self.board.stars = tiles, frozenset()

    def _on_masks(self) -> None:
        """A board whose mask is gone is of no use."""
        if self.board.tiles and self.mask is None:
            self.close_board()

    def _on_wanted(self, what: str) -> None:
        """Four looks, or four styles of the chosen one, as the Look section asks for."""
        self.context.column.open_tab(self.key)
        look, card = self.context.look, self.context.catalogue.card(self.context.look.model)
        options, members = (card.options, card.styles) if card is not None else ([], 0)
        looks, styles = [look.option], [look.style]
        if what == "looks":
            looks = sorted(options, key=lambda name: name != look.option)[:FOUR]
        else:
            others = [
                member for member in np.linspace(0, members - 1, FOUR).astype(int).tolist() if member != look.style
            ]
            styles = [look.style, *others][:FOUR]
        pairs = [(option, style if option == look.option else None) for option in looks for style in styles]
        self.compare_these([Variation(look.model, option, style, look.used_seed) for option, style in pairs])

    def _on_model(self) -> None:
        now = self.context.look.model
        self.choices.looks = tuple(pair for pair in self.offered if pair[0] == now)


def _slug(title: str) -> str:
    """A title as a part of a file's name."""
    return re.sub(r"\W+", "-", title).strip("-").lower()
