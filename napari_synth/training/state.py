"""The state from which a run is gone on with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from napari_synth.core.errors import InputError

RESUME_SUFFIX = ".ckpt"


def read_training_state(path: Path) -> dict[str, Any]:
    """The training state in a ``.ckpt`` file.

    Raises
    ------
    InputError
        If the file is missing or is no such state.
    """
    import torch  # here, so that a window knows the names of files without it

    if not path.is_file():
        raise InputError(f"There is no file {path} to go on from.", "Check the path.")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises several kinds for a damaged or foreign file
        raise InputError(f"{path} is not a resumable training state.", "Use the .ckpt file of a run.") from error
    if not isinstance(state, dict) or "identity" not in state:
        raise InputError(f"{path} is not a resumable training state.", "Use the .ckpt file of a run.")
    return state
