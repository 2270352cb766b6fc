"""The latent codes of a shape library: what samplers draw from and the latent map shows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from napari_synth.core.seeds import numpy_rng

MEDOIDS = 100
MEDOID_ROUNDS = 20
MEDOID_POOL = 2000


@dataclass(frozen=True, eq=False)
class Latents:
    """Codes of real shapes.

    Attributes
    ----------
    codes : ndarray, shape (N, latent), float32
        Posterior means.
    variances : ndarray, shape (N, latent), float32
        Posterior variances.
    shapes : ndarray, shape (N, 64, 64), uint8
    area_px : ndarray, shape (N,), float32
    """

    codes: np.ndarray
    variances: np.ndarray
    shapes: np.ndarray
    area_px: np.ndarray

    def __len__(self) -> int:
        return len(self.codes)

    @cached_property
    def centres(self) -> np.ndarray:
        """Indices of about `MEDOIDS` codes that stand for the others."""
        rng = numpy_rng(0, "medoids")
        pool = np.arange(len(self))
        if len(pool) > MEDOID_POOL:
            pool = np.sort(rng.choice(pool, MEDOID_POOL, replace=False))
        centres: np.ndarray = pool[medoids(self.codes[pool], min(MEDOIDS, len(pool)), rng)]
        return centres

    @cached_property
    def plane(self) -> Plane:
        """The two directions in which the codes differ most."""
        return Plane.through(self.codes)


def medoids(points: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Indices of ``count`` points that are central to their clusters.

    Alternates between assigning points to the nearest medoid and moving each medoid to the point
    with the smallest sum of distances in its cluster, from a k-means++ start.
    """
    squared = (points**2).sum(1)
    distance = np.sqrt(np.maximum(squared[:, None] + squared - 2 * points @ points.T, 0))
    chosen = [int(rng.integers(len(points)))]
    nearest = distance[chosen[0]].copy()
    while len(chosen) < count and nearest.max() > 0:
        chosen.append(int(rng.choice(len(points), p=nearest**2 / (nearest**2).sum())))
        nearest = np.minimum(nearest, distance[chosen[-1]])
    centres = np.array(chosen)
    for _ in range(MEDOID_ROUNDS):
        owner = distance[centres].argmin(0)
        moved = centres.copy()
        for cluster in range(len(centres)):
            members = np.flatnonzero(owner == cluster)
            if members.size:
                moved[cluster] = members[distance[np.ix_(members, members)].sum(1).argmin()]
        if (moved == centres).all():
            break
        centres = moved
    return np.sort(centres)


@dataclass(frozen=True)
class Plane:
    """A plane through the latent space.

    Attributes
    ----------
    origin : ndarray, shape (latent,)
    axes : ndarray, shape (2, latent)
        Orthonormal directions.
    """

    origin: np.ndarray
    axes: np.ndarray

    @classmethod
    def through(cls, codes: np.ndarray) -> Plane:
        """The plane of the two largest principal components of the codes."""
        origin = codes.mean(0)
        _, _, directions = np.linalg.svd(codes - origin, full_matrices=False)
        axes = np.zeros((2, codes.shape[1]))
        axes[: min(2, len(directions))] = directions[:2]
        for row in range(2):
            if not axes[row].any():  # a single code has no direction
                axes[row, row % codes.shape[1]] = 1
        signs = np.sign(axes[np.arange(2), np.abs(axes).argmax(1)])
        return cls(origin, axes * signs[:, None])

    def project(self, codes: np.ndarray) -> np.ndarray:
        """``(N, latent)`` to positions ``(N, 2)`` in the plane."""
        positions: np.ndarray = (np.atleast_2d(codes) - self.origin) @ self.axes.T
        return positions

    def lift(self, position: np.ndarray, beside: np.ndarray | None = None) -> np.ndarray:
        """The code at a position; what the plane does not say is taken from the code ``beside``."""
        base = self.origin if beside is None else beside
        code: np.ndarray = base + (np.asarray(position) - self.project(base)[0]) @ self.axes
        return code.astype(np.float32)


def straight_walk(start: np.ndarray, end: np.ndarray, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Codes on the straight line between two codes.

    Returns
    -------
    alpha : ndarray, shape (steps,)
        0 at ``start``, 1 at ``end``.
    codes : ndarray, shape (steps, latent), float32
    """
    alpha = np.linspace(0, 1, steps)
    return alpha, (start + alpha[:, None] * (np.asarray(end) - start)).astype(np.float32)


def traversals(code: np.ndarray, reach: float = 2.5, steps: int = 9) -> np.ndarray:
    """Codes that differ from ``code`` in one dimension each: ``(latent, steps, latent)`` float32."""
    latent = len(code)
    codes = np.tile(np.asarray(code, np.float32), (latent, steps, 1))
    for dimension in range(latent):
        codes[dimension, :, dimension] = np.linspace(-reach, reach, steps)
    return codes
