"""The library that shapes come from: the bundled one, or a person's own. Knows no widget."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from psygnal import Signal

from napari_synth.core.errors import InputError, SynthError
from napari_synth.core.progress import CancelToken, OnProgress, Stopwatch
from napari_synth.core.recipe import DEFAULT_SHAPES
from napari_synth.datasets.image_files import read_labels
from napari_synth.datasets.shape_library import MIN_BOX, library_from_labels, mask_files, read_shapes
from napari_synth.masks.shape_model import latents_of, own_latents
from napari_synth.ui.context.choices import Note
from napari_synth.ui.docks.jobs import LoadShapesWork
from napari_synth.ui.jobs.lanes import Lane

if TYPE_CHECKING:
    from napari_synth.datasets.shape_library import ShapeLibrary
    from napari_synth.masks.shape_codes import Latents
    from napari_synth.masks.shape_model import ShapeModel
    from napari_synth.ui.jobs.lanes import Outcome
    from napari_synth.ui.session import Session

MAKING = "Making a library"
CODING_STEPS = 10
"""Items that coding a library counts as, beside its masks."""
FEWEST_SHAPES = 2
"""Fewer leave nothing to choose from, and some samplers need as many."""


@dataclass(frozen=True, eq=False)
class OwnLibrary:
    """A library of a person's own.

    Attributes
    ----------
    name : str
        What the person knows it by.
    shapes : ShapeLibrary
        As it was cut out or read, to be saved.
    latents : Latents
    setting : str
        What `FieldSettings.library` calls it.
    """

    name: str
    shapes: ShapeLibrary
    latents: Latents
    setting: str


@dataclass(frozen=True, eq=False)
class LibraryWork:
    """Make a library of shapes of masks, or read one from a file, and code it.

    Attributes
    ----------
    source : Path, list of Path or ndarray
        A library file, mask files, or the labels of a layer.
    name : str
        Of the file, the folder or the layer.
    min_box : int
        Smallest bounding box in square pixels, for masks.
    """

    shapes: ShapeModel
    source: Path | list[Path] | np.ndarray
    name: str
    min_box: int

    @property
    def steps(self) -> int:
        """Items of this job: its masks, or its file, and the coding."""
        return (len(self.source) if isinstance(self.source, list) else 1) + CODING_STEPS

    def __call__(self, on_progress: OnProgress, cancel: CancelToken) -> OwnLibrary:
        watch = Stopwatch(self.steps, on_progress)
        file = self.source if isinstance(self.source, Path) else None
        if file is not None:
            watch.report(0, "Reading the file")
            library = read_shapes(file)
        else:
            library = library_from_labels(self._masks(watch, cancel), self.min_box)
        if len(library) < FEWEST_SHAPES:
            action = "Allow a smaller bounding box, or use" if library.dropped.get("small") else "Use"
            raise InputError(
                f"{self.name!r} has only one usable nucleus, but a library needs {FEWEST_SHAPES}.",
                f"{action} masks with more nuclei.",
            )

        def coding(done: int) -> None:
            cancel.raise_if_cancelled()
            watch.report(self.steps - CODING_STEPS + CODING_STEPS * done // len(library), "Coding the shapes")

        coding(0)
        latents = latents_of(self.shapes.coded(library, coding))
        cancel.raise_if_cancelled()
        watch.report(self.steps, "Done")
        return OwnLibrary(self.name, library, latents, self.shapes.keep(latents, file))

    def _masks(self, watch: Stopwatch, cancel: CancelToken) -> Iterator[tuple[str, np.ndarray]]:
        masks = self.source if isinstance(self.source, list) else [self.source]
        for done, mask in enumerate(masks):
            cancel.raise_if_cancelled()
            watch.report(done, "Cutting out nuclei")
            yield (mask.name, read_labels(mask)) if isinstance(mask, Path) else (self.name, mask)


class Libraries:
    """Making, reading, saving and choosing libraries of shapes.

    Attributes
    ----------
    own : OwnLibrary or None
        The library in use; None: the bundled one.
    made : list of OwnLibrary
        All that were made or read in this window.
    min_box : int
        Smallest bounding box, in square pixels, that was asked for last.
    """

    note_changed = Signal()
    library_changed = Signal()

    def __init__(self, session: Session):
        self._session = session
        self.lane = Lane()
        self.note = Note("hint", "Choose a shape, then press Stamp and click on the mask.")
        self.own: OwnLibrary | None = None
        self.made: list[OwnLibrary] = []
        self.min_box = MIN_BOX
        self._bundled: Latents | None = None
        self._shapes: ShapeModel | None = None

    def say(self, note: Note) -> None:
        """Show a message in the dock."""
        self.note = note
        self.note_changed.emit()

    def _safely(self, act: Callable[[], object]) -> None:
        """Act; what goes wrong becomes a message."""
        try:
            act()
        except SynthError as error:
            self.say(Note.of(error))

    def _with_shapes(self, then: Callable[[ShapeModel], None]) -> None:
        """Call ``then`` with the shape model, after loading it in the background where needed."""
        if self._shapes is not None:
            self._safely(partial(then, self._shapes))
            return

        def loaded(outcome: Outcome) -> None:
            if self._session.arrived(outcome, self.say):
                self._shapes = outcome.result
                self._shapes_loaded()
                self._safely(partial(then, outcome.result))

        work = LoadShapesWork(self._session.shelf, DEFAULT_SHAPES)
        self.lane.submit("Loading the shape model", work, loaded, total=1)

    def _shapes_loaded(self) -> None:
        """What there is to do once the shape model is in memory."""

    # ---- the library in use

    @property
    def latents(self) -> Latents:
        """The library that shapes come from; needs no torch."""
        return self.own.latents if self.own is not None else self._bundled_latents

    @property
    def _bundled_latents(self) -> Latents:
        if self._bundled is None:
            self._bundled = own_latents(DEFAULT_SHAPES)
        return self._bundled

    @property
    def _known(self) -> list[Latents]:
        """All libraries that a nucleus of a mask may come from, the one in use first."""
        return [self.latents, *(library.latents for library in self.made), self._bundled_latents]

    @property
    def making_library(self) -> bool:
        """Whether a library is being made just now."""
        return self.lane.state.running and self.lane.state.title == MAKING

    @property
    def library_name(self) -> str:
        """What a person knows the library by; empty: the bundled one."""
        return "" if self.own is None else self.own.name

    @property
    def library_summary(self) -> str:
        """One sentence about the library in use."""
        if self.own is None:
            return f"Bundled library: {len(self.latents)} nuclei."
        return f"Library {self.own.name!r}: {self.own.shapes.summary}"

    def use_library(self, library: OwnLibrary | None) -> None:
        """Take shapes from a library that was made here, or, with None, from the bundled one."""
        self.own = library
        self._session.field.library = "" if library is None else library.setting
        self.library_changed.emit()
        self.say(Note("done", self.library_summary, "Stamp its shapes, or sample a field in the Masks panel."))

    # ---- making and keeping one

    def library_of_mask(self, min_box: int = MIN_BOX) -> None:
        """Make a library of the nuclei in the current mask, and use it."""
        self._safely(partial(self._library_of_mask, min_box))

    def _library_of_mask(self, min_box: int) -> None:
        layer = self._session.masks.current
        if layer is None or layer.multiscale or layer.data.ndim != 2:
            raise InputError("There is no 2-D mask to make a library of.", "Choose a mask, or a folder of masks.")
        self._make(np.array(layer.data), layer.name, min_box)

    def library_of_folder(self, folder: str | Path, min_box: int = MIN_BOX) -> None:
        """Make a library of all masks in a folder, and use it."""
        self._safely(lambda: self._make(mask_files(folder), Path(folder).name, min_box))

    def open_library(self, path: str | Path) -> None:
        """Read a library file, and use it."""
        path = Path(path).expanduser()
        self._make(path, path.stem, self.min_box)

    def _make(self, source: Path | list[Path] | np.ndarray, name: str, min_box: int) -> None:
        self.min_box = min_box
        self._with_shapes(lambda shapes: self._submit(LibraryWork(shapes, source, name, min_box)))

    def _submit(self, work: LibraryWork) -> None:
        self.lane.submit(MAKING, work, self._library_made, total=work.steps)

    def _library_made(self, outcome: Outcome) -> None:
        if self._session.arrived(outcome, self.say):
            library: OwnLibrary = outcome.result
            self.made = [known for known in self.made if known.setting != library.setting] + [library]
            self.use_library(library)

    def save_library(self, path: str | Path) -> None:
        """Write the library in use as one ``.npz`` file."""
        self._safely(partial(self._save_library, Path(path).expanduser()))

    def _save_library(self, path: Path) -> None:
        own = self.own
        if own is None or self._shapes is None:
            raise InputError("The bundled library is in use.", "Make a library of your own masks first.")
        path = path if path.suffix.lower() == ".npz" else path.with_name(path.name + ".npz")
        own.shapes.save(path)
        self.own = replace(own, setting=self._shapes.keep(own.latents, path))
        self.made[self.made.index(own)] = self.own
        self._session.field.library = self.own.setting
        self.say(Note("done", f"Saved {path.name} with {len(own.shapes)} nuclei.", "Open it here to go on with it."))
