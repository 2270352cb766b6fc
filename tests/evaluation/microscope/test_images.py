"""Images that a camera cannot be fitted to are refused by name; what is done to others is told."""

import imageio.v3 as iio
import numpy as np
import pytest

import napari_synth as ns
from napari_synth.core.errors import Cancelled, InputError
from napari_synth.core.progress import CancelToken
from napari_synth.core.recipe import FieldSettings
from napari_synth.evaluation.microscope import fit_to
from napari_synth.evaluation.microscope.images import read_pictures
from tests.evaluation.microscope.plain import Plain, discs

GREY = np.random.default_rng(0).integers(20, 200, (80, 90)).astype(np.uint8)


def read(images):
    return read_pictures(images, CancelToken())


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (GREY[:20, :20], "20×20"),
        (np.full((80, 80), 7, np.uint8), "one value, 7"),
        (np.where(GREY > 60, 255, GREY).astype(np.uint8), "saturated"),
        (np.where(GREY < 150, 0, GREY).astype(np.uint8), "cut off at black"),
        (np.where(GREY > 190, np.nan, GREY), "NaN"),
        (GREY > 100, "mask of two values"),
        (np.zeros((80, 80, 2), np.uint8), r"\(80, 80, 2\)"),
        ("nowhere", "nowhere"),
        (5, "images"),
    ],
)
def test_an_image_that_cannot_be_used_is_named(image, words):
    with pytest.raises(InputError, match=words) as caught:
        read([image] if not isinstance(image, int) else image)
    assert caught.value.action


def test_a_folder_names_the_file_that_is_wrong(tmp_path):
    iio.imwrite(tmp_path / "good.png", GREY)
    iio.imwrite(tmp_path / "small.png", GREY[:20, :20])
    with pytest.raises(InputError, match=r"small\.png"):
        read(tmp_path)
    (tmp_path / "small.png").unlink()
    found = read(tmp_path)
    assert "one image" in " ".join(found.remarks)
    with pytest.raises(InputError, match="no image"):
        (tmp_path / "empty").mkdir()
        read(tmp_path / "empty")


def test_grey_in_three_channels_is_grey_and_a_mixture_is_refused():
    colour = np.stack([GREY, GREY // 2, GREY], -1)
    assert not read([np.repeat(GREY[..., None], 3, -1), GREY]).colour
    assert read([colour, colour]).colour
    with pytest.raises(InputError, match="not both grey"):
        read([GREY, colour])


def test_more_than_eight_bits_have_one_scale_for_all():
    low, high = GREY.astype(np.uint16) * 16, GREY.astype(np.uint16) * 40
    found = read([low, high])
    assert "more than 8 bit" in " ".join(found.remarks)
    means = [picture.pixels.mean() for picture in found.pictures]
    assert means[1] / means[0] == pytest.approx(40 / 16, rel=0.15)
    assert found.pictures[0].pixels.min() == 0


def test_some_saturation_is_told():
    bright = GREY.copy()
    bright[:8] = 255
    assert "saturated" in " ".join(read([bright, bright]).remarks)


@pytest.mark.parametrize(
    ("images", "option", "words"),
    [
        ([GREY], "pink", "The images are grey, but the look pink is in colour"),
        ([np.stack([GREY, GREY // 2, GREY], -1)], "bright", "in colour, but the look bright is grey"),
        ([GREY], "nothing", "nothing"),
    ],
)
def test_a_look_of_the_other_kind_is_refused(images, option, words):
    with pytest.raises(InputError, match=words):
        fit_to(images, Plain(), None, option, masks=[discs(128, 0)])


def test_models_that_no_field_can_be_composed_for_need_masks():
    with pytest.raises(InputError, match="axons"):
        ns.fit_camera([GREY], "pbam-axons", device="cpu")
    with pytest.raises(InputError, match="puts objects into an image"):
        ns.fit_camera([GREY], "metgan-brain", device="cpu")
    with pytest.raises(InputError, match="empty"):
        ns.fit_camera([GREY], masks=[np.zeros((64, 64), int)])


def test_it_stops_when_it_is_told_to():
    cancel = CancelToken()

    def watch(progress):
        if progress.done >= 3:
            cancel.cancel()

    with pytest.raises(Cancelled):
        fit_to([GREY], Plain(), None, masks=[discs(128, 0)], on_progress=watch, cancel=cancel, patches=4)


def test_images_of_noise_hold_no_nuclei(monkeypatch):
    from napari_synth.evaluation.microscope import fit

    monkeypatch.setattr(fit, "nuclei", lambda image, dark: np.zeros(image.shape, np.int32))
    with pytest.raises(InputError, match="No nuclei stand out"):
        fit._nuclei_of([GREY.astype(np.float32)], np.ones(1))
    assert FieldSettings().count_mean
