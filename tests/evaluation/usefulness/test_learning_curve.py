import numpy as np
import pytest

from napari_synth.core.errors import InputError
from napari_synth.evaluation.usefulness.learning_curve import Measured, fit


def grid(a, b, c, noise=0.01, groups=12):
    rng = np.random.default_rng(0)
    of_group = rng.normal(0, 0.05, groups)
    return [
        Measured(p, s, a * np.log(p) + b * np.log(s) + c + of_group + rng.normal(0, noise, (3, groups)))
        for p in (2, 4, 8, 16)
        for s in (50, 200, 800)
    ]


def test_published_slopes_are_found_again():
    curve = fit(grid(0.019, 0.010, 0.80), draws=300)  # mitochondria
    assert (curve.a, curve.b) == pytest.approx((0.019, 0.010), abs=0.002)
    assert curve.a_interval[0] < 0.019 < curve.a_interval[1]
    assert curve.b_interval[0] < 0.010 < curve.b_interval[1]
    assert curve.synthetic_help
    assert curve.worth(800) == pytest.approx(16 * (2 ** (curve.b / curve.a) - 1))
    assert "twice the synthetic pairs: +0.00" in curve.sentence
    with pytest.raises(InputError, match="beyond what was measured"):
        curve.at(100, 200)
    assert curve.worth(10_000) is None


def test_no_slope_is_said_to_be_none():
    curve = fit(grid(0.045, 0.0, 0.69), draws=300)  # cardiac: b not different from 0
    assert not curve.synthetic_help
    assert curve.worth(100) is None
    assert "No sign that more synthetic pairs help" in curve.sentence


def test_too_little_to_fit():
    with pytest.raises(InputError, match="two numbers of each"):
        fit(grid(1, 1, 1)[:3])
