"""Models in memory. Used from the threads of jobs."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Protocol

from napari_synth.models.registry import resolve_model

if TYPE_CHECKING:
    from napari_synth.masks.shape_model import ShapeModel
    from napari_synth.synthesis.generator import Generator
    from napari_synth.synthesis.live.follower import LiveRenderer
    from napari_synth.synthesis.pairs import PairModel


class Models(Protocol):
    """Where trained models come from."""

    def generator(self, name: str, device: str) -> LiveRenderer:
        """The generator with this id or path, on this device."""

    def shapes(self, name: str) -> ShapeModel:
        """The shape model with this id or path."""

    def pairs(self, name: str, device: str = "auto") -> PairModel:
        """The model of pairs from noise with this id or path, on this device."""


class LoadedModels:
    """Loads each generator and shape model once per device, and again when its file changed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._generators: dict[tuple[str, str], tuple[int, Generator]] = {}
        self._shapes: dict[str, ShapeModel] = {}
        self._pairs: dict[tuple[str, str], tuple[int, PairModel]] = {}

    def generator(self, name: str, device: str) -> Generator:
        """The generator with this id or path, on this device."""
        path = resolve_model(name)
        changed = path.stat().st_mtime_ns if path.is_file() else 0
        with self._lock:
            known = self._generators.get((str(path), device))
            if known is None or known[0] != changed:
                from napari_synth.synthesis.recipes import load_generator

                known = (changed, load_generator(name, device))
                self._generators[str(path), device] = known
            return known[1]

    def shapes(self, name: str) -> ShapeModel:
        """The shape model with this id or path."""
        with self._lock:
            if name not in self._shapes:
                from napari_synth.api import load_shapes

                self._shapes[name] = load_shapes(name)
            return self._shapes[name]

    def pairs(self, name: str, device: str = "auto") -> PairModel:
        """The model of pairs from noise with this id or path, on this device."""
        path = resolve_model(name)
        changed = path.stat().st_mtime_ns if path.is_file() else 0
        with self._lock:
            known = self._pairs.get((str(path), device))
            if known is None or known[0] != changed:
                from napari_synth.api import load_pairs

                known = (changed, load_pairs(name, device))
                self._pairs[str(path), device] = known
            return known[1]
