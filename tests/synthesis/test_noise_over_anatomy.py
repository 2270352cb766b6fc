import numpy as np
import pytest
import torch

from napari_synth.core.progress import CancelToken
from napari_synth.core.seeds import derived_seed
from napari_synth.models.checkpoint import load_weights, read_card
from napari_synth.nets.counter_noise import noise_planes
from napari_synth.nets.metgan import NOISE_PERIODS, MetGen
from napari_synth.synthesis.architectures.metgan import forward
from napari_synth.synthesis.architectures.registry import has_noise
from napari_synth.synthesis.live.canvas import LIMIT
from napari_synth.synthesis.network_io import ForwardRequest
from napari_synth.synthesis.recipes import load_generator
from napari_synth.synthesis.request import RenderRequest
from tests.helpers import nuclei, small_metgan

NO_LATENT = np.zeros(0, np.float32)
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
    whole = forward(model, ForwardRequest(labels, 0, 4, NO_LATENT, condition=beside))
    cut = (labels[part].copy(), 0, 4, NO_LATENT)
    placed = forward(model, ForwardRequest(*cut, condition=beside[part].copy(), origin=(0, 64)))
    elsewhere = forward(model, ForwardRequest(*cut, condition=beside[part].copy()))
    inner = np.s_[16:48, 24:48]
    here, there = (np.corrcoef(x[inner].ravel(), whole[part][inner].ravel())[0, 1] for x in (placed, elsewhere))
    assert here > 0.75 > there + 0.25, "what is left is the context that a window lacks"


def test_following_a_label_equals_a_full_render_for_each_seed(generator):
    labels, beside = nuclei(SIZE, 5), anatomy()
    followed = generator.follower(LIMIT).begin(RenderRequest(labels, condition=beside, seed=4))
    for seed in (4, 4, 5, None):
        labels[10:20, 10:20] = 0 if labels[10, 10] else 1
        request = RenderRequest(labels, condition=beside, seed=seed)
        found, _ = followed.follow(request, None, True, CancelToken())
        shown = generator.render(labels, condition=beside, seed=seed).image
        for box in found:
            np.testing.assert_array_equal(followed.pixels(box), shown[box.top : box.bottom, box.left : box.right])
        assert found


def test_the_program_knows_whether_there_is_noise(generator, tmp_path):
    assert has_noise(generator.card)
    assert not has_noise(read_card(small_metgan(tmp_path / "published.safetensors")))
