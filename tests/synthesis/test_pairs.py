"""Pairs from noise: the model in its role, recipes of pairs, and what is made of them again."""

import csv
import hashlib
import subprocess
import sys

import numpy as np
import pytest
import tifffile
import torch

from napari_synth import api
from napari_synth.core.errors import InputError, WorkError
from napari_synth.core.recipe import PairSource, Recipe, mask_hash, parse_recipe
from napari_synth.exporting.formats import FORMATS
from napari_synth.exporting.in_shards import export_shards
from napari_synth.exporting.pair_dataset import PairDataset
from napari_synth.exporting.tables import PAIRS_NAME
from napari_synth.models.registry import load_trained
from napari_synth.synthesis.pairs import PairModel, pairs_recipe
from napari_synth.synthesis.recipes import load_generator, read_request, request_of
from napari_synth.synthesis.request import RenderRequest
from tests.helpers import nuclei, small_pairs


@pytest.fixture
def path(tmp_path):
    return small_pairs(tmp_path / "noise.safetensors")


@pytest.fixture
def model(path):
    return api.load_model(path, "cpu")


def test_a_pair_of_a_seed(model):
    assert isinstance(model, PairModel)
    pair = model.sample(3, "he")
    assert (pair.image.shape, pair.image.dtype) == ((64, 64, 3), np.uint8)
    assert (pair.labels.dtype, pair.mask_probability.dtype) == (np.int32, np.float32)
    assert pair.labels.any()
    assert 0 <= pair.mask_probability.min() <= pair.mask_probability.max() <= 1
    assert ((pair.labels > 0) <= (pair.mask_probability > 0.5)).mean() > 0.95
    again = model.sample(3, "he")
    assert np.array_equal(pair.image, again.image)
    assert np.array_equal(pair.labels, again.labels)
    assert not np.array_equal(pair.image, model.sample(4, "he").image)


def test_a_code_can_be_given_and_the_seed_is_the_grain_then(model):
    pair = model.sample(3, "he")
    same = model.sample(3, "he", z=pair.z)
    assert np.array_equal(same.image, pair.image)
    grain = model.sample(4, "he", z=pair.z)
    assert np.array_equal(grain.labels, pair.labels)
    assert not np.array_equal(grain.image, pair.image)
    image, values = model.decode(pair.z, "he", 3)
    assert np.array_equal(image, pair.image)
    assert np.array_equal((values + 1) / 2, pair.mask_probability)
    with pytest.raises(InputError, match="Give 100 numbers"):
        model.sample(1, z=np.zeros(3))


def test_a_grey_look_gives_grey_images_and_the_first_is_the_default(model):
    assert model.sample(1, "grey").image.shape == (64, 64)
    assert np.array_equal(model.sample(1).image, model.sample(1, "he").image)
    with pytest.raises(InputError, match="no option called 'blue'"):
        model.sample(1, "blue")


@pytest.mark.slow
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


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU")
def test_a_gpu_gives_the_same_pair_up_to_one_grey_level(path, model):
    other = api.load_model(path, "cuda")
    for seed in range(8):
        here, there = model.sample(seed), other.sample(seed)
        assert np.array_equal(here.z, there.z)
        assert (here.labels > 0) == pytest.approx(there.labels > 0, abs=0)
        assert np.abs(here.image.astype(int) - there.image).max() <= 1


def test_masks_that_are_empty_are_drawn_again_and_given_up(tmp_path):
    model = api.load_model(small_pairs(tmp_path / "empty.safetensors", bias=-1e6), "cpu")
    with pytest.raises(WorkError, match=r"gave no usable mask in 50 tries \(50 empty\)"):
        model.sample(1)
    with pytest.raises(InputError, match="The mask of this z is empty"):
        model.sample(1, z=np.zeros(100))


def test_the_recipe_of_a_pair_makes_it_again(model, path):
    pair = model.sample(7, "grey")
    recipe = parse_recipe(pair.recipe.to_yaml(), "a test")
    assert recipe == pair.recipe
    assert recipe.masks == [pair.source]
    assert (pair.source.seed, pair.source.option, pair.source.sha256) == (7, "grey", mask_hash(pair.labels))
    request = read_request(recipe, api.mask_reader("cpu"))
    assert np.array_equal(request.labels, pair.labels)
    assert np.array_equal(load_generator(path, "cpu").run(request).image, pair.image)
    given = model.sample(9, "grey", z=pair.z)
    again = read_request(given.recipe, api.mask_reader("cpu"))
    assert np.array_equal(load_generator(path, "cpu").run(again).image, given.image)


def test_a_mask_from_noise_can_be_rendered_by_another_model(model):
    pair = model.sample(2)
    recipe = Recipe(model="optional-pix2pix-nuclei", masks=[pair.source], options=["he"], seed=2)
    generator = load_generator(recipe.model, "cpu")
    image = generator.run(read_request(recipe, api.mask_reader("cpu"))).image
    assert np.array_equal(image, generator.render(pair.labels, "he", 2).image)


def test_exported_pairs_are_those_of_the_model_and_are_replayed(model, path, tmp_path):
    recipe = pairs_recipe(str(path), ["he", "grey"], n=4, seed=11)
    result = api.export(recipe, tmp_path / "out", device="cpu")
    assert (result.total, result.written) == (4, 4)
    files = sorted((tmp_path / "out").glob("images/*.tif"))
    assert [file.stem for file in files] == ["0001_he", "0002_grey", "0003_he", "0004_grey"]
    first = model.sample(11, "he")
    assert np.array_equal(tifffile.imread(files[0]), first.image)
    assert np.array_equal(tifffile.imread(tmp_path / "out" / "masks" / files[0].name), first.labels)
    assert len({mask_hash(tifffile.imread(tmp_path / "out" / "masks" / file.name)) for file in files}) == 4
    for file in files[1:3]:
        api.replay(file, tmp_path / file.stem, device="cpu")
        (again,) = (tmp_path / file.stem / "images").iterdir()
        assert np.array_equal(tifffile.imread(again), tifffile.imread(file))
        mask = tmp_path / file.stem / "masks" / again.name
        assert np.array_equal(tifffile.imread(mask), tifffile.imread(tmp_path / "out" / "masks" / file.name))
    api.export(pairs_recipe(str(path), ["he", "grey"], n=6, seed=11), tmp_path / "out", device="cpu")
    assert len(list((tmp_path / "out").glob("images/*.tif"))) == 6, "more pairs go on where it ended"


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_takes_pairs(name, model, path, tmp_path):
    recipe = pairs_recipe(str(path), ["he"], n=3, seed=2)
    api.export(recipe, tmp_path / "out", format=name, split="0.6/0.4", device="cpu")
    with (tmp_path / "out" / PAIRS_NAME).open() as lines:
        rows = list(csv.DictReader(lines))
    made = [mask_hash(model.mask(recipe.item(index).masks[0]).labels) for index in range(3)]
    assert [row["mask_sha256"] for row in rows] == made
    assert {row["role"] for row in rows} == {"train", "val"}
    stored = api.recipe_of(tmp_path / "out" / "recipe.yaml")
    assert (stored.masks[0].kind, stored.masks[0].sha256, stored.count()) == ("pair", made[0], 3)


def test_shards_and_training_sets_of_pairs(model, path, tmp_path):
    recipe = pairs_recipe(str(path), n=3, seed=2)
    assert export_shards(recipe, tmp_path / "shards", device="cpu").made == 3
    pairs = PairDataset(recipe)
    first = model.sample(2)
    assert np.array_equal(pairs[0]["label"][0].numpy(), first.labels)
    assert np.array_equal((255 * pairs[0]["image"]).round().byte().permute(1, 2, 0).numpy(), first.image)


def test_models_of_pairs_render_no_other_mask(model, path):
    generator = load_generator(path, "cpu")
    with pytest.raises(InputError, match="makes its masks itself and renders no others"):
        generator.render(nuclei((64, 64)), "he", 1)
    pair = model.sample(1)
    for mask in (1 - (pair.labels > 0), np.ones((70, 70), int)):
        with pytest.raises(InputError, match="not the one that noise makes of z"):
            generator.run(RenderRequest(mask, "he", 1, z=pair.z))
    changed = pair.source.model_copy(update={"model_sha256": "0" * 64})
    with pytest.raises(InputError, match="other weights than the mask was made with"):
        api.mask_reader("cpu").labels(changed)
    other = pair.source.model_copy(update={"seed": 2})
    with pytest.raises(InputError, match="not the one the recipe was made with"):
        api.mask_reader("cpu").labels(other)


def test_other_models_make_no_pairs(path):
    with pytest.raises(InputError, match="does not make pairs from noise"):
        PairModel(load_trained("nucleus-dvae", "cpu"))
    with pytest.raises(InputError, match="does not make pairs from noise"):
        pairs_recipe("optional-pix2pix-nuclei")
    with pytest.raises(InputError, match="no option called 'blue'"):
        pairs_recipe(str(path), ["blue"])


def test_a_recipe_of_pairs_gives_each_its_own_seed():
    recipe = Recipe(model="m", masks=[PairSource(model="m", option="he", seed=3, z=[0.5], sha256="ab")], n=3, seed=3)
    items = [recipe.item(index) for index in range(3)]
    assert [item.options for item in items] == [["he"]] * 3
    assert items[0].masks[0] == recipe.masks[0]
    assert len({item.masks[0].seed for item in items}) == 3
    assert [item.masks[0].z for item in items] == [[0.5], None, None]
    assert Recipe(model="other", masks=recipe.masks).item(0).options == []
    assert request_of(items[0], nuclei((32, 32)), code=np.ones(1)).z.tolist() == [1]
