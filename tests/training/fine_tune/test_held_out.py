from dataclasses import replace

import numpy as np
import pytest
import torch

from napari_synth.core.errors import InputError
from napari_synth.datasets.pairs import LoadedPair
from napari_synth.training.fine_tune.held_out import checked, distances, divided, most_typical
from tests.helpers import nuclei


def pair(stem="a", size=(128, 256), rgb=True, labels=None):
    labels = nuclei(size, 12) if labels is None else labels
    image = np.repeat((np.arange(labels.size) % 251).reshape(labels.shape)[..., None], 3, -1).astype(np.uint8)
    return LoadedPair(stem, labels, image, rgb)


def test_of_four_pairs_one_is_held_out_whole():
    pairs = [pair(stem) for stem in "abcd"]
    found = divided("mine", pairs)
    assert len(found.held_out) == 1
    assert {one.stem for one in found.training} | {found.held_out[0].stem} == set("abcd")
    assert found.held_out[0].stem in found.sentence


def test_the_odd_one_of_four_is_learned_and_not_held_out():
    pairs = [pair(stem) for stem in "abcd"]
    for odd in range(4):
        images = [replace(one, image=255 - one.image if n == odd else one.image) for n, one in enumerate(pairs)]
        assert most_typical(images) != odd


@pytest.mark.parametrize("size", [(128, 256), (256, 128)])
def test_of_fewer_a_quarter_of_each_is_held_out_and_no_pixel_is_in_both(size):
    whole = pair(size=size)
    found = divided("mine", [whole])
    (kept,), (held,) = found.training, found.held_out
    along = int(np.argmax(size))
    np.testing.assert_array_equal(np.concatenate([kept.image, held.image], along), whole.image)
    np.testing.assert_array_equal(np.concatenate([kept.labels, held.labels], along), whole.labels)
    assert held.labels.shape[along] == 64
    assert "quarter" in found.sentence


def test_files_that_a_rule_holds_out_are_taken_instead():
    pairs, given = [pair(stem) for stem in "abcde"], [pair("z")]
    found = divided("mine", pairs, given)
    assert (found.training, found.held_out) == (pairs, given)


def test_images_too_small_to_part_are_said_to_be():
    found = divided("mine", [pair(size=(64, 100))])
    assert "too small to hold" in found.sentence
    assert found.training


@pytest.mark.parametrize(
    ("pairs", "says"),
    [
        ([pair("a", rgb=False), pair("b")], "a is grey and b is in colour"),
        ([pair("small", size=(50, 90))], "small is 90×50 pixels"),
        ([pair("full", labels=np.ones((64, 64), np.int32))], "full) cover the whole image"),
    ],
)
def test_pairs_that_nothing_can_be_learned_from_are_refused_by_name(pairs, says):
    with pytest.raises(InputError) as refused:
        checked("mine", pairs)
    assert says in refused.value.problem
    assert refused.value.action


def test_one_pair_and_a_full_mask_are_remarked():
    usable, remarks = checked("mine", [pair("a"), pair("full", labels=np.ones((64, 64), np.int32))])
    assert [one.stem for one in usable] == ["a"]
    assert any("full" in remark and "left out" in remark for remark in remarks)
    assert any("one pair" in remark for remark in remarks)


def test_other_noise_of_the_same_kind_is_nearer_than_other_colours_or_blur():
    generator = torch.Generator().manual_seed(1)
    masks = torch.zeros(2, 1, 128, 128)
    masks[..., 32:96, 32:96] = 1
    real, again = (
        0.3 * torch.randn(2, 3, 128, 128, generator=generator).clamp(-1, 1) + 0.4 * masks - 0.2 for _ in range(2)
    )
    near = distances(again, real, masks)
    smooth = torch.nn.functional.avg_pool2d(real, 5, 1, 2)
    assert (near < 0.5 * distances(-real, real, masks))[[0, 2]].all()
    assert near[1] < 0.5 * distances(smooth, real, masks)[1]
