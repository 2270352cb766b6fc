"""The fast choice: 16-bit convolutions, some grey levels off, and written into the recipe."""

import numpy as np
import pytest
import tifffile
import torch
import yaml

from napari_synth import api
from napari_synth.cli.main import app
from napari_synth.core.boxes import Box, full_box
from napari_synth.core.errors import InputError
from napari_synth.core.recipe import FileSource, Recipe, parse_recipe, read_recipe
from napari_synth.exporting.formats.tiff import embedded_recipe
from napari_synth.models.defaults import DEFAULT_CAPSULES, DEFAULT_GENERATOR, DEFAULT_TWO_CHANNEL
from napari_synth.synthesis.live.canvas import LiveCanvas
from napari_synth.synthesis.precision import computing, half_dtype
from napari_synth.synthesis.recipes import load_generator
from napari_synth.synthesis.request import RenderRequest, Steering
from napari_synth.ui.samples import axons_256, brain_256, nuclei_256
from tests.helpers import nuclei, set_whole_pixels, small_capsules, small_generator, small_metgan, small_styled

SMALL = {"pix2pix": small_generator, "styled": small_styled, "capsules": small_capsules, "metgan": small_metgan}
SIZE = (64, 72)


def anatomy(size=SIZE):
    return np.random.default_rng(0).integers(50, 700, size).astype(np.uint16)


@pytest.fixture(params=[pytest.param(name, marks=[pytest.mark.slow] * (name == "capsules")) for name in SMALL])
def generator(request, tmp_path):
    return load_generator(SMALL[request.param](tmp_path / "small.safetensors"), "cpu")


def request_for(generator, labels, **more):
    beside = {"condition": anatomy(labels.shape)} if generator.card.condition_channels else {}
    return RenderRequest(labels, seed=3, **beside, **more)


@pytest.mark.parametrize(
    ("name", "sample", "largest"),
    [
        (DEFAULT_GENERATOR, nuclei_256, 6),
        pytest.param(DEFAULT_CAPSULES, axons_256, 8, marks=pytest.mark.slow),
        (DEFAULT_TWO_CHANNEL, brain_256, 32),
    ],
)
def test_the_bundled_models_are_some_grey_levels_off(name, sample, largest):
    model, layers = api.load_model(name, "cpu"), sample()
    beside = {"condition": layers[0][0][:128, :128]} if model.card.condition_channels else {}
    labels = layers[-1][0][:128, :128]
    exact, fast = (model.render(labels, seed=1, precision=p, **beside).image for p in ("exact", "fast"))
    assert fast.dtype == exact.dtype
    difference = np.abs(exact.astype(float) - fast)
    assert 0 < difference.max() <= largest
    assert difference.mean() < 0.1 * largest


def test_fast_repeats_and_leaves_exact_as_it_was(generator):
    labels = nuclei(SIZE)
    before = generator.run(request_for(generator, labels)).image
    one, two = (generator.run(request_for(generator, labels, precision="fast")).image for _ in range(2))
    np.testing.assert_array_equal(one, two)
    assert (one != before).any()
    np.testing.assert_array_equal(generator.run(request_for(generator, labels)).image, before)
    assert not torch.is_autocast_enabled("cpu")


def test_convolutions_compute_in_16_bit(generator):
    seen = []
    with computing(torch.device("cpu"), "fast"):
        network = generator.network_for("fast").network
    for module in network.modules():
        if isinstance(module, torch.nn.Conv2d):
            module.register_forward_hook(lambda *args: seen.append(args[-1].dtype))
    generator.run(request_for(generator, nuclei(SIZE), precision="fast"))
    assert set(seen) == {half_dtype(torch.device("cpu"))} == {torch.bfloat16}
    assert {parameter.dtype for parameter in generator.network_for("exact").network.parameters()} == {torch.float32}


def test_tiles_and_what_is_captured(generator, monkeypatch):
    labels = nuclei((140, 72), 8)
    layers = {"capture": ("conv1", "convcaps10")} if generator.stages else {}
    whole_image = generator.run(request_for(generator, labels, precision="fast", **layers))
    set_whole_pixels(monkeypatch, generator.card.architecture, 0)
    tiled = generator.run(request_for(generator, labels, precision="fast", **layers), Steering(tile=128))
    assert tiled.tile == 128
    assert tiled.image.dtype == whole_image.image.dtype
    for name in whole_image.activations:
        assert tiled.activations[name].dtype == np.float32
        np.testing.assert_allclose(tiled.activations[name], whole_image.activations[name], atol=0.05)


def test_a_followed_mask_is_as_precise_as_it_is_asked_to_be(generator):
    labels, canvas, shown = nuclei(SIZE), LiveCanvas(), None
    canvas.reset(labels.copy())
    for step, precision in enumerate(("exact", "fast", "fast", "exact")):
        labels[4 * step : 4 * step + 9, 10:19] = step
        box = Box(4 * step, 10, 4 * step + 9, 19)
        canvas.put(box, labels[box.seen_from(full_box(*SIZE))].copy())
        look = request_for(generator, labels, precision=precision)
        rendering = canvas.follow(generator, look, settled=True)
        canvas.shown()
        expected = generator.run(look).image
        shown = np.zeros_like(expected) if shown is None else shown
        for part, pixels in rendering.parts:
            shown[part.seen_from(full_box(*SIZE))] = pixels
        # Windows of other sizes are summed in another order, which 16 bit show more than 32.
        allowed = 1 if precision == "exact" else 0.02 * (float(expected.max()) - float(expected.min())) + 2
        assert np.abs(shown.astype(float) - expected).max() <= allowed
        assert rendering.request.precision == precision


def test_another_word_is_refused(generator):
    with pytest.raises(InputError, match="precision"):
        generator.run(request_for(generator, nuclei(SIZE), precision="fats"))


@pytest.fixture
def files(tmp_path):
    weights = small_generator(tmp_path / "small.safetensors")
    tifffile.imwrite(tmp_path / "mask.tif", nuclei(SIZE).astype(np.uint16))
    return tmp_path, weights


def command(*words):
    app([str(word) for word in words], standalone_mode=False)


def test_command_python_and_replay_give_the_same_fast_image(files):
    folder, weights = files
    command("synthesize", folder / "mask.tif", "--model", weights, "--fast", "--device", "cpu", "--out", folder / "a")
    (path,) = (folder / "a").iterdir()
    image = tifffile.imread(path)
    model = api.load_model(weights, "cpu")
    exact, fast = (model.render(nuclei(SIZE), seed=1, precision=p).image for p in ("exact", "fast"))
    np.testing.assert_array_equal(image, fast)
    assert (fast != exact).any()
    assert embedded_recipe(path).precision == "fast"
    api.replay(path, folder / "b", device="cpu")
    (again,) = (folder / "b" / "images").iterdir()
    np.testing.assert_array_equal(tifffile.imread(again), fast)
    api.replay(again, folder / "c", device="cpu")
    np.testing.assert_array_equal(tifffile.imread(folder / "c" / "images" / again.name), fast)


def test_a_recipe_without_the_line_is_exact_and_export_can_ask_for_fast(files):
    folder, weights = files
    recipe = Recipe(model=str(weights), masks=[FileSource(path=str(folder / "mask.tif"))], seed=1)
    written = recipe.model_dump()
    assert written.pop("precision") == "exact"
    assert parse_recipe(yaml.safe_dump(written), "old").precision == "exact"
    (folder / "old.yaml").write_text(yaml.safe_dump(written))
    command("export", folder / "old.yaml", "--device", "cpu", "--out", folder / "exact")
    command("export", folder / "old.yaml", "--fast", "--device", "cpu", "--out", folder / "fast")
    assert read_recipe(folder / "exact" / "recipe.yaml").precision == "exact"
    assert read_recipe(folder / "fast" / "recipe.yaml").precision == "fast"
    one, two = (tifffile.imread(next((folder / name / "images").iterdir())) for name in ("exact", "fast"))
    assert 0 < np.abs(one.astype(int) - two).max() < 10
    with pytest.raises(InputError, match="already holds other pairs"):
        command("export", folder / "old.yaml", "--fast", "--device", "cpu", "--out", folder / "exact")
    written["precision"] = "slow"
    with pytest.raises(InputError, match="precision"):
        parse_recipe(yaml.safe_dump(written), "new")
