"""Losses as formulas on NumPy arrays."""

from __future__ import annotations

import numpy as np


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def least_squares(outputs, target):
    return np.mean((outputs - target) ** 2)


def log_gan(outputs, target):
    p = sigmoid(outputs)
    return -np.mean(target * np.log(p) + (1 - target) * np.log(1 - p))


def weighted_bce(logits, mask, object_weight):
    p = sigmoid(logits)
    return -np.mean(object_weight * mask * np.log(p) + (1 - mask) * np.log(1 - p))


def distance(a, b):
    return np.mean(np.abs(a - b))
