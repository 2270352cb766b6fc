import numpy as np
import pytest
import tifffile
import torch

from napari_synth import api
from napari_synth.cli.main import app
from napari_synth.core.errors import InputError
from napari_synth.core.recipe import ImageFileSource, image_hash, read_recipe
from napari_synth.datasets.image_files import read_channel
from napari_synth.exporting.formats.tiff import embedded_recipe
from napari_synth.models.checkpoint import load_weights
from napari_synth.nets.metgan import MetGen
from tests.helpers import METGAN_HYPER, nuclei, small_generator, small_metgan

SIZE = (70, 100)


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return small_metgan(tmp_path_factory.mktemp("models") / "brain.safetensors")


@pytest.fixture(scope="module")
def model(weights):
    return api.load_model(weights, "cpu")


def anatomy(seed=0, size=SIZE):
    return np.random.default_rng(seed).integers(50, 700, size).astype(np.uint16)


def test_the_signal_has_the_size_and_dtype_of_the_data(model):
    rendering = model.render(nuclei(SIZE), condition=anatomy())
    assert rendering.image.shape == SIZE
    assert rendering.image.dtype == np.uint16
    assert 100 <= rendering.image.min() < rendering.image.max() <= 1100
    np.testing.assert_array_equal(rendering.condition, anatomy())


def test_the_render_is_the_network_on_scaled_values(model, weights):
    network = MetGen(**METGAN_HYPER)
    network.load_state_dict(load_weights(weights))
    labels, image = nuclei((64, 128)), anatomy(size=(64, 128))
    x = torch.from_numpy(2 * np.clip((image - 100.0) / 500, 0, 1) - 1)[None, None].float()
    mask = torch.from_numpy(labels > 0)[None, None].float()
    with torch.no_grad():
        expected = (network.eval()(x, mask)[0, 0].double().numpy() + 1) / 2 * 1000 + 100
    got = model.render(labels, condition=image).image.astype(float)
    assert expected.std() > 1
    assert np.abs(got - expected).max() < 0.6, "folded norms and a cached image path change nothing"


def test_another_label_over_the_same_anatomy_and_another_anatomy(model):
    one = model.render(nuclei(SIZE, seed=1), condition=anatomy()).image
    two = model.render(nuclei(SIZE, seed=2), condition=anatomy()).image
    three = model.render(nuclei(SIZE, seed=2), condition=anatomy(5)).image
    again = model.render(nuclei(SIZE, seed=1), condition=anatomy()).image
    assert np.array_equal(one, again)
    assert not np.array_equal(one, two)
    assert not np.array_equal(two, three)


def test_an_empty_label_is_allowed_over_an_image_alone(model, tmp_path):
    assert model.render(np.zeros(SIZE, int), condition=anatomy()).image.shape == SIZE
    other = api.load_model(small_generator(tmp_path / "g.safetensors"), "cpu")
    with pytest.raises(InputError, match="empty"):
        other.render(np.zeros(SIZE, int))
    with pytest.raises(InputError, match="takes no image beside"):
        other.render(nuclei(SIZE), condition=anatomy())


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        (None, "needs an image of the anatomy"),
        (np.zeros((70, 90), np.uint16), r"90×70 pixels but the mask is 100×70"),
        (np.zeros((*SIZE, 3), np.uint8), "has 3 channels"),
        (np.zeros((3, *SIZE), np.uint8), "3 dimensions"),
        (np.full(SIZE, 7, np.uint16), "constant: its pixels all have the value 7"),
        (np.full(SIZE, np.nan), "NaN"),
        (np.zeros(SIZE, complex), "dtype"),
    ],
)
def test_unusable_anatomies(model, condition, words):
    with pytest.raises(InputError, match=words):
        model.render(nuclei(SIZE), condition=condition)


@pytest.mark.parametrize(
    "image",
    [
        np.where(anatomy() > 300, 65535, 0).astype(np.uint16),
        np.where(anatomy() > 300, 65535, 65530).astype(np.uint16),
        (anatomy().astype(np.float32) - 400) / 1e3,
        (anatomy().astype(np.int32) - 400).astype(np.int16),
        (anatomy() // 3).astype(np.uint8),
    ],
    ids=["saturated", "nearly all saturated", "negative floats", "negative integers", "8 bit"],
)
def test_odd_anatomies_render(model, image):
    rendering = model.render(nuclei(SIZE), condition=image)
    assert rendering.image.dtype == np.uint16
    assert 100 <= rendering.image.min() <= rendering.image.max() <= 1100
    assert rendering.condition.dtype == np.uint16


def test_labels_with_floats(model):
    labels = nuclei(SIZE)
    whole = model.render(labels.astype(np.float64), condition=anatomy()).image
    np.testing.assert_array_equal(whole, model.render(labels, condition=anatomy()).image)
    with pytest.raises(InputError, match="fractions"):
        model.render(labels * 0.5, condition=anatomy())


def test_an_image_of_another_dtype_is_scaled_by_its_own_percentiles(model):
    image = anatomy().astype(np.float64)
    a, b = (model.render(nuclei(SIZE), condition=x).image for x in (image, 1000 * image - 5))
    assert np.abs(a.astype(int) - b).max() <= 3


@pytest.fixture
def files(tmp_path):
    tifffile.imwrite(tmp_path / "label.tif", nuclei(SIZE).astype(np.uint16))
    tifffile.imwrite(tmp_path / "anatomy.tif", anatomy())
    return tmp_path


def command(*words):
    app([str(word) for word in words], standalone_mode=False)


def test_command_python_and_replay_give_the_same_array(model, weights, files):
    out = files / "out"
    command("synthesize", files / "label.tif", "--condition", files / "anatomy.tif", "--model", weights, "--out", out,
            "--device", "cpu")  # fmt: skip
    image = tifffile.imread(out / "label.tif")
    expected = model.render(nuclei(SIZE), condition=anatomy(), seed=1).image
    np.testing.assert_array_equal(image, expected)
    assert image.dtype == np.uint16
    recipe = embedded_recipe(out / "label.tif")
    (condition,) = recipe.conditions
    assert condition.sha256 == image_hash(anatomy())
    api.replay(out / "label.tif", files / "again", device="cpu")
    (pair,) = (files / "again" / "images").iterdir()
    both = tifffile.imread(pair)
    np.testing.assert_array_equal(both[0], anatomy())
    np.testing.assert_array_equal(both[1], expected)
    np.testing.assert_array_equal(tifffile.imread(files / "again" / "masks" / pair.name), nuclei(SIZE))
    api.replay(pair, files / "third", device="cpu")
    np.testing.assert_array_equal(tifffile.imread(files / "third" / "images" / pair.name), both)
    api.replay(files / "again" / "recipe.yaml", files / "fourth", device="cpu")
    np.testing.assert_array_equal(tifffile.imread(files / "fourth" / "images" / pair.name), both)


def test_a_changed_anatomy_is_noticed(weights, files):
    command("synthesize", files / "label.tif", "--condition", files / "anatomy.tif", "--model", weights,
            "--out", files / "out")  # fmt: skip
    tifffile.imwrite(files / "anatomy.tif", anatomy(3))
    with pytest.raises(InputError, match="not the one the recipe was made with"):
        api.replay(files / "out" / "label.tif", files / "again", device="cpu")


def test_the_command_says_what_is_missing(weights, files):
    with pytest.raises(InputError, match="--condition"):
        command("synthesize", files / "label.tif", "--model", weights, "--out", files / "out")
    tifffile.imwrite(files / "three.tif", np.zeros((*SIZE, 3), np.uint8))
    with pytest.raises(InputError, match=r"three\.tif has 3 channels"):
        command("synthesize", files / "label.tif", "--condition", files / "three.tif", "--model", weights,
                "--out", files / "out")  # fmt: skip


def test_recombined_labels_are_exported_over_an_anatomy(model, weights, files):
    command("recombine", files / "label.tif", "--n", 2, "--condition", files / "anatomy.tif", "--model", weights,
            "--out", files / "masks", "--seed", 4)  # fmt: skip
    recipe = read_recipe(files / "masks" / "recipe.yaml")
    assert len(recipe.masks) == 2
    result = api.export(recipe.model_copy(update={"n": 5}), files / "pairs", device="cpu")
    assert result.complete
    assert result.total == 5
    images = sorted((files / "pairs" / "images").iterdir())
    masks = [tifffile.imread(files / "pairs" / "masks" / path.name) for path in images]
    np.testing.assert_array_equal(masks[0], tifffile.imread(files / "masks" / "mask_0001.tif"))
    assert len({mask.tobytes() for mask in masks}) == 5, "more pairs than masks are new masks"
    for path, mask in zip(images, masks, strict=True):
        assert mask.shape == SIZE
        with tifffile.TiffFile(path) as tif:
            both, series = tif.asarray(), tif.series[0]
            described = tif.imagej_metadata
        assert series.axes == "CYX"
        assert described["Labels"] == ["anatomy", "signal"]
        assert both.dtype == np.uint16
        np.testing.assert_array_equal(both[0], anatomy())
        np.testing.assert_array_equal(both[1], model.render(mask, condition=anatomy()).image)
    api.replay(files / "pairs" / "recipe.yaml", files / "again", device="cpu")
    for path in images:
        np.testing.assert_array_equal(tifffile.imread(files / "again" / "images" / path.name), tifffile.imread(path))


def test_channels_of_a_file(tmp_path):
    stack = np.arange(2 * 20 * 30, dtype=np.uint16).reshape(2, 20, 30)
    tifffile.imwrite(tmp_path / "cyx.tif", stack)
    tifffile.imwrite(tmp_path / "yxc.tif", np.moveaxis(stack, 0, -1))
    for name in ("cyx.tif", "yxc.tif"):
        np.testing.assert_array_equal(read_channel(tmp_path / name, 1), stack[1])
        with pytest.raises(InputError, match="no channel 2"):
            read_channel(tmp_path / name, 2)
    with pytest.raises(InputError, match=r"dimensions|channels"):
        read_channel(tmp_path / "cyx.tif")
    assert ImageFileSource(path="a.tif").channel is None
