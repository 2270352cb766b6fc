"""A BioImage.IO model package: a network with declared axes and ranges (specification 0.4 or 0.5)."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from napari_synth.core.errors import InputError
from napari_synth.core.meanings import MaskMeaning
from napari_synth.models.importers.base import Imported, Importer, Wishes
from napari_synth.models.importers.torchscript import foreign_model

LETTERS = {"batch": "b", "channel": "c", "y": "y", "x": "x"}
NEUTRAL = ("ensure_dtype",)
UINT8 = (0.0, 255.0)
CONFIG = "napari-synth"
"""Under this name a package says what only this program asks for, such as how masks are to be read."""


def convert(paths: tuple[Path, ...], wishes: Wishes) -> Imported:
    """The program of a package, from a mask to an image; what the package says comes before what the user says."""
    path = paths[0]
    described = _description(path)
    inputs, outputs = described.inputs, described.outputs
    if len(inputs) != 1 or len(outputs) != 1:
        raise _refused(path, f"reads {len(inputs)} images and gives {len(outputs)}", "one that reads and gives one")
    axes, sizes, channels = _layout(path, inputs[0])
    out_axes, _, out_channels = _layout(path, outputs[0])
    if channels not in (1, 3) or out_channels not in (1, 3):
        raise _refused(path, f"reads {channels} channels and gives {out_channels}", "one with 1 or 3 of each")
    gain, offset = _linear(path, inputs[0].preprocessing, "preprocessing")
    low, high = _range(inputs[0]) or wishes.reads
    hyper: dict[str, Any] = {"axes": axes, "out_axes": out_axes, "in_channels": channels}
    hyper |= {"background": gain * low + offset, "object": gain * high + offset}
    after_gain, after_offset = _linear(path, outputs[0].postprocessing, "postprocessing")
    gives = _range(outputs[0]) or wishes.gives
    if gives is None:
        raise InputError(
            f"The package {path.name} does not say which range its image has.",
            "Say it with --gives BLACK,WHITE, such as --gives -1,1 after a tanh.",
        )
    black, white = ((end - after_offset) / after_gain for end in gives)
    multiple, side = _multiple(path, sizes)
    hyper["side"] = side
    made = foreign_model(_program(path, described), path.name, wishes.model_id, hyper, (black, white), multiple)
    return replace(made, card=made.card.model_copy(update={"mask_meaning": _meaning(described)}))


def _meaning(described: Any) -> MaskMeaning:
    """How masks are to be read, where the package was made by this program."""
    own = (described.config.model_extra or {}).get(CONFIG)
    said = own.get("mask_meaning") if isinstance(own, dict) else None
    # The range of the values, background first, is said by the input itself.
    return "foreground-gap" if said == "foreground-gap" else "foreground"


def _description(path: Path) -> Any:
    try:
        from bioimageio.spec import InvalidDescr, load_model_description
        from bioimageio.spec.model import v0_5
    except ImportError as error:
        raise InputError(
            "Reading a BioImage.IO package needs bioimageio.spec.", "Install it: pip install napari-synth[bioimageio]."
        ) from error
    if not path.is_file() or not zipfile.is_zipfile(path):
        raise InputError(f"{path} is not a BioImage.IO package.", "Give the zip file that was downloaded.")
    try:
        described = load_model_description(path, perform_io_checks=False, format_version="latest")
    except (ValueError, TypeError, OSError, KeyError) as error:
        raise _invalid(path, str(error).splitlines()[0]) from error
    if isinstance(described, InvalidDescr) or not isinstance(described, v0_5.ModelDescr):
        raise _invalid(path, "it does not follow the specification")
    return described


def _layout(path: Path, tensor: Any) -> tuple[str, dict[str, Any], int]:
    """Order of the axes, sizes by axis, and channels."""
    sizes, order, channels = {}, "", 1
    for axis in tensor.axes:
        letter = LETTERS.get(str(axis.id)) or LETTERS.get(str(axis.type))
        if letter is None:
            raise _refused(path, f"has an axis {axis.id}", "one of images with y, x and channels")
        order += letter
        if letter == "c":
            channels = len(axis.channel_names)
        if letter in "yx":
            sizes[letter] = axis.size
    return order, sizes, channels


def _multiple(path: Path, sizes: dict[str, Any]) -> tuple[int, int]:
    """Of what height and width are multiples, and what they are where they are fixed, else 0."""
    found = []
    for size in (sizes["y"], sizes["x"]):
        if isinstance(size, int):
            found.append((size, size))
        elif hasattr(size, "min") and size.min % max(size.step, 1) == 0:
            found.append((int(size.min), 0))
        else:
            raise _refused(path, f"has sides that cannot be kept ({size})", "one of any size or of one size")
    if found[0] != found[1]:
        raise _refused(path, "reads images that are not square", "one that reads square images")
    return found[0]


def _range(tensor: Any) -> tuple[float, float] | None:
    """The range of the values, where it is said."""
    data = tensor.data[0] if isinstance(tensor.data, tuple | list) else tensor.data
    low, high = getattr(data, "range", (None, None))
    if low is not None and high is not None:
        return float(low), float(high)
    return UINT8 if getattr(data, "type", "") == "uint8" else None


def _linear(path: Path, steps: Any, what: str) -> tuple[float, float]:
    """Gain and offset of steps that are linear whatever the image; others are refused by name."""
    gain, offset = 1.0, 0.0
    for step in steps:
        kwargs: Any = getattr(step, "kwargs", None)
        if step.id in NEUTRAL:
            continue
        if step.id == "scale_linear" and isinstance(kwargs.gain, float | int):
            gain, offset = gain * kwargs.gain, offset * kwargs.gain + kwargs.offset
        elif step.id == "fixed_zero_mean_unit_variance" and isinstance(kwargs.mean, float | int):
            gain, offset = gain / kwargs.std, (offset - kwargs.mean) / kwargs.std
        else:
            raise _refused(path, f"asks for the {what} {step.id}", "one without")
    return gain, offset


def _program(path: Path, described: Any) -> bytes:
    if described.weights.torchscript is None:
        kinds = [name for name, weights in described.weights if weights is not None]
        raise _refused(
            path, f"has weights as {', '.join(kinds) or 'nothing'}", "one with torchscript weights, which need no code"
        )
    from bioimageio.spec.utils import get_reader

    program: bytes = get_reader(described.weights.torchscript).read()
    return program


def _refused(path: Path, what: str, instead: str) -> InputError:
    return InputError(f"The package {path.name} {what}.", f"Use {instead}.")


def _invalid(path: Path, reason: str) -> InputError:
    return InputError(f"{path.name} is not a valid BioImage.IO model package ({reason}).", "Download it again.")


BIOIMAGEIO = Importer("any network from a mask to an image, as a BioImage.IO package", convert, declares=True)
