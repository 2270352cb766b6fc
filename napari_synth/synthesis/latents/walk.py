"""A walk through the latent space: one mask, one image per step."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_synth.synthesis.capsules.access import find_stage
from napari_synth.synthesis.latents.vectors import check_latent

if TYPE_CHECKING:
    import dask.array

    from napari_synth.synthesis.request import Renderer, Rendering, RenderRequest

KEPT_BYTES = 512 * 2**20


class Walk:
    """Renderings along a path, made when they are looked at and kept while there is room.

    Parameters
    ----------
    generator : Renderer
    request : RenderRequest
        All but z; its captured layers are there at every step.
    path : ndarray, shape (steps, latent)

    Raises
    ------
    InputError
        If the path is of the wrong length or not finite, or a captured layer does not exist.
    """

    def __init__(self, generator: Renderer, request: RenderRequest, path: np.ndarray):
        self.generator = generator
        self.request = request
        self.path = np.stack([check_latent(z, generator.card.latent_size) for z in path])
        self.stages = {layer: find_stage(generator.stages, layer, generator.card.id) for layer in request.capture}
        self._kept: OrderedDict[int, Rendering] = OrderedDict()
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self.path)

    def frame(self, step: int) -> Rendering:
        """The rendering of one step; the same object as long as it is kept."""
        with self._lock:
            if step not in self._kept:
                self._kept[step] = self.generator.run(replace(self.request, z=self.path[step]))
            self._kept.move_to_end(step)
            rendering = self._kept[step]
            size = rendering.image.nbytes + sum(array.nbytes for array in rendering.activations.values())
            while len(self._kept) > max(2, KEPT_BYTES // size):
                self._kept.popitem(last=False)
            return rendering

    def peek(self, step: int) -> Rendering | None:
        """The rendering of a step if it is kept, at once even while another one is made."""
        return self._kept.get(step)

    def images(self) -> dask.array.Array:
        """Lazy stack ``(alpha, y, x)``, uint8."""
        return self._stack(lambda rendering: rendering.image, self.request.mask.shape, np.uint8)

    def activations(self, layer: str) -> dask.array.Array:
        """Lazy stack ``(alpha, capsule, pose, y, x)`` of a captured layer, float32."""
        stage = self.stages[layer]
        height, width = (-(-side // stage.factor) for side in self.request.mask.shape)
        shape = (stage.capsules, stage.channels, height, width)
        return self._stack(lambda rendering: rendering.activations[layer], shape, np.float32)

    def look(self, step: int) -> Rendering | None:
        """What the stacks show of a step; None is shown as zeros."""
        return self.frame(step)

    def _stack(
        self, pick: Callable[[Rendering], np.ndarray], shape: tuple[int, ...], dtype: type[np.generic]
    ) -> dask.array.Array:
        import dask.array

        def block(block_info: dict[Any, Any]) -> np.ndarray:
            rendering = self.look(block_info[None]["chunk-location"][0])
            return (np.zeros(shape, dtype) if rendering is None else pick(rendering))[None]

        chunks = ((1,) * len(self), *((side,) for side in shape))
        empty = np.empty((0,) * (1 + len(shape)), dtype)
        stack: dask.array.Array = dask.array.map_blocks(block, dtype=dtype, chunks=chunks, meta=empty)
        return stack
