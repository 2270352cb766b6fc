import numpy as np
import pytest
from scipy import stats

from napari_synth.evaluation.statistics import crossed_bootstrap, holm, two_way


def test_as_a_paired_t_test_where_repeats_do_not_differ():
    rng = np.random.default_rng(0)
    images = rng.normal(0.02, 0.05, 30)
    found = two_way(np.stack([images, images, images]))
    wanted = stats.ttest_1samp(images, 0)
    low, high = wanted.confidence_interval(0.95)
    assert (found.mean, found.p) == pytest.approx((images.mean(), wanted.pvalue))
    assert (found.low, found.high) == pytest.approx((low, high))


@pytest.mark.parametrize(
    ("spreads", "repeats", "images"),
    [((0.05, 0.01, 0.03), 3, 8), ((0.05, 0.01, 0.03), 5, 20), ((0.05, 0.0, 0.03), 10, 20), ((0.02, 0.03, 0.02), 5, 20)],
)
def test_false_alarms_are_rare(spreads, repeats, images):
    rng = np.random.default_rng(1)
    alarms = naive = 0
    for _ in range(600):
        d = rng.normal(0, spreads[0], images)[None] + rng.normal(0, spreads[1], repeats)[:, None]
        d = d + rng.normal(0, spreads[2], (repeats, images))
        alarms += two_way(d).verdict != "unclear"
        naive += stats.ttest_1samp(d.ravel(), 0).pvalue < 0.05
    assert alarms / 600 < 0.09
    assert naive > alarms


def test_the_detectable_difference_is_found_in_four_of_five():
    rng = np.random.default_rng(2)

    def run(shift):
        d = rng.normal(shift, 0.05, 20)[None] + rng.normal(0, 0.01, 5)[:, None] + rng.normal(0, 0.03, (5, 20))
        return two_way(d)

    size = np.median([run(0).detectable for _ in range(100)])
    assert 0.7 < np.mean([run(size).verdict == "helps" for _ in range(300)]) < 0.9


def test_what_is_too_little():
    with pytest.raises(ValueError, match="too few"):
        two_way(np.zeros((1, 5)))
    same = two_way(np.full((3, 4), 0.1))
    assert (same.low, same.high, same.verdict) == (pytest.approx(0.1), pytest.approx(0.1), "helps")
    assert two_way(np.zeros((3, 4))).verdict == "unclear"


def test_crossed_bootstrap_covers():
    rng = np.random.default_rng(3)
    inside = 0
    for number in range(60):
        d = rng.normal(0.1, 0.05, 20)[None] + rng.normal(0, 0.02, 6)[:, None]
        d = np.repeat(d, 1, 0) + rng.normal(0, 0.02, (6, 20))
        found = crossed_bootstrap(lambda r, i, d=d: np.einsum("dr,ri,di->d", r, d, i) / d.size, 6, 20, number, 300)
        inside += found.low < 0.1 < found.high
    assert inside > 50


def test_crossed_bootstrap_draws_whole_rows_and_columns():
    """The spread of a mean of drawn rows and columns is known where only rows, or only columns, differ."""
    rng = np.random.default_rng(4)
    for d in (np.repeat(rng.normal(0, 1, (8, 1)), 15, 1), np.repeat(rng.normal(0, 1, (1, 15)), 8, 0)):
        found = crossed_bootstrap(lambda r, i, d=d: np.einsum("dr,ri,di->d", r, d, i) / d.size, 8, 15, 1, 4000)
        values = d[:, 0] if d[0, 0] == d[0, 1] else d[0]
        plain = [values[rng.integers(len(values), size=len(values))].mean() for _ in range(4000)]
        assert (found.low, found.high) == pytest.approx(np.quantile(plain, (0.025, 0.975)), abs=0.06)
        assert found.mean == pytest.approx(d.mean())


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([]) == []
