"""Follows a training in another process by the files it writes."""

from __future__ import annotations

import subprocess
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from psygnal import Signal
from qtpy.QtCore import QTimer

from napari_synth.training.fine_tune.process import is_running, problem_of
from napari_synth.training.fine_tune.progress_file import ProgressReader
from napari_synth.training.fine_tune.request import RunFiles
from napari_synth.ui.docks.train.jobs import read_sheet
from napari_synth.ui.docks.train.run_state import Run
from napari_synth.ui.jobs.delivery import nothing
from napari_synth.ui.jobs.lanes import Errands, delete

if TYPE_CHECKING:
    from napari_synth.ui.jobs.lanes import Outcome

POLL_MS = 400


class Watching:
    """The training that is shown, if there is one.

    Attributes
    ----------
    run : Run or None
    picture : ndarray or None
        Mask, real image, before and now of crops, or the sheet at the end, ``(Y, X, 3)`` uint8.
    """

    changed = Signal()
    """There is news of the training, or another one."""
    picture_changed = Signal()
    ended = Signal(object)
    """The run that just came to an end, or whose process is gone."""

    def __init__(self) -> None:
        self.run: Run | None = None
        self.picture: np.ndarray | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._reader: ProgressReader | None = None
        self._shown: tuple[str, int] = ("", 0)
        self._was_running = False
        self._errands = Errands()
        self._timer = QTimer(interval=POLL_MS)
        self._timer.timeout.connect(self.look)

    def show(self, run: Run, reader: ProgressReader, process: subprocess.Popen[bytes] | None = None) -> None:
        """Follow a training; that of another window where there is no process.

        Parameters
        ----------
        run : Run
        reader : ProgressReader
            Of its file, after all that the run knows already.
        """
        self.run, self._reader, self._process = run, reader, process
        self.picture, self._shown = None, ("", 0)
        if process is not None:
            run.begin_again()
        self._was_running = run.running
        self.look()
        self._timer.start()
        self.changed.emit()
        self.picture_changed.emit()

    def forget(self) -> None:
        """Show none; what runs goes on, and files stay."""
        self._timer.stop()
        self.run = self._reader = self._process = self.picture = None
        self.changed.emit()
        self.picture_changed.emit()

    def look(self) -> None:
        """Take in what is new."""
        run, reader = self.run, self._reader
        if run is None or reader is None:
            return
        alive = self._process.poll() is None if self._process is not None else is_running(run.out)
        anew, events = reader.new()
        if anew:
            run = self.run = Run(run.out)
        for event in events:
            run.take(event)
        news = bool(events) or alive != run.alive
        run.alive = alive or (bool(events) and not run.ended)
        self._look_at_picture(run)
        if self._was_running and not run.running and (run.ended or not events):
            self._was_running = False
            if run.interrupted:
                error = problem_of(run.out, None if self._process is None else self._process.returncode)
                run.problem, run.action = error.problem, error.action
            self.ended.emit(run)
            news = True
        self._was_running = self._was_running or run.running
        if news:
            self.changed.emit()

    def pause(self) -> None:
        """Let the training wait, or go on."""
        if self.run is not None and self.run.running:
            with suppress(OSError):
                if self._files.pause_path.exists():
                    self._files.pause_path.unlink()
                else:
                    self._files.pause_path.touch()
            self.changed.emit()

    def stop(self) -> None:
        """End the training; what it learned is kept."""
        if self.run is not None and self.run.running:
            with suppress(OSError):
                self._files.stop_path.touch()
            self.changed.emit()

    @property
    def process_id(self) -> int | None:
        """Of the process that this window started."""
        return None if self._process is None else self._process.pid

    @property
    def pausing(self) -> bool:
        """Whether it was told to wait."""
        return self.run is not None and self.run.running and self._files.pause_path.exists()

    @property
    def stopping(self) -> bool:
        """Whether it was told to end."""
        return self.run is not None and self.run.running and self._files.stop_path.exists()

    def close(self) -> None:
        """The window is gone; what runs goes on."""
        self._timer.stop()
        delete(self._timer)
        self._errands.close(nothing)

    @property
    def _files(self) -> RunFiles:
        return RunFiles(self.run.out if self.run is not None else Path())

    def _look_at_picture(self, run: Run) -> None:
        path = run.sheet or run.preview
        try:
            written = Path(path).stat().st_mtime_ns if path else 0
        except OSError:
            return
        if written and (path, written) != self._shown and self._errands.idle:
            self._shown = path, written
            self._errands.submit("Reading the pictures", partial(read_sheet, Path(path)), partial(self._take, run.out))

    def _take(self, out: Path, outcome: Outcome) -> None:
        if outcome.error is None and self.run is not None and self.run.out == out:
            self.picture = outcome.result
            self.picture_changed.emit()
