"""What holds for every test: nobody's settings are touched, and nothing is left behind."""

from __future__ import annotations

import gc
import os
import sys
import threading
import time

import pytest

if workers := os.environ.get("PYTEST_XDIST_WORKER_COUNT"):
    # Tests side by side, and the programs they start, share the processors; read before torch is loaded.
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // int(workers))))

PATIENCE = 20
"""Seconds that a thread may take to end after its test, or a window to go: the first may be loading torch."""


def pytest_collection_finish():
    """Leave what is loaded now out of all later searches for garbage; tests of the window ask for many."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def garbage_collected():
    """The library of BioImage.IO leaves its files open: they are closed before the next test."""
    yield
    gc.collect()


@pytest.fixture(autouse=True)
def settings_file(tmp_path, monkeypatch):
    """No test reads or writes the settings and autosaved masks of the person who runs it."""
    path = tmp_path / "settings" / "settings.json"
    monkeypatch.setenv("NAPARI_SYNTH_SETTINGS", str(path))
    monkeypatch.setenv("NAPARI_SYNTH_STATE", str(tmp_path / "state"))
    return path


@pytest.fixture(autouse=True)
def nothing_left():
    """No test leaves a window or a thread of the program to the next."""
    before = {*_windows(), *_threads()}
    yield
    end = time.monotonic() + PATIENCE
    while (left := _left(before)) and time.monotonic() < end:
        time.sleep(0.002)
    left = [f"{one!r}{_holders(one)}" for one in left]
    assert not left, "\n".join(["The test leaves behind:", *left])


def _left(before):
    """What there is now and was not before, once Qt has deleted what is to be deleted."""
    core = sys.modules.get("qtpy.QtCore")
    if core is not None and core.QCoreApplication.instance() is not None:
        core.QCoreApplication.processEvents()
        core.QCoreApplication.sendPostedEvents(None, core.QEvent.Type.DeferredDelete.value)
    return [one for one in [*_windows(), *_threads()] if one not in before]


def _threads():
    return [thread for thread in threading.enumerate() if thread.name.startswith("napari-synth")]


def _windows():
    """Widgets without a parent; none where no test has made a Qt application yet."""
    widgets = sys.modules.get("qtpy.QtWidgets")
    application = widgets and widgets.QApplication.instance()
    return application.topLevelWidgets() if application else []


def _holders(one):
    holders = [holder for holder in gc.get_referrers(one) if type(holder).__name__ not in ("frame", "list")]
    return "".join(f"\n    held by {type(holder).__name__}: {holder!r:.200}" for holder in holders)
