from types import SimpleNamespace

import numpy as np
import pytest

from napari_synth import api
from napari_synth.core.intensity import Intensity
from napari_synth.datasets.triplets import load_triplets
from napari_synth.evaluation.segmentor import Segmentor
from napari_synth.evaluation.two_channel import differences, moved_labels, real_placement, two_channel_figures
from napari_synth.models.registry import load_trained
from napari_synth.training.loop import train
from napari_synth.training.request import TrainRequest
from tests.helpers import small_metgan, triplet_folder

SCALE = Intensity(dtype="uint16", low=0, high=1000)


class Painter:
    """Puts 900 where it was asked, or always at the same place."""

    def __init__(self, obeys):
        self.obeys = obeys
        self.card = SimpleNamespace(output_channel="signal", intensities={"signal": SCALE}, hyper={})

    def render(self, labels, condition, seed):
        assert condition.shape == labels.shape
        asked = labels > 0 if self.obeys else np.indices(labels.shape).sum(0) < 30
        return SimpleNamespace(image=np.where(asked, 900, 100).astype(np.uint16))


class Threshold:
    def probability(self, image):
        return (image > 500).astype(np.float32)

    def foreground(self, image):
        return self.probability(image) > 0.5


@pytest.fixture
def data(tmp_path):
    return triplet_folder(tmp_path / "data", 4, hold_out="0[23]")


def test_differences_by_hand():
    real = np.full((16, 16), 500, np.uint16)
    made = real.copy()
    made[:8] = 750  # half of the pixels are half a unit off
    mae, msd, ssim = differences(real, made, SCALE)
    assert (mae, msd) == (pytest.approx(0.25), pytest.approx(0.125))
    assert ssim < 1
    assert differences(real, real, SCALE) == (0, 0, 1)


def test_placement_tells_obedience_from_habit(data):
    maps = [np.eye(20, dtype=int)]
    good = two_channel_figures(Painter(True), Threshold(), data, maps)
    assert (good.dice_original, good.dice_moved, good.dice_other, good.empty) == (1, 1, 1, 0)
    assert good.planes == 2
    bad = two_channel_figures(Painter(False), Threshold(), data, maps)
    assert max(bad.dice_original, bad.dice_moved, bad.dice_other) < 0.5
    assert bad.empty > 0.01
    assert "dice_other" not in two_channel_figures(Painter(True), Threshold(), data).as_figures()
    assert real_placement(Threshold(), data) > 0.95


def test_moved_labels_are_elsewhere(data):
    planes = load_triplets(data)
    for plane, labels in zip(planes.held_out, moved_labels(planes.held_out, planes.training), strict=True):
        assert labels.any()
        assert not np.array_equal(labels > 0, plane.labels > 0)


def test_a_trained_segmentor_and_a_generator_are_measured(data, tmp_path):
    settings = {"steps": 2, "width": 2, "crop": 32}
    out = tmp_path / "s.safetensors"
    path = train(TrainRequest("signal-segmentor", data, out, settings=settings, device="cpu")).path
    segmentor = Segmentor(load_trained(path, "cpu"))
    model = api.load_model(small_metgan(tmp_path / "m.safetensors"), "cpu")
    figures = two_channel_figures(model, segmentor, data)
    assert 0 < figures.mae < 2
    assert 0 <= figures.dice_original <= 1
    assert figures.as_figures("x.")["x.planes"] == 2
