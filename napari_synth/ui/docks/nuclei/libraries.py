"""The library that shapes come from: the bundled one, or a person's own. Knows no widget."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from psygnal import Signal

from napari_synth.core.errors import InputError
from napari_synth.core.recipe import DEFAULT_SHAPES
from napari_synth.datasets.listing import mask_files
from napari_synth.datasets.shape_library import MIN_BOX
from napari_synth.masks.shape_model import own_latents
from napari_synth.ui.context.notes import Note, problems_said
from napari_synth.ui.docks.nuclei.jobs import LibraryWork, OwnLibrary
from napari_synth.ui.napari_bridge.mask_layers import mask_array

if TYPE_CHECKING:
    from napari_synth.core.errors import SynthError
    from napari_synth.masks.shape_codes import Latents
    from napari_synth.masks.shape_model import ShapeModel
    from napari_synth.ui.context.context import Context
    from napari_synth.ui.docks.nuclei.shape_loader import ShapeLoader
    from napari_synth.ui.jobs.delivery import Jobs


class Libraries:
    """Making, reading, saving and choosing libraries of shapes.

    Parameters
    ----------
    context : Context
    jobs : Jobs
        Where libraries are made.
    loader : ShapeLoader
        The model that codes them.
    say : callable
        Takes a `Note`.

    Attributes
    ----------
    own : OwnLibrary or None
        The library in use; None: the bundled one.
    made : list of OwnLibrary
        All that were made or read in this window.
    making : bool
        Whether one is being made just now.
    min_box : int
        Smallest bounding box, in square pixels, that was asked for last.
    """

    changed = Signal()
    """Another library is in use."""

    def __init__(self, context: Context, jobs: Jobs, loader: ShapeLoader, say: Callable[[Note], object]):
        self._context = context
        self._jobs = jobs
        self._loader = loader
        self._say = say
        self.own: OwnLibrary | None = None
        self.made: list[OwnLibrary] = []
        self.making = False
        self.min_box = MIN_BOX

    # ---- the library in use

    @property
    def latents(self) -> Latents:
        """The library that shapes come from; needs no torch."""
        return self.own.latents if self.own is not None else self.bundled

    @cached_property
    def bundled(self) -> Latents:
        """The library that comes with the shape model."""
        return own_latents(DEFAULT_SHAPES)

    @property
    def known(self) -> list[Latents]:
        """All libraries that a nucleus of a mask may come from, the one in use first."""
        return [self.latents, *(library.latents for library in self.made), self.bundled]

    @property
    def latent_size(self) -> int:
        """Numbers of the code of a shape."""
        return int(self.latents.codes.shape[1])

    @property
    def summary(self) -> str:
        """One sentence about the library in use."""
        if self.own is None:
            return f"Bundled library: {len(self.latents)} nuclei."
        return f"Library {self.own.name!r}: {self.own.shapes.summary}"

    def use(self, library: OwnLibrary | None) -> None:
        """Take shapes from a library that was made here, or, with None, from the bundled one."""
        self.own = library
        self._tell()
        self.changed.emit()
        self._say(Note("done", self.summary, "Stamp its shapes, or sample a field under Mask."))

    def _tell(self) -> None:
        """Let fields be sampled from the library in use too."""
        setting, title = (self.own.setting, self.own.name) if self.own is not None else ("", "")
        self._context.field.use_library(setting, title)

    # ---- making and keeping one

    def make_of_mask(self, min_box: int = MIN_BOX) -> None:
        """Make a library of the nuclei in the current mask, and use it."""
        layer = self._context.masks.current
        labels = None if layer is None else mask_array(layer)
        if layer is None or labels is None or labels.ndim != 2:
            text = "There is no 2-D mask to make a library of."
            self._say(Note("problem", text, "Choose a mask, or a folder of masks."))
            return
        self._make(labels, layer.name, min_box)

    def make_of_folder(self, folder: str | Path, min_box: int = MIN_BOX) -> None:
        """Make a library of all masks in a folder, and use it."""
        with problems_said(self._say):
            self._make(mask_files(folder), Path(folder).name, min_box)

    def open(self, path: str | Path) -> None:
        """Read a library file, and use it."""
        path = Path(path).expanduser()
        self._make(path, path.stem, self.min_box)

    def _make(self, source: Path | list[Path] | np.ndarray, name: str, min_box: int) -> None:
        self.min_box = min_box

        def make(shapes: ShapeModel) -> None:
            work = LibraryWork(shapes, source, name, min_box)
            self.making = True
            self._jobs.run("Making a library", work, self._made, total=work.steps, failed=self._not_made)

        self._loader.use(make)

    def _made(self, library: OwnLibrary) -> None:
        self.making = False
        self.made = [known for known in self.made if known.setting != library.setting] + [library]
        self.use(library)

    def _not_made(self, error: SynthError | None) -> None:
        self.making = False

    def save(self, path: str | Path) -> None:
        """Write the library in use as one ``.npz`` file."""
        with problems_said(self._say):
            self._save(Path(path).expanduser())

    def _save(self, path: Path) -> None:
        own, shapes = self.own, self._loader.shapes
        if own is None or shapes is None:
            raise InputError("The bundled library is in use.", "Make a library of your own masks first.")
        path = path if path.suffix.lower() == ".npz" else path.with_name(path.name + ".npz")
        own.shapes.save(path)
        self.own = replace(own, setting=shapes.keep(own.latents, path))
        self.made[self.made.index(own)] = self.own
        self._tell()
        self._say(Note("done", f"Saved {path.name} with {len(own.shapes)} nuclei.", "Open it here to go on with it."))
