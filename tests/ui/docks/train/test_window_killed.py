"""A window that is killed while a look is trained: the training goes on, and any window shows it again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from textwrap import dedent

import pytest

import napari_synth as ns
from napari_synth.models.checkpoint import read_card
from napari_synth.training.fine_tune.process import is_running
from napari_synth.training.fine_tune.progress_file import read_progress
from napari_synth.training.state import read_training_state
from napari_synth.ui.docks.train.actions import TrainActions
from tests.helpers import pair_folder, small_styled

WINDOW = dedent("""
    import sys
    from qtpy.QtWidgets import QApplication
    from napari.components import ViewerModel
    from napari_synth.ui.docks.train.actions import TrainActions
    from napari_synth.ui.session import Session

    application, viewer, (start, data, folder) = QApplication([]), ViewerModel(), sys.argv[1:]
    session = Session(viewer)
    train = session.actions(TrainActions)
    session.context.look.device = "cpu"
    session.context.open_model(start)
    train.take_folder(data)
    choices = train.choices
    choices.start, choices.name, choices.folder, choices.minutes = start, "mine", folder, 30.0
    train.settings = {"crop": 64, "ndf": 2, "memory": 4, "batch_size": 2, "check_every": 2}
    train.start()
    print("started", flush=True)
    application.exec()
""")
MOMENTS = (0.0, 0.2, 0.5, 1.0, 2.0, 4.0, "a step", "a step", "a step", "a step")
"""Seconds after Start, or whenever the training has told a step."""
PATIENCE = 180


def wait_until(true):
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


def window(*given):
    """A window that starts a training, just after the click on Start."""
    environment = os.environ | {"QT_QPA_PLATFORM": "offscreen"}
    program = subprocess.Popen(
        [sys.executable, "-c", WINDOW, *map(str, given)], env=environment, stdout=subprocess.PIPE, text=True
    )
    assert program.stdout.readline() == "started\n"
    return program


@pytest.mark.slow
def test_a_window_killed_at_ten_moments_leaves_a_training_that_goes_on(opened, finish, qtbot, tmp_path):
    start, data = small_styled(tmp_path / "start.safetensors"), pair_folder(tmp_path / "mine", 4, (128, 128))
    folder = tmp_path / "looks"
    folder.mkdir()
    out = folder / "mine.safetensors"

    def steps():
        return [
            event["step"] for event in read_progress(out.with_suffix(".progress.jsonl")) if event["event"] == "step"
        ]

    try:
        for moment in MOMENTS:
            known = len(steps())
            program = window(start, data, folder)
            if moment == "a step":
                wait_until(lambda known=known: len(steps()) > known)
            else:
                time.sleep(moment)
            program.send_signal(signal.SIGKILL)
            program.wait()
            program.stdout.close()
        wait_until(lambda: is_running(out) and len(steps()) > 0)
        known = len(steps())
        wait_until(lambda: len(steps()) > known)  # without any window
        session = opened()
        actions = session.actions(TrainActions)
        session.context.open_model(start)
        actions.take_folder(data)
        actions.choices.start, actions.choices.name, actions.choices.folder = str(start), "mine", str(folder)
        actions.start()
        finish(actions.jobs, 60_000)
        assert actions.watching.run is not None, actions.note
        assert actions.watching.run.running
        actions.stop()
        qtbot.waitUntil(lambda: actions.watching.run.ended, timeout=120_000)
        assert actions.watching.run.phase == "done", actions.watching.run.problem
        assert actions.watching.run.usable
    finally:
        out.with_suffix(".stop").touch()
        wait_until(lambda: not is_running(out))
        out.with_suffix(".stop").unlink(missing_ok=True)
    assert read_card(out).options == ["mine"]
    ns.load_model(out, "cpu")
    assert read_training_state(out.with_suffix(".ckpt"))["step"] > 0
    known = {f"mine.{end}" for end in ("safetensors", "ckpt", "progress.jsonl", "preview.png", "fine-tune.json", "log")}
    left = {path.name for path in folder.iterdir() if not path.name.startswith(".")}
    assert left - {"mine.sheet.png", "mine.md"} <= known, "nothing half-written"
