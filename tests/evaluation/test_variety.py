"""Whether variants of a mask differ, against arithmetic done by hand and models that are known to repeat themselves."""

import numpy as np
import pytest
import tifffile

from napari_synth.cli.main import app
from napari_synth.core.boxes import fullest_part
from napari_synth.core.errors import Cancelled
from napari_synth.core.progress import CancelToken
from napari_synth.datasets.pairs import LoadedPair
from napari_synth.evaluation.metrics import METRICS
from napari_synth.evaluation.metrics.variety import mean_distance
from napari_synth.evaluation.variety import Variety, known_distance, real_distance, variety_of
from napari_synth.models.registry import EARLIER_FOLDER, bundled_cards
from napari_synth.synthesis.recipes import file_recipe, load_generator
from napari_synth.synthesis.request import RenderRequest, Steering
from tests.helpers import nuclei, small_capsules, small_generator, small_styled


def flat(value, shape=(4, 6)):
    return np.full(shape, value, np.uint8)


def test_the_mean_distance_is_that_of_all_pairs():
    assert mean_distance([flat(10), flat(250), flat(40)]) == pytest.approx((240 + 30 + 210) / 3)
    assert mean_distance([flat(10, (4, 6, 3)), flat(20, (9, 5, 3))]) == 10, "of two sizes the common part"
    for images in ([], [flat(1)]):
        with pytest.raises(ValueError, match="at least two"):
            mean_distance(images)


def test_with_masks_only_what_shows_the_same_counts():
    one, other = np.zeros((2, 4, 6), int)
    one[:, :3], other[:, 3:] = 1, 1
    assert mean_distance([flat(0), flat(100)], [one, other]) == 0, "nowhere do the masks agree"
    other[0] = one[0]
    bright = flat(100)
    bright[0] = 7
    assert mean_distance([flat(0), bright], [one, other]) == 7


def test_the_metric_compares_two_sets():
    assert METRICS["variety"].function([flat(0), flat(50)], [flat(90), flat(100)]) == pytest.approx(0.2)
    assert METRICS["variety"].function([flat(1), flat(1)], [flat(0), flat(9)]) == float("inf")


def test_real_distance_is_grey_where_the_option_is():
    rng = np.random.default_rng(0)
    pairs = [LoadedPair(str(i), nuclei(), rng.integers(0, 255, (64, 64, 3)).astype(np.uint8), True) for i in range(2)]
    grey = np.abs(pairs[0].image[..., 0].astype(float) - pairs[1].image[..., 0]).mean()
    assert real_distance(pairs, rgb=False) == pytest.approx(grey, rel=1e-5)


def test_every_option_of_the_bundled_models_from_masks_alone_has_a_reference():
    for card in bundled_cards().values():
        if card.role == "generator" and not card.condition_channels:
            for option in card.options or [""]:
                assert known_distance(card, option) > 5, (card.id, option)


def test_the_card_of_a_model_of_ones_own_says_it(tmp_path):
    card = load_generator(small_styled(tmp_path / "mine.safetensors"), "cpu").card
    assert known_distance(card, "he") is None
    assert known_distance(card.model_copy(update={"figures": {"he.real_distance": 12.5}}), "he") == 12.5


@pytest.mark.parametrize("seed", [1, None])
def test_without_noise_variants_are_alike(seed):
    """And with it they are not, in the bundled looks."""
    generator = load_generator("optional-pix2pix-nuclei", "cpu")
    found = variety_of(generator, RenderRequest(nuclei((96, 96), 8), "purple", seed), variants=6)
    assert found.alike is (seed is None)
    if seed is not None:
        assert found.ratio > 0.6, "what the bundled models must reach"
        assert found.words.startswith("Variants of a mask differ by ")


def test_the_first_weights_are_found_out():
    """They differ in grain alone."""
    (path,) = EARLIER_FOLDER.glob("optional-pix2pix-nuclei.1.*")
    generator = load_generator(path, "cpu")
    assert variety_of(generator, RenderRequest(nuclei((96, 96), 8), "fluorescence", 1), variants=3).alike


def test_of_a_large_mask_the_fullest_part_is_rendered(tmp_path):
    generator = load_generator(small_styled(tmp_path / "small.safetensors"), "cpu")
    labels = np.zeros((700, 900), np.int32)
    labels[600:640, 30:80] = 3
    part = fullest_part(labels, 128)
    assert labels[part].shape == (128, 128)
    assert (labels[part] == 3).sum() == 40 * 50
    whole = variety_of(generator, RenderRequest(labels, "he", 1))
    assert whole == variety_of(generator, RenderRequest(labels[part], "he", 1))
    lone = np.zeros((700, 900), np.int32)
    lone[699, 899] = 1
    assert lone[fullest_part(lone, 128)].any(), "however small"
    assert fullest_part(nuclei((40, 300)), 128)[0] == slice(0, 40)


def test_grey_values_without_a_reference():
    assert Variety(3.0, None).alike
    assert not Variety(9.0, None).alike
    assert Variety(9.0, 30.0).alike
    assert "real" not in Variety(9.0, None).words


def test_it_can_be_stopped(tmp_path):
    token = CancelToken()
    token.cancel()
    for path in (small_generator(tmp_path / "a.safetensors"), small_capsules(tmp_path / "b.safetensors")):
        with pytest.raises(Cancelled):
            variety_of(load_generator(path, "cpu"), RenderRequest(nuclei(), seed=1), steering=Steering(cancel=token))


@pytest.mark.parametrize("variants", [1, 3])
def test_export_says_that_variants_are_alike(tmp_path, capsys, variants):
    generator = load_generator(small_generator(tmp_path / "small.safetensors"), "cpu")
    tifffile.imwrite(tmp_path / "mask.tif", nuclei().astype(np.uint16))
    request = RenderRequest(nuclei(), "he", 1)
    recipe = file_recipe(generator, request, tmp_path / "mask.tif").model_copy(update={"variants": variants})
    recipe.save(tmp_path / "recipe.yaml")
    words = ("export", tmp_path / "recipe.yaml", "--out", tmp_path / "out", "--device", "cpu")
    app([str(word) for word in words], standalone_mode=False)
    said = capsys.readouterr().err
    assert ("nearly alike: more masks" in said) == (variants > 1)
