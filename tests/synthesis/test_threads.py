"""How many threads a render gets."""

import numpy as np
import pytest
import torch

from napari_synth.core.progress import CancelToken
from napari_synth.synthesis.live.canvas import LIMIT
from napari_synth.synthesis.recipes import load_generator
from napari_synth.synthesis.request import RenderRequest
from napari_synth.synthesis.threads import SMALL, threads_for
from tests.helpers import nuclei, small_capsules, small_generator, small_metgan, small_styled

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


@pytest.mark.parametrize(
    ("make", "beside"), [(small_generator, False), (small_styled, False), (small_capsules, False), (small_metgan, True)]
)
def test_what_follows_a_brush_gets_as_many_as_a_render(tmp_path, two_threads, monkeypatch, make, beside):
    used = set()
    convolve = torch.conv2d

    def watched(*given, **named):
        used.add(torch.get_num_threads())
        return convolve(*given, **named)

    monkeypatch.setattr(torch.nn.functional, "conv2d", watched)
    generator, mask = load_generator(make(tmp_path / "g.safetensors"), "cpu"), nuclei((64, 64), 3)
    anatomy = np.arange(64 * 64, dtype=np.uint16).reshape(64, 64) if beside else None
    followed = generator.follower(LIMIT).begin(RenderRequest(mask, seed=1, condition=anatomy))
    followed.follow(RenderRequest(mask, seed=1, condition=anatomy), None, True, CancelToken())
    assert used == {1}
    assert torch.get_num_threads() == 2
