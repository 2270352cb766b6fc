"""One ``.safetensors`` file = weights + card. No pickle is ever opened."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from napari_synth.core.errors import InputError, brief
from napari_synth.core.files import user_path, writing
from napari_synth.core.untrusted import first_problem
from napari_synth.models.card import ModelCard

if TYPE_CHECKING:
    import torch

CARD_KEY = "napari_synth_card"
SUFFIX = ".safetensors"
PICKLE_SUFFIXES = (".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".bin")


def _checked_path(path: str | Path) -> Path:
    path = user_path(path)
    if path.suffix.lower() not in PICKLE_SUFFIXES and not path.is_file():
        raise InputError(f"The model file {path} does not exist.", "Check the path, or see: napari-synth models list.")
    if path.suffix.lower() in PICKLE_SUFFIXES or _looks_pickled(path):
        raise InputError(
            f"{path.name} is a pickle file, which can run any program when opened.",
            "Use a .safetensors file made by napari-synth.",
        )
    return path


def _looks_pickled(path: Path) -> bool:
    """A pickle, or the zip of pickles that torch writes; a safetensors header opens with a brace after 8 bytes."""
    with path.open("rb") as file:
        start = file.read(9)
    pickled = start[:1] == b"\x80" and start[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05")
    return start[:2] == b"PK" or (pickled and start[8:9] != b"{")


def _unreadable(path: Path, error: Exception) -> InputError:
    return InputError(
        f"{path.name} is damaged or is not a safetensors file ({brief(error)}).", "Copy or download it again."
    )


def read_card(path: str | Path) -> ModelCard:
    """The card in a weights file, without loading torch.

    Raises
    ------
    InputError
        If the file is missing, a pickle, truncated, or carries no card of ours.
    """
    from safetensors import SafetensorError, safe_open

    path = _checked_path(path)
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
    except (SafetensorError, OSError) as error:
        raise _unreadable(path, error) from error
    if CARD_KEY not in metadata:
        raise InputError(f"{path.name} carries no napari-synth model card.", "Use a file made by napari-synth.")
    try:
        return ModelCard.model_validate_json(metadata[CARD_KEY])
    except ValidationError as error:
        problem = ": ".join(first_problem(error, "it"))
        raise InputError(
            f"The model card in {path.name} is not valid: {problem}.",
            "Use a file made by this version of napari-synth.",
        ) from error


def stored_shapes(path: str | Path) -> dict[str, tuple[int, ...]]:
    """The shapes of the tensors in a weights file; the file has as many bytes as they need, and none is read."""
    from safetensors import SafetensorError, safe_open

    path = _checked_path(path)
    try:
        with safe_open(path, framework="numpy") as file:
            return {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise _unreadable(path, error) from error


def load_weights(path: str | Path) -> dict[str, torch.Tensor]:
    """The tensors of a weights file as float32.

    Raises
    ------
    InputError
        If the file is damaged, or holds NaN, infinity or a negative variance.
    """
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    path = _checked_path(path)
    try:
        tensors = load_file(path)
    except (SafetensorError, OSError) as error:
        raise _unreadable(path, error) from error
    weights = {name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in tensors.items()}
    for name, tensor in weights.items():
        usable = not tensor.is_complex() and bool(torch.isfinite(tensor).all())
        if not usable or (name.endswith("running_var") and bool((tensor < 0).any())):
            raise InputError(
                f"The weights in {path.name} are no numbers to compute with: {brief(name)} holds NaN or infinity.",
                "Use the file of a training that did not break down.",
            )
    return weights


def save_model(path: str | Path, card: ModelCard, weights: dict[str, torch.Tensor], *, half: bool = True) -> None:
    """Write weights and card beside ``path`` and rename.

    With ``half`` matrices and kernels are stored as float16; vectors (biases, norm statistics)
    stay float32, since a variance can leave float16's range.
    """
    import torch
    from safetensors.torch import save_file

    stored = {
        name: tensor.detach().cpu().to(torch.float16 if half and tensor.ndim > 1 else tensor.dtype).contiguous()
        for name, tensor in weights.items()
    }
    with writing(path) as temporary:
        save_file(stored, temporary, metadata={CARD_KEY: card.model_dump_json()})
        temporary.chmod(0o644)  # safetensors writes files that only their owner can read


def file_hash(path: str | Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
