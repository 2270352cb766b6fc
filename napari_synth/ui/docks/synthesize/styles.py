"""The style of the image: drawn by the seed, one of the bank, between two of them, or that of the user's own image."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from psygnal import SignalGroupDescriptor

from napari_synth.core.progress import CancelToken, OnProgress
from napari_synth.core.recipe import Style
from napari_synth.models.style_bank import style_bank
from napari_synth.synthesis.styles import style_code
from napari_synth.ui.context.notes import Note
from napari_synth.ui.napari_bridge.mask_layers import mask_array
from napari_synth.ui.napari_bridge.placement import plane_shown

if TYPE_CHECKING:
    from napari.layers import Image, Labels

    from napari_synth.synthesis.styles.from_image import ImageStyle
    from napari_synth.ui.context.context import Context
    from napari_synth.ui.context.loaded_models import Models
    from napari_synth.ui.jobs.delivery import Jobs

SHOWN = 3
"""Styles of the bank that are shown at a time."""
BY_SEED = "drawn by the seed"
OWN = "your own"
"""What a code is called whose origin is not known, such as that of the last window."""


@dataclass
class StyleState:
    """What a panel shows of styles.

    Attributes
    ----------
    has_styles : bool
        Whether the model has any.
    members : tuple of int
        Those of the bank that are shown.
    words : str
        What the present style is called.
    ends : tuple of str
        What the two styles are called between which one can slide; empty where there are not two.
    share : int
        How far the present style is from the first to the second, in per cent.
    """

    events: ClassVar[SignalGroupDescriptor] = SignalGroupDescriptor()

    has_styles: bool = False
    members: tuple[int, ...] = ()
    words: str = BY_SEED
    ends: tuple[str, ...] = ()
    share: int = 100


@dataclass(frozen=True, eq=False)
class StyleWork:
    """Take the style of an image."""

    models: Models
    model: str
    device: str
    option: str
    image: np.ndarray
    mask: np.ndarray | None

    def __call__(self, on_progress: OnProgress, cancel: CancelToken) -> ImageStyle:
        from napari_synth.synthesis.generator import Generator
        from napari_synth.synthesis.request import Steering
        from napari_synth.synthesis.styles.from_image import style_from_image

        generator = self.models.generator(self.model, self.device)
        cancel.raise_if_cancelled()
        if not isinstance(generator, Generator):
            raise TypeError(f"{generator.card.id} is no generator with styles")
        return style_from_image(generator, self.image, self.option or None, self.mask, Steering(on_progress, cancel))


class Styles:
    """Chooses the style of the context's look.

    Parameters
    ----------
    context : Context
    jobs : Jobs
        Of the dock.
    say : callable
    render : callable
        Renders what is chosen.
    """

    def __init__(self, context: Context, jobs: Jobs, say: Callable[[Note], object], render: Callable[[], object]):
        self._context = context
        self._jobs = jobs
        self._say = say
        self._render = render
        self._names: dict[Style, str] = {}
        self._ends: tuple[np.ndarray, np.ndarray] | None = None
        self._rng = np.random.default_rng()
        self.state = StyleState()
        context.look.events.connect(self._follow)
        context.look.events.model.connect(self._on_model)
        context.look.events.option.connect(self._on_option)
        self._on_model()
        self._follow()

    @property
    def _size(self) -> int:
        card = self._context.catalogue.card(self._context.look.model)
        return card.styles if card is not None and card.style_size else 0

    def choose(self, style: Style | None) -> None:
        """Take a style and render; the slider then lies between the one before and this."""
        before, before_words = self.code(), self.state.words
        self._context.look.style = style
        after = self.code()
        if before is not None and after is not None and not np.array_equal(before, after):
            self._ends = before, after
            with self.state.events.paused():
                self.state.ends, self.state.share = (before_words, self.state.words), 100
        self._render()

    def roll(self) -> None:
        """Any of the bank; it is shown among the thumbnails."""
        if not self._size:
            return
        member = int(self._rng.integers(self._size))
        if member not in self.state.members:
            self.state.members = (member, *self.state.members[: SHOWN - 1])
        self.choose(member)

    def show_others(self) -> None:
        """Other styles of the bank as thumbnails."""
        count = min(SHOWN, self._size)
        self.state.members = tuple(int(m) for m in self._rng.choice(self._size, count, replace=False)) if count else ()

    def slide(self, share: int) -> None:
        """The style so many per cent of the way from the one before to the last chosen, and render."""
        if self._ends is None:
            return
        mixed = self._ends[0] + share / 100 * (self._ends[1] - self._ends[0])
        code = tuple(float(number) for number in mixed)
        one, other = self.state.ends
        self._names[code] = other if share == 100 else one if share == 0 else f"{share} % {other}"
        with self.state.events.paused():
            self.state.share = share
            self._context.look.style = code
        self._render()

    def take(self, layer: Image, mask: Labels | None = None) -> None:
        """Take the style of an image layer; its nuclei are those of a mask, or found by their colours."""
        context, name = self._context, layer.name
        pixels, _ = plane_shown(context.viewer, layer)
        labels = None if mask is None else mask_array(mask)
        look = context.look
        work = StyleWork(context.models, look.model, look.device, look.option, pixels, labels)
        wanted = (look.model, look.option)

        def taken(found: ImageStyle) -> None:
            if wanted != (look.model, look.option):
                self._say(Note("stopped", "Another look was chosen meanwhile.", "Take the style of the image again."))
                return
            self._names[found.code] = f"of {name!r}"
            self.choose(found.code)
            if found.remark:
                self._say(Note("problem", found.remark, "Try another look, or choose the mask of the image with it."))

        stopped = Note("stopped", "Taking the style was cancelled.", "Nothing was changed.")
        self._jobs.run(f"Taking the style of {name!r}", work, taken, total=11, cancelled=stopped)

    def code(self) -> np.ndarray | None:
        """The numbers of the present style; None for a model without styles."""
        bank, look = self._bank(), self._context.look
        return None if bank is None else style_code(*bank, look.style, look.used_seed)

    def _bank(self) -> tuple[np.ndarray, np.ndarray] | None:
        """Codes and spreads of the look; None for a model without styles."""
        look = self._context.look
        bank = style_bank(look.model) if self._size else None
        if bank is None:
            return None
        options = self._context.catalogue.options(look.model)
        number = options.index(look.option) if look.option in options else 0
        return bank.codes[number], bank.spreads[number]

    def words(self, style: Style | None) -> str:
        """What a style is called."""
        if style is None:
            return BY_SEED
        return self._names.get(style, f"style {style}" if isinstance(style, int) else OWN)

    def _follow(self) -> None:
        style = self._context.look.style
        if isinstance(style, tuple) and style not in self._names:
            self._name(style)
        self.state.words = self.words(style)

    def _name(self, code: tuple[float, ...]) -> None:
        """Remember where a code comes from, if it is one of the bank or the one that the present seed draws."""
        bank, look = self._bank(), self._context.look
        if bank is None or len(code) != bank[0].shape[-1]:
            return
        numbers = np.array(code, np.float32)
        same = np.flatnonzero((bank[0] == numbers).all(-1))
        if len(same):
            self._names[code] = f"style {same[0]}"
        elif np.array_equal(style_code(*bank, None, look.used_seed), numbers):
            self._names[code] = f"style of seed {look.used_seed}"

    def _on_model(self) -> None:
        self._forget()
        with self.state.events.paused():
            self.state.has_styles = bool(self._size)
            spread = np.unique(np.linspace(0, self._size - 1, SHOWN + 2)[1:-1].astype(int)).tolist()
            style = self._context.look.style
            chosen = [style] if isinstance(style, int) and style not in spread else []
            self.state.members = (*chosen, *spread)[:SHOWN]

    def _on_option(self) -> None:
        self._forget()

    def _forget(self) -> None:
        """A style belongs to an option."""
        self._ends = None
        with self.state.events.paused():
            self.state.ends, self.state.share = (), 100
