"""Many small logistic regressions on the same samples at once, with different labels and folds."""

from __future__ import annotations

import numpy as np
from scipy.special import expit

ITERATIONS = 100
SMALL = 1e-6
"""Of the largest entry of the gradient."""
HALVINGS = 20


def held_out_scores(x: np.ndarray, labels: np.ndarray, folds: np.ndarray, penalty: float) -> np.ndarray:
    """Scores of each sample from the regression that was fitted without its fold.

    Each regression minimises ‖β‖² / 2 + penalty · Σ w_i log(1 + exp(-s_i (x_i·β + b))) with s_i = ±1, both classes
    weighing as much, by Newton steps: scikit-learn's ``LogisticRegression(C=penalty, class_weight="balanced")``.

    Parameters
    ----------
    x : ndarray, shape (N, K)
    labels : ndarray, shape (P, N), int
        0 or 1, of each of the problems.
    folds : ndarray, shape (P, N), int
        From 0.
    penalty : float

    Returns
    -------
    ndarray, shape (P, N)
        0 where a fold leaves one class alone.
    """
    scores = np.zeros(labels.shape)
    for fold in range(int(folds.max(initial=0)) + 1):
        held = folds == fold
        counts = np.stack([((labels == kind) & ~held).sum(1) for kind in (0, 1)], 1)
        usable = (counts > 0).all(1) & held.any(1)
        chosen = np.where(labels[usable] == 1, counts[usable, 1:], counts[usable, :1])
        weights = np.where(held[usable], 0.0, penalty * counts[usable].sum(1, keepdims=True) / (2 * chosen))
        scores[usable] += np.where(held[usable], _fitted(x, labels[usable], weights) @ _with_one(x).T, 0.0)
    return scores


def _with_one(x: np.ndarray) -> np.ndarray:
    return np.concatenate([x, np.ones((len(x), 1))], 1)


def _fitted(x: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Coefficients and intercept of each problem, (P, K + 1)."""
    with_one, signs = _with_one(x), 2.0 * labels - 1
    size = with_one.shape[1]
    products = (with_one[:, :, None] * with_one[:, None]).reshape(len(x), -1)
    shrunk = np.append(np.ones(size - 1), 0.0)  # the intercept is free

    def loss(found: np.ndarray) -> np.ndarray:
        value: np.ndarray = (weights * np.logaddexp(0, -signs * (found @ with_one.T))).sum(1) + (shrunk * found**2).sum(
            1
        ) / 2
        return value

    found = np.zeros((len(labels), size))
    best = loss(found)
    for _ in range(ITERATIONS):
        wrong = expit(-signs * (found @ with_one.T))
        slope = -(weights * signs * wrong) @ with_one + shrunk * found
        if np.abs(slope).max(initial=0) < SMALL:
            break
        bend = ((weights * wrong * (1 - wrong)) @ products).reshape(-1, size, size) + np.diag(shrunk + 1e-12)
        step = np.linalg.solve(bend, slope[..., None])[..., 0]
        for _ in range(HALVINGS):  # where a whole step leads up
            value = loss(found - step)
            up = value > best + 1e-12
            if not up.any():
                break
            step[up] /= 2
        found, best = found - step, value
    return found
