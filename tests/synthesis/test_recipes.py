"""Recipes are made in one place, and say what was rendered."""

import numpy as np
import pytest

from napari_synth.core.errors import InputError
from napari_synth.core.recipe import FieldSettings, FieldSource, LayerSource, image_hash, mask_hash, parse_recipe
from napari_synth.exporting.batch import ExportRequest, export_pairs
from napari_synth.masks.mask_reader import MaskReader
from napari_synth.synthesis.recipes import (
    altered,
    file_recipe,
    image_file,
    load_generator,
    masks_recipe,
    painted_batch,
    painted_recipe,
    request_of,
)
from napari_synth.synthesis.request import RenderRequest
from tests.helpers import nuclei, small_generator, small_metgan

SIZE = (64, 48)


def anatomy():
    return np.random.default_rng(0).integers(50, 700, SIZE).astype(np.uint16)


@pytest.fixture
def generator(tmp_path):
    return load_generator(small_generator(tmp_path / "small.safetensors"), "cpu")


@pytest.fixture
def brain(tmp_path):
    return load_generator(small_metgan(tmp_path / "brain.safetensors"), "cpu")


def test_a_painted_image_and_the_image_beside_it(brain):
    request = RenderRequest(nuclei(SIZE).astype(float), seed=3, condition=anatomy(), precision="fast")
    recipe = parse_recipe(painted_recipe(brain, request, "mask", "tissue").to_yaml(), "a test")
    assert recipe.masks == [LayerSource(name="mask", sha256=mask_hash(nuclei(SIZE)))]
    assert recipe.conditions == [LayerSource(name="tissue", sha256=image_hash(anatomy()))]
    assert (recipe.seed, recipe.precision, recipe.options) == (3, "fast", [])
    again = request_of(recipe, nuclei(SIZE), anatomy())
    np.testing.assert_array_equal(brain.run(again).image, brain.run(request).image)


def test_a_file_and_the_option_that_is_rendered_where_none_is_named(generator, tmp_path):
    request = RenderRequest(nuclei(SIZE))
    recipe = file_recipe(generator, request, tmp_path / "mask.tif", image_file(tmp_path / "image.tif", anatomy()))
    assert recipe.options == ["he"]
    assert recipe.model_sha256 == generator.sha256
    assert recipe.masks[0].path == str(tmp_path / "mask.tif")
    assert recipe.masks[0].sha256 == mask_hash(nuclei(SIZE))
    assert recipe.conditions[0].sha256 == image_hash(anatomy())
    assert file_recipe(generator, RenderRequest(nuclei(SIZE), "grey"), tmp_path / "mask.tif").options == ["grey"]


def test_a_batch_of_layers_is_exported_from_its_arrays(brain, tmp_path):
    masks = [("one", nuclei(SIZE, seed=1)), ("two", nuclei(SIZE, seed=2) > 0), ("empty", np.zeros(SIZE, bool))]
    batch = painted_batch(brain, masks, condition=("tissue", anatomy()), seed=None)
    assert batch.recipe.count() == 3
    reader = MaskReader(lambda name: None, batch.arrays)
    result = export_pairs(ExportRequest(batch.recipe, tmp_path / "out"), brain, reader)
    assert (result.written, result.complete) == (3, True)


def test_options_and_variants_multiply_and_a_mask_is_checked(generator):
    masks = [("one", nuclei(SIZE, seed=1)), ("two", nuclei(SIZE, seed=2))]
    batch = painted_batch(generator, masks, options=["he", "grey"], variants=3, seed=5)
    assert batch.recipe.count() == 12
    assert len({batch.recipe.item(index).seed for index in range(12)}) == 6
    assert batch.recipe.model_sha256 == generator.sha256
    assert set(batch.arrays) == {mask_hash(labels) for _, labels in masks}
    with pytest.raises(InputError, match="empty"):
        painted_batch(generator, [("nothing", np.zeros(SIZE, int))])


def test_masks_without_a_model_and_what_is_asked_for_instead():
    recipe = masks_recipe("some-model", [FieldSource(settings=FieldSettings(), seed=4)], options=["he"], seed=4)
    assert (recipe.model, recipe.model_sha256, recipe.seed, recipe.count()) == ("some-model", "", 4, 1)
    assert altered(recipe) == recipe
    other = altered(recipe, n=9, variants=2, options=["he", "grey"], precision="fast")
    assert (other.n, other.variants, other.options, other.precision) == (9, 2, ["he", "grey"], "fast")
    assert recipe.n is None


def test_a_mask_is_checked_and_hashed_once_for_a_request():
    mask = nuclei(SIZE).astype(np.uint16)
    request = RenderRequest(mask)
    labels = request.labels
    mask[:] = 0
    assert request.labels is labels
    assert labels.dtype == np.int32
    assert request.mask_sha256 == mask_hash(nuclei(SIZE))
    with pytest.raises(InputError, match="3 dimensions"):
        _ = RenderRequest(np.ones((2, 3, 4), int)).labels
