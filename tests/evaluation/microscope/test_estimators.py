"""What is read off images, against what was put into them."""

import numpy as np
import pytest

import napari_synth as ns
from napari_synth.evaluation.microscope.estimators import Background, background, noise_line, nuclei
from napari_synth.synthesis.camera import photograph
from napari_synth.synthesis.request import RenderRequest
from tests.evaluation.microscope.plain import Plain, discs


def plain(seed, camera=None, side=256):
    request = RenderRequest(discs(side, seed), "bright", seed, camera=camera)
    return Plain().run(request).image.astype(np.float32)


@pytest.mark.parametrize(("shot", "read"), [(0.5, 3.0), (2.0, 12.0), (0.1, 6.0)])
def test_noise_is_the_line_of_variance_against_mean(shot, read):
    ramp = np.linspace(15, 220, 256, dtype=np.uint8)[None].repeat(256, 0)
    camera = ns.CameraSettings(shot_noise=shot, read_noise=read)
    images = [photograph(ramp, camera, seed).astype(np.float32) for seed in range(3)]
    found = noise_line(images)
    assert found[0] == pytest.approx(shot, rel=0.1)
    assert found[1] == pytest.approx(read, rel=0.25)


def test_texture_that_was_blurred_is_no_noise():
    camera = ns.CameraSettings(blur=1.5, shot_noise=0.5, read_noise=3)
    shot, read = noise_line([plain(seed, camera) for seed in range(3)])
    assert shot == pytest.approx(0.5, rel=0.15)
    assert read == pytest.approx(3, rel=0.15)


def test_the_background_is_what_lies_between_the_nuclei():
    camera = ns.CameraSettings(blur=1, offset=40, background_x=40, background_y=-25, background_bowl=20, read_noise=3)
    found = background([plain(seed, camera) for seed in range(6)], dark=False)
    assert found.x == pytest.approx(40, rel=0.1)
    assert found.y == pytest.approx(-25, rel=0.1)
    assert found.bowl == pytest.approx(20, rel=0.15)


def test_a_background_behind_gain_and_gamma_is_found_before_them():
    camera = ns.CameraSettings(gain=0.7, offset=15, gamma=0.8, background_x=30, background_y=-18, background_bowl=12)
    flat = np.full((200, 300), 30, np.uint8)
    seen = photograph(flat, camera).astype(np.float64)
    y, x = np.mgrid[:200, :300]
    u, w = (x + 0.5) / 300 - 0.5, (y + 0.5) / 200 - 0.5
    terms = np.stack([np.ones_like(u), u, w, 2 * u**2 + 2 * w**2]).reshape(4, -1).T
    level, *slopes = np.linalg.lstsq(terms, seen.ravel(), rcond=None)[0]
    found = Background(level, *slopes).before(camera)
    for name, value in found.items():
        assert value == pytest.approx(getattr(camera, name), rel=0.1)


def test_nuclei_are_counted_in_noise_and_on_a_slope():
    camera = ns.CameraSettings(blur=1.5, background_x=60, offset=30, gain=0.6, shot_noise=0.5, read_noise=6)
    for seed in range(3):
        y, x = np.mgrid[16:256:32, 16:256:32]
        labels = np.zeros((256, 256), np.int32)
        for number, (cy, cx) in enumerate(zip(y.ravel(), x.ravel(), strict=True), 1):
            labels[cy - 8 : cy + 8, cx - 8 : cx + 8] = number
        image = Plain().run(RenderRequest(labels, "bright", seed, camera=camera)).image.astype(np.float32)
        assert 60 <= nuclei(image, dark=False).max() <= 68
