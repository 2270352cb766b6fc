"""A fine-tuning in a process of its own, as a window starts it; it goes on when that is gone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from napari_synth.core.errors import Cancelled, InputError, SynthError, WorkError
from napari_synth.core.files import already_there, writing
from napari_synth.core.locks import is_held
from napari_synth.core.progress import CancelToken
from napari_synth.training.fine_tune.request import FineTuneRequest, RunFiles
from napari_synth.training.state import RESUME_SUFFIX

POLL_SECONDS = 0.05
NICE = 5
"""So much it steps back behind the window, where the system knows that."""
SAID = 20_000
"""Bytes at the end of what a process said that are read."""
PATHS = ("data", "out", "unlabelled")


def command_of(request: FineTuneRequest, *more: str) -> list[str]:
    """The command line of a fine-tuning: the Python that runs, and ``napari_synth fine-tune``."""
    parts = [f"--out={request.out}", f"--minutes={request.minutes}", f"--seed={request.seed}"]
    parts += [f"--device={request.device}"]
    parts += [f"--name={request.look}"] if request.look else []
    parts += [f"--start-look={request.start_look}"] if request.start_look else []
    parts += [f"--unlabelled={request.unlabelled}"] if request.unlabelled is not None else []
    parts += [f"--set={name}={value}" for name, value in request.settings.items()]
    parts += ["--resume"] if request.resume else []
    parts += ["--overwrite"] if request.overwrite else []
    given = (("check", request.check), ("judge", request.judge), ("deep", request.deep))
    parts += [f"--no-{name}" for name, wanted in given if not wanted]
    return [sys.executable, "-m", "napari_synth", "fine-tune", *parts, *more, "--", request.model, str(request.data)]


def order_path(out: Path) -> Path:
    """Where beside a model it is written what it was asked for, so that any window can go on with it."""
    return out.with_suffix(".fine-tune.json")


def log_path(out: Path) -> Path:
    """What the process says, errors of Python included."""
    return out.with_suffix(".log")


def remembered(out: Path) -> FineTuneRequest | None:
    """What the model at ``out`` was asked for; None where nothing tells."""
    try:
        kept = json.loads(order_path(out).read_text(encoding="utf-8"))
        paths = {name: None if kept[name] is None else Path(kept[name]) for name in PATHS}
        request = FineTuneRequest(**kept | paths | {"out": out})
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return replace(request, resume=True, check=False)


def is_running(out: Path) -> bool:
    """Whether some process fine-tunes this model now."""
    return is_held(RunFiles(out).lock_path)


def begun(out: Path) -> bool:
    """Whether a run of this name has left something to go on with."""
    return remembered(out) is not None and (out.with_suffix(RESUME_SUFFIX).exists() or is_running(out))


def start(request: FineTuneRequest) -> subprocess.Popen[bytes]:
    """Start the process; it does not end with this one.

    Raises
    ------
    InputError
        If the model is there and is not gone on with.
    WorkError
        If another run writes it, or the folder cannot be written.
    """
    out = request.out
    if is_running(out):
        raise WorkError(
            f"The model {out} is in use by another run.", "Wait until that has ended, or choose another name."
        )
    if not request.resume:
        if out.exists() and not request.overwrite:
            raise already_there(out)
        kept = asdict(request) | {
            name: None if getattr(request, name) is None else str(getattr(request, name)) for name in PATHS
        }
        with writing(order_path(out)) as temporary:
            temporary.write_text(json.dumps(kept, indent=1), encoding="utf-8")
        with suppress(OSError):
            request.progress_path.unlink(missing_ok=True)
    try:
        with log_path(out).open("wb") as log:
            process = subprocess.Popen(
                command_of(request), stdin=subprocess.DEVNULL, stdout=log, stderr=log, **_apart()
            )
    except OSError as error:
        raise WorkError(f"The training could not be started ({error.strerror}).", "Check the folder.") from error
    if hasattr(os, "setpriority"):
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, process.pid, NICE)
    return process


def plan_in_words(request: FineTuneRequest, cancel: CancelToken) -> str:
    """What ``fine-tune --plan`` says, from a process of its own: it leaves no memory behind.

    Raises
    ------
    InputError
        If pairs, start or settings are unusable.
    Cancelled
        If ``cancel`` was set.
    """
    process = subprocess.Popen(
        command_of(request, "--plan"), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    with process:
        while True:
            try:
                out, err = process.communicate(timeout=POLL_SECONDS)
                break
            except subprocess.TimeoutExpired:
                if cancel.cancelled:
                    process.kill()
                    raise Cancelled from None
    if process.returncode:
        raise problem_in(err.decode(errors="replace"), process.returncode)
    return out.decode(errors="replace").strip()


def problem_of(out: Path, status: int | None) -> SynthError:
    """What ended the process of a model that told no event of it."""
    try:
        with log_path(out).open("rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - SAID))
            said = log.read().decode(errors="replace")
    except OSError:
        said = ""
    return problem_in(said, status)


def problem_in(said: str, status: int | None) -> SynthError:
    """The error in the last two lines of what a process of this program said."""
    lines = [line for line in said.strip().splitlines() if line.strip()]
    if status in (1, 2) and len(lines) >= 2 and "Traceback (most recent" not in said:
        return (InputError if status == 2 else WorkError)(lines[-2], lines[-1])
    how = "" if not status else f" by signal {-status}" if status < 0 else f" with status {status}"
    why = f" ({lines[-1]})" if status and status > 0 and lines else ""
    return WorkError(f"The process of the training was ended{how}{why}.", "Go on from its last state, or begin anew.")


def _apart() -> dict[str, Any]:
    """So that Ctrl+C in the terminal of the window, and its end, do not reach the process."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.DETACHED_PROCESS}
    return {"start_new_session": True}
