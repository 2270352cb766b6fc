import numpy as np
import pytest
import torch

from napari_synth.core.errors import InputError
from napari_synth.synthesis.recipes import load_generator
from napari_synth.synthesis.request import RenderRequest
from tests.helpers import nuclei, small_capsules, small_generator, small_metgan

MODELS = {"pix2pix": small_generator, "metgan": small_metgan}


def request_for(generator):
    anatomy = np.random.default_rng(0).integers(50, 700, (64, 48)).astype(np.uint16)
    return RenderRequest(nuclei((64, 48), 4), seed=3, condition=anatomy if generator.card.condition_channels else None)


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_a_compiled_network_makes_the_same_image(tmp_path, name):
    """Up to the rounding to grey levels; and it is the compiled one that makes it."""
    generator = load_generator(MODELS[name](tmp_path / "m.safetensors"), "cpu")
    request = request_for(generator)
    expected = generator.run(request).image
    generator.compile()
    graphs = torch._dynamo.utils.counters["stats"]["unique_graphs"]
    image = generator.run(request).image
    assert np.abs(image.astype(int) - expected).max() <= 1
    assert torch._dynamo.utils.counters["stats"]["unique_graphs"] > graphs
    np.testing.assert_array_equal(generator.run(request).image, image)


@pytest.mark.slow
def test_capsules_keep_their_own_loop(tmp_path):
    generator = load_generator(small_capsules(tmp_path / "m.safetensors"), "cpu")
    expected = generator.run(request_for(generator)).image
    generator.compile()
    graphs = torch._dynamo.utils.counters["stats"]["unique_graphs"]
    np.testing.assert_array_equal(generator.run(request_for(generator)).image, expected)
    assert torch._dynamo.utils.counters["stats"]["unique_graphs"] == graphs


def test_without_a_compiler_a_sentence_says_so(tmp_path, monkeypatch):
    def refuse(function, **settings):
        def call(*args):
            raise RuntimeError("No working C++ compiler found.\nlong story")

        return call

    generator = load_generator(small_generator(tmp_path / "m.safetensors"), "cpu")
    monkeypatch.setattr(torch, "compile", refuse)
    with pytest.raises(InputError, match="cannot be compiled on this machine: No working"):
        generator.compile()
    assert generator.run(request_for(generator)).image.any()
