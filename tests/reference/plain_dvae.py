"""The shape DVAE as straight-line arithmetic on a state dict, and its loss in NumPy."""

from __future__ import annotations

import numpy as np
import torch
from torch.nn import functional as F


def _norm_relu(x, weights, name):
    mean, var = weights[f"{name}.running_mean"], weights[f"{name}.running_var"]
    x = (x - mean[None, :, None, None]) / torch.sqrt(var[None, :, None, None] + 1e-5)
    return (x * weights[f"{name}.weight"][None, :, None, None] + weights[f"{name}.bias"][None, :, None, None]).clamp(0)


def plain_encode(x, weights):
    """Mean and log-variance of shapes ``[B, 1, 64, 64]``."""
    for number, stride in enumerate((1, 2, 1, 2)):
        x = F.conv2d(x, weights[f"encoder.{number}.0.weight"], stride=stride, padding=1)
        x = _norm_relu(x, weights, f"encoder.{number}.1")
    hidden = (x.flatten(1) @ weights["encode_hidden.weight"].T + weights["encode_hidden.bias"]).clamp(0)
    return tuple(hidden @ weights[f"{head}.weight"].T + weights[f"{head}.bias"] for head in ("mean", "log_variance"))


def plain_decode(z, weights):
    """Shapes of codes ``[B, latent]``."""
    hidden = (z @ weights["decode_hidden.weight"].T + weights["decode_hidden.bias"]).clamp(0)
    x = (hidden @ weights["decode_features.weight"].T + weights["decode_features.bias"]).clamp(0)
    x = x.reshape(-1, 16, 16, 16)
    for number, stride in enumerate((2, 1, 2)):
        kernel = weights[f"decoder.{number}.0.weight"]
        x = F.conv_transpose2d(x, kernel, stride=stride, padding=1, output_padding=stride - 1)
        x = _norm_relu(x, weights, f"decoder.{number}.1")
    return 1 / (1 + torch.exp(-F.conv_transpose2d(x, weights["decoder.3.weight"], padding=1)))


def plain_loss(x: np.ndarray, decoded: np.ndarray, mean: np.ndarray, log_variance: np.ndarray, beta: float) -> float:
    """(sum of binary cross-entropy + beta * KL) / batch."""
    bce = -(x * np.log(decoded) + (1 - x) * np.log(1 - decoded)).sum()
    kl = 0.5 * (np.exp(log_variance) + mean**2 - 1 - log_variance).sum()
    return float((bce + beta * kl) / len(x))
