"""A fine-tuning in a process of its own: its command line, its files, its end."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from filelock import FileLock
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from napari_synth.cli.main import app
from napari_synth.core.errors import Cancelled, InputError, WorkError
from napari_synth.core.locks import is_held
from napari_synth.evaluation import fine_tuning
from napari_synth.training.fine_tune import process
from napari_synth.training.fine_tune.progress_file import ProgressFile, ProgressReader
from napari_synth.training.fine_tune.request import FineTuneRequest

REQUEST = FineTuneRequest(
    model="a start", data=Path("-data"), out=Path("looks/my look.safetensors"), look="-mine", start_look="he",
    minutes=2.5, settings={"steps": 40, "high_frequency": 1.5}, unlabelled=Path("more"), seed=3, device="cpu",
)  # fmt: skip


@pytest.mark.parametrize("change", [{}, {"resume": True, "check": False, "judge": False, "unlabelled": None}])
def test_the_command_line_asks_for_what_was_asked_for(change, monkeypatch):
    asked = []

    def noted(request, *_):
        asked.append(request)
        raise Cancelled

    monkeypatch.setattr(fine_tuning, "fine_tune", noted)
    wanted = replace(REQUEST, **change)
    python, _, package, *words = process.command_of(wanted)
    assert (python, package) == (sys.executable, "napari_synth")
    CliRunner().invoke(app, words)
    assert asked == [wanted]


def test_what_was_asked_for_is_found_beside_the_model_again(tmp_path, monkeypatch):
    monkeypatch.setattr(process, "command_of", lambda request: [sys.executable, "-c", "pass"])
    request = replace(REQUEST, out=tmp_path / "looks" / "mine.safetensors")
    request.out.parent.mkdir()
    process.start(request).wait()
    assert process.remembered(request.out) == replace(request, resume=True, check=False)
    assert process.remembered(tmp_path / "other.safetensors") is None
    process.order_path(request.out).write_text('{"model": 1}')
    assert process.remembered(request.out) is None


def test_a_model_that_is_there_or_in_use_is_not_touched(tmp_path):
    request = replace(REQUEST, out=tmp_path / "mine.safetensors")
    request.progress_path.write_text("{}\n")
    with FileLock(request.lock_path):
        assert process.is_running(request.out)
        with pytest.raises(WorkError, match="in use"):
            process.start(request)
    request.out.write_bytes(b"")
    with pytest.raises(InputError, match=r"mine\.safetensors"):
        process.start(request)
    assert request.progress_path.exists()
    assert not process.is_running(request.out)


def test_a_lock_is_held_by_another_process_until_that_is_killed(tmp_path):
    path = tmp_path / "lock"
    script = f"import filelock; it = filelock.FileLock({str(path)!r}); it.acquire(); print('held', flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout.readline().strip() == b"held"
        assert is_held(path)
        other.kill()
    assert not is_held(path)
    assert not is_held(tmp_path / "none")


@pytest.mark.parametrize(
    ("said", "status", "kind", "problem"),
    [
        ("Loading.\nIt is too small.\nGive a larger one.\n", 2, InputError, "It is too small."),
        ("The disk is full.\nFree some space.", 1, WorkError, "The disk is full."),
        ("", -9, WorkError, "signal 9"),
        ('Traceback (most recent call last):\n  File "x"\nKeyError: 3\n', 1, WorkError, "KeyError: 3"),
        ("anything", None, WorkError, "was ended."),
    ],
)
def test_the_end_of_a_process_is_one_sentence(said, status, kind, problem):
    error = process.problem_in(said, status)
    assert type(error) is kind
    assert problem in error.problem
    assert error.problem.count("\n") == 0
    assert error.action


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 40), max_size=20), st.integers(30, 200))
def test_a_reader_tells_each_event_once_however_the_file_grows(tmp_path_factory, cuts, at_once):
    path = tmp_path_factory.mktemp("run") / "progress.jsonl"
    reader = ProgressReader(path)
    reader.AT_ONCE = at_once
    text = "".join(json.dumps({"event": "step", "step": n, "words": "ä\n"}) + "\n" for n in range(8)).encode()
    seen, start = [], 0
    for cut in [*cuts, len(text)]:
        with path.open("ab") as file:
            file.write(text[start : start + cut])
        start += cut
        seen += reader.new()[1]
    for _ in range(len(text)):
        seen += reader.new()[1]
    assert [event["step"] for event in seen] == list(range(8))


def test_a_reader_begins_anew_with_the_file(tmp_path):
    path = tmp_path / "progress.jsonl"
    assert ProgressReader(path).new() == (False, [])
    ProgressFile(path).say("step", step=1, words="long enough to be longer than what follows")
    reader = ProgressReader(path)
    assert [event["step"] for event in reader.new()[1]] == [1]
    path.unlink()
    ProgressFile(path).say("step", step=0)
    anew, events = reader.new()
    assert anew
    assert [event["step"] for event in events] == [0]
