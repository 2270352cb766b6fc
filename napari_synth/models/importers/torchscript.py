"""Any other network from a mask to an image, saved as a TorchScript program."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from napari_synth.core.errors import InputError
from napari_synth.models.card import ModelCard
from napari_synth.models.importers.base import Imported, Importer, Wishes

AXES = "bcyx"
CHANNELS = (1, 3)


def convert(paths: tuple[Path, ...], wishes: Wishes) -> Imported:
    """The program with what the user declares of it; how many channels it reads and gives is tried out."""
    path = paths[0]
    if not path.is_file():
        raise InputError(f"The program {path} does not exist.", "Check the path.")
    check_axes(wishes.axes)
    if wishes.gives is None:
        raise InputError(
            f"What {path.name} gives for black and white cannot be seen in it.",
            "Say it with --gives BLACK,WHITE, such as --gives -1,1 after a tanh.",
        )
    hyper = {"axes": wishes.axes, "out_axes": wishes.axes, "background": wishes.reads[0], "object": wishes.reads[1]}
    return foreign_model(path.read_bytes(), path.name, wishes.model_id, hyper, wishes.gives, wishes.multiple)


def foreign_model(
    program: bytes, name: str, model_id: str, hyper: dict[str, Any], gives: tuple[float, float], multiple: int
) -> Imported:
    """A program as a model; channels that ``hyper`` does not name are tried out.

    Raises
    ------
    InputError
        If it is no TorchScript program, or refuses a mask of 1 and of 3 channels.
    """
    import torch

    if not gives[0] < gives[1]:
        raise InputError(
            f"The image of {name} is brighter where it gives less ({gives[0]:g} is black, {gives[1]:g} white).",
            "Let the network end with the opposite sign.",
        )
    try:
        torch.jit.load(io.BytesIO(program), map_location="cpu")
    except Exception as error:  # of many kinds, as the file may be anything
        raise InputError(
            f"{name} is not a TorchScript program.", "Save the network with torch.jit.script or torch.jit.trace."
        ) from error
    weights = {"program": torch.frombuffer(bytearray(program), dtype=torch.uint8)}
    side = hyper.get("side") or multiple * -(-64 // multiple)
    tried = (
        [hyper["in_channels"]] if "in_channels" in hyper else [c for c in CHANNELS if "c" in hyper["axes"] or c == 1]
    )
    reasons = []
    for channels in tried:
        known = hyper | {"program_bytes": len(program), "in_channels": channels}
        try:
            out_channels = _channels_given(known, weights, side)
        except RuntimeError as error:
            reasons.append(str(error).strip().splitlines()[-1])
            continue
        card = ModelCard(
            id=model_id,
            architecture="foreign",
            hyper=known | {"out_channels": out_channels},
            role="generator",
            mask_meaning="foreground",
            network_range=gives,
            tile_multiple=multiple,
        )
        return Imported(weights, card)
    raise InputError(
        f"{name} gives no image for a mask of {side}×{side} pixels and {' or '.join(map(str, tried))} channels "
        f"({reasons[0]}).",
        "Say what it reads with --axes and --multiple.",
    )


def _channels_given(hyper: dict[str, Any], weights: dict[str, Any], side: int) -> int:
    """How many channels the program gives; `RuntimeError` when it does not run."""
    import torch

    from napari_synth.nets.foreign import ForeignProgram

    reasons = []
    for channels in CHANNELS:
        network = ForeignProgram(**hyper | {"out_channels": channels})
        network.load_state_dict(weights)
        mask = torch.zeros(1, 1, side, side)
        mask[..., side // 4 : side // 2, side // 4 : side // 2] = 1
        try:
            with torch.inference_mode():
                network(mask)
        except RuntimeError as error:
            reasons.append(error)
            continue
        return channels
    raise reasons[0]


def check_axes(axes: str) -> None:
    """Raise `InputError` when these are not y, x and at most b and c, each once."""
    if len(set(axes)) != len(axes) or not set("yx") <= set(axes) <= set(AXES):
        raise InputError(
            f"The axes {axes!r} are not those of an image.", "Name y, x and, where there are, b and c, such as bcyx."
        )


TORCHSCRIPT = Importer("any network from a mask to an image, as a TorchScript program", convert, declares=True)
