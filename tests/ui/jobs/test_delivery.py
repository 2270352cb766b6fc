"""What jobs bring, and what is said when they bring nothing."""

from __future__ import annotations

import threading

import pytest

from napari_synth.core.errors import Cancelled, InputError
from napari_synth.core.progress import Progress
from napari_synth.ui.context.notes import Note
from napari_synth.ui.jobs.delivery import LAYER_GONE, STOPPED, Jobs

TIMEOUT = 20
GONE = Note("stopped", "Your layer is gone.")


class Layer:
    """What a job is about."""


class Window:
    def __init__(self):
        self.closed = False
        self.layers = [Layer()]

    def holds(self, layer):
        return any(layer is other for other in self.layers)


class Gate:
    """Work that waits until it is let go, and brings a value."""

    def __init__(self, value="result"):
        self.value = value
        self.entered, self.open = threading.Event(), threading.Event()

    def __call__(self, on_progress, cancel):
        self.entered.set()
        assert self.open.wait(TIMEOUT)
        cancel.raise_if_cancelled()
        return self.value


@pytest.fixture
def window():
    return Window()


@pytest.fixture
def said():
    return []


@pytest.fixture
def got():
    """What was delivered."""
    return []


@pytest.fixture
def jobs(window, said, qapp):
    jobs = Jobs(window, said.append)
    yield jobs
    jobs.close()


def failing(error):
    def work(on_progress, cancel):
        raise error

    return work


def test_the_result_comes_with_its_layer(jobs, window, got, said, finish):
    jobs.run("Counting", lambda on_progress, cancel: 42, got.append, total=1)
    finish(jobs)
    jobs.run("Counting", lambda *_: 43, lambda *values: got.append(values), on=window.layers[0], total=1)
    finish(jobs)
    assert got == [42, (window.layers[0], 43)]
    assert said == []


def test_nothing_is_delivered_to_a_closed_window(jobs, window, got, said, finish):
    work = Gate()
    jobs.run("Counting", work, got.append, total=1, failed=got.append)
    assert work.entered.wait(TIMEOUT)
    window.closed = True
    work.open.set()
    finish(jobs)
    assert (got, said) == ([], [])


def test_nothing_is_delivered_once_closed(jobs, got, said, qtbot):
    work = Gate()
    jobs.run("Counting", work, got.append, total=1, failed=got.append)
    assert work.entered.wait(TIMEOUT)
    work.open.set()
    jobs.close()
    qtbot.wait(20)
    assert (got, said) == ([], [])


@pytest.mark.parametrize("note", [STOPPED, Note("stopped", "Mine."), None])
def test_a_cancelled_job_is_said(jobs, got, said, finish, note):
    work = Gate()
    jobs.run("Counting", work, lambda _: got.append("result"), total=1, cancelled=note, failed=got.append)
    assert work.entered.wait(TIMEOUT)
    jobs.lane.cancel()
    work.open.set()
    finish(jobs)
    assert said == ([] if note is None else [note])
    (error,) = got
    assert isinstance(error, Cancelled)


def test_a_cancelled_job_can_say_how_far_it_came(jobs, said, finish):
    def work(on_progress, cancel):
        on_progress(Progress(2, 5, "", 0.0))
        raise Cancelled

    jobs.run("Counting", work, said.append, total=5, cancelled=lambda reached: Note("stopped", f"{reached.done}"))
    finish(jobs)
    assert said == [Note("stopped", "2")]


def test_a_withdrawn_job_brings_nothing(jobs, got, said, finish):
    work = Gate()
    job = jobs.run("Counting", work, got.append, total=1, cancelled=None)
    assert work.entered.wait(TIMEOUT)
    jobs.withdraw(job)
    work.open.set()
    finish(jobs)
    jobs.withdraw(job)
    assert (got, said) == ([], [])


def test_a_failure_is_said_before_it_is_told(jobs, got, said, finish):
    error = InputError("The mask is empty.", "Paint one.")
    jobs.run("Counting", failing(error), got.append, total=1, failed=lambda told: got.append((told, list(said))))
    finish(jobs)
    (note,) = said
    assert (note.kind, note.text, note.action) == ("problem", "The mask is empty.", "Paint one.")
    assert got == [(error, [note])]


def test_an_unforeseen_failure_is_said_with_its_details(jobs, got, said, finish):
    jobs.run("Counting", failing(KeyError("lost")), got.append, total=1)
    finish(jobs)
    (note,) = said
    assert note.kind == "problem"
    assert "Traceback" in note.details
    assert got == []


def test_a_replaced_job_brings_and_says_nothing(jobs, got, said, finish):
    first, second = Gate("first"), Gate("second")
    jobs.run("Counting", first, got.append, total=1, failed=got.append)
    assert first.entered.wait(TIMEOUT)
    jobs.run("Counting", second, got.append, total=1, failed=got.append)
    second.open.set()
    first.open.set()
    finish(jobs)
    assert (got, said) == (["second"], [])


@pytest.mark.parametrize("kept", [True, False])
@pytest.mark.parametrize("note", [LAYER_GONE, GONE])
def test_a_layer_deleted_meanwhile_is_said(jobs, window, got, said, finish, kept, note):
    work = Gate()
    jobs.run("Counting", work, lambda *_: got.append("result"), on=window.layers[0], gone=note, total=1,
             failed=got.append)  # fmt: skip
    assert work.entered.wait(TIMEOUT)
    held = window.layers.pop() if kept else window.layers.clear()
    work.open.set()
    finish(jobs)
    assert said == [note]
    assert got == [None], (held, "no error, but no result either")


def test_progress_is_told_to_the_newest_alone_and_only_while_it_runs(jobs, got, finish, qtbot):
    heard, second = [], Gate()

    def tells(on_progress, cancel):
        on_progress(Progress(1, 2, "", 0.0))
        return second(on_progress, cancel)

    first = Gate()
    jobs.run("One", first, got.append, total=2, meanwhile=lambda: heard.append("one"))
    assert first.entered.wait(TIMEOUT)
    heard.clear()
    jobs.run("Two", tells, got.append, total=2, meanwhile=lambda: heard.append("two"))
    first.open.set()
    qtbot.waitUntil(lambda: "two" in heard)
    assert "one" not in heard
    second.open.set()
    finish(jobs)
    count = len(heard)
    jobs.lane.state.progress = Progress(2, 2, "", 1.0)
    assert len(heard) == count


def test_progress_is_not_told_to_a_closed_window(jobs, window, got, finish):
    heard, work = [], Gate()
    jobs.run("One", work, got.append, total=2, meanwhile=lambda: heard.append("one"))
    assert work.entered.wait(TIMEOUT)
    window.closed = True
    heard.clear()
    jobs.lane.state.progress = Progress(1, 2, "", 1.0)
    assert heard == []
    work.open.set()
    finish(jobs)
