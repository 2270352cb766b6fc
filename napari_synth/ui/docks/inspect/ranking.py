"""Which capsules answer to a structure: under the cursor as it moves, at a click, or of the selected label."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Protocol

from psygnal import Signal

from napari_synth.ui.context.network_changes import unit_words
from napari_synth.ui.context.notes import Note
from napari_synth.ui.docks.inspect.jobs import KeptActivations, Ranked, RankWork
from napari_synth.ui.jobs.delivery import Jobs
from napari_synth.ui.napari_bridge.click_picker import Picker, pixel_of
from napari_synth.ui.napari_bridge.mask_layers import mask_array

if TYPE_CHECKING:
    from napari.layers import Labels

    from napari_synth.core.errors import SynthError
    from napari_synth.nets.capsule_stages import Stage
    from napari_synth.ui.context.context import Context
    from napari_synth.ui.context.order import RenderOrder
    from napari_synth.ui.docks.inspect.choices import InspectChoices

CANCELLED = Note("stopped", "Ranking was cancelled.", "Nothing was changed.")


class Microscope(Protocol):
    """What a ranking is asked about."""

    context: Context
    choices: InspectChoices

    @property
    def stages(self) -> tuple[Stage, ...]: ...
    @property
    def structure(self) -> str: ...
    def say(self, note: Note) -> None: ...
    def ordered(self) -> tuple[Labels, RenderOrder] | None: ...


class CapsuleRanking:
    """Ranks capsules and channels by how they answer to a structure.

    Attributes
    ----------
    jobs : Jobs
    picker : Picker
        The cursor and the click that say which structure is meant.
    last : Ranked or None
        The last ranking.
    """

    changed = Signal()
    """There is another ranking."""

    def __init__(self, microscope: Microscope):
        self._microscope = microscope
        self.jobs = Jobs(microscope.context, microscope.say)
        self.picker = Picker(microscope.context.viewer)
        self.last: Ranked | None = None
        self._activations = KeptActivations()
        self._hovered: tuple[int, int] | None = None
        """The newest place under the cursor, while another one is ranked."""
        self.picker.picked.connect(self.rank_at)
        self.picker.hovered.connect(self._hover)
        self.picker.waiting_changed.connect(self._on_waiting)

    def close(self) -> None:
        """Stop for good."""
        self.jobs.close()

    def rank_label(self) -> None:
        """Rank for the label that is selected in the mask."""
        layer = self._mask
        self._rank(None, None if layer is None else int(layer.selected_label))

    def rank_at(self, position: tuple[float, ...]) -> None:
        """Rank for what lies at a position in the world; a ranking under way is replaced."""
        layer = self._mask
        self._rank(None if layer is None else pixel_of(layer, position), None)

    @property
    def words(self) -> str:
        """What the last ranking is for, such as ``axon 7``; empty where there is none."""
        if self.last is None:
            return ""
        return "the background" if self.last.background else f"{self._microscope.structure} {self.last.label}"

    @property
    def title(self) -> str:
        """Which structure and which layers the last ranking is about."""
        if self.last is None:
            return "Nothing is ranked yet: press Pick on image and point at a structure."
        layers = self.last.layers
        return f"Ranked for {self.words}, in {layers[0] if len(layers) == 1 else f'all {len(layers)} layers'}"

    @property
    def _mask(self) -> Labels | None:
        return self._microscope.context.masks.current

    def _on_waiting(self) -> None:
        """What is ranked for the cursor is given up with the wait."""
        if not self.picker.waiting and self._hovered is not None:
            self._hovered = None
            self.jobs.lane.cancel()

    def _hover(self, position: tuple[float, ...]) -> None:
        """Rank for the structure under the cursor; while one is ranked, the newest waits."""
        layer = self._mask
        place = None if layer is None else pixel_of(layer, position)
        if place is None or self._label_at(place) is None:
            return
        if self.jobs.lane.state.running or self._hovered is not None:
            self._hovered = place
        elif self.last is None or self.last.label != self._label_at(place):
            self._hovered = place
            self._rank(place, None, hovering=True)

    def _label_at(self, place: tuple[int, int]) -> int | None:
        """The label at a place of the current mask; None outside."""
        layer = self._mask
        if layer is None or layer.ndim != 2 or layer.multiscale:
            return None
        inside = all(0 <= at < side for at, side in zip(place, layer.data.shape, strict=True))
        return int(layer.data[place]) if inside else None

    def _rank(self, place: tuple[int, int] | None, label: int | None, hovering: bool = False) -> None:
        microscope = self._microscope
        ordered = microscope.ordered()
        if ordered is None:
            self._hovered = None
            return
        layer, order = ordered
        choices = microscope.choices
        layers = tuple(stage.name for stage in microscope.stages) if choices.everywhere else (choices.layer,)
        self.jobs.run(
            "Ranking",
            RankWork(microscope.context.models, order, mask_array(layer), layers, place, label, self._activations),
            self._on_ranked if place is None or not hovering else partial(self._on_hovered, place),
            total=len(layers) + 1,
            unit="layers",
            quiet=hovering,
            cancelled=None if hovering else CANCELLED,
            failed=self._on_failed,
        )

    def _on_hovered(self, place: tuple[int, int], ranking: Ranked) -> None:
        newest, self._hovered = self._hovered, None
        self.last = ranking
        self.changed.emit()
        if newest in (None, place) or not self.picker.waiting:
            return
        if self._label_at(newest) not in (None, ranking.label):
            self._hovered = newest
            self._rank(newest, None, hovering=True)

    def _on_ranked(self, ranking: Ranked) -> None:
        self._hovered = None
        self.last = ranking
        self.changed.emit()
        first = ranking.scores[0]
        unit = unit_words((first.layer, first.capsule, first.channel))
        text = f"{unit} answers best to {self.words} (AUC {first.auc:.2f})."
        self._microscope.say(Note("done", text, "Double click a row to look at it, or switch it off below."))

    def _on_failed(self, error: SynthError | None) -> None:
        self._hovered = None
