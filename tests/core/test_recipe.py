import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_synth.core.errors import InputError
from napari_synth.core.recipe import (
    FieldSettings,
    FieldSource,
    FileSource,
    LayerSource,
    Recipe,
    mask_hash,
    parse_recipe,
    read_recipe,
)
from napari_synth.core.seeds import series_seed

paths = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=60)
sources = st.one_of(
    st.builds(FieldSource, settings=st.just(FieldSettings()), seed=st.integers(0, 2**31)),
    st.builds(FileSource, path=paths, sha256=st.text("0123456789abcdef")),
    st.builds(LayerSource, name=st.text(), sha256=st.text("0123456789abcdef")),
)
recipes = st.builds(
    Recipe,
    model=paths,
    masks=st.lists(sources, min_size=1, max_size=3),
    options=st.lists(st.sampled_from(["he", "purple"]), unique=True),
    variants=st.integers(1, 3),
    seed=st.one_of(st.none(), st.integers(0, 2**31)),
    n=st.one_of(st.none(), st.integers(1, 40)),
)


@given(recipes)
@settings(deadline=None)
def test_yaml_and_back(recipe):
    assert parse_recipe(recipe.to_yaml(), "test") == recipe


@given(recipes)
@settings(deadline=None)
def test_items_are_single_and_stems_are_unique(recipe):
    count = recipe.count()
    assert len({recipe.stem(i) for i in range(count)}) == count
    for index in range(count):
        item = recipe.item(index)
        assert item.count() == 1
        assert item.item(0) == item
        assert recipe.item(index) == item


def test_a_batch_pairs_every_mask_option_and_variant():
    masks = [FieldSource(settings=FieldSettings(), seed=1), FieldSource(settings=FieldSettings(), seed=2)]
    recipe = Recipe(model="m", masks=masks, options=["he", "purple"], variants=2)
    items = [recipe.item(i) for i in range(recipe.count())]
    assert recipe.count() == 8
    assert [item.options[0] for item in items] == ["he", "he", "purple", "purple"] * 2
    assert [item.masks[0].seed for item in items] == [1] * 4 + [2] * 4
    assert items[0].seed == items[2].seed != items[1].seed  # one seed, compared across options
    assert len({item.seed for item in items}) == 4


def test_more_pairs_than_masks_compose_new_fields_with_new_seeds():
    recipe = Recipe(model="m", masks=[FieldSource(settings=FieldSettings(), seed=1, sha256="ab")], n=5)
    seeds = [recipe.item(i).masks[0].seed for i in range(5)]
    assert len(set(seeds)) == 5
    assert seeds[0] == 1
    assert recipe.item(0).masks[0].sha256 == "ab"
    assert recipe.item(1).masks[0].sha256 == ""


def test_no_noise_stays_without_noise():
    recipe = Recipe(model="m", masks=[LayerSource(name="a", sha256="")], seed=None, n=3)
    assert [recipe.item(i).seed for i in range(3)] == [None] * 3


def test_relative_mask_paths_count_from_the_recipe(tmp_path):
    Recipe(model="m", masks=[FileSource(path="masks/a.tif")]).save(tmp_path / "recipe.yaml")
    assert read_recipe(str(tmp_path / "recipe.yaml")).masks[0].path == str(tmp_path / "masks" / "a.tif")


@pytest.mark.parametrize(
    "text", ["", "- 1", "model: m", "model: m\nmasks: []", "a: [", "model: m\nmasks: [{kind: cloud}]", "\x00"]
)
def test_what_is_no_recipe_is_refused(text):
    with pytest.raises(InputError, match="not valid"):
        parse_recipe(text, "bad.yaml")


def test_unreadable_recipe(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        read_recipe(tmp_path / "none.yaml")
    (tmp_path / "b.yaml").write_bytes(b"\xff\xfe\x80\x81")
    with pytest.raises(InputError, match="not a recipe"):
        read_recipe(tmp_path / "b.yaml")


def test_mask_hash_sees_values_and_shape_but_not_dtype():
    labels = np.arange(12).reshape(3, 4)
    assert mask_hash(labels) == mask_hash(labels.astype(np.uint16))
    assert mask_hash(labels) != mask_hash(labels.reshape(4, 3))
    assert mask_hash(labels) != mask_hash(labels + 1)


def test_a_file_that_does_not_say_how_its_seeds_follow_is_of_the_first_format():
    recipe = Recipe(model="m", masks=[FieldSource(settings=FieldSettings(), seed=1)], n=30000)
    text = recipe.to_yaml()
    assert text.startswith("format: 2\n")
    old = parse_recipe(text.replace("format: 2\n", ""), "test")
    assert old == parse_recipe(text.replace("format: 2\n", "format: 1\n"), "test")
    # numbers of the version that had no other format; fields 26022 and 27536 are the same
    assert [old.item(1).masks[0].seed, old.item(1).seed] == [1554503058, 2125567593]
    assert old.item(26022).masks[0] == old.item(27536).masks[0]
    assert recipe.item(26022).masks[0] != recipe.item(27536).masks[0]
    with pytest.raises(InputError, match="format"):
        parse_recipe(text.replace("format: 2\n", "format: 3\n"), "test")


@pytest.mark.slow
def test_a_million_fields_have_a_million_seeds():
    masks = [FieldSource(settings=FieldSettings(), seed=1), FieldSource(settings=FieldSettings(), seed=2)]
    recipe = Recipe(model="m", masks=masks, options=["he"], n=10**6)
    assert len({recipe.item(index).masks[0].seed for index in range(10**6)}) == 10**6
    assert len({series_seed(1, "field", index) for index in range(10**6)}) == 10**6
