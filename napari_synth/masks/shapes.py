"""A trained shape model: latent codes to nucleus shapes and back."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_synth.core.errors import InputError
from napari_synth.datasets.shapes import SHAPE_SIZE
from napari_synth.models.registry import RoleModel


class ShapeModel(RoleModel):
    """Decoder and encoder of 64×64 nucleus shapes."""

    role = "shapes"
    does = "decode nucleus shapes"

    def decode(self, z: np.ndarray) -> np.ndarray:
        """Shapes of latent codes, all in one call.

        Parameters
        ----------
        z : ndarray, shape (N, latent) or (latent,)

        Returns
        -------
        ndarray, shape (N, 64, 64), float32
            Probability of nucleus, in [0, 1].

        Raises
        ------
        InputError
            If the codes have another length or are not finite.
        """
        import torch

        codes = np.atleast_2d(np.asarray(z, np.float32))
        if codes.ndim != 2 or codes.shape[1] != self.card.latent_size:
            raise InputError(
                f"The latent codes have shape {np.shape(z)}.", f"Give (N, {self.card.latent_size}) numbers."
            )
        if not np.isfinite(codes).all():
            raise InputError("The latent codes contain NaN or infinity.", "Give finite numbers.")
        network: Any = self._trained.network
        with torch.inference_mode():
            shapes = network.decode(torch.from_numpy(codes).to(self._trained.device))
        return shapes[:, 0].cpu().numpy()

    def encode(self, shapes: np.ndarray) -> np.ndarray:
        """Latent means of binary shapes ``(N, 64, 64)``; ``(N, latent)`` float32."""
        import torch

        shapes = np.asarray(shapes)
        if shapes.ndim != 3 or shapes.shape[1:] != (SHAPE_SIZE, SHAPE_SIZE):
            raise InputError(f"The shapes are {shapes.shape}.", "Give (N, 64, 64) masks.")
        x = torch.from_numpy((shapes > 0).astype(np.float32))[:, None]
        network: Any = self._trained.network
        with torch.inference_mode():
            mean, _ = network.encode(x.to(self._trained.device))
        return mean.cpu().numpy()
