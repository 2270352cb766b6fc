"""How many threads a render gets."""

import numpy as np
import pytest
import torch

from napari_synth.synthesis.recipes import load_generator
from napari_synth.synthesis.threads import SMALL, threads_for
from tests.helpers import nuclei, small_generator

CPU = torch.device("cpu")


@pytest.fixture
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def test_a_small_image_gets_one_and_a_large_one_all(two_threads):
    with threads_for(SMALL, CPU):
        assert torch.get_num_threads() == 1
        with threads_for(64, CPU):
            assert torch.get_num_threads() == 1
        with threads_for(SMALL + 1, CPU):
            assert torch.get_num_threads() == 2
    assert torch.get_num_threads() == 2


def test_they_are_given_back_after_an_error(two_threads):
    with pytest.raises(RuntimeError), threads_for(64, CPU):
        raise RuntimeError
    assert torch.get_num_threads() == 2


def test_the_image_does_not_depend_on_them(tmp_path, two_threads):
    generator, mask = load_generator(small_generator(tmp_path / "g.safetensors"), "cpu"), nuclei((64, 64), 3)
    small = generator.render(mask, seed=1).image
    assert torch.get_num_threads() == 2
    torch.set_num_threads(1)
    np.testing.assert_array_equal(generator.render(mask, seed=1).image, small)
