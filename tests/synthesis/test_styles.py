"""Styles and noise planes: a request is the network's own input, in parts and in one piece, by every way."""

import re

import numpy as np
import pytest
import tifffile
import torch
import yaml
from scipy.spatial.distance import cdist

from napari_synth import api
from napari_synth.cli.main import app
from napari_synth.core.boxes import Box, full_box
from napari_synth.core.errors import Cancelled, InputError
from napari_synth.core.progress import CancelToken
from napari_synth.core.recipe import FileSource, Recipe, mask_hash, parse_recipe
from napari_synth.core.seeds import derived_seed
from napari_synth.datasets.mask_encoding import mask_plane
from napari_synth.exporting.formats.tiff import embedded_recipe
from napari_synth.models.checkpoint import load_weights, read_card
from napari_synth.nets.counter_noise import noise_planes
from napari_synth.nets.styled import StyledPix2Pix
from napari_synth.synthesis.recipes import load_generator, painted_batch, painted_recipe, request_of
from napari_synth.synthesis.request import RenderRequest, Steering
from napari_synth.synthesis.styles import style_code
from tests.helpers import nuclei, set_whole_pixels, small_generator, small_styled

SIZE = (64, 72)


@pytest.fixture
def weights(tmp_path):
    return small_styled(tmp_path / "small.safetensors")


@pytest.fixture
def generator(weights):
    return load_generator(weights, "cpu")


def assert_equal_to_rounding(one, two):
    difference = np.abs(one.astype(int) - two)
    assert difference.max() <= 1
    assert (difference > 0).mean() < 1e-3


@pytest.mark.parametrize("seed", [4, None])
def test_a_request_is_mask_option_planes_and_code_through_the_network(weights, generator, seed):
    network = StyledPix2Pix(**read_card(weights).hyper).eval()
    network.load_state_dict(load_weights(weights))
    code = np.linspace(-1, 1, 8, dtype=np.float32)
    mask = torch.from_numpy(mask_plane(nuclei(SIZE), "foreground-gap"))[None, None]
    noise = (
        torch.zeros(3, *SIZE) if seed is None else noise_planes(derived_seed(seed, "render"), (1, 4, 16), 0, 0, *SIZE)
    )
    with torch.no_grad():
        drawn = network.drawn(
            torch.cat([mask, torch.full_like(mask, 0.5)], 1), noise[None], torch.from_numpy(code)[None]
        )
    expected = 127.5 * (drawn[0].permute(1, 2, 0).numpy() + 1)
    rendering = generator.render(nuclei(SIZE), "he", seed, style=code)
    assert np.abs(rendering.image - expected).max() <= 0.51
    assert np.ptp(rendering.image) > 20
    np.testing.assert_array_equal(rendering.style, code)


def test_a_member_of_the_bank_is_its_code_for_each_option(weights, generator):
    bank = load_weights(weights)["bank"].numpy()
    images = {}
    for number, option in enumerate(("he", "grey")):
        for member in (0, 5):
            by_number = generator.render(nuclei(SIZE), option, 1, style=member)
            by_code = generator.render(nuclei(SIZE), option, 1, style=list(bank[number, member]))
            np.testing.assert_array_equal(by_number.image, by_code.image)
            np.testing.assert_array_equal(by_number.style, bank[number, member])
            images[option, member] = by_number.image
    assert (images["he", 0] != images["he", 5]).any()
    assert (images["grey", 0] != images["grey", 5]).any()


def test_seeds_draw_styles_and_none_takes_the_middle(weights, generator):
    bank = load_weights(weights)["bank"].numpy()
    first, again, other = (generator.render(nuclei(SIZE), seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.image, again.image)
    assert first.style == again.style != other.style
    assert (first.image != other.image).mean() > 0.5
    middle = bank[1, cdist(bank[1], bank[1]).sum(1).argmin()]
    np.testing.assert_array_equal(generator.render(nuclei(SIZE), "grey").style, middle)


def test_drawn_codes_lie_between_neighbours_and_are_moved_within_their_spread():
    rng = np.random.default_rng(0)
    bank = rng.normal(size=(12, 8)).astype(np.float32)
    still, loose = np.zeros_like(bank), np.full_like(bank, 0.3)
    apart, drawn = cdist(bank, bank), []
    for seed in range(200):
        code = style_code(bank, still, None, seed)
        on_the_way = []
        for member in range(12):
            for other in np.argsort(apart[member])[1:4]:
                way = bank[other] - bank[member]
                share = np.clip((code - bank[member]) @ way / (way @ way), 0, 1)
                on_the_way.append(np.linalg.norm(bank[member] + share * way - code))
        assert min(on_the_way) < 1e-5
        drawn.append(cdist(code[None], bank).min() < 1e-6)
    assert 0.35 < np.mean(drawn) < 0.65
    moved = [style_code(bank, loose, None, seed) - style_code(bank, still, None, seed) for seed in range(200)]
    assert np.std(moved) == pytest.approx(0.3, rel=0.1)
    assert len(style_code(bank[:1], still[:1], None, 1)) == 8, "a bank of one has no neighbours"


@pytest.mark.parametrize(
    ("style", "words"),
    [
        (6, "The style 6 lies beyond the 6"),
        (-1, "The style -1 lies beyond"),
        ((1.0,) * 7, r"The style has shape \(7,\)"),
        (np.zeros((2, 4)), "The style has shape"),
        ((np.nan,) * 8, "The style contains NaN"),
        ((np.inf,) * 8, "The style contains NaN"),
        ("bright", "The style 'bright' is no number"),
    ],
)
def test_what_is_no_style_is_refused(generator, style, words):
    with pytest.raises(InputError, match=words) as caught:
        generator.render(nuclei(SIZE), style=style)
    assert "from 0 to 5, or 8 finite numbers" in str(caught.value)
    with pytest.raises(InputError, match=words):
        generator.run(RenderRequest(nuclei(SIZE), style=style))


def test_a_model_without_styles_takes_none(tmp_path):
    plain = load_generator(small_generator(tmp_path / "plain.safetensors"), "cpu")
    assert (plain.card.styles, plain.card.style_size) == (0, 0)
    assert plain.render(nuclei(SIZE), seed=1).style == ()
    with pytest.raises(InputError, match="has no styles"):
        plain.render(nuclei(SIZE), style=0)


@pytest.mark.parametrize("option", ["he", "grey"])
def test_tiles_equal_the_whole(generator, monkeypatch, option):
    labels, got = nuclei((250, 170), 30), None
    request = RenderRequest(labels, option, 3)
    piece = generator.run(request)
    set_whole_pixels(monkeypatch, "optional-pix2pix", 0)
    boxes = []
    got = np.zeros_like(piece.image)

    def on_tile(box, pixels):
        boxes.append(box)
        got[box.seen_from(full_box(250, 170))] = pixels

    tiled = generator.run(request, Steering(tile=64, on_tile=on_tile, near=(240, 160)))
    assert (piece.tile, tiled.tile) == (0, 64)
    assert tiled.style == piece.style
    assert np.ptp(piece.image) > 20
    assert_equal_to_rounding(piece.image, tiled.image)
    np.testing.assert_array_equal(got, tiled.image)
    assert boxes[0] == Box(192, 128, 250, 170), "what is looked at comes first"
    assert sum(box.area for box in boxes) == 250 * 170


def test_tiles_can_be_stopped_and_shrink(generator, monkeypatch):
    set_whole_pixels(monkeypatch, "optional-pix2pix", 0)
    request, token, seen = RenderRequest(nuclei((200, 200), 12), seed=3), CancelToken(), []
    expected = generator.run(request, Steering(tile=64)).image

    def stop(progress):
        seen.append(progress)
        if progress.done == 3:
            token.cancel()

    with pytest.raises(Cancelled):
        generator.run(request, Steering(tile=64, on_progress=stop, cancel=token))
    assert {progress.total for progress in seen} == {16}
    network = generator.network_for("exact").network
    forward = network.forward

    def small_memory(x, noise):
        if x.shape[-1] > 150:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 9 GiB.")
        return forward(x, noise)

    monkeypatch.setattr(network, "forward", small_memory)
    rendering = generator.run(request, Steering(tile=128))
    assert rendering.tile == 64
    assert_equal_to_rounding(rendering.image, expected)


def test_a_recipe_keeps_the_style_and_says_nothing_where_there_is_none(generator):
    for style in (None, 3, tuple(float(np.float32(x)) for x in np.linspace(-1, 1, 8))):
        request = RenderRequest(nuclei(SIZE), seed=3, style=style)
        recipe = painted_recipe(generator, request, "mask")
        assert ("style" in yaml.safe_load(recipe.to_yaml())) == (style is not None)
        assert ("style" in recipe.model_dump()) == (style is not None)
        again = request_of(parse_recipe(recipe.to_yaml(), "a test"), nuclei(SIZE))
        assert again.style == style
        np.testing.assert_array_equal(generator.run(again).image, generator.run(request).image)


@pytest.mark.parametrize("style", ["-1", "[.nan, 0, 0, 0, 0, 0, 0, 0]", "bright"])
def test_a_recipe_with_what_is_no_style_is_refused(style):
    text = Recipe(model="x", masks=[FileSource(path="m.tif")]).to_yaml() + f"style: {style}\n"
    with pytest.raises(InputError, match="style"):
        parse_recipe(text, "a test")


def command(*words):
    app([str(word) for word in words], standalone_mode=False)


@pytest.fixture
def mask(tmp_path):
    tifffile.imwrite(tmp_path / "mask.tif", nuclei(SIZE).astype(np.uint16))
    return tmp_path / "mask.tif"


@pytest.mark.parametrize("given", ["none", "number", "numbers", "file"])
def test_command_python_and_replay_give_the_same_image(weights, generator, mask, tmp_path, given):
    code = [round(float(x), 3) for x in np.linspace(-1, 1, 8)]
    np.save(tmp_path / "code.npy", np.array(code))
    words, style = {
        "none": ((), None),
        "number": (("--style", "4"), 4),
        "numbers": (("--style", ",".join(map(str, code))), code),
        "file": (("--style", tmp_path / "code.npy"), code),
    }[given]
    command("synthesize", mask, "--model", weights, *words, "--seed", 5, "--device", "cpu", "--out", tmp_path / "a")
    (path,) = (tmp_path / "a").iterdir()
    image = tifffile.imread(path)
    np.testing.assert_array_equal(image, generator.render(nuclei(SIZE), seed=5, style=style).image)
    recipe = embedded_recipe(path)
    assert recipe.style == (pytest.approx(style) if isinstance(style, list) else style)
    api.replay(path, tmp_path / "b", device="cpu")
    (again,) = (tmp_path / "b" / "images").iterdir()
    np.testing.assert_array_equal(tifffile.imread(again), image)


@pytest.mark.parametrize(
    ("style", "words"),
    [
        ("6", "style 6 lies beyond"),
        ("1,2", "style has shape"),
        ("none.txt", "does not exist"),
        ("words.txt", "no list of numbers"),
    ],
)
def test_a_wrong_style_is_said_before_anything_is_rendered(weights, mask, tmp_path, monkeypatch, style, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "words.txt").write_text("bright")
    with pytest.raises(InputError, match=re.escape(words)):
        command("synthesize", mask, "--model", weights, "--style", style, "--device", "cpu", "--out", tmp_path / "a")
    assert not (tmp_path / "a").exists()


def test_variants_of_a_batch_have_styles_of_their_own_unless_one_is_fixed(weights, generator, mask, tmp_path):
    source = FileSource(path=str(mask), sha256=mask_hash(nuclei(SIZE)))
    batch = Recipe(model=str(weights), masks=[source], options=["he"], variants=3, seed=5)
    for folder, style in (("drawn", None), ("fixed", 2)):
        recipe = batch.model_copy(update={"style": style})
        api.export(recipe, tmp_path / folder, device="cpu")
        images = [tifffile.imread(path) for path in sorted((tmp_path / folder / "images").iterdir())]
        renderings = [generator.run(request_of(recipe.item(number), nuclei(SIZE))) for number in range(3)]
        for image, rendering in zip(images, renderings, strict=True):
            np.testing.assert_array_equal(image, rendering.image)
        assert len({rendering.style for rendering in renderings}) == (3 if style is None else 1)
        assert len({rendering.image.tobytes() for rendering in renderings}) == 3, "the noise differs all the same"
    with pytest.raises(InputError, match="beyond the 6"):
        api.export(batch.model_copy(update={"style": 6}), tmp_path / "none", device="cpu")
    assert not (tmp_path / "none").exists()
    assert painted_batch(generator, [("mask", nuclei(SIZE))], style=(1.0,) * 8).recipe.style == [1.0] * 8
