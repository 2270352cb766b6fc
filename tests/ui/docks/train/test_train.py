"""The dock "My look": its actions and its panel, with a stand-in for the process that trains."""

from __future__ import annotations

import os
import signal
import sys
from textwrap import dedent

import imageio.v3 as iio
import numpy as np
import pytest
import tifffile
from qtpy.QtCore import QMimeData, QPointF, Qt, QUrl
from qtpy.QtGui import QDropEvent

from napari_synth.datasets.pairs import find_options
from napari_synth.training.fine_tune import process
from napari_synth.ui.docks.train.actions import TrainActions
from napari_synth.ui.session import Session
from tests.evaluation.usefulness.small_sets import disc_folder
from tests.helpers import small_styled
from tests.ui.conftest import painted
from tests.ui.hands import choose, click, entries

TRAINER = dedent("""
    import json, os, shutil, sys, time
    from pathlib import Path
    from filelock import FileLock

    out, model, resumed = Path(sys.argv[1]), sys.argv[2], "--resume" in sys.argv
    def say(event, **values):
        with out.with_suffix(".progress.jsonl").open("a") as file:
            file.write(json.dumps({"event": event, **values}) + "\\n")
    preview, stop, pause = (out.with_suffix(end) for end in (".preview.png", ".stop", ".pause"))
    with FileLock(out.with_name(f".{out.stem}.fine-tune.lock")):
        say("plan", sentence="a plan", remarks=["Held out: 01."], looks=[{"name": out.stem}], steps=900,
            seconds_per_step=1, minutes=14, memory_gb=1)
        shutil.copy(sys.argv[3], preview)
        step = 100 if resumed else 0
        while not stop.exists():
            step += 1
            say("step", step=step, share=step / 900, stage="look", seconds_left=840, preview=str(preview),
                losses={"grey values": 0.5, "held out": 1 / step})
            shutil.copy(model, out)
            out.with_suffix(".ckpt").touch()
            if pause.exists():
                say("paused")
                while pause.exists() and not stop.exists():
                    time.sleep(0.02)
                say("going on")
            time.sleep(0.05)
        stop.unlink()
        say("done", sentence="Stopped; it is kept.", steps=step, stopped=True, path=str(out), sheet="", verdicts=[],
            remarks=[])
""")


@pytest.fixture
def trained(session, tmp_path, monkeypatch):
    """The actions with pairs and a name chosen, and a process that only says that it trains."""
    model = small_styled(tmp_path / "start.safetensors")
    picture = tmp_path / "sheet.png"
    iio.imwrite(picture, np.full((60, 80, 3), 200, np.uint8))

    def command(request, *more):
        resumed = ["--resume"] if request.resume else []
        return [sys.executable, "-c", TRAINER, str(request.out), str(model), str(picture), *resumed]

    monkeypatch.setattr(process, "command_of", command)
    started, start = [], process.start

    def noted(request):
        started.append(start(request))
        return started[-1]

    monkeypatch.setattr(process, "start", noted)
    actions = session.actions(TrainActions)
    prepare(actions, tmp_path)
    yield actions
    for one in started:
        one.kill()
        one.wait()


def prepare(actions, tmp_path):
    disc_folder(tmp_path / "mine", 12)
    actions.take_folder(tmp_path / "mine")
    actions.choices.name, actions.choices.folder = "scope", str(tmp_path / "looks")


def begin(actions, finish, qtbot):
    actions.start()
    finish(actions.jobs)
    qtbot.waitUntil(lambda: actions.watching.run is not None and actions.watching.run.step > 1, timeout=20_000)
    return actions.watching.run


def test_it_says_what_is_missing(session):
    actions = session.actions(TrainActions)
    actions.plan()
    assert "folder of pairs" in actions.note.text
    actions.choices.data = "/somewhere"
    actions.start()
    assert "no name" in actions.note.text
    actions.choices.name = "a/b"
    actions.start()
    assert actions.note.kind == "problem"
    assert "a/b" in actions.note.text
    actions.choices.source = "layers"
    actions.start()
    assert "among the layers" in actions.note.text


def test_a_training_is_watched_paused_stopped_and_its_look_used(trained, panel, finish, qtbot, tmp_path):
    shown = panel("train")
    shown.show()
    click(qtbot, shown.begin)
    finish(trained.jobs)
    qtbot.waitUntil(lambda: shown.stop.isEnabled() and trained.watching.picture is not None, timeout=20_000)
    run = trained.watching.run
    assert "goes on without this window" in trained.note.action
    assert shown.begin.isHidden()
    assert "14 min left" in shown.run.words.text()
    assert not shown.run.pictures.picture.pixmap().isNull()
    assert "Held out: 01." in shown.run.plan.text()
    qtbot.waitUntil(lambda: not shown.run.curve.isHidden())
    click(qtbot, shown.pause)
    qtbot.waitUntil(lambda: run.phase == "paused")
    assert shown.pause.text() == "Go on"
    click(qtbot, shown.pause)
    qtbot.waitUntil(lambda: run.phase == "training")
    click(qtbot, shown.stop)
    qtbot.waitUntil(lambda: run.ended and not shown.use.isHidden())
    assert trained.note.kind == "stopped"
    assert "worse than what it started from" in trained.note.text
    assert not shown.begin.isHidden()
    click(qtbot, shown.use)
    look = trained.context.look
    assert look.model == str(tmp_path / "looks" / "scope.safetensors")
    assert look.option == "he"
    assert trained.context.column.tab == ""
    assert trained.context.column.section == "synthesize"


def test_a_process_that_is_killed_is_told_in_one_sentence_and_gone_on_with(trained, finish, qtbot):
    run = begin(trained, finish, qtbot)
    step = run.step
    os.kill(trained.watching.process_id, signal.SIGKILL)
    qtbot.waitUntil(lambda: run.interrupted, timeout=20_000)
    qtbot.waitUntil(lambda: trained.note.kind == "problem")
    assert "signal 9" in trained.note.text
    assert "Go on" in trained.note.action
    trained.go_on()
    finish(trained.jobs)
    qtbot.waitUntil(lambda: trained.watching.run.step > 100, timeout=20_000)
    points = trained.watching.run.curves["held out"]
    assert [at for at, _ in points] == sorted({at for at, _ in points})
    assert points[0][0] <= step


def test_a_training_goes_on_without_its_window_and_the_next_window_shows_it(
    trained, session, opened, finish, qtbot, tmp_path
):
    begin(trained, finish, qtbot)
    out = tmp_path / "looks" / "scope.safetensors"
    session.close()
    assert process.is_running(out)
    other: Session = opened()
    actions = other.actions(TrainActions)
    qtbot.waitUntil(lambda: actions.watching.run is not None and actions.watching.run.running, timeout=20_000)
    assert actions.watching.run.out == out
    actions.stop()
    qtbot.waitUntil(lambda: actions.watching.run.ended, timeout=20_000)
    assert actions.note.kind == "stopped"


def test_a_process_that_does_not_begin_says_why(trained, finish, qtbot, monkeypatch):
    script = "import sys; print('The pairs are bad.', 'Give others.', sep='\\n', file=sys.stderr); sys.exit(2)"
    monkeypatch.setattr(process, "command_of", lambda request, *more: [sys.executable, "-c", script])
    trained.start()
    finish(trained.jobs)
    qtbot.waitUntil(lambda: trained.note.text == "The pairs are bad.", timeout=20_000)
    assert trained.note.action == "Give others."
    trained.plan()
    finish(trained.jobs)
    assert (trained.note.kind, trained.note.text) == ("problem", "The pairs are bad.")


def test_exchanged_masks_are_told_first_and_a_second_start_trains(trained, panel, finish, qtbot, tmp_path):
    first, second, *_ = sorted((tmp_path / "mine" / "masks").iterdir())
    pixels = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(pixels)
    trained.start()
    finish(trained.jobs)
    assert trained.note.kind == "problem"
    assert "exchanged" in trained.note.text
    assert trained.watching.run is None
    begin(trained, finish, qtbot)


def test_a_name_that_is_taken_replaces_nothing(trained, finish, tmp_path):
    taken = tmp_path / "looks" / "scope.safetensors"
    taken.parent.mkdir()
    taken.write_bytes(b"mine")
    trained.start()
    finish(trained.jobs)
    assert trained.note.kind == "problem"
    assert "scope" in trained.note.text
    assert taken.read_bytes() == b"mine"


def test_layers_are_paired_by_size_and_name_and_written_as_they_are(trained, panel, viewer, finish, qtbot, tmp_path):
    rng = np.random.default_rng(1)
    images = {name: rng.integers(0, 4000, (64, 48)).astype(np.uint16) for name in ("cell 2", "cell 1")}
    for name, image in images.items():
        viewer.add_image(image, name=name)
    viewer.add_image(rng.random((30, 30)), name="another size")
    masks = {name: painted() * number for number, name in enumerate(("cell 1 mask", "cell 2 mask"), 1)}
    for name, mask in masks.items():
        viewer.add_labels(mask, name=name)
    shown = panel("train")
    choose(shown.form.combo("source"), "layers")
    assert "2 pairs" in shown.pairs.text()
    assert "cell 2 with cell 2 mask" in shown.pairs.text()
    trained.start()
    finish(trained.jobs)
    (folder,) = (tmp_path / "looks").glob("pairs-*")
    for name, image in images.items():
        np.testing.assert_array_equal(tifffile.imread(folder / "images" / f"{name}.tif"), image)
        np.testing.assert_array_equal(tifffile.imread(folder / "masks" / f"{name}.tif"), masks[f"{name} mask"])


def test_a_folder_is_dropped_on_the_panel_and_starts_are_models_with_styles(trained, panel, tmp_path):
    shown = panel("train")
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(tmp_path / "other"))])
    action, button, keys = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    shown.dropEvent(QDropEvent(QPointF(5, 5), action, data, button, keys))
    assert shown.form.line("data").text() == str(tmp_path / "other")
    assert len(entries(shown.start.combo("start"))) == 1
    assert entries(shown.start.combo("start_look"))[0] == "the most similar"
    assert len(entries(shown.start.combo("start_look"))) > 3
    trained.context.catalogue.add_file(small_styled(tmp_path / "mine.safetensors"))
    assert len(entries(shown.start.combo("start"))) == 2


def test_looks_of_a_mixed_folder_are_found_named_merged_and_written(trained, panel, finish, qtbot, tmp_path):
    mixed, rng = tmp_path / "mixed", np.random.default_rng(0)
    for kind in ("images", "masks"):
        (mixed / kind).mkdir(parents=True)
    for number in range(24):
        colour, contrast = [((160, 60, 60), 2), ((60, 90, 160), 12), ((180, 180, 180), 25)][number % 3]
        image = np.clip(rng.normal(colour, contrast, (32, 32, 3)), 0, 255).astype(np.uint8)
        iio.imwrite(mixed / "images" / f"{number:02d}.png", image)
        iio.imwrite(mixed / "masks" / f"{number:02d}.png", painted((48, 48))[:32, :32].astype(np.uint8))
    shown = panel("train")
    shown.show()
    shown.looks.unfold(True)
    shown.looks.form.line("images").setText(str(mixed))
    click(qtbot, shown.looks.find)
    finish(trained.jobs)
    assert len(shown.looks.rows) == 3
    for row in shown.looks.rows[1:]:
        row.tick.setChecked(True)
    click(qtbot, shown.looks.merge)
    finish(trained.jobs)
    assert len(shown.looks.rows) == 2
    line = shown.looks.rows[0].name
    line.setText("mine")
    line.editingFinished.emit()
    shown.looks.form.line("out").setText(str(tmp_path / "sorted"))
    click(qtbot, shown.looks.write)
    finish(trained.jobs)
    options = find_options(tmp_path / "sorted")
    assert options[0].source.name == "mine"
    assert sorted(len(option.training) for option in options) == [8, 16]
    assert trained.choices.data == str(tmp_path / "sorted")
