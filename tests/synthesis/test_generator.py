import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from napari_synth.core.errors import InputError, WorkError
from napari_synth.core.recipe import mask_hash
from napari_synth.datasets.axons import AxonSettings, axon_mask
from napari_synth.models.card import ModelCard
from napari_synth.models.checkpoint import save_model
from napari_synth.synthesis.generator import Generator
from napari_synth.synthesis.recipes import check_model, load_generator, painted_recipe
from napari_synth.synthesis.request import RenderRequest
from tests.helpers import nuclei, small_capsules, small_generator


@pytest.fixture(scope="module")
def generator(tmp_path_factory):
    return load_generator(small_generator(tmp_path_factory.mktemp("model") / "small.safetensors"), "cpu")


def test_colour_and_grey_options(generator):
    colour, grey = generator.render(nuclei(), "he", 1), generator.render(nuclei(), "grey", 1)
    assert (colour.image.shape, colour.image.dtype, colour.option) == ((64, 64, 3), np.uint8, "he")
    assert (grey.image.shape, grey.image.dtype, grey.option) == ((64, 64), np.uint8, "grey")
    assert colour.seconds > 0
    assert generator.render(nuclei()).option == "he"


def test_one_seed_repeats_two_differ_and_none_is_silent(generator):
    one, again, other, silent, silent_again = (
        generator.render(nuclei(), "he", seed).image for seed in (1, 1, 2, None, None)
    )
    assert (one == again).all()
    assert (silent == silent_again).all()
    assert (one != other).any()
    assert (one != silent).any()


@given(st.integers(1, 70), st.integers(1, 70))
@settings(max_examples=20, deadline=None)
def test_any_size(generator, height, width):
    mask = np.ones((height, width), bool)
    assert generator.render(mask, "he", 1).image.shape == (height, width, 3)


def test_padding_only_continues_the_mask(generator):
    mask = nuclei((64, 64))
    cut = mask[:61, :]
    whole = np.pad(cut, [(0, 3), (0, 0)], mode="symmetric")
    assert (generator.render(cut, "he", 5).image == generator.render(whole, "he", 5).image[:61]).all()


def test_the_mask_is_read_as_any_whole_numbers(generator):
    mask = nuclei(count=1)
    expected = generator.render(mask, "he", 1).image
    for same in (mask > 0, mask.astype(np.uint8), mask.astype(float), mask * 1000):
        assert (generator.render(same, "he", 1).image == expected).all()


def test_different_labels_that_touch_change_the_image(generator):
    two = np.zeros((32, 32), int)
    two[8:24, 8:16], two[8:24, 16:24] = 1, 2
    assert (generator.render(two, "he", 1).image != generator.render(two > 0, "he", 1).image).any()


@pytest.mark.parametrize(
    ("mask", "words"),
    [
        (np.zeros((32, 32), int), "mask is empty"),
        (np.ones((4, 32, 32), int), "3 dimensions"),
        (np.full((32, 32), np.nan), "NaN"),
        (np.ones((32, 8193), bool), r"8193×32 pixels; the largest"),
    ],
)
def test_masks_that_cannot_be_rendered(generator, mask, words):
    with pytest.raises(InputError, match=words):
        generator.render(mask, "he", 1)


def test_unknown_option(generator):
    with pytest.raises(InputError, match="no option called 'hex'") as caught:
        generator.render(nuclei(), "hex", 1)
    assert "he, grey" in caught.value.action


def test_out_of_memory_is_one_sentence(generator, monkeypatch):
    def fail(*_):
        raise RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 9 bytes")

    monkeypatch.setattr(generator.network_for("exact").network, "forward", fail)
    with pytest.raises(WorkError, match="out of memory"):
        generator.render(nuclei(), "he", 1)


def test_a_shape_model_does_not_render():
    with pytest.raises(InputError, match="does not render images"):
        load_generator("nucleus-dvae", "cpu")


def test_plain_pix2pix_has_no_option(tmp_path):
    import torch

    from napari_synth.models.architectures import build

    hyper = {"in_channels": 1, "out_channels": 3, "ngf": 4, "levels": 3}
    card = ModelCard(
        id="p", architecture="pix2pix", hyper=hyper, role="generator", mask_meaning="foreground", tile_multiple=8
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        save_model(tmp_path / "p.safetensors", card, build("pix2pix", **hyper).state_dict())
    rendering = load_generator(tmp_path / "p.safetensors", "cpu").render(nuclei(), seed=3)
    assert rendering.image.shape == (64, 64, 3)
    assert rendering.option == ""


def test_a_recipe_names_the_model_by_path_and_hash(generator):
    recipe = painted_recipe(generator, RenderRequest(nuclei(), "he", 7), "my mask")
    assert recipe.model == str(generator.path)
    assert recipe.masks[0].sha256 == mask_hash(nuclei())
    check_model(recipe, generator)
    with pytest.raises(InputError, match="other weights"):
        check_model(recipe.model_copy(update={"model_sha256": "0" * 64}), generator)


@pytest.fixture(scope="module")
def capsules(tmp_path_factory):
    return load_generator(small_capsules(tmp_path_factory.mktemp("model") / "c.safetensors"), "cpu")


def test_a_latent_model_draws_z_from_the_seed_or_takes_it(capsules):
    mask = nuclei((30, 41), 2)
    one = capsules.render(mask, seed=1)
    assert one.image.shape == (30, 41)
    assert one.image.dtype == np.uint8
    assert (one.image == capsules.render(mask, seed=1).image).all()
    assert (one.image != capsules.render(mask, seed=2).image).any()
    z = np.random.default_rng(0).normal(size=100)
    assert (capsules.render(mask, z=z).image == capsules.render(mask, seed=5, z=z).image).all()
    assert (capsules.render(mask).image == capsules.render(mask, z=np.zeros(100)).image).all()


def test_a_wrong_z_is_refused(capsules, generator):
    for z, words in ((np.zeros(99), "Give 100 numbers"), (np.full(100, np.nan), "NaN")):
        with pytest.raises(InputError, match=words):
            capsules.render(nuclei(), z=z)
    with pytest.raises(InputError, match="no latent vector"):
        generator.render(nuclei(), "he", z=np.zeros(100))


def test_the_physics_based_generator_needs_no_training():
    generator = load_generator("pbam-axons", "cpu")
    labels = axon_mask(AxonSettings(height=100, width=130), 3)
    one = generator.render(labels, seed=1)
    assert (one.image.shape, one.image.dtype) == ((100, 130), np.uint8)
    assert one.image[labels > 0].mean() > 2 * one.image[labels == 0].mean()
    assert (one.image == generator.render(labels, seed=1).image).all()
    assert (one.image != generator.render(labels, seed=2).image).mean() > 0.5
    silent = generator.render(labels).image
    assert np.ptp(silent[ndimage.distance_transform_edt(labels == 0) > 12]) == 0
    with pytest.raises(InputError, match="no latent vector"):
        generator.render(labels, z=np.zeros(100))


def test_bundled_looks_differ_and_seeds_vary():
    bundled: Generator = load_generator("optional-pix2pix-nuclei", "cpu")
    mask = nuclei((128, 128), 6)
    images = {}
    for option in bundled.card.looks:
        image = bundled.render(mask, option.name, 1).image
        assert image.ndim == (3 if option.rgb else 2)
        images[option.name] = image.reshape(128, 128, -1).mean((0, 1)) * np.ones(3)
        inside = image[mask > 0].mean()
        outside = image[mask == 0].mean()
        assert abs(inside - outside) > 10, option.name
        assert (image != bundled.render(mask, option.name, 2).image).mean() > 0.2
    names = list(images)
    for i, a in enumerate(names):
        for b in names[i + 1 :]:
            assert np.abs(images[a] - images[b]).max() > 10, (a, b)
