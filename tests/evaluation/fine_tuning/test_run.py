import errno
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace

import imageio.v3 as iio
import numpy as np
import pytest

import napari_synth as ns
from napari_synth.core import files
from napari_synth.core.errors import InputError, WorkError
from napari_synth.core.progress import CancelToken
from napari_synth.evaluation.fine_tuning import FineTuneRequest, fine_tune
from napari_synth.models.checkpoint import read_card
from napari_synth.training.fine_tune.plan import make_plan
from napari_synth.training.fine_tune.progress_file import read_progress
from napari_synth.training.state import read_training_state
from tests.helpers import nuclei, pair_folder, small_generator, small_styled

SMALL = {"crop": 64, "ndf": 2, "memory": 4, "batch_size": 2, "check_every": 2}


@pytest.fixture
def start(tmp_path):
    return small_styled(tmp_path / "start.safetensors")


@pytest.fixture
def data(tmp_path):
    return pair_folder(tmp_path / "mine", 4, (128, 128))


def asked(start, data, out="out/look.safetensors", steps=4, **more):
    settings = SMALL | {"steps": steps, "minutes": 5.0} | more.pop("settings", {})
    out = data.parent / out
    return FineTuneRequest(str(start), data, out, settings=settings, device="cpu", deep=False, **more)


def two_looks(folder):
    for name in ("colour", "grey"):
        pair_folder(folder / name, 2, (96, 160), grey=name == "grey")
    return folder


def events_of(request):
    return [event["event"] for event in read_progress(request.progress_path)]


@pytest.mark.slow
def test_a_look_of_four_pairs_is_made_measured_and_rendered(start, data):
    request = asked(start, data, look="my microscope")
    seen = []
    result = fine_tune(request, on_event=lambda event, _: seen.append(event))
    assert result.steps == 4
    assert not result.stopped
    card = read_card(result.path)
    assert card.options == ["my microscope"]
    assert card.training.init == str(start)
    assert (card.training.data[0].files, card.training.data[0].held_out) == (3, 1)
    (verdict,) = result.verdicts
    assert verdict.headline is not None
    assert card.figures[f"my microscope.{verdict.headline.name}.before"] > 0
    assert verdict.sentence in card.notes
    assert ("it helped" in verdict.sentence) != ("it did not help" in verdict.sentence)
    assert iio.imread(result.sheet).shape[1] > 4 * 256
    assert iio.imread(request.out.with_suffix(".preview.png")).ndim == 3
    for name in ("checked", "plan", "step", "judging", "done"):
        assert name in seen
        assert name in events_of(request)
    image = ns.load_model(result.path, "cpu").render(nuclei((64, 64)), "my microscope", 3).image
    assert image.shape == (64, 64, 3)
    assert image.std() > 0


def test_the_plan_says_what_it_takes_and_writes_nothing(start, data):
    request = asked(start, data, steps=7, start_look="grey")
    plan = make_plan(request)
    assert plan.steps == 7
    assert plan.seconds_per_step > 0
    assert [(look.name, look.start, look.pairs, look.held_out) for look in plan.looks] == [("mine", "grey", 3, 1)]
    assert "7 steps" in plan.sentence
    assert "min" in plan.sentence
    assert not request.out.parent.exists()


@pytest.mark.slow
def test_several_looks_of_a_folder_become_options(start, tmp_path):
    result = fine_tune(asked(start, two_looks(tmp_path / "both"), judge=False))
    card = read_card(result.path)
    assert card.options == ["colour", "grey"]
    assert [look.rgb for look in card.looks] == [True, False]
    assert any("a quarter of each" in remark for remark in result.remarks)
    model = ns.load_model(result.path, "cpu")
    assert [model.render(nuclei(), name).image.ndim for name in card.options] == [3, 2]
    preview = iio.imread(result.path.with_suffix(".preview.png"))
    coloured = [(corner != corner[..., :1]).any() for corner in (preview[4:36, -36:-4], preview[-36:-4, -36:-4])]
    assert coloured == [True, False], "of each look the last column is what it makes"


@pytest.mark.slow
def test_a_look_stays_as_it_was_while_another_is_trained(start, tmp_path):
    rates = {"learning_rate": 0.01, "discriminator_rate": 0.01}  # by which all that the looks share is changed
    stages = {"start_options": "0,1", "look_share": 0.0, "outer_share": 0.0, "unchanged": "colour"}
    models = [ns.load_model(start, "cpu")]
    for weight in (0.0, 20.0):
        data = two_looks(tmp_path / f"both-{weight}")
        settings = rates | stages | {"as_before": weight}
        request = asked(start, data, f"look-{weight}.safetensors", steps=24, judge=False, settings=settings)
        models.append(ns.load_model(fine_tune(request).path, "cpu"))
    for style in (0, 3):
        colour, grey = (
            [model.render(nuclei(), model.card.options[n], 3, style=style).image.astype(int) for model in models]
            for n in (0, 1)
        )
        assert abs(colour[2] - colour[0]).mean() < abs(colour[1] - colour[0]).mean() / 2
        assert (grey[2] != grey[0]).any(), "the other look is trained"


@pytest.mark.slow
def test_a_run_that_keeps_the_last_weights_is_not_ended_by_what_is_held_out(start, data):
    steps = {}
    for keep in ("best", "last"):
        settings = {"look_share": 0.0, "outer_share": 0.0, "learning_rate": 0.05, "check_every": 1, "patience": 1}
        request = asked(start, data, f"{keep}.safetensors", steps=16, judge=False, settings=settings | {"keep": keep})
        steps[keep] = fine_tune(request).steps
    assert steps["best"] < steps["last"] == 16


@pytest.mark.slow
def test_images_without_labels_join(start, data, tmp_path):
    pair_folder(tmp_path / "more", 2, (80, 80))
    result = fine_tune(asked(start, data, judge=False, unlabelled=tmp_path / "more" / "images"))
    assert "2 images without labels join." in result.remarks
    lines = [event for event in read_progress(asked(start, data).progress_path) if event["event"] == "step"]
    assert "unconditional" in lines[-1]["losses"]
    assert str(tmp_path) not in json.dumps(read_card(result.path).training.settings)


@pytest.mark.slow
def test_stopped_by_a_file_it_keeps_what_it_has_and_goes_on(start, data):
    request = asked(start, data, steps=30)

    def stop(event, values):
        if event == "step":
            request.stop_path.touch()

    result = fine_tune(request, on_event=stop)
    assert result.stopped
    assert 0 < result.steps < 30
    assert read_card(result.path).options == ["mine"]
    assert not request.stop_path.exists()
    more = fine_tune(asked(start, data, steps=result.steps + 2, resume=True, judge=False))
    assert more.steps == result.steps + 2
    assert events_of(request).count("done") == 2


@pytest.mark.slow
def test_stopped_and_gone_on_with_it_ends_as_if_it_had_not_been(start, data):
    whole = fine_tune(asked(start, data, "whole.safetensors", judge=False, check=False))
    half = asked(start, data, "half.safetensors", judge=False, check=False)
    cancel = CancelToken()
    fine_tune(half, lambda progress: progress.done == 2 and cancel.cancel(), cancel)
    done = fine_tune(asked(start, data, "half.safetensors", judge=False, check=False, resume=True))
    assert done.steps == whole.steps
    mask = nuclei()
    images = [ns.load_model(result.path, "cpu").render(mask, "mine", 1).image for result in (whole, done)]
    np.testing.assert_array_equal(*images)


@pytest.mark.slow
def test_it_waits_for_as_long_as_the_file_for_it_is_there(start, data):
    request = asked(start, data, steps=6, judge=False)
    steps_while_paused = []

    def act(event, values):
        if event == "step" and not steps_while_paused:
            request.pause_path.touch()
        elif event == "paused":
            steps_while_paused.append(events_of(request).count("step"))
            threading.Timer(0.6, request.pause_path.unlink).start()
        elif event == "going on":
            steps_while_paused.append(events_of(request).count("step"))

    began = time.monotonic()
    assert fine_tune(request, on_event=act).steps == 6
    assert time.monotonic() - began > 0.6
    assert steps_while_paused[0] == steps_while_paused[1]


@pytest.mark.parametrize("what", ["name", "styles", "look", "name of two", "folder", "unlabelled", "setting", "grey"])
def test_what_cannot_be_done_is_said_before_anything_is_written(what, start, data, tmp_path):
    more = {}
    if what == "styles":
        start = small_generator(tmp_path / "plain.safetensors")
    elif what == "look":
        more["start_look"] = "purple"
    elif what == "name of two":
        pair_folder(tmp_path / "both" / "a")
        shutil.copytree(tmp_path / "both" / "a", tmp_path / "both" / "b")
        data, more["look"] = tmp_path / "both", "one"
    elif what == "folder":
        shutil.rmtree(data)
    elif what == "unlabelled":
        (tmp_path / "none").mkdir()
        more["unlabelled"] = tmp_path / "none"
    elif what == "setting":
        more["settings"] = {"crop": 65}
    elif what == "grey":
        image = iio.imread(data / "images" / "01.png")
        iio.imwrite(data / "images" / "01.png", image.mean(-1).astype(np.uint8))
    request = asked(start, data, **more)
    if what == "name":
        request.out.parent.mkdir()
        request.out.write_bytes(b"mine")
    with pytest.raises(InputError) as refused:
        fine_tune(request)
    assert refused.value.action
    assert what != "name" or request.out.read_bytes() == b"mine"
    assert what == "name" or not request.out.exists()


def test_two_at_once_with_one_name_are_refused(start, data):
    request = asked(start, data, judge=False)
    second = []

    def begin(event, _):
        if event == "step" and not second:
            with pytest.raises(WorkError) as refused:
                fine_tune(asked(start, data, judge=False, overwrite=True))
            second.append(refused.value.problem)

    assert fine_tune(request, on_event=begin).steps == 4
    assert "in use by another run" in second[0]
    assert "done" in events_of(request)


@pytest.mark.slow
def test_a_folder_that_vanishes_meanwhile_does_not_end_the_run(start, data):
    def act(event, _):
        if event == "plan":
            shutil.copytree(data, data.with_name("kept"))
        if event == "step" and data.exists():
            shutil.rmtree(data)

    result = fine_tune(asked(start, data), on_event=act)
    assert result.verdicts


@pytest.mark.slow
def test_a_full_disk_keeps_the_state_there_is(start, data, monkeypatch):
    def fill(event, _):
        if event == "step":
            monkeypatch.setattr(files.os, "fsync", full)

    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    first = fine_tune(asked(start, data, steps=3, judge=False))
    state = first.path.with_suffix(".ckpt").read_bytes()
    with pytest.raises(WorkError, match=r"The disk is full: .* the state of step 3 is kept"):
        fine_tune(asked(start, data, steps=6, judge=False, resume=True), on_event=fill)
    monkeypatch.undo()
    assert first.path.with_suffix(".ckpt").read_bytes() == state
    assert events_of(asked(start, data))[-1] == "failed"
    assert fine_tune(asked(start, data, steps=6, judge=False, resume=True)).steps == 6


PROGRAM = [sys.executable, "-m", "napari_synth", "fine-tune"]


def command(start, data, out, steps):
    settings = [part for name, value in (SMALL | {"steps": steps}).items() for part in ("--set", f"{name}={value}")]
    return [
        *(*PROGRAM, str(start), str(data), "--out", str(out), "--device", "cpu", "--no-judge", "--no-check"),
        *("--checkpoint-minutes", "0", *settings),
    ]


@pytest.mark.slow
def test_killed_at_ten_moments_it_goes_on_and_nothing_is_half_written(start, data, tmp_path):
    out, rng, last = tmp_path / "out" / "killed.safetensors", random.Random(5), 0
    for kill in range(10):
        program = subprocess.Popen([*command(start, data, out, 100_000), "--resume"])
        begun = time.monotonic()
        path = out.with_suffix(".progress.jsonl")
        known = len(read_progress(path))
        while time.monotonic() - begun < 60 and len(read_progress(path)) < known + 2:
            time.sleep(0.05)  # until it is under way
        time.sleep(rng.uniform(0, 2) if kill % 3 else 0)
        assert program.poll() is None
        program.send_signal(signal.SIGKILL)
        program.wait()
        if out.exists():
            assert read_card(out).options == ["mine"]
            ns.load_model(out, "cpu")
        state = out.with_suffix(".ckpt")
        if state.exists():
            step = read_training_state(state)["step"]
            assert step >= last
            last = step
    assert last > 0
    ended = subprocess.run([*command(start, data, out, last + 2), "--resume"], check=False)
    assert ended.returncode == 0
    assert read_card(out).training.steps == last + 2
    left = {path.name for path in out.parent.iterdir()}
    assert left == {f"killed.{end}" for end in ("safetensors", "ckpt", "preview.png", "progress.jsonl")}


@pytest.mark.slow
def test_the_bundled_model_at_256_stays_under_4_gb(data, tmp_path):
    request = FineTuneRequest(
        "optional-pix2pix-nuclei", data, tmp_path / "large.safetensors", device="cpu", settings={"crop": 256}
    )
    plan = make_plan(request)
    assert 0 < plan.memory_gb < 4


@pytest.mark.slow
def test_kid_is_measured_where_the_extra_is_installed(start, data):
    pytest.importorskip("efficientnet_lite_pytorch")
    (verdict,) = fine_tune(replace(asked(start, data), deep=True)).verdicts
    assert verdict.headline.name == "kid"
    assert "KID" in verdict.sentence
