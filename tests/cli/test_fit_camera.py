"""``fit-camera``: what it writes and says, and what it refuses."""

import numpy as np
import pytest
import tifffile
from typer.testing import CliRunner

import napari_synth as ns
from napari_synth.cli.main import app
from napari_synth.core.errors import InputError
from napari_synth.evaluation.microscope import Agreement, FittedCamera, ask

CAMERA = ns.CameraSettings(blur=1.25, gain=0.9, shot_noise=0.4)


def command(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


def test_the_file_is_what_synthesize_takes_and_all_is_told(tmp_path, monkeypatch):
    asked = {}
    found = FittedCamera(
        CAMERA,
        ("blur", "gain"),
        ns.field_settings(count_mean=31),
        (Agreement("spectrum (decades)", 40.0, 0.5),),
        ("There is one image.",),
        "plain",
        "bright",
        90,
    )

    def fit(images, model, option, **how):
        asked.update(how, images=images, option=option)
        return found

    monkeypatch.setattr(ask, "fit_camera", fit)
    out = tmp_path / "camera.yaml"
    result = command("fit-camera", tmp_path, "--option", "bright", "--seed", 4, "--out", out)
    assert result.exit_code == 0, result.output
    assert (asked["seed"], asked["option"], asked["images"]) == (4, "bright", tmp_path)
    assert ns.camera_of(out) == CAMERA
    for word in ("1.25", "count_mean", "31", "40.0 without the camera, 0.5 with it", "There is one image"):
        assert word in result.output
    again = command("fit-camera", tmp_path, "--out", out)
    assert isinstance(again.exception, InputError)
    assert command("fit-camera", tmp_path, "--out", out, "--overwrite").exit_code == 0


@pytest.mark.parametrize(
    ("image", "out", "words"),
    [
        (np.zeros((20, 20), np.uint8), "camera.yaml", "20×20"),
        (np.zeros((80, 80), np.uint8), "camera.yaml", "one value, 0"),
        (np.zeros((80, 80), np.uint8), "camera.tif", "no .yaml file"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_written(tmp_path, image, out, words):
    (tmp_path / "images").mkdir()
    tifffile.imwrite(tmp_path / "images" / "a.tif", image)
    result = command("fit-camera", tmp_path / "images", "--device", "cpu", "--out", tmp_path / out)
    assert isinstance(result.exception, InputError)
    assert words in str(result.exception)
    assert not (tmp_path / out).exists()
