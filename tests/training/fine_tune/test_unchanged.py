import pytest

from napari_synth.core.errors import InputError
from napari_synth.training.fine_tune.unchanged import looks_unchanged

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
