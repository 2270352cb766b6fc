"""Planted cameras are found again, and images under the found one are like those of the microscope."""

import numpy as np
import pytest
import yaml

import napari_synth as ns
from napari_synth.core.seeds import derived_seed
from napari_synth.evaluation.microscope import fit_to
from napari_synth.synthesis.request import RenderRequest
from tests.evaluation.microscope.plain import Plain, discs, off

PLANTED = (
    ns.CameraSettings(
        blur=1.4, background_x=40, background_y=-30, background_bowl=35, gain=0.7, offset=15, gamma=0.85,
        shot_noise=0.6, read_noise=3,
    ),
    ns.CameraSettings(
        blur=0.8, background_x=-30, background_y=25, background_bowl=30, gain=0.85, offset=20, gamma=1.2,
        shot_noise=0.25, read_noise=5,
    ),
    ns.CameraSettings(
        blur=2.2, background_x=30, background_y=40, background_bowl=-35, gain=0.6, offset=30, gamma=1.0,
        shot_noise=1.0, read_noise=8,
    ),
)  # fmt: skip
CLOSE = 0.15


def taken(camera, option="bright", count=8, side=160):
    """Images of a microscope with this camera, in front of which is `Plain`."""
    requests = (RenderRequest(discs(side, seed), option, 1000 + seed, camera=camera) for seed in range(count))
    return [Plain().run(request).image for request in requests]


def greys_under(camera):
    """What becomes of some even greys but for blur, background and noise."""
    plain = ns.CameraSettings(gain=camera.gain, offset=camera.offset, gamma=camera.gamma)
    return ns.photograph(np.array([[13, 40, 80, 120, 160, 200]], np.uint8), plain, None).astype(int)


@pytest.mark.slow
def test_planted_blur_gain_and_noise_are_found_again(tmp_path):
    planted = PLANTED[0]
    reached = []
    images, masks = taken(planted, count=12), [discs(160, 50 + seed) for seed in range(12)]
    found = fit_to(
        images, Plain(), None, "bright", masks=masks, patches=16, on_progress=lambda p: reached.append(p.done)
    )
    missed = off(found.camera, planted)
    assert all(missed[name] < CLOSE for name in ("blur", "gain", "shot_noise", "read_noise")), missed
    assert found.evaluations <= 200
    assert reached == sorted(reached)
    assert set(found.fitted) == set(planted.changed)
    assert {one.title.split(" (")[0] for one in found.agreement} > {"grey values", "spectrum"}
    found.save(tmp_path / "camera.yaml")
    assert ns.camera_of(tmp_path / "camera.yaml").blur == pytest.approx(found.camera.blur, rel=1e-5)
    assert yaml.safe_load((tmp_path / "camera.yaml").read_text())["option"] == "bright"


@pytest.mark.slow
@pytest.mark.parametrize(("number", "count"), [(0, 12), (1, 40), (2, 40)])
def test_planted_cameras_and_fields_are_found_again_before_the_bundled_model(number, count):
    field = ns.field_settings(height=320, width=320, count_mean=28, count_sd=5, area_mean=520, area_sd=150)
    planted, style = PLANTED[number], 0
    model, shapes = ns.load_model("optional-pix2pix-nuclei", "cpu"), ns.load_model("nucleus-dvae", "cpu")
    images = [
        model.render(
            made.labels[32:-32, 32:-32], "fluorescence", derived_seed(9, source.seed), style=style, camera=planted
        ).image
        for source, made in ns.compose_masks(field, count, 99)
    ]
    found = fit_to(images, model, shapes, "fluorescence", style)
    missed = off(found.camera, planted)
    if number == 1:  # a lower offset with less gamma makes nearly the same of all grey values that there are
        assert missed.pop("offset") < 0.25
    assert max(missed.values()) < CLOSE, missed
    np.testing.assert_allclose(greys_under(found.camera), greys_under(planted), atol=4)
    assert found.field.count_mean == pytest.approx(28, rel=CLOSE)
    assert found.field.area_mean == pytest.approx(520, rel=CLOSE)
    assert all(one.after < 3 for one in found.agreement), found.agreement
    assert max(one.before for one in found.agreement) > 3


def test_the_camera_is_that_of_the_images_not_of_the_machine():
    """One image: told as such, and nothing about agreement is claimed."""
    image = np.asarray(taken(PLANTED[1], count=1)[0])
    found = fit_to([image], Plain(), None, "bright", masks=[discs(160, 7)], patches=4)
    assert found.agreement == ()
    assert any("one image" in remark for remark in found.remarks)
