"""Ways through the latent space."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np

from napari_synth.core import arguments
from napari_synth.core.errors import InputError, unknown_name

MOST_STEPS = 10_000
PathKind = Literal["spherical", "linear"]


def latent_path(start: np.ndarray, end: np.ndarray, steps: int, kind: PathKind = "spherical") -> np.ndarray:
    """Latent vectors from one to another, both included.

    A spherical path (Shoemake 1985) turns the direction at even speed while the length changes
    evenly: points between two draws of N(0, 1) are then as likely as the draws. A linear one passes
    nearer to the origin.

    Parameters
    ----------
    start, end : ndarray, shape (L,)
    steps : int
        Number of vectors, at least 2.
    kind : {'spherical', 'linear'}

    Returns
    -------
    ndarray, shape (steps, L), float32
        The first and the last are start and end exactly.

    Raises
    ------
    InputError
        If there are fewer than 2 steps or more than `MOST_STEPS`, or the kind is unknown.
    """
    steps = arguments.whole_number(steps, "steps")
    if steps < 2:
        raise InputError(f"A walk of {steps} step does not lead anywhere.", "Give at least 2 steps.")
    if steps > MOST_STEPS:
        raise InputError(f"A walk of {steps} steps is too long.", f"Give at most {MOST_STEPS}.")
    if kind not in get_args(PathKind):
        raise unknown_name("path", kind, list(get_args(PathKind)))
    start, end = np.asarray(start, np.float64), np.asarray(end, np.float64)
    alpha = np.linspace(0, 1, steps)[:, None]
    path = (1 - alpha) * start + alpha * end
    lengths = np.linalg.norm(start), np.linalg.norm(end)
    if kind == "spherical" and min(lengths) > 0:
        a, b = start / lengths[0], end / lengths[1]
        angle = np.arccos(np.clip(a @ b, -1, 1))
        # Between parallel vectors there is no turn, between opposite ones no single way to turn.
        if 1e-4 < angle < np.pi - 1e-4:
            directions = (np.sin((1 - alpha) * angle) * a + np.sin(alpha * angle) * b) / np.sin(angle)
            path = directions * ((1 - alpha) * lengths[0] + alpha * lengths[1])
    vectors: np.ndarray = path.astype(np.float32)
    vectors[0], vectors[-1] = start, end
    return vectors


def latent_at(a: np.ndarray, b: np.ndarray, c: np.ndarray, u: float, v: float) -> np.ndarray:
    """A place on the plane through three latent vectors: A at (0, 0), B at (1, 0), C at (0, 1).

    The result has the length that the three have there on average, so that it stays as likely as
    they are. Shapes (L,), float32.
    """
    weights = np.array([1 - u - v, u, v])
    vectors = np.stack([a, b, c]).astype(np.float64)
    z = weights @ vectors
    length = np.linalg.norm(z)
    nearness = np.abs(weights) / np.abs(weights).sum()
    wanted = nearness @ np.linalg.norm(vectors, axis=1)
    return (z * (wanted / length) if length > 0 else z).astype(np.float32)
