import subprocess
import sys

import imageio.v3 as iio
import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from napari_synth import api
from napari_synth.core.errors import InputError, WorkError
from napari_synth.core.progress import CancelToken
from napari_synth.models.checkpoint import read_card
from napari_synth.training.loop import settings_for, train
from napari_synth.training.objectives import OBJECTIVES, objective_class
from napari_synth.training.request import TrainRequest
from tests.helpers import nuclei, pair_folder, triplet_folder

METGAN = {
    "steps": 6,
    "crop": 64,
    "width": 0.05,
    "ndf": 2,
    "batch_size": 2,
    "segmentor_steps": 3,
    "segmentor_width": 2,
    "segmentor_crop": 32,
}
SMALL = {
    "optional-pix2pix": {
        "steps": 6,
        "crop": 64,
        "ngf": 4,
        "ndf": 4,
        "levels": 3,
        "batch_size": 4,
        "memory": 4,
        "bank_size": 5,
    },
    "pix2pix": {
        "steps": 6,
        "crop": 32,
        "ngf": 4,
        "ndf": 4,
        "levels": 3,
        "batch_size": 2,
        "freeze_norm_after": 0.5,
    },
    "capspix2pix": {"steps": 6, "width": 2},
    "dvae": {"steps": 6, "batch_size": 4},
    "unet": {"steps": 6, "crop": 32, "width": 4, "batch_size": 2},
    "signal-segmentor": {"steps": 6, "crop": 32, "width": 2, "batch_size": 2},
    "metgan": METGAN | {"batch_size": 4},
    "metgan:paper-fast": METGAN | {"pool": 3},
}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    root = tmp_path_factory.mktemp("data")
    pair_folder(root / "pairs" / "colour", 3)
    pair_folder(root / "pairs" / "grey", 3, grey=True)
    (root / "pairs" / "dataset.yaml").write_text(
        "options: [{name: colour, title: Colour, source: here, licence: CC0, attribution: us, hold_out: '02'},"
        "{name: grey}]"
    )
    (root / "shapes").mkdir()
    shapes = np.stack([nuclei((64, 64), 1, seed=seed) > 0 for seed in range(30)])
    np.savez(root / "shapes" / "discs.npz", shapes=shapes.astype(np.uint8))
    pairs, triplets = root / "pairs", triplet_folder(root / "triplets", hold_out="02")
    two_channel = {"metgan": triplets, "signal-segmentor": triplets}
    return two_channel | {
        "optional-pix2pix": pairs,
        "pix2pix": pairs,
        "unet": pairs,
        "capspix2pix": pairs / "grey",
        "dvae": root / "shapes",
    }


def request(architecture, data, out, **changes):
    """A run of an architecture, or of ``architecture:preset``."""
    settings = SMALL[architecture] | changes.pop("settings", {})
    name, _, preset = architecture.partition(":")
    return TrainRequest(name, data[name], out, preset or "fast", settings=settings, device="cpu", **changes)


def stop_after(step):
    cancel = CancelToken()
    return (lambda progress: cancel.cancel() if progress.done >= step else None), cancel


IN_16_BIT = ("pix2pix", "dvae", "unet")
"""Of the default run; processors without 16 bit take long for the others."""

LONG = ("optional-pix2pix", "capspix2pix", "metgan", "metgan:paper-fast")


def runs():
    for name in SMALL:
        for precision in ("32-true", "bf16-mixed"):
            slow = name in LONG or (precision == "bf16-mixed" and name not in IN_16_BIT)
            yield pytest.param(name, precision, marks=[pytest.mark.slow] * slow)


@pytest.mark.parametrize(("architecture", "precision"), list(runs()))
def test_a_resumed_run_ends_bit_exactly_like_a_whole_one(architecture, precision, data, tmp_path):
    whole = train(request(architecture, data, tmp_path / "whole.safetensors", precision=precision))
    first = request(architecture, data, tmp_path / "part.safetensors", precision=precision)
    part = train(first, *stop_after(4))
    assert (part.steps, whole.steps) == (4, 6)
    assert read_card(part.path).training.steps == 4
    again = request(architecture, data, tmp_path / "part.safetensors", precision=precision, resume=part.resume_path)
    rest = train(again)
    assert rest.losses == whole.losses
    expected, got = load_file(whole.path), load_file(rest.path)
    assert expected.keys() == got.keys()
    assert all(torch.equal(expected[name], got[name]) for name in expected)


@pytest.mark.parametrize("architecture", ["optional-pix2pix", "pix2pix"])
def test_a_trained_generator_renders_and_its_card_tells_all(architecture, data, tmp_path):
    result = train(request(architecture, data, tmp_path / "mine.safetensors"))
    card = read_card(result.path)
    assert card.options == ["colour", "grey"]
    assert [option.rgb for option in card.looks] == [True, False]
    assert all(option.thumbnail for option in card.looks)
    assert (card.training.data[0].files, card.training.data[0].held_out) == (2, 1)
    assert card.licence == "CC0"
    assert card.training.settings["ngf"] == 4
    model = api.load_model(result.path, "cpu")
    assert model.render(nuclei(), "colour", 1).image.shape == (64, 64, 3)
    assert model.render(nuclei(), "grey", 1).image.shape == (64, 64)
    assert iio.imread(result.preview_path).ndim == 3
    assert not list(tmp_path.glob("*partial*"))


def test_a_single_set_trains_plain_pix2pix(data, tmp_path):
    settings = {key: value for key, value in SMALL["pix2pix"].items()}
    single = TrainRequest(
        "pix2pix", data["pix2pix"] / "grey", tmp_path / "p.safetensors", settings=settings, device="cpu"
    )
    card = read_card(train(single).path)
    assert card.hyper["in_channels"] == 1
    assert card.options == ["grey"]


def test_a_trained_shape_model_decodes(data, tmp_path):
    result = train(request("dvae", data, tmp_path / "shapes.safetensors"))
    shapes = api.load_model(result.path, "cpu")
    decoded = shapes.decode(np.zeros((3, 10)))
    assert decoded.shape == (3, 64, 64)
    assert 0 <= decoded.min() <= decoded.max() <= 1
    assert shapes.card.training.data[0].held_out == 3


def test_progress_has_a_known_end_and_cancel_keeps_the_weights(data, tmp_path):
    seen = []
    on_progress, cancel = stop_after(2)
    result = train(
        request("dvae", data, tmp_path / "a.safetensors"), lambda p: (seen.append(p), on_progress(p)), cancel
    )
    assert [(p.done, p.total) for p in seen] == [(1, 6), (2, 6)]
    assert "BCE" in seen[-1].message
    assert result.path.is_file()
    assert result.resume_path.is_file()


def test_fine_tuning_starts_from_the_weights_of_a_model(data, tmp_path):
    first = train(request("unet", data, tmp_path / "first.safetensors"))
    on_progress, cancel = stop_after(1)
    cancel.cancel()
    second = train(request("unet", data, tmp_path / "second.safetensors", init=str(first.path)), on_progress, cancel)
    a, b = load_file(first.path), load_file(second.path)
    assert all(torch.equal(a[name], b[name]) for name in a)
    assert read_card(second.path).training.init == str(first.path)
    run = request("pix2pix", data, tmp_path / "run.safetensors")
    first = train(run)
    other = request("pix2pix", data, tmp_path / "on.safetensors", init=str(first.resume_path), settings={"l1": 1})
    on = train(other)
    assert on.steps == 6
    fresh = train(request("pix2pix", data, tmp_path / "x.safetensors", init=str(first.path), settings={"l1": 1}))
    assert on.losses["D"] != fresh.losses["D"], "the discriminator came along"
    first = train(request("unet", data, tmp_path / "first.safetensors", overwrite=True))
    with pytest.raises(InputError, match="another shape"):
        train(request("unet", data, tmp_path / "c.safetensors", init=str(first.path), settings={"width": 8}))
    with pytest.raises(InputError, match="no model called 'nope'"):
        train(request("unet", data, tmp_path / "c.safetensors", init="nope"))


def test_losses_fall(data, tmp_path):
    seen = []
    settings = {"steps": 60, "batch_size": 8}
    train(request("dvae", data, tmp_path / "a.safetensors", settings=settings), lambda p: seen.append(p.message))
    first, last = (float(message.split()[1]) for message in (seen[0], seen[-1]))
    assert last < 0.5 * first


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"architecture": "gpt"}, "no architecture to train called 'gpt'"),
        ({"preset": "slow"}, "no preset called 'slow'"),
        ({"settings": {"stepz": 1}}, "stepz is not valid"),
        ({"settings": {"steps": 0}}, "steps is not valid"),
        ({"precision": "8"}, "no precision called '8'"),
    ],
)
def test_wrong_requests(data, tmp_path, changes, words):
    arguments = {"architecture": "dvae", "data": data["dvae"], "out": tmp_path / "a.safetensors", "device": "cpu"}
    with pytest.raises(InputError, match=words):
        train(TrainRequest(**(arguments | changes)))


def test_wrong_files(data, tmp_path):
    with pytest.raises(InputError, match=r"not a \.safetensors file"):
        train(request("dvae", data, tmp_path / "a.pt"))
    with pytest.raises(InputError, match="does not exist"):
        train(TrainRequest("dvae", tmp_path / "none", tmp_path / "a.safetensors", device="cpu"))
    with pytest.raises(InputError, match="no file"):
        train(request("dvae", data, tmp_path / "a.safetensors", resume=tmp_path / "none.ckpt"))
    (tmp_path / "bad.ckpt").write_bytes(b"junk")
    with pytest.raises(InputError, match="not a resumable training state"):
        train(request("dvae", data, tmp_path / "a.safetensors", resume=tmp_path / "bad.ckpt"))


def test_a_state_of_other_settings_is_refused(data, tmp_path):
    part = train(request("dvae", data, tmp_path / "a.safetensors"), *stop_after(2))
    other = request("dvae", data, tmp_path / "a.safetensors", resume=part.resume_path, settings={"beta": 1.0})
    with pytest.raises(InputError, match="other settings"):
        train(other)


def test_a_finished_run_can_be_lengthened_but_not_shortened(data, tmp_path):
    first = train(request("dvae", data, tmp_path / "a.safetensors"))
    longer = request("dvae", data, tmp_path / "b.safetensors", resume=first.resume_path, settings={"steps": 8})
    assert train(longer).steps == 8
    assert read_card(tmp_path / "b.safetensors").training.steps == 8
    shorter = request("dvae", data, tmp_path / "c.safetensors", resume=first.resume_path, settings={"steps": 5})
    with pytest.raises(InputError, match="at step 6 already"):
        train(shorter)


def test_a_target_that_cannot_be_written_is_said_before_the_first_step(data, tmp_path):
    (tmp_path / "file").write_text("")
    seen = []
    with pytest.raises(WorkError, match="not a folder"):
        train(request("dvae", data, tmp_path / "file" / "a.safetensors"), seen.append)
    assert seen == []


def test_every_objective_has_both_presets():
    for name in OBJECTIVES:
        for preset in ("fast", "paper"):
            assert preset in objective_class(name, preset).presets
            assert settings_for(TrainRequest(name, None, None, preset=preset)).steps > 0


def test_a_run_ends_when_its_time_is_spent(data, tmp_path):
    seen = []
    settings = {"steps": 1000, "minutes": 1e-6}
    first = request("dvae", data, tmp_path / "a.safetensors", settings=settings)
    result = train(first, seen.append)
    assert result.steps == 1
    assert (seen[-1].done, seen[-1].total) == (1000, 1000)
    assert read_card(result.path).training.settings["minutes"] == 1e-6
    longer = {"steps": 3, "minutes": 0}
    again = request("dvae", data, tmp_path / "a.safetensors", settings=longer, resume=result.resume_path)
    assert train(again).steps == 3


@pytest.mark.slow
@pytest.mark.parametrize("architecture", SMALL)
def test_two_devices_train_one_model(architecture, data, tmp_path):
    settings = [f"--set={name}={value}" for name, value in SMALL[architecture].items()]
    name, _, preset = architecture.partition(":")
    command = [sys.executable, "-m", "napari_synth", "train", name, str(data[name]), *settings]
    command += ["--preset", preset or "fast", "--out", "m.safetensors", "--device", "cpu", "--devices", "2"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stderr
    assert read_card(tmp_path / "m.safetensors").training.steps == 6


def test_a_training_that_breaks_down_keeps_the_last_good_state(data, tmp_path):
    out = tmp_path / "m.safetensors"
    growing = {"learning_rate": 1e20, "steps": 4}
    with pytest.raises(WorkError, match=r"broke down in step \d: .* no longer finite") as caught:
        train(request("unet", data, out, settings=growing))
    assert "Nothing was written" in caught.value.action
    assert not out.exists()
    train(request("unet", data, out, settings={"learning_rate": 3e4, "steps": 1}))
    kept = out.read_bytes()
    with pytest.raises(WorkError, match="broke down") as caught:
        train(request("unet", data, out, settings={"learning_rate": 3e4, "steps": 40}, resume=out.with_suffix(".ckpt")))
    assert "of step 1 are kept" in caught.value.action
    assert out.read_bytes() == kept
    assert all(torch.isfinite(tensor).all() for tensor in load_file(out).values())
