"""Models that the program came with before: recipes name them by their hash."""

import numpy as np
import pytest
import torch

from napari_synth import api
from napari_synth.models.checkpoint import file_hash, load_weights
from napari_synth.models.defaults import DEFAULT_CAPSULES, DEFAULT_GENERATOR, DEFAULT_TWO_CHANNEL
from napari_synth.models.registry import recipe_weights, resolve_model

MIRRORED = "4d8837f1631e732491cb1ff6106274a082b7b196f9a4f301ecde696f41507c80"
"""Of the axons when their noise was mirrored beyond 256 pixels; the weights are those of today."""

NUCLEI = (
    "aadb1011c4446248f7b783f1d22d220adce4e8bae1b645208c5db53c714f581c",
    "d21c57edc5d543bb288e9bdd6146ac438484bdf4ba4d3b4dff1e0de227f32fdf",
)
"""Of the nuclei without styles, and with styles before two looks were fine-tuned on lossless images."""


BRAIN = "26e6116893d3f1015c17e9bc433e025eb7ddac030e0bd1689940b48d3d16cac6"
"""Of the two-channel model without noise planes, trained with the publication's objective."""


@pytest.mark.parametrize(
    ("name", "sha256"), [*((DEFAULT_GENERATOR, sha256) for sha256 in NUCLEI), (DEFAULT_TWO_CHANNEL, BRAIN)]
)
def test_earlier_recipes_have_their_weights(name, sha256):
    assert file_hash(recipe_weights(name, sha256)) == sha256


def test_a_file_of_the_same_weights_with_an_earlier_card_is_made_again(settings_file):
    path = recipe_weights(DEFAULT_CAPSULES, MIRRORED)
    assert file_hash(path) == MIRRORED
    assert recipe_weights(DEFAULT_CAPSULES, MIRRORED) == path
    now, then = load_weights(resolve_model(DEFAULT_CAPSULES)), load_weights(path)
    assert now.keys() == then.keys()
    assert all(torch.equal(now[name], then[name]) for name in now)


def test_it_differs_where_its_noise_was_mirrored(settings_file):
    mask = np.zeros((128, 512), np.int32)
    mask[60:64] = 1
    now, then = (
        api.load_model(path, "cpu").render(mask, seed=3).image.astype(float)
        for path in (DEFAULT_CAPSULES, recipe_weights(DEFAULT_CAPSULES, MIRRORED))
    )
    assert (now[:, :160] == then[:, :160]).all()
    assert np.abs(now - then)[:, 300:].mean() > 1


def test_a_hash_of_nothing_known_leaves_the_model_of_today():
    assert recipe_weights(DEFAULT_CAPSULES, "0" * 64) == resolve_model(DEFAULT_CAPSULES)
