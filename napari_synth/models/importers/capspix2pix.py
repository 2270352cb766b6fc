"""CapsPix2Pix as published (Bass et al. 2019)."""

from __future__ import annotations

import json
import re
from pathlib import Path

from napari_synth.core.errors import InputError
from napari_synth.models.card import ModelCard
from napari_synth.models.importers.base import Imported, Importer, Names, Wishes, renamed, shape_of
from napari_synth.models.importers.states import State, read_state

LATENT, PLANE = 100, 256
SETTINGS = "parameters.json"
"""What the program writes beside its checkpoints."""
KNOWN = {"caps_nonlinearity": ("sqaush", "squash"), "gan_nonlinearity": ("leakyRelu",), "noise_source": ("input",)}
"""Settings that change the image, and their values that are rendered; the first is spelled as in the program."""
USED = "The checkpoint was trained with {}, which is not rendered here."
RETRAIN = "Train it with the settings of the publication, or render with the original program."


def convert(paths: tuple[Path, ...], wishes: Wishes) -> Imported:
    """The generator; its layers that are never used are left out."""
    path = paths[0]
    state = read_state(path, lambda tensors: {"conv1.weight", "convcaps1.conv2d.weight"} <= set(tensors), wishes.part)
    _check_noise(state)
    _check_norms(state)
    names: Names = {"fc": "fc", "conv1": "conv1", "conv2": "conv2"}
    names |= {f"convcaps{i}.conv2d": f"convcaps{i}.conv" for i in (1, 2, 3, 4, 5, 6, 8, 9, 10)}
    names |= {f"deconvcaps{i}.deconv2d": f"deconvcaps{i}.conv" for i in (1, 2, 3)}
    weights = renamed(state, names, r"\.bn\.|^convcaps7\.|^recon")
    if shape_of(weights, "conv1.weight"):  # theirs reads [mask, latent plane], ours [latent plane, mask]
        weights["conv1.weight"] = weights["conv1.weight"].flip(1)
    if _has_tanh(path.with_name(SETTINGS)):  # (tanh x + 1) / 2 is the sigmoid of 2 x
        weights |= {name: 2 * weights[name] for name in ("conv2.weight", "conv2.bias") if name in weights}
    card = ModelCard(
        id=wishes.model_id,
        architecture="capspix2pix",
        role="generator",
        mask_meaning="foreground",
        latent_size=LATENT,
        network_range=(0, 1),
        tile_multiple=8,
    )
    return Imported(weights, card)


def _check_noise(state: State) -> None:
    """Raise `InputError` where noise enters elsewhere, or the latent plane has another size."""
    for layer, source in (("conv_noise", "broadcast_conv"), ("conv_latent", "broadcast_latent"),
                          ("conv_dropout", "dropout")):  # fmt: skip
        if any(name.startswith(f"{layer}.") for name in state):
            raise InputError(USED.format(f"noise_source={source}"), RETRAIN)
    pixels, latent = shape_of(state, "fc.weight", 2)
    if (pixels, latent) != (PLANE**2, LATENT):
        raise InputError(
            USED.format(f"image_size={round(pixels**0.5)} and noise_size={latent} instead of {PLANE} and {LATENT}"),
            RETRAIN,
        )


def _check_norms(state: State) -> None:
    """Raise `InputError` where the norms, which every checkpoint holds, were used in training."""
    for name, tensor in state.items():
        counted = name.endswith(".bn.num_batches_tracked") and tensor.any()
        moved = name.endswith(".bn.running_mean") and tensor.any()
        if (counted or moved) and not re.match("convcaps7", name):
            raise InputError(USED.format(f"batch_norm=True ({name} has moved)"), RETRAIN)


def _has_tanh(path: Path) -> bool:
    """Whether the settings beside the checkpoint name a tanh; `InputError` where they name what is not rendered."""
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    if not isinstance(settings, dict):
        return False
    for name, values in KNOWN.items():
        if settings.get(name, values[0]) not in values:
            raise InputError(USED.format(f"{name}={settings[name]} (as {path.name} says)"), RETRAIN)
    tanh = settings.get("gan_last_nonlinearity") == "tanh"
    if tanh and not settings.get("normalise_data"):
        raise InputError(USED.format(f"gan_last_nonlinearity=tanh on images in [0, 1] (as {path.name} says)"), RETRAIN)
    return tanh


CAPSPIX2PIX = Importer("CapsPix2Pix (Bass et al. 2019)", convert)
