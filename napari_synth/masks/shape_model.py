"""A trained shape model: latent codes to nucleus shapes and back."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from napari_synth.core import arguments
from napari_synth.core.errors import InputError
from napari_synth.core.files import user_path
from napari_synth.datasets.shape_library import (
    LIBRARY_SUFFIX,
    SHAPE_SIZE,
    ShapeLibrary,
    read_library,
    read_shapes,
    with_side,
)
from napari_synth.masks.shape_codes import Latents
from napari_synth.models.checkpoint import SUFFIX, file_hash
from napari_synth.models.registry import RoleModel, TrainedModel, resolve_model

if TYPE_CHECKING:
    from torch import Tensor

    from napari_synth.nets.dvae import FoldedDecoder

ENCODED_AT_ONCE = 256
HELD = "held:"
"""The name of a library that no file keeps begins so."""


class ShapeModel(RoleModel):
    """Decoder and encoder of 64×64 nucleus shapes, with a library of real ones."""

    roles = ("shapes",)
    does = "decode nucleus shapes"

    def __init__(self, trained: TrainedModel):
        super().__init__(trained)
        self._libraries: dict[tuple[Path, int], Latents] = {}
        self._held: dict[str, Latents] = {}

    @cached_property
    def _decoder(self) -> FoldedDecoder:
        from copy import deepcopy

        from napari_synth.nets.dvae import DVAE, FoldedDecoder

        return FoldedDecoder(deepcopy(cast(DVAE, self._trained.network)))

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
        return self._decoded(z, self._decoder)

    def decode_as_trained(self, z: np.ndarray) -> np.ndarray:
        """`decode` by the network as it was trained: slower, and bit for bit what first versions gave."""
        network: Any = self._trained.network
        return self._decoded(z, network.decode)

    def _decoded(self, z: np.ndarray, decode: Any) -> np.ndarray:
        import torch

        codes = np.atleast_2d(arguments.numbers(z, "z").astype(np.float32))
        if codes.ndim != 2 or codes.shape[1] != self.card.latent_size:
            raise InputError(
                f"The latent codes have shape {np.shape(z)}.", f"Give (N, {self.card.latent_size}) numbers."
            )
        if not np.isfinite(codes).all():
            raise InputError("The latent codes contain NaN or infinity.", "Give finite numbers.")
        with torch.inference_mode():
            shapes: Tensor = decode(torch.from_numpy(codes).to(self._trained.device))
        return shapes[:, 0].cpu().numpy()

    def encode(self, shapes: np.ndarray) -> np.ndarray:
        """Latent means of binary shapes ``(N, 64, 64)``; ``(N, latent)`` float32."""
        return self.posterior(shapes)[0]

    def posterior(self, shapes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean and log-variance of the codes of binary shapes ``(N, 64, 64)``, each ``(N, latent)`` float32."""
        import torch

        shapes = arguments.numbers(shapes, "shapes")
        if shapes.ndim != 3 or shapes.shape[1:] != (SHAPE_SIZE, SHAPE_SIZE):
            raise InputError(f"The shapes are {shapes.shape}.", "Give (N, 64, 64) masks.")
        network: Any = self._trained.network
        x = torch.from_numpy((shapes > 0).astype(np.float32))[:, None]
        means, log_variances = [], []
        with torch.inference_mode():
            for part in x.split(ENCODED_AT_ONCE):
                mean, log_variance = network.encode(part.to(self._trained.device))
                means.append(mean.cpu())
                log_variances.append(log_variance.cpu())
        return torch.cat(means).numpy(), torch.cat(log_variances).numpy()

    def fitted(self, shapes: np.ndarray) -> np.ndarray:
        """Shapes ``(N, 64, 64)`` at the size this model was trained on."""
        return with_side(shapes, self.card.shape_side) if self.card.shape_side else shapes

    def coded(self, library: ShapeLibrary, on_part: Callable[[int], None] = lambda done: None) -> ShapeLibrary:
        """A library with the codes this model gives it, at the size this model wants.

        Parameters
        ----------
        library : ShapeLibrary
        on_part : callable
            Told before each part how many shapes have their codes; what it raises ends the work.
        """
        from dataclasses import replace

        if library.codes is not None and library.coded_by == self.sha256:
            return library
        parts = []
        for first in range(0, len(library), ENCODED_AT_ONCE):
            on_part(first)
            shapes = self.fitted(library.shapes[first : first + ENCODED_AT_ONCE])
            parts.append((shapes, *self.posterior(shapes)))
        shapes, codes, log_variances = (np.concatenate(part) for part in zip(*parts, strict=True))
        return replace(library, shapes=shapes, codes=codes, log_variances=log_variances, coded_by=self.sha256)

    def keep(self, latents: Latents, path: Path | None = None) -> str:
        """Hold the codes of a library in memory; returns the name under which `latents` finds them.

        Parameters
        ----------
        latents : Latents
        path : Path, optional
            The file that has this library; without one the name is good in this process alone.
        """
        if path is not None:
            self._libraries[_version_of(path)] = latents
            return str(path)
        name = HELD + hashlib.sha256(latents.shapes.tobytes() + latents.codes.tobytes()).hexdigest()[:12]
        self._held[name] = latents
        return name

    @property
    def library_path(self) -> Path:
        """Where the library that belongs to this model lies, if it has one."""
        return self.path.with_name(self.path.name.removesuffix(SUFFIX) + LIBRARY_SUFFIX)

    def latents(self, library: str | Path = "") -> Latents:
        """The codes of a library.

        Parameters
        ----------
        library : str or Path, optional
            A library file, a folder of masks or a name that `keep` gave; the model's own library when not given.

        Raises
        ------
        InputError
            If there is no such library.
        """
        if str(library).startswith(HELD):
            if library not in self._held:
                raise InputError("The shape library was never saved to a file.", "Save it, and name the file instead.")
            return self._held[str(library)]
        path = user_path(library) if library else self.library_path
        if not path.exists():
            if library:
                raise InputError(f"There is no shape library {path}.", "Check the path.")
            raise InputError(
                f"The shape model {self.card.id} has no library of real shapes.",
                "Give a library file or a folder of masks, or use the sampler 'prior'.",
            )
        key = _version_of(path)
        if key not in self._libraries:
            self._libraries[key] = latents_of(self.coded(read_library(path)))
        return self._libraries[key]


def _version_of(path: Path) -> tuple[Path, int]:
    return path.resolve(), path.stat().st_mtime_ns


def latents_of(library: ShapeLibrary) -> Latents:
    """The codes of a library that has them."""
    if library.codes is None or library.log_variances is None:
        raise ValueError("The library has no codes.")
    return Latents(library.codes, np.exp(library.log_variances), library.shapes, library.area_px)


def own_latents(name: str) -> Latents:
    """The codes of a model's own library, without loading the model or torch.

    Raises
    ------
    InputError
        If the model has no library, or it was made for other weights.
    """
    path = resolve_model(name)
    library = path.with_name(path.name.removesuffix(SUFFIX) + LIBRARY_SUFFIX)
    if not library.is_file():
        raise InputError(f"The shape model {name} has no library of real shapes.", "Train it again, or use another.")
    shapes = read_shapes(library)
    if shapes.codes is None or shapes.coded_by != file_hash(path):
        raise InputError(f"{library.name} was not made for {path.name}.", "Put the files that belong together back.")
    return latents_of(shapes)
