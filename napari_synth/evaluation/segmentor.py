"""A trained segmentation network on whole images."""

from __future__ import annotations

import numpy as np

from napari_synth.datasets.mask_encoding import to_network, to_uint8_rgb
from napari_synth.models.registry import RoleModel


class Segmentor(RoleModel):
    """Foreground probability of an image."""

    roles = ("segmentor",)
    does = "segment images"

    def probability(self, image: np.ndarray) -> np.ndarray:
        """``(Y, X)`` or ``(Y, X, 3)`` image to ``(Y, X)`` float32 in [0, 1].

        A segmentor of one channel scales grey values as its card says, any other one stretches them.
        """
        import torch

        scale = next(iter(self.card.intensities.values()), None)
        values = to_network(to_uint8_rgb(image)) if scale is None else scale.to_network(image)[..., None]
        height, width = values.shape[:2]
        multiple = self._trained.card.tile_multiple
        missing = [(0, -height % multiple), (0, -width % multiple), (0, 0)]
        x = torch.from_numpy(np.pad(values, missing, mode="symmetric").transpose(2, 0, 1).copy())[None]
        with torch.inference_mode():
            logits = self._trained.network(x.to(self._trained.device))
        return torch.sigmoid(logits)[0, 0, :height, :width].float().cpu().numpy()

    def foreground(self, image: np.ndarray) -> np.ndarray:
        """Bool ``(Y, X)``: probability above one half."""
        return self.probability(image) > 0.5
