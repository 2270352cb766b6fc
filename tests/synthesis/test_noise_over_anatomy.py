import numpy as np
import pytest
import torch

from napari_synth.core.seeds import derived_seed
from napari_synth.models.checkpoint import load_weights, read_card
from napari_synth.nets.counter_noise import noise_planes
from napari_synth.nets.metgan import NOISE_PERIODS, MetGen
from napari_synth.synthesis.forward import FORWARDS, ForwardRequest
from napari_synth.synthesis.generator import RenderRequest
from napari_synth.synthesis.live import LIMIT, partial_update
from napari_synth.synthesis.make import load_generator
from tests.helpers import nuclei, small_metgan

SIZE = (64, 128)


@pytest.fixture
def generator(tmp_path):
    return load_generator(small_metgan(tmp_path / "small.safetensors", noise=True, at_least=16), "cpu")


def anatomy(seed=0, size=SIZE):
    return np.random.default_rng(seed).integers(50, 700, size).astype(np.uint16)


def test_a_seed_is_its_noise_planes_through_the_network(generator):
    network = MetGen(**read_card(generator.path).hyper).eval()
    network.load_state_dict(load_weights(generator.path))
    labels, beside, scales = nuclei(SIZE, 5), anatomy(), generator.card.intensities
    image = torch.from_numpy(scales["anatomy"].to_network(beside))[None, None]
    mask = torch.from_numpy((labels > 0).astype(np.float32))[None, None]
    planes = noise_planes(derived_seed(4, "render"), NOISE_PERIODS, 0, 0, *SIZE)[None]
    with torch.no_grad():
        expected = network(image, mask, planes)[0, 0].numpy()
    made = generator.render(labels, condition=beside, seed=4).image
    shown = scales["signal"].from_network(expected)
    assert np.abs(made.astype(int) - shown.astype(int)).max() <= 1
    np.testing.assert_array_equal(made, generator.render(labels, condition=beside, seed=4).image)
    for other in (5, None):
        assert (made != generator.render(labels, condition=beside, seed=other).image).mean() > 0.5


def test_a_window_has_the_noise_of_its_place(generator):
    model = generator.network_for("exact")
    labels, beside = np.zeros(SIZE, np.int32), np.full(SIZE, 300, np.uint16)
    part = np.s_[:, 64:]
    whole = FORWARDS["metgan"](model, ForwardRequest(labels, 0, 4, None, condition=beside))
    given = ForwardRequest(labels[part].copy(), 0, 4, None, condition=beside[part].copy(), origin=(0, 64))
    placed = FORWARDS["metgan"](model, given)
    elsewhere = FORWARDS["metgan"](
        model, ForwardRequest(labels[part].copy(), 0, 4, None, condition=beside[part].copy())
    )
    inner = np.s_[16:48, 24:48]
    here, there = (np.corrcoef(x[inner].ravel(), whole[part][inner].ravel())[0, 1] for x in (placed, elsewhere))
    assert here > 0.75 > there + 0.25, "what is left is the context that a window lacks"


def test_following_a_label_equals_a_full_render_for_each_seed(generator):
    follower, labels, beside = partial_update(generator, LIMIT), nuclei(SIZE, 5), anatomy()
    for seed in (4, 4, 5, None):
        labels[10:20, 10:20] = 0 if labels[10, 10] else 1
        request = RenderRequest(labels, condition=beside, seed=seed)
        found, _ = follower.follow(request, None, True, None)
        shown = generator.render(labels, condition=beside, seed=seed).image
        for box in found:
            np.testing.assert_array_equal(follower.pixels(box), shown[box.top : box.bottom, box.left : box.right])
        assert found
