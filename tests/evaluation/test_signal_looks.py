from types import SimpleNamespace

import numpy as np
import pytest

from napari_synth.core.intensity import Intensity
from napari_synth.datasets.triplets import load_triplets
from napari_synth.evaluation.signal_looks import object_spread, signal_looks, spectra_apart
from tests.helpers import triplet_folder

SCALE = Intensity(dtype="float32", low=-1, high=1)


class Copyist:
    """Gives the real signal, with a change of one kind."""

    def __init__(self, planes, change):
        self.card = SimpleNamespace(output_channel="signal", intensities={"signal": SCALE})
        self._signal = {plane.anatomy.tobytes(): plane.signal for plane in planes}
        self._change = change

    def render(self, labels, condition, seed):
        real = self._signal[condition.tobytes()].astype(np.float32)
        return SimpleNamespace(image=self._change(real, labels, seed).astype(np.float32))


@pytest.fixture
def data(tmp_path):
    return triplet_folder(tmp_path / "data", 4, size=(128, 128), hold_out="0[23]")


def looks(data, change):
    planes = load_triplets(data)
    scale = planes.intensity("signal")
    generator = Copyist(planes.held_out, change)
    generator.card.intensities["signal"] = scale
    return signal_looks(generator, data)


def test_a_copy_has_the_looks_of_the_real_one_but_no_variety(data):
    found = looks(data, lambda real, labels, seed: real)
    assert found.grain == pytest.approx(0, abs=1e-6)
    assert found.objects == pytest.approx(1)
    assert found.grid == pytest.approx(found.real_grid)
    assert found.variety == 0
    assert found.real_grain > 0
    names = ("grid", "real_grid", "grain", "real_grain", "objects", "variety")
    assert set(found.as_figures()) == {f"look.{name}" for name in names}


def test_each_figure_tells_its_fault(data):
    flat = looks(data, lambda real, labels, seed: np.where(labels > 0, 900.0, real))
    assert flat.objects < 0.1
    grid = looks(data, lambda real, labels, seed: real + 200 * (np.indices(real.shape)[1] % 4 == 0))
    assert grid.grid > 2 * grid.real_grid
    noisy = looks(data, lambda real, labels, seed: real + np.random.default_rng(seed).normal(0, 300, real.shape))
    assert noisy.variety > 0.5
    assert noisy.grain > 0.3


def test_formulas_by_hand():
    labels = np.zeros((8, 8), int)
    labels[1:3, 1:3], labels[5:7, 5:7] = 1, 1
    image = np.where(np.arange(8) < 4, 1.0, 3.0) * np.ones((8, 1))
    assert object_spread(image, labels) == pytest.approx(1.0)
    assert object_spread(image, np.zeros_like(labels)) == 0
    noise = np.random.default_rng(0).normal(0, 1, (128, 128))
    assert spectra_apart(noise, 10 * noise) == pytest.approx(2, abs=1e-3)
