from __future__ import annotations

import errno
import threading
import time
from random import Random

import pytest
from qtpy.QtCore import QCoreApplication, QEvent

from napari_synth.core.errors import Cancelled, InputError, WorkError
from napari_synth.core.progress import Progress
from napari_synth.ui.jobs.lanes import GRACE_MS, Errands, Lane


@pytest.fixture
def lane(qapp):
    lane = Lane()
    yield lane
    lane.close()


@pytest.fixture
def outcomes():
    return []


def test_result_arrives_on_the_main_thread(lane, outcomes, qtbot):
    threads = {}

    def work(on_progress, cancel):
        threads["work"] = threading.current_thread()
        return 42

    def done(outcome):
        threads["done"] = threading.current_thread()
        outcomes.append(outcome)

    lane.submit("Counting", work, done, total=1)
    assert lane.state.running
    qtbot.waitUntil(lambda: bool(outcomes))
    assert outcomes[0].result == 42
    assert outcomes[0].error is None
    assert threads["work"] is not threading.main_thread()
    assert threads["done"] is threading.main_thread()
    assert not lane.state.running


@pytest.mark.parametrize(
    ("raised", "kind", "words"),
    [
        (InputError("The mask is empty.", "Paint one."), InputError, "The mask is empty."),
        (RuntimeError("CUDA error: device lost\nsecond line"), WorkError, "device lost"),
        (MemoryError(), WorkError, "out of memory"),
        (OSError(errno.ENOSPC, "No space left on device"), WorkError, "No space left"),
        (KeyError(), WorkError, "KeyError"),
    ],
)
def test_every_error_arrives_as_a_sentence(lane, outcomes, qtbot, raised, kind, words):
    def work(on_progress, cancel):
        raise raised

    lane.submit("Counting", work, outcomes.append, total=1)
    qtbot.waitUntil(lambda: bool(outcomes))
    assert isinstance(outcomes[0].error, kind)
    assert words in outcomes[0].error.problem
    assert "\n" not in outcomes[0].error.problem
    assert outcomes[0].error.action
    assert type(raised).__name__ in outcomes[0].details
    assert not lane.state.running


def test_the_newest_job_wins(lane, outcomes, qtbot):
    gate = threading.Event()

    def slow(on_progress, cancel):
        assert gate.wait(10)
        return "old"

    lane.submit("Old", slow, outcomes.append, total=1)
    lane.submit("Middle", lambda p, c: "middle", outcomes.append, total=1)
    lane.submit("New", lambda p, c: "new", outcomes.append, total=1)
    assert lane.state.title == "New"
    gate.set()
    qtbot.waitUntil(lambda: not lane.state.running)
    assert [outcome.result for outcome in outcomes] == ["new"]


def test_cancel_is_answered_although_the_work_does_not_listen(lane, outcomes, qtbot):
    gate = threading.Event()
    lane.submit("Deaf", lambda p, c: gate.wait(10), outcomes.append, total=1)
    lane.cancel()
    assert lane.state.stopping
    qtbot.waitUntil(lambda: bool(outcomes))
    assert not gate.is_set(), "the work is still deaf"
    gate.set()
    assert isinstance(outcomes[0].error, Cancelled)
    assert GRACE_MS < 200
    assert not lane.state.running
    lane.submit("Next", lambda p, c: "next", outcomes.append, total=1)
    qtbot.waitUntil(lambda: len(outcomes) == 2)
    assert outcomes[1].result == "next"


def test_work_that_listens_hands_in_what_it_has(lane, outcomes, qtbot):
    started = threading.Event()

    def work(on_progress, cancel):
        on_progress(Progress(3, 10, "three", 1.0))
        started.set()
        while not cancel.cancelled:
            pass
        return "three done"

    lane.submit("Counting", work, outcomes.append, total=10)
    assert started.wait(10)
    lane.cancel()
    qtbot.waitUntil(lambda: bool(outcomes))
    assert outcomes[0].result == "three done"
    assert outcomes[0].reached.done == 3


def test_progress_is_shown_and_a_flood_of_it_is_thinned(lane, outcomes, qtbot):
    seen = []
    lane.state.events.progress.connect(lambda progress: seen.append((progress.done, threading.current_thread())))

    def work(on_progress, cancel):
        for i in range(5000):
            on_progress(Progress(i + 1, 5000, "", 1.0))

    lane.submit("Counting", work, outcomes.append, total=5000, unit="pairs")
    qtbot.waitUntil(lambda: bool(outcomes))
    assert outcomes[0].reached.done == 5000
    assert {thread for _, thread in seen} == {threading.main_thread()}
    assert len(seen) < 2500


def test_a_closed_lane_says_nothing_more(lane, outcomes, qtbot):
    gate, left = threading.Event(), threading.Event()

    def work(on_progress, cancel):
        assert gate.wait(10)
        left.set()

    lane.submit("Counting", work, outcomes.append, total=1)
    lane.close()
    gate.set()
    assert left.wait(10)
    qtbot.wait(50)
    assert outcomes == []


@pytest.mark.parametrize("kind", [Lane, Errands])
def test_closing_what_qt_has_deleted_with_the_window_is_no_error(kind, qtbot):
    lane = kind()
    lane.deleteLater()
    QCoreApplication.sendPostedEvents(lane, QEvent.Type.DeferredDelete)
    with pytest.raises(RuntimeError, match="deleted"):
        lane.deleteLater()
    lane.close(*([lambda: None] if kind is Errands else []))


def test_only_the_own_job_is_withdrawn(lane, qtbot):
    gate, ended = threading.Event(), []
    first = lane.submit("First", lambda progress, cancel: gate.wait(20), ended.append, total=1)
    second = lane.submit("Second", lambda progress, cancel: gate.wait(20), ended.append, total=1)
    lane.withdraw(first)
    lane.withdraw(None)
    qtbot.wait(300)
    assert lane.state.running
    assert ended == []
    lane.withdraw(second)
    qtbot.waitUntil(lambda: not lane.state.running, timeout=1000)
    assert [type(outcome.error).__name__ for outcome in ended] == ["Cancelled"]
    lane.withdraw(second)
    gate.set()
    assert not lane.state.stopping


def test_a_lane_closed_while_its_thread_reports_does_not_crash(qapp):
    """Without care for the order, Qt ends the whole process here."""

    def work(on_progress, cancel):
        for done in range(200):
            on_progress(Progress(done, 200))

    random = Random(0)
    for _ in range(400):
        lane = Lane()
        lane.submit("Counting", work, lambda outcome: None, total=200)
        time.sleep(0.002 * random.random())
        lane.close()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        qapp.processEvents()
