"""Pairs of label images at random, the same ones everywhere: of discs, some moved, some lost, some new."""

import numpy as np

COUNT = 500


def label_pair(number: int) -> tuple[np.ndarray, np.ndarray]:
    """True and predicted labels, (48, 56) uint16; labels have gaps, and some pairs are empty on one side or both."""
    rng = np.random.default_rng(number)
    true, predicted = np.zeros((48, 56), np.uint16), np.zeros((48, 56), np.uint16)
    y, x = np.mgrid[:48, :56]
    for label in range(1, int(rng.integers(0, 12)) + 1):
        row, column, radius = rng.uniform(0, 48), rng.uniform(0, 56), rng.uniform(3, 9)
        true[(y - row) ** 2 + (x - column) ** 2 < radius**2] = 3 * label
        if rng.random() < 0.85:
            row, column, radius = row + rng.normal(0, 1), column + rng.normal(0, 1), radius * rng.uniform(0.8, 1.2)
            predicted[(y - row) ** 2 + (x - column) ** 2 < radius**2] = 100 - 2 * label
    for label in range(int(rng.integers(0, 3))):
        row, column = rng.uniform(0, 48), rng.uniform(0, 56)
        predicted[(y - row) ** 2 + (x - column) ** 2 < 20] = 200 + label
    return true, predicted
