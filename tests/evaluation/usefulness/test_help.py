import csv
import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch
import yaml

from napari_synth.core.errors import InputError, WorkError
from napari_synth.core.locks import LOCK_NAME, holding
from napari_synth.core.progress import CancelToken
from napari_synth.evaluation.usefulness import ARMS, BUDGETS, HelpRequest, does_it_help
from napari_synth.evaluation.usefulness.tables import Score
from napari_synth.evaluation.usefulness.training import Data, probability, trained
from napari_synth.evaluation.usefulness.verdict import compare, pooled_figure, sentence
from napari_synth.nets.unet import PlainUNet
from tests.evaluation.usefulness.small_sets import disc_folder

TINY = {"steps": 3, "crop": 32, "width": 4, "repeats": 2, "device": "cpu", "arms": ("real", "joint")}


@pytest.fixture(scope="module")
def sets(tmp_path_factory):
    """Folders that no test changes; each test has a report folder of its own in there."""
    root = tmp_path_factory.mktemp("sets")
    disc_folder(root / "real", 14)
    disc_folder(root / "made", 6, 500)
    return root


@pytest.fixture(scope="module")
def whole(sets):
    """The report of a run that nothing disturbed, in ``whole``."""
    return does_it_help(request(sets, "whole", predictions=True))


def request(sets, out="report", **options):
    return HelpRequest(sets / "real", sets / "made", sets / out, **TINY | options)


def rows(path):
    with path.open() as file:
        return list(csv.DictReader(file))


@pytest.mark.slow
def test_a_run_that_is_cancelled_goes_on_and_gives_the_same_scores(sets, whole):
    assert whole.complete
    assert whole.verdict in ("helps", "hurts", "unclear")
    assert len(list((sets / "whole" / "predictions" / "joint-2").iterdir())) == whole.counts["test"]

    cancel, seen = CancelToken(), []

    def stop_in_the_second_repeat(progress):
        seen.append(progress)
        if "repeat 2" in progress.message:
            cancel.cancel()

    part = does_it_help(request(sets), stop_in_the_second_repeat, cancel)
    assert (part.finished, part.planned, part.verdict) == (2, 4, "unfinished")
    assert "2 of 4" in part.sentence
    kept = {path: path.stat().st_mtime_ns for path in (sets / "report" / "runs").iterdir()}
    reports = []
    again = does_it_help(request(sets), seen.append, on_report=reports.append)
    assert again.complete
    assert len(reports) == 2
    assert all(path.stat().st_mtime_ns == time_ for path, time_ in kept.items())
    assert (sets / "report" / "scores.csv").read_text() == (sets / "whole" / "scores.csv").read_text()
    assert seen[-1].done == seen[-1].total == 4 * 3
    assert seen[-1].found == 2 * 3
    split = {row["file"]: row for row in rows(sets / "report" / "split.csv")}
    assert len(split) == 14
    tested = {row["image"] for row in rows(sets / "report" / "scores.csv")}
    assert tested == {name.partition(".")[0] for name, row in split.items() if row["role"] == "test"}
    verdict = yaml.safe_load((sets / "report" / "verdict.yaml").read_text())
    assert verdict["sentence"] == again.sentence
    assert verdict["comparisons"][0]["arm"] == "joint"
    page = (sets / "report" / "report.html").read_text()
    assert "<svg" in page
    assert page.count("data:image/png;base64") == 2
    assert 'src="http' not in page


def test_a_report_is_not_replaced_unasked(sets, whole):
    shutil.copytree(whole.folder, sets / "old")
    with pytest.raises(InputError, match="already holds other reports"):
        does_it_help(request(sets, "old", steps=1))
    at_once = CancelToken()
    at_once.cancel()
    replaced = does_it_help(request(sets, "old", steps=1, overwrite=True), cancel=at_once)
    assert (replaced.finished, replaced.planned) == (0, 4)
    assert not rows(sets / "old" / "scores.csv")
    (sets / "other").mkdir()
    (sets / "other" / "thesis.txt").write_text("mine")
    with pytest.raises(InputError, match="already holds other files"):
        does_it_help(request(sets, "other", steps=1))
    with holding(sets / "busy" / LOCK_NAME, "x"), pytest.raises(WorkError, match="in use"):
        does_it_help(request(sets, "busy", steps=1))


def test_every_arm_sees_what_it_says():
    """The real and the synthetic pictures are told apart by their brightness."""
    from dataclasses import replace

    from napari_synth.datasets.pairs import LoadedPair

    def pair(value):
        return LoadedPair("x", np.ones((32, 32), np.int32), np.full((32, 32, 3), value, np.uint8), False)

    data = Data([pair(250)] * 3, [pair(5)], 32, torch.device("cpu"))
    shares = {}
    for name, arm in ARMS.items():
        seen = []
        for step, stage in enumerate(arm.steps(10)):
            images, _, real = data.batch(stage, 8, step, 1)
            bright = (images.mean((1, 2, 3)) > 0).numpy()
            assert bright[:real].all()
            assert not bright[real:].any()
            seen.append(real / 8)
        assert len(seen) == arm.count(10)
        shares[name] = np.mean(seen)
    assert shares["pooled"] == pytest.approx(0.75, abs=0.1)
    del shares["pooled"]
    assert shares == {
        "real": 1,
        "synthetic": 0,
        "balanced": 0.5,
        "joint": 0.5,
        "joint+fs": 0.5,
        "finetune": 0.5,
        "real-long": 1,
    }
    budget = replace(BUDGETS["quick"], steps=1, crop=32, hyper={"width": 4})
    for arm in ("joint", "joint+fs"):
        networks = [trained(ARMS[arm], data, budget, 1, lambda *_: None) for _ in range(2)]
        for a, b in zip(*(network.parameters() for network in networks), strict=True):
            assert torch.equal(a, b)
        found = probability(networks[0], np.zeros((40, 56, 3), np.uint8), torch.device("cpu"))
        assert (found.shape, found.dtype) == ((40, 56), np.uint8)


def test_the_weights_of_the_joint_loss():
    from napari_synth.evaluation.usefulness.arms import Stage
    from napari_synth.evaluation.usefulness.training import _loss

    logits, masks = torch.randn(4, 1, 8, 8), (torch.rand(4, 1, 8, 8) > 0.5).float()
    stage = Stage(real=0.5, weight=0.95)
    parts = [_loss(logits[s], masks[s], 2, Stage(), "bce-dice") for s in (slice(0, 2), slice(2, 4))]
    assert _loss(logits, masks, 2, stage, "bce-dice") == pytest.approx(float(0.95 * parts[0] + 0.05 * parts[1]))


def test_the_published_network_has_the_published_size():
    assert sum(p.numel() for p in PlainUNet().parameters()) == 7_846_081
    assert PlainUNet(3, 4)(torch.zeros(2, 3, 32, 48)).shape == (2, 1, 32, 48)


def made_up(shift, arms=("real", "joint"), seed=0):
    rng = np.random.default_rng(seed)
    base = rng.uniform(0.5, 0.8, 12)
    return [
        Score(
            arm, repeat, f"i{group}", f"g{group}", "dice", base[group] + (arm != "real") * shift + rng.normal(0, 0.01)
        )
        for repeat in range(1, 4)
        for group in range(12)
        for arm in arms
    ]


@pytest.mark.parametrize(("shift", "word"), [(0.05, "joint helps"), (-0.05, "joint hurts"), (0, "no measurable")])
def test_the_sentence(shift, word):
    found = compare(made_up(shift), "dice", "joint")
    assert word in sentence(found)
    if not shift:
        assert f"could have seen a difference of {found.difference.detectable:.3f}" in sentence(found)


def test_counts_are_pooled():
    rows = [
        Score("real", 1, f"i{image}", f"g{image}", f"{key}50", value)
        for image, counts in enumerate([(8, 1, 1, 6.0), (0, 0, 0, 0.0), (1, 4, 5, 0.6)])
        for key, value in zip(("found", "invented", "missed", "iou"), counts, strict=True)
    ]
    assert pooled_figure(rows, "ap50", "real") == pytest.approx(9 / 20)
    assert pooled_figure(rows, "pq", "real") == pytest.approx(6.6 / (9 + 11 / 2))


@pytest.mark.slow
def test_equal_sets_make_no_difference(tmp_path):
    settings = {"steps": 60, "crop": 32, "width": 4, "repeats": 3, "device": "cpu", "arms": ("real", "synthetic")}
    unclear = 0
    for number in range(20):
        folder = tmp_path / str(number)
        disc_folder(folder / "real", 24, 1000 * number)
        disc_folder(folder / "made", 14, 1000 * number + 500)
        asked = HelpRequest(folder / "real", folder / "made", folder / "out", endpoint="synthetic", **settings)
        unclear += does_it_help(asked).verdict == "unclear"
    assert unclear >= 18


@pytest.mark.slow
def test_shifted_masks_hurt(tmp_path):
    disc_folder(tmp_path / "real", 48)
    disc_folder(tmp_path / "made", 24, 500, shift=5)
    settings = {"steps": 150, "crop": 32, "width": 8, "repeats": 3, "device": "cpu", "arms": ("real", "synthetic")}
    asked = HelpRequest(
        tmp_path / "real", tmp_path / "made", tmp_path / "out", endpoint="synthetic", metric="dice", **settings
    )
    assert does_it_help(asked).verdict == "hurts"


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="kill -9")
def test_a_killed_run_goes_on(sets):
    code = (
        "import sys; from pathlib import Path; from napari_synth.evaluation.usefulness import *; "
        "root = Path(sys.argv[1]); does_it_help(HelpRequest(root / 'real', root / 'made', root / 'killed', "
        "steps=20, crop=32, width=4, repeats=2, device='cpu', arms=('real', 'joint')))"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(sets)])
    runs = sets / "killed" / "runs"
    for _ in range(600):
        if len(list(runs.glob("*[12].csv"))) >= 2:
            break
        time.sleep(0.1)
    process.send_signal(signal.SIGKILL)
    process.wait()
    kept = {path: path.stat().st_mtime_ns for path in runs.glob("*[12].csv")}
    report = does_it_help(request(sets, "killed", steps=20))
    assert report.complete
    assert len(kept) >= 2
    assert all(path.stat().st_mtime_ns == time_ for path, time_ in kept.items())
