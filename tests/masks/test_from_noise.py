import hashlib
import subprocess
import sys

import numpy as np
import pytest
import torch

from napari_synth import api
from napari_synth.core.errors import InputError, WorkError
from napari_synth.masks.from_noise import PairModel
from napari_synth.models.architectures import build
from napari_synth.models.card import Look, ModelCard
from napari_synth.models.checkpoint import save_model
from napari_synth.models.registry import load_trained

HYPER = {"size": 64, "latent_size": 100, "looks": 2, "width": 8, "upsampling": "resize"}


def small_pairs(path, bias=-3.0):
    """A generator with random weights and decided masks, mostly background."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = build("ising-gan", **HYPER)
    with torch.no_grad():
        network.mask[-1].weight.mul_(5000)
        network.mask[-1].bias.fill_(bias)
    card = ModelCard(
        id=path.stem,
        architecture="ising-gan",
        hyper=HYPER,
        role="pairs",
        latent_size=100,
        looks=[Look(name="he"), Look(name="grey", rgb=False)],
    )
    save_model(path, card, network.state_dict())
    return path


@pytest.fixture
def model(tmp_path):
    return api.load_model(small_pairs(tmp_path / "pairs.safetensors"), "cpu")


def test_a_pair_of_a_seed(model):
    assert isinstance(model, PairModel)
    pair = model.sample(3, "he")
    assert pair.image.shape == (64, 64, 3)
    assert pair.image.dtype == np.uint8
    assert (pair.labels.dtype, pair.mask_probability.dtype) == (np.int32, np.float32)
    assert pair.labels.any()
    assert 0 <= pair.mask_probability.min() <= pair.mask_probability.max() <= 1
    assert ((pair.labels > 0) <= (pair.mask_probability > 0.5)).mean() > 0.95
    again = model.sample(3, "he")
    assert np.array_equal(pair.image, again.image)
    assert np.array_equal(pair.labels, again.labels)
    assert not np.array_equal(pair.image, model.sample(4, "he").image)
    image, values = model.decode(pair.z, "he")
    assert np.array_equal(image, pair.image)
    assert np.array_equal((values + 1) / 2, pair.mask_probability)


def test_a_grey_look_gives_grey_images_and_the_first_is_the_default(model):
    assert model.sample(1, "grey").image.shape == (64, 64)
    assert np.array_equal(model.sample(1).image, model.sample(1, "he").image)
    with pytest.raises(InputError, match="no look called 'blue'"):
        model.sample(1, "blue")


def test_a_fresh_process_gives_the_same_bits(model):
    code = (
        "import sys, hashlib; from napari_synth import api;"
        "p = api.load_model(sys.argv[1], 'cpu').sample(5);"
        "print(hashlib.sha256(p.image.tobytes() + p.labels.tobytes() + p.mask_probability.tobytes()).hexdigest())"
    )
    fresh = subprocess.run([sys.executable, "-c", code, str(model.path)], capture_output=True, text=True, check=True)
    pair = model.sample(5)
    own = hashlib.sha256(pair.image.tobytes() + pair.labels.tobytes() + pair.mask_probability.tobytes())
    assert fresh.stdout.strip() == own.hexdigest()


def test_masks_that_are_empty_are_drawn_again_and_given_up(tmp_path):
    model = api.load_model(small_pairs(tmp_path / "empty.safetensors", bias=-1e6), "cpu")
    with pytest.raises(WorkError, match="no usable mask of the look he in 50 tries"):
        model.sample(1)


def test_other_models_make_no_pairs():
    with pytest.raises(InputError, match="does not make pairs from noise"):
        PairModel(load_trained("nucleus-dvae", "cpu"))
