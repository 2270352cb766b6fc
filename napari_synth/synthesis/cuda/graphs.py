"""CUDA graphs of whole renders: all launches of an image in one.

An image of 256² pixels takes hundreds of kernels, and launching them takes longer than computing them. After the
first image of a kind its launches are recorded in the background; later ones of the same network, size and precision
are played back. ``NAPARI_SYNTH_GRAPHS=0`` in the environment turns that off.
"""

from __future__ import annotations

import weakref
from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock, RLock, Thread
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from napari_synth.core.devices import graphs_wanted
from napari_synth.synthesis.cuda.arrays import Arrays, Draw, Tensors, sent
from napari_synth.synthesis.device_plan import measuring
from napari_synth.synthesis.precision import computing

if TYPE_CHECKING:
    from collections.abc import Hashable

    from napari_synth.models.registry import TrainedModel

SHARE = 0.25
"""Of the memory of a GPU that graphs may keep."""
LARGEST = 2048 * 2048
"""Pixels up to which a graph is worth its memory: what is larger computes for longer than it is launched."""
WARM_UPS = 2


class _Graph:
    """One recorded render, with the memory it reads and writes."""

    def __init__(self, draw: Draw, model: TrainedModel, arrays: Arrays, stream: torch.cuda.Stream):
        self._given = {name: torch.from_numpy(array.copy()).pin_memory() for name, array in arrays.items()}
        self._read = sent(arrays, model.device)
        before = torch.cuda.memory_reserved(model.device)
        stream.wait_stream(torch.cuda.current_stream(model.device))
        with torch.cuda.stream(stream):
            for _ in range(WARM_UPS):
                draw(model, self._read)
        stream.synchronize()
        self._graph = torch.cuda.CUDAGraph()
        # Not torch.cuda.graph, which may run the garbage collector: this is not the thread that Qt lives in.
        with torch.cuda.stream(stream):
            self._graph.capture_begin(capture_error_mode="thread_local")
            try:
                self._drawn = draw(model, self._read)
            finally:
                self._graph.capture_end()
        self.nbytes = max(torch.cuda.memory_reserved(model.device) - before, 0)
        image, finite = self._drawn
        self._image, self._finite = (
            torch.empty(tensor.shape, dtype=tensor.dtype, pin_memory=True) for tensor in (image, finite)
        )

    def played(self, arrays: Arrays) -> tuple[np.ndarray, bool]:
        """The image of other numbers of the same shapes."""
        for name, array in arrays.items():
            np.copyto(self._given[name].numpy(), array)
            self._read[name].copy_(self._given[name], non_blocking=True)
        self._graph.replay()
        self._image.copy_(self._drawn.image, non_blocking=True)
        self._finite.copy_(self._drawn.finite, non_blocking=True)
        torch.cuda.current_stream(self._drawn.image.device).synchronize()
        return self._image.numpy().copy(), bool(self._finite)


@dataclass
class _Kept:
    """A place for the graph of a kind of image."""

    network: weakref.ref[nn.Module]
    graph: _Graph | None = None
    """None while it is recorded, and where that cannot be done."""


class Graphs:
    """The graphs of one GPU; what was not used for longest goes when their memory is used up."""

    def __init__(self, device: torch.device):
        self._device = device
        self._limit = SHARE * torch.cuda.get_device_properties(device).total_memory
        self._kept: OrderedDict[Hashable, _Kept] = OrderedDict()
        self._lock = Lock()
        self._recording: list[Thread] = []
        self.turn = RLock()
        """Held while a graph is recorded or played, so that nobody writes to memory another one reads."""
        self.played = 0
        """Images made by graphs."""

    def find(self, key: Hashable, network: nn.Module) -> _Graph | None:
        """The graph of a kind of image of a network, if there is one."""
        with self._lock:
            kept = self._kept.get(key)
            if kept is None or kept.network() is not network:
                return None
            self._kept.move_to_end(key)
            return kept.graph

    def record(self, key: Hashable, draw: Draw, model: TrainedModel, arrays: Arrays) -> None:
        """Record a graph in the background, once; where that fails images go on being launched one by one."""
        with self._lock:
            kept = self._kept.get(key)
            if kept is not None and kept.network() is model.network:
                return
            self._kept[key] = place = _Kept(weakref.ref(model.network))
            fast = torch.is_autocast_enabled(self._device.type)
            arguments = (place, draw, model, dict(arrays), "fast" if fast else "exact")
            thread = Thread(target=self._record, args=arguments, name="napari-synth graph")
            self._recording = [other for other in self._recording if other.is_alive()] + [thread]
        thread.start()

    def _record(self, place: _Kept, draw: Draw, model: TrainedModel, arrays: Arrays, precision: str) -> None:
        try:
            with self.turn, torch.cuda.device(self._device), computing(self._device, precision):
                graph = _Graph(draw, model, arrays, torch.cuda.Stream(self._device))
        except RuntimeError:
            return
        with self._lock:
            place.graph = graph
            self._make_room()

    def _make_room(self) -> None:
        """Forget networks that are gone, then what was not used for longest, as far as memory asks for it."""
        for key in [key for key, kept in self._kept.items() if kept.network() is None]:
            del self._kept[key]
        while sum(kept.graph.nbytes for kept in self._kept.values() if kept.graph is not None) > self._limit:
            self._kept.popitem(last=False)

    def wait(self) -> None:
        """Return when all that is being recorded is recorded."""
        for thread in list(self._recording):
            thread.join()

    def clear(self) -> None:
        """Give all memory back; what is being recorded ends unused."""
        with self.turn, self._lock:
            self._kept.clear()
        torch.cuda.empty_cache()

    @property
    def count(self) -> int:
        """How many are kept."""
        with self._lock:
            return sum(kept.graph is not None for kept in self._kept.values())


_of_device: dict[torch.device, Graphs] = {}
_lock = Lock()


def graphs_of(device: torch.device) -> Graphs:
    """The graphs of a GPU."""
    with _lock:
        if device not in _of_device:
            _of_device[device] = Graphs(device)
        return _of_device[device]


def drawn(draw: Draw, model: TrainedModel, arrays: Arrays) -> tuple[np.ndarray, bool]:
    """An image and whether all of it is finite: by a graph where there is one, else launched kernel by kernel."""
    if model.device.type != "cuda":
        return _fetched(draw, model, sent(arrays, model.device))
    graphs = graphs_of(model.device)
    shapes = tuple((name, array.shape, array.dtype.str) for name, array in arrays.items())
    key = (id(draw), id(model.network), torch.is_autocast_enabled("cuda"), shapes)
    graph = graphs.find(key, model.network) if graphs_wanted() else None
    if graph is not None:
        with graphs.turn:
            graphs.played += 1
            return graph.played(arrays)
    with graphs.turn, measuring(model, arrays["labels"].size):
        made = _fetched(draw, model, sent(arrays, model.device))
    if graphs_wanted() and arrays["labels"].size <= LARGEST:
        graphs.record(key, draw, model, arrays)
    return made


def _fetched(draw: Draw, model: TrainedModel, tensors: Tensors) -> tuple[np.ndarray, bool]:
    image, finite = draw(model, tensors)
    array: np.ndarray = image.cpu().numpy()
    return array, bool(finite)
