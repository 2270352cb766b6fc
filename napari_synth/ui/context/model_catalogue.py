"""The generators the user can choose from. Reads cards only, so torch stays unloaded."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from psygnal import Signal

from napari_synth.core.errors import InputError
from napari_synth.models.defaults import DEFAULT_GENERATOR
from napari_synth.models.registry import bundled_cards, model_card, wrong_role
from napari_synth.synthesis.architectures.registry import has_noise

if TYPE_CHECKING:
    from napari_synth.core.recipe import Style
    from napari_synth.models.card import ModelCard


class ModelCatalogue:
    """Bundled generators, and those opened from files."""

    changed = Signal()

    def __init__(self) -> None:
        self._cards = {name: card for name, card in bundled_cards().items() if is_usable(card)}
        self._pairs = {name: card for name, card in bundled_cards().items() if card.role == "pairs"}

    @property
    def names(self) -> list[str]:
        """Ids and paths, in the order they are offered."""
        return list(self._cards)

    @property
    def pair_models(self) -> list[str]:
        """Ids and paths of models that make pairs from noise, which render no mask."""
        return list(self._pairs)

    def card(self, name: str) -> ModelCard | None:
        return self._cards.get(name) or self._pairs.get(name)

    def title(self, name: str) -> str:
        """What a person calls the model; with its file where that is called otherwise."""
        card = (self._cards | self._pairs)[name]
        title = card.title or card.id
        return title if name == card.id or Path(name).stem == title else f"{title} ({Path(name).name})"

    def options(self, name: str) -> list[str]:
        """The looks of a model; empty for a model without."""
        card = self.card(name)
        return card.options if card else []

    def known_style(self, name: str, style: Style | None) -> Style | None:
        """The style where the model has it; None for a number or a code of another bank."""
        card = self.card(name)
        if card is None or style is None:
            return None
        known = len(style) == card.style_size if isinstance(style, tuple) else 0 <= style < card.styles
        return style if card.styles and known else None

    def condition(self, name: str) -> str:
        """The channel a model needs beside the mask; empty when it needs none."""
        card = self.card(name)
        return next(iter(card.condition_channels), "") if card else ""

    def has_seed(self, name: str) -> bool:
        """Whether the seed of an image has a say; a model that reads a channel beside the mask may be without noise."""
        card = self.card(name)
        return card is not None and (not card.condition_channels or has_noise(card))

    def shown_as(self, model: str, option: str | None) -> str:
        """What an image is called: its option, else its channel, else its model."""
        card = self.card(model)
        return option or (card.output_channel if card is not None else "") or Path(model).stem

    def channel_range(self, model: str) -> tuple[float, float] | None:
        """Grey values of the channel that a model makes; None for one that makes a whole image."""
        card = self.card(model)
        if card is None or not card.condition_channels:
            return None
        scale = card.intensities[card.output_channel]
        return scale.low, scale.high

    def add_file(self, path: str | Path) -> str:
        """Offer the generator in a file; returns its name.

        Raises
        ------
        InputError
            If the file is missing, a pickle, damaged, or no generator from masks.
        """
        card = model_card(path)
        if not is_usable(card):
            wants = f"it needs {', '.join(card.condition_channels)} beside the mask" if card.condition_channels else ""
            wants = wants if card.role == "generator" else f"it is a {card.role} model"
            raise InputError(
                f"{Path(path).name} does not render images from a mask ({wants}).",
                "Choose the file of a generator.",
            )
        name = str(Path(path).expanduser().resolve())
        self._cards[name] = card
        self.changed.emit()
        return name

    def add_pairs(self, path: str | Path) -> str:
        """Offer the model of pairs in a file, or with a bundled id; returns its name.

        Raises
        ------
        InputError
            If the file is missing, damaged, or makes no pairs.
        """
        if str(path) in self._pairs:
            return str(path)
        card = model_card(path)
        if card.role != "pairs":
            raise wrong_role(card, "make pairs from noise")
        name = str(Path(path).expanduser().resolve())
        self._pairs[name] = card
        self.changed.emit()
        return name

    def first_pairs(self, wanted: str) -> str:
        """The wanted model of pairs where it can be had, else any; empty when there is none."""
        if wanted not in self._pairs and Path(wanted).is_file():
            with suppress(InputError):  # a remembered file went bad; the user has not asked for it today
                return self.add_pairs(wanted)
        return wanted if wanted in self._pairs else next(iter(self._pairs), "")

    def first(self, wanted: str) -> str:
        """The wanted model where it can be had, else the default, else any; empty when there is none."""
        if wanted not in self._cards and Path(wanted).is_file():
            try:
                return self.add_file(wanted)
            except InputError:  # a remembered file went bad; the user has not asked for it today
                wanted = DEFAULT_GENERATOR
        for name in (wanted, DEFAULT_GENERATOR, *self._cards):
            if name in self._cards:
                return name
        return ""


def is_usable(card: ModelCard) -> bool:
    """Whether a model renders an image from a mask, or from a mask and one image."""
    return card.role == "generator" and len(card.condition_channels) <= 1
