import pytest
import torch

from napari_synth.core.errors import InputError
from napari_synth.models.architectures import build
from napari_synth.training.fine_tune.unchanged import apart_from_start, looks_unchanged
from tests.helpers import STYLED_HYPER

NAMES = ["colour", "grey", "dark"]


def test_looks_are_named_with_commas_between():
    assert looks_unchanged(NAMES, "", 1) == []
    assert looks_unchanged(NAMES, "dark, colour,", 3) == [0, 2]


@pytest.mark.parametrize(
    ("unchanged", "batch_size", "says"),
    [
        ("blue", 3, "The looks that shall stay unchanged, blue, are not some of several."),
        ("grey,dark,colour", 3, "The looks that shall stay unchanged, colour, dark, grey, are not some of several."),
        ("grey", 2, "A batch of 2 does not hold each of the 3 looks."),
    ],
)
def test_looks_that_cannot_stay_unchanged_are_named(unchanged, batch_size, says):
    with pytest.raises(InputError, match=says):
        looks_unchanged(NAMES, unchanged, batch_size)


def test_less_grain_is_further_from_the_start_than_a_shift_of_as_many_grey_levels():
    torch.manual_seed(0)
    start = build("optional-pix2pix", **STYLED_HYPER).eval().requires_grad_(False)
    conditions, real, noise = torch.ones(2, 2, 64, 64), torch.rand(2, 3, 64, 64), torch.randn(2, 3, 64, 64)

    def apart(change):
        draw = torch.Generator().manual_seed(1)
        return float(apart_from_start(lambda x: change(start(x)), start.encoder, start, conditions, real, noise, draw))

    def without_grain(images):
        return images.mean((2, 3), keepdim=True).expand_as(images)

    assert apart(lambda images: images) < 1e-6
    made = []
    apart(lambda images: made.append(images) or images)
    levels = float((without_grain(made[0]) - made[0]).abs().mean())
    assert apart(lambda images: images + levels) == pytest.approx(levels, rel=0.05)
    assert apart(without_grain) > 1.2 * levels
