"""The style of an image: what is rendered with it looks like the image, by every door; what is no image is refused."""

import re

import imageio.v3 as iio
import numpy as np
import pytest
import tifffile

import napari_synth as ns
from napari_synth.cli.main import app
from napari_synth.core.errors import Cancelled, InputError
from napari_synth.core.progress import CancelToken
from napari_synth.exporting.formats.tiff import embedded_recipe
from napari_synth.synthesis.recipes import load_generator
from napari_synth.synthesis.request import Steering
from napari_synth.synthesis.styles.from_image import style_from_image
from tests.helpers import nuclei, small_generator, small_styled

SIZE = (128, 128)


@pytest.fixture(scope="module")
def bundled():
    return ns.load_model("optional-pix2pix-nuclei", "cpu")


@pytest.fixture(scope="module")
def labels():
    return nuclei(SIZE, 16)


def colours(image, labels):
    """Mean colour inside and outside of the nuclei."""
    image = image.reshape(*labels.shape, -1).astype(float)
    return np.concatenate([image[labels > 0].mean(0), image[labels == 0].mean(0)])


@pytest.mark.parametrize(
    ("option", "member", "with_mask"),
    [
        ("purple", 0, False),
        *(
            pytest.param(*case, marks=pytest.mark.slow)
            for case in (("he", 39, True), ("he-dark", 0, True), ("fluorescence", 39, True))
        ),
    ],
)
def test_the_colours_of_an_image_come_back(bundled, labels, option, member, with_mask):
    """The image has a style from one end of the bank, and other noise than what is rendered with the style taken."""
    image = bundled.render(labels, option, 7, style=member).image
    code = ns.style_of(bundled, image, option, labels if with_mask else None)

    def apart(style):
        renderings = [bundled.render(labels, option, seed, style=style).image for seed in (9, 10)]
        return np.mean([np.abs(colours(made, labels) - colours(image, labels)) for made in renderings])

    assert apart(code) < 0.6 * np.mean([apart(other) for other in (5, 15, 25, 35)])


def test_what_the_option_cannot_show_is_said(bundled, labels):
    rng = np.random.default_rng(0)
    green = np.where(labels[..., None] > 0, (10, 250, 10), (250, 240, 10)).astype(float) + rng.normal(0, 5, (*SIZE, 3))
    green = green.clip(0, 255).astype(np.uint8)
    with pytest.warns(UserWarning, match=r"unlike all that H&E, light stain was trained on.* grey levels away"):
        ns.style_of(bundled, green, "he", labels)


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (np.zeros((20, 20), np.uint8), "20×20 pixels"),
        (np.zeros((20, 20, 3), np.uint8), "20×20 pixels"),
        (np.full((*SIZE, 3), 7, np.uint8), "one colour"),
        (np.broadcast_to(np.array([200, 10, 90], np.uint8), (*SIZE, 3)), "one colour"),
        (np.full(SIZE, np.nan), "one colour"),
        (np.zeros((5, *SIZE), np.uint8), r"has the shape \(5, 128, 128\)"),
        (np.zeros(SIZE, complex), "argument image cannot be"),
        ("image.png", "argument image cannot be"),
        (np.random.default_rng(0).integers(0, 255, (*SIZE, 3)).astype(np.uint8), "No nuclei were found"),
    ],
)
def test_what_is_no_image_of_nuclei_is_refused(bundled, image, words):
    with pytest.raises(InputError, match=words) as caught:
        ns.style_of(bundled, image, "he")
    assert caught.value.action.startswith("Give ")


def test_a_mask_that_does_not_fit_is_refused(bundled, labels):
    image = bundled.render(labels, "he", 1).image
    for mask, words in ((np.zeros(SIZE, int), "is empty"), (labels[:64], "128×128 pixels but its mask is 128×64")):
        with pytest.raises(InputError, match=words):
            ns.style_of(bundled, image, "he", mask)
    with pytest.raises(InputError, match="option"):
        ns.style_of(bundled, image, "blue", labels)


def test_other_models_have_no_styles(tmp_path, labels):
    image = np.random.default_rng(0).integers(0, 255, (*SIZE, 3)).astype(np.uint8)
    plain = load_generator(small_generator(tmp_path / "plain.safetensors"), "cpu")
    with pytest.raises(InputError, match="plain has no styles"):
        ns.style_of(plain, image, None, labels)
    with pytest.raises(InputError, match="renders no images"):
        ns.style_of("optional-pix2pix-nuclei", image)


def test_kinds_of_images_are_the_same_image(tmp_path, labels):
    """Grey of 8 and 16 bit, with a transparent channel, narrow, and next to nothing but one nucleus."""
    generator = load_generator(small_styled(tmp_path / "small.safetensors"), "cpu")
    grey = (60 * (labels > 0) + np.random.default_rng(0).integers(0, 90, SIZE)).astype(np.uint8)
    code = style_from_image(generator, grey, "grey", labels).code
    assert len(code) == 8
    assert np.isfinite(code).all()
    wide = style_from_image(generator, 257 * grey.astype(np.uint16), "grey", labels).code
    np.testing.assert_allclose(wide, code, atol=1e-4)
    colour = np.repeat(grey[..., None], 3, -1)
    clear = np.concatenate([colour, np.full((*SIZE, 1), 9, np.uint8)], -1)
    np.testing.assert_allclose(
        style_from_image(generator, clear, "he", labels).code, style_from_image(generator, colour, "he", labels).code
    )
    lone = np.zeros((64, 300), np.int32)
    lone[30:36, 200:206] = 1
    strip = np.random.default_rng(1).integers(0, 255, (64, 300, 3)).astype(np.uint8)
    assert np.isfinite(style_from_image(generator, strip, "he", lone).code).all()


def test_it_can_be_watched_and_stopped(tmp_path, labels):
    generator = load_generator(small_styled(tmp_path / "small.safetensors"), "cpu")
    image, token, seen = np.random.default_rng(0).integers(0, 255, (*SIZE, 3)).astype(np.uint8), CancelToken(), []

    def stop(progress):
        seen.append(progress)
        if progress.done == 3:
            token.cancel()

    with pytest.raises(Cancelled):
        style_from_image(generator, image, "he", labels, Steering(stop, token))
    assert [progress.done for progress in seen] == [1, 2, 3]
    assert {progress.total for progress in seen} == {21}


def command(*words):
    app([str(word) for word in words], standalone_mode=False)


@pytest.fixture
def files(tmp_path, labels):
    weights = small_styled(tmp_path / "small.safetensors")
    image = np.random.default_rng(0).integers(0, 255, (*SIZE, 3)).astype(np.uint8)
    image[labels > 0] //= 3
    tifffile.imwrite(tmp_path / "mask.tif", labels.astype(np.uint16))
    iio.imwrite(tmp_path / "mine.png", image)
    return weights, image


def test_the_commands_keep_the_code_in_the_recipe(files, labels, tmp_path):
    weights, image = files
    taken = ("--style-from", tmp_path / "mine.png", "--style-mask", tmp_path / "mask.tif", "--device", "cpu")
    command("synthesize", tmp_path / "mask.tif", "--model", weights, *taken, "--out", tmp_path / "a")
    (path,) = (tmp_path / "a").iterdir()
    generator = load_generator(weights, "cpu")
    code = style_from_image(generator, image, "he", labels).code
    assert embedded_recipe(path).style == pytest.approx(code)
    np.testing.assert_array_equal(tifffile.imread(path), generator.render(labels, "he", 1, style=code).image)
    command("export", path, *taken, "--option", "grey", "--out", tmp_path / "b")
    (pair,) = (tmp_path / "b" / "images").iterdir()
    assert embedded_recipe(pair).style == pytest.approx(style_from_image(generator, image, "grey", labels).code)
    command("export", path, "--style", "0", "--device", "cpu", "--out", tmp_path / "c")
    (pair,) = (tmp_path / "c" / "images").iterdir()
    assert embedded_recipe(pair).style == 0
    np.testing.assert_array_equal(tifffile.imread(pair), generator.render(labels, "he", 1, style=0).image)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--style", "1", "--style-from", "mine.png"), "Both --style and --style-from"),
        (("--style-mask", "mask.tif"), "--style-mask is given without an image"),
        (("--style-from", "none.png"), "does not exist"),
        (("--style-from", "mine.png", "--option", "he", "--option", "grey"), "A style belongs to one option"),
    ],
)
def test_what_does_not_go_together_is_said(files, tmp_path, monkeypatch, words, said):
    monkeypatch.chdir(tmp_path)
    command("synthesize", "mask.tif", "--model", files[0], "--device", "cpu", "--out", "a")
    (path,) = (tmp_path / "a").iterdir()
    with pytest.raises(InputError, match=re.escape(said)):
        command("export", path, *words, "--device", "cpu", "--out", "b")
    assert not (tmp_path / "b").exists()
