"""MetGAN as its authors' program saves it (Horvath et al. 2022): image path and label path in two files."""

from __future__ import annotations

import re
from pathlib import Path

from napari_synth.core.errors import InputError
from napari_synth.core.intensity import Intensity
from napari_synth.models.card import ModelCard
from napari_synth.models.importers.base import Imported, Importer, Mode, Names, Wishes, renamed, shape_of
from napari_synth.models.importers.norms import with_statistics
from napari_synth.models.importers.states import State, read_state

IMAGE_PATH = {"down1.encode.0.conv.weight", "classify.weight"}
LABEL_PATH = {"fc.weight", "head_0.norm_0.mlp_shared.0.weight"}
BLOCKS = ("head_0", "G_middle_0", "G_middle_1", "up_0", "up_1", "up_2")
DEAD = r"^up_3\.|^conv_img\.|\._"
CHANNELS = 24
"""Of the first stage of the image path as published."""
RANGE = Intensity(dtype="float32", low=-1, high=1)
"""The program brings each image to [-1, 1] by its own minimum and maximum; floats are taken to be so already."""


def convert(paths: tuple[Path, ...], wishes: Wishes) -> Imported:
    """The generator from anatomy and label to the signal."""
    image, label = _both(_with_its_other(paths), wishes.part)
    channels, last = shape_of(image, "down1.encode.0.conv.weight")[0], shape_of(image, "classify.weight")[1]
    if last != channels:
        raise InputError(
            "This MetGAN was trained with --netG unet_spade, which cannot be imported.",
            "Import one that was trained with --netG unet_spade8sm.",
        )
    weights = renamed(image, _image_names()) | renamed(_spectral(label, wishes.mode), _label_names(), DEAD)
    norm = "image" if wishes.mode == "test" else "batch"
    card = ModelCard(
        id=wishes.model_id,
        architecture="metgan-published",
        hyper={
            "norm": norm,
            "width": channels / CHANNELS,
            "ngf": shape_of(label, "fc.weight")[0] // 16,
            "hidden": shape_of(label, "head_0.norm_0.mlp_shared.0.weight")[0],
        },
        role="generator",
        mask_meaning="foreground",
        condition_channels=["anatomy"],
        output_channel="signal",
        intensities={"anatomy": RANGE, "signal": RANGE},
        value_range=(-1, 1),
        tile_multiple=128 if norm == "image" else 64,
    )
    return Imported(with_statistics(weights, norm), card)


def _with_its_other(paths: tuple[Path, ...]) -> tuple[Path, ...]:
    """The two files; the second lies beside the first where it is not named."""
    if len(paths) > 1:
        return paths
    (path,) = paths
    for here, there in (("net_G_", "net_SPADE_"), ("net_SPADE_", "net_G_")):
        other = path.with_name(path.name.replace(here, there))
        if here in path.name and other.is_file():
            return path, other
    raise InputError(
        f"MetGAN is saved in two files, and beside {path.name} lies no other.", "Name both: net_G_A and net_SPADE_A."
    )


def _both(paths: tuple[Path, ...], part: str) -> tuple[State, State]:
    states = [
        read_state(path, lambda tensors: set(tensors) >= IMAGE_PATH or set(tensors) >= LABEL_PATH, part)
        for path in paths
    ]
    found = []
    for names, what in ((IMAGE_PATH, "net_G"), (LABEL_PATH, "net_SPADE")):
        fitting = [state for state in states if set(state) >= names]
        if len(fitting) != 1:
            raise InputError(
                f"Of {' and '.join(path.name for path in paths)} {len(fitting) or 'none'} is the {what} of a MetGAN.",
                "Name its two files: net_G_A and net_SPADE_A.",
            )
        found += fitting
    return found[0], found[1]


def _image_names() -> Names:
    names: Names = {"center.0.conv": "centre.0", "center.0.bn": "centre.1", "classify": "last"}
    for stage in range(6):
        for unit in range(3):
            down, up = f"down{stage + 1}.encode.{unit}", f"up{6 - stage}.decode.{unit}"
            names |= {f"{down}.conv": f"down.{stage}.{unit}.0", f"{down}.bn": f"down.{stage}.{unit}.1"}
            names |= {f"{up}.conv": f"up.{stage}.{unit}.0", f"{up}.bn": f"up.{stage}.{unit}.1"}
    return names


def _label_names() -> Names:
    names: Names = {"fc": "label.head"}
    for number, block in enumerate(BLOCKS):
        for end in "01s":
            theirs, ours = f"{block}.norm_{end}", f"label.blocks.{number}.norm_{end}"
            names |= {f"{theirs}.param_free_norm": f"{ours}.param_free_norm"}
            names |= {f"{theirs}.mlp_shared.0": f"{ours}.mlp_shared.conv"}
            names |= {f"{theirs}.mlp_{k}": f"{ours}.mlp_{k}.conv" for k in ("gamma", "beta")}
            names[f"{block}.conv_{end}"] = f"label.blocks.{number}.conv_{end}"
    return names


def _spectral(state: State, mode: Mode) -> State:
    """Kernels divided by their largest singular value, as the program does before it computes.

    While it is not told to evaluate it improves its estimate by one step first.
    """
    from torch.nn.functional import normalize

    out = {name: tensor for name, tensor in state.items() if not re.search(r"\.weight_(orig|u|v)$", name)}
    for name in (name for name in state if name.endswith(".weight_orig")):
        prefix = name.removesuffix("_orig")
        kernel, u = state[name], state[f"{prefix}_u"]
        matrix = kernel.flatten(1)
        v = state.get(f"{prefix}_v")
        if v is None or mode == "test":
            v = normalize(matrix.T @ u, dim=0, eps=1e-12)
        if mode == "test":
            u = normalize(matrix @ v, dim=0, eps=1e-12)
        out[prefix] = kernel / (u @ matrix @ v)
    return out


METGAN = Importer(
    "MetGAN (Horvath et al. 2022)", convert, True, files=("the image path, net_G_A", "the label path, net_SPADE_A")
)
