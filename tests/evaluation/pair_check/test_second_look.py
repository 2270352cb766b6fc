import numpy as np
import pytest
from scipy import ndimage

from napari_synth.datasets.pairs import LoadedPair
from napari_synth.evaluation.pair_check.second_look import Limits, limits_from, look_at
from napari_synth.evaluation.pair_report import second_look
from tests.evaluation.usefulness.small_sets import disc_folder


def seen(image):
    """A segmenter that is right: the images here show 255 where a nucleus is."""
    return ndimage.gaussian_filter(image[..., 0] / 255, 0.7)


def pair(shown, labels):
    return LoadedPair("x", labels, np.repeat((255 * (shown > 0)).astype(np.uint8)[..., None], 3, -1), False)


def spaced(count=9, radius=8):
    labels, (y, x) = np.zeros((128, 128), np.int32), np.mgrid[:128, :128]
    for number in range(count):
        row, column = 22 + 40 * (number // 3), 22 + 40 * (number % 3)
        labels[(y - row) ** 2 + (x - column) ** 2 < radius**2] = number + 1
    return labels


def test_a_good_pair_is_green():
    look = look_at(pair(spaced(), spaced()), seen)
    assert (look.shift, look.unlabelled, look.unseen, look.objects) == ((0, 0), (), (), 9)
    assert Limits().light(look) == "green"
    assert Limits().sentence(look) == "Image and mask agree"


def test_a_shift_is_measured():
    look = look_at(pair(np.roll(spaced(), (5, -2), (0, 1)), spaced()), seen)
    assert look.shift == (5, -2)
    assert Limits().light(look) == "red"
    assert "5 pixels lower and 2 to the left" in Limits().sentence(look)


def test_missing_labels_and_missing_nuclei_are_found_where_they_are():
    labels, shown = spaced(), spaced()
    labels[labels == 1], labels[labels == 5], shown[shown == 9] = 0, 0, 0
    look = look_at(pair(shown, labels), seen)
    assert look.unlabelled == ((22, 22), (62, 62))
    assert look.unseen == ((102, 102),)
    assert Limits().light(look) == "red"
    assert "2 nuclei have no label" in Limits().sentence(look)
    assert "1 label has no nucleus" in Limits().sentence(look)


def test_sizes_are_compared():
    look = look_at(pair(spaced(radius=9), spaced(radius=7)), seen)
    assert look.area_bias == pytest.approx((9 / 7) ** 2 - 1, abs=0.15)
    assert "larger" in Limits().sentence(look)


def test_limits_are_those_that_real_pairs_keep():
    blind = [pair(np.where(spaced() > 6, 0, spaced()), spaced())] * 4  # a segmenter that never sees three of nine
    limits = limits_from(blind, seen)
    assert limits.values[3] == pytest.approx(1 / 3, abs=1e-6)
    assert limits.values[:3] == Limits().values[:3]
    assert limits.light(look_at(pair(spaced(), spaced()), seen)) == "green"


@pytest.mark.slow
def test_shifted_pairs_are_red_for_a_trained_segmenter(tmp_path):
    disc_folder(tmp_path / "real", 20)
    disc_folder(tmp_path / "good", 8, 500)
    disc_folder(tmp_path / "bad", 8, 500, shift=6)
    options = {"steps": 120, "width": 8, "device": "cpu"}
    good = second_look(tmp_path / "real", tmp_path / "good", tmp_path / "report", **options)
    assert good.lights["red"] <= 1
    assert good.agreement > 0.9
    bad = second_look(tmp_path / "real", tmp_path / "bad", tmp_path / "report", **options)
    assert bad.lights["red"] >= 7
    assert "data:image/png" in (tmp_path / "report" / "report.html").read_text()
