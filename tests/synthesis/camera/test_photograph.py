"""What a camera does to an image, step by step against plain formulas, and its noise against scipy's distributions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import ndimage, stats

import napari_synth as ns
from napari_synth.core.boxes import Box, full_box
from napari_synth.core.errors import InputError
from napari_synth.core.recipe import camera_from_text, camera_text
from napari_synth.synthesis.camera import GreyRange, photograph, photograph_part, photographed_box
from napari_synth.synthesis.camera.poisson import poisson_at

ALL = ns.CameraSettings(
    blur=1.3, background_x=20, background_y=-12, background_bowl=-9, gain=0.8, offset=14, gamma=0.9, shot_noise=0.7,
    read_noise=3,
)  # fmt: skip
IMAGES = arrays.arrays(np.uint8, st.tuples(st.integers(1, 40), st.integers(1, 40)))


@given(IMAGES)
@settings(max_examples=20, deadline=None)
def test_a_camera_at_its_start_changes_nothing(image):
    assert np.array_equal(photograph(image, ns.CameraSettings()), image)


def test_every_step_is_the_formula_that_is_told():
    image = np.random.default_rng(0).integers(20, 200, (31, 45)).astype(np.uint8)
    still = ALL.model_copy(update={"shot_noise": 0.0, "read_noise": 0.0})
    y, x = np.mgrid[:31, :45]
    u, w = (x + 0.5) / 45 - 0.5, (y + 0.5) / 31 - 0.5
    v = ndimage.gaussian_filter(image.astype(float), 1.3)
    v = v + 20 * u - 12 * w - 9 * (2 * u**2 + 2 * w**2)
    v = 255 * (np.clip(0.8 * v + 14, 0, None) / 255) ** 0.9
    assert np.abs(photograph(image, still).astype(float) - np.clip(v, 0, 255)).max() <= 0.51
    assert np.array_equal(photograph(image, ALL, seed=None), photograph(image, still, seed=3))


@given(st.integers(0, 40), st.integers(0, 50), st.integers(1, 30), st.integers(1, 30), st.booleans())
@settings(max_examples=30, deadline=None)
def test_a_part_equals_that_part_of_the_whole(top, left, height, width, colour):
    shape = (47, 61)
    image = np.random.default_rng(1).integers(0, 256, (*shape, 3) if colour else shape).astype(np.uint8)
    canvas = full_box(*shape)
    box = Box(top, left, top + height, left + width).within(canvas)
    over = photographed_box(box, ALL, shape)
    part = photograph_part(image[over.seen_from(canvas)], over, box, shape, ALL, 5)
    assert np.array_equal(part, photograph(image, ALL, 5)[box.seen_from(canvas)])


@pytest.mark.parametrize("mean", [0.0, 0.3, 4.0, 19.9, 20.1, 80.0, 3000.0])
def test_photon_noise_has_the_poisson_distribution(mean):
    uniform = (np.arange(200_000, dtype=np.float32) + 0.5) / 200_000
    counts = poisson_at(np.full(uniform.shape, mean, np.float32), uniform)
    values = np.arange(int(mean + 8 * mean**0.5 + 8))
    found = np.searchsorted(np.sort(counts), values, side="right") / len(counts)
    assert np.abs(found - stats.poisson.cdf(values, mean)).max() < 0.002


def test_noise_has_the_variance_of_the_camera_and_another_one_for_each_seed_and_channel():
    grey = np.linspace(20, 220, 400, dtype=np.uint8)[:, None].repeat(4000, 1)
    camera = ns.CameraSettings(shot_noise=0.5, read_noise=3)
    noise = photograph(grey, camera, 1).astype(float) - grey
    variance = noise.var(1)
    slope, level = np.polyfit(grey[:, 0].astype(float), variance, 1)
    assert slope == pytest.approx(0.5, rel=0.03)
    assert level == pytest.approx(9 + 1 / 12, rel=0.15)
    other = photograph(grey, camera, 2).astype(float) - grey
    assert abs(np.corrcoef(noise.ravel(), other.ravel())[0, 1]) < 0.01
    colour = photograph(np.repeat(grey[:64, :64, None], 3, -1), camera, 1).astype(float)
    assert abs(np.corrcoef(colour[..., 0].ravel() - grey[:64, :64].ravel(), colour[..., 1].ravel())[0, 1]) < 0.2


def test_sixteen_bits_and_floats_are_counted_from_black_to_white():
    grey = np.full((64, 64), 100, np.uint8)
    camera = ns.CameraSettings(gain=0.5, offset=20)
    assert (photograph(grey, camera) == 70).all()
    assert (photograph(grey.astype(np.uint16) * 257, camera) == 70 * 257).all()
    assert np.allclose(photograph(grey.astype(np.float32) / 255, camera), 70 / 255)
    twelve_bit = photograph(np.full((8, 8), 1000, np.uint16), camera, grey=GreyRange(0, 4095))
    assert (twelve_bit == round(500 + 20 * 4095 / 255)).all()


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (np.full((8, 8), np.nan), "NaN"),
        (np.zeros((8, 8, 2), np.uint8), "2 channels"),
        (np.zeros((8, 8), np.int64), "int64"),
        ("picture.png", "image"),
    ],
)
def test_what_is_no_image_is_told(image, words):
    with pytest.raises(InputError, match=words):
        ns.photograph(image, ALL)


def test_settings_as_text_come_back_exact():
    assert camera_from_text(camera_text(ALL)) == ALL
    assert camera_from_text(camera_text(ns.CameraSettings())) == ns.CameraSettings()
    with pytest.raises(InputError, match="blurr"):
        camera_from_text("blurr=1")
    with pytest.raises(InputError, match="blur"):
        camera_from_text("blur=-1")
    with pytest.raises(InputError, match="not understood"):
        camera_from_text("blur")
