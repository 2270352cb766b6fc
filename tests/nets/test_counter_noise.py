import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from torch.nn.functional import interpolate

from napari_synth.nets.counter_noise import (
    cells_of,
    counter_normal,
    counter_uniform,
    counter_words,
    drawn_planes,
    enlarged,
    noise_planes,
)

PERIODS = (1, 4, 16)
DEVICES = ["cpu", pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA"))]


def plain_mix(h):
    h ^= h >> 16
    h = h * 0x21F0AAAD % 2**32
    h ^= h >> 15
    h = h * 0xD35A2D97 % 2**32
    return h ^ (h >> 15)


def plain_word(key, plane, y, x):
    """The same hash, in Python's whole numbers, one pixel at a time."""
    y, x = y % 2**32, x % 2**32
    first = plain_mix(plain_mix(y) ^ plain_mix(plain_mix(key) ^ plane))
    second = plain_mix((first + 0x3C6EF372 + y) % 2**32)
    return plain_mix((plain_mix(first ^ x) + second) % 2**32)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize(("key", "plane", "y", "x"), [(0, 0, 0, 0), (2**31 - 1, 2, -3, 70_000), (2**32 - 1, 1, 5, -9)])
def test_words_follow_the_formula(device, key, plane, y, x):
    words = counter_words(key, plane, y, x, 5, 7, device).tolist()
    assert words == [[plain_word(key, plane, y + i, x + j) for j in range(7)] for i in range(5)]


def test_the_numbers_are_normal_and_uniform():
    normal = counter_normal(7, 0, 0, 0, 512, 512).numpy().ravel()
    assert stats.kstest(normal, "norm").pvalue > 0.01
    assert abs(normal.std() - 1) < 0.005
    assert abs(stats.kurtosis(normal)) < 0.03
    uniform = counter_uniform(7, 1, 0, 0, 512, 512).numpy().ravel()
    assert stats.kstest(uniform, "uniform").pvalue > 0.01
    assert uniform.min() > 0
    assert uniform.max() < 1


def test_neighbours_have_nothing_in_common():
    size = 256
    bound = 5 / size  # five standard deviations of a correlation of size**2 numbers
    base = counter_normal(100, 0, 0, 0, size, size).numpy()
    others = [counter_normal(key, 0, 0, 0, size, size).numpy() for key in (99, 101, 100 + 2**16, 228)]
    others += [counter_normal(100, plane, 0, 0, size, size).numpy() for plane in (1, 2)]
    others += [counter_normal(100, 0, dy, dx, size, size).numpy() for dy, dx in ((0, 1), (1, 0), (1, 1), (16, 16))]
    for other in [*others, base.T, base[::-1]]:
        assert abs(np.corrcoef(base.ravel(), other.ravel())[0, 1]) < bound
    power = np.abs(np.fft.fft2(base)) ** 2 / size**2
    assert power.max() < 20, "no frequency stands out: of 65536 exponential powers the largest is about 11"
    rows = power.mean(1)
    assert rows.max() < 1 + 6 / np.sqrt(size)


@settings(max_examples=25, deadline=None)
@given(st.integers(-200, 200), st.integers(-200, 200), st.integers(1, 40), st.integers(1, 40))
def test_a_window_equals_that_part_of_the_whole(y, x, height, width):
    whole = noise_planes(3, PERIODS, -200, -200, 440, 440)
    window = noise_planes(3, PERIODS, y, x, height, width)
    assert torch.equal(window, whole[:, y + 200 : y + 200 + height, x + 200 : x + 200 + width])


@pytest.mark.parametrize("period", [2, 4, 16])
def test_coarse_planes_are_enlarged_as_torch_does(period):
    (_, rows), (_, columns) = cells_of(0, 64, period), cells_of(0, 96, period)
    grid = torch.randn(1, 2, rows, columns, generator=torch.Generator().manual_seed(0))
    expected = interpolate(grid, scale_factor=period, mode="bicubic", align_corners=False)
    got = enlarged(grid, period, 0, 0, 64, 96)
    torch.testing.assert_close(got, expected[..., 2 * period :, 2 * period :][..., :64, :96], atol=1e-5, rtol=0)


def test_training_draws_planes_of_the_same_kind():
    drawn = drawn_planes(8, PERIODS, 128, 128, torch.Generator().manual_seed(1))
    fixed = torch.stack([noise_planes(key, PERIODS, 0, 0, 128, 128) for key in range(8)])
    assert drawn.shape == fixed.shape
    torch.testing.assert_close(drawn.std((0, 2, 3)), fixed.std((0, 2, 3)), atol=0.1, rtol=0)
    slopes = [(planes[..., 1:] - planes[..., :-1]).std((0, 2, 3)) for planes in (drawn, fixed)]
    torch.testing.assert_close(*slopes, atol=0.02, rtol=0.1)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA")
def test_cuda_draws_the_same_bits():
    assert torch.equal(
        noise_planes(5, PERIODS, -7, 9, 300, 200, "cuda").cpu(), noise_planes(5, PERIODS, -7, 9, 300, 200)
    )
