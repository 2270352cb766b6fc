"""Files from strangers."""

import json
import struct
import zlib

import imageio.v3 as iio
import numpy as np
import pytest
import tifffile
import yaml
from hypothesis import given
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from napari_synth.api import mask_reader, recipe_of
from napari_synth.cli.console import parse_settings
from napari_synth.core.recipe import FieldSource, FileSource, located, parse_recipe
from napari_synth.datasets.image_files import read_image, read_labels, read_latent
from napari_synth.datasets.pairs import describe
from napari_synth.datasets.shape_library import read_shapes
from napari_synth.exporting.formats.base import Item, PixelSize
from napari_synth.exporting.formats.tiff import TiffWriter, embedded_nuclei, write_tiff
from napari_synth.masks.recombine import read_maps
from napari_synth.masks.shape_model import ShapeModel
from napari_synth.models.checkpoint import CARD_KEY
from napari_synth.models.registry import load_trained
from napari_synth.synthesis.recipes import load_generator
from tests.fuzz import found
from tests.fuzz.effort import effort, survives
from tests.fuzz.strategies import changed, damaged, npz_files, tiff_files, zipped

RECIPE = {
    "format": 1, "model": "pbam-axons", "model_sha256": "", "masks": [found.FILE | {"path": "one.tif"}, found.FIELD],
    "conditions": [found.FILE | {"channel": 0, "dtype": "uint8"}], "options": ["he"], "variants": 2, "seed": 1,
    "z": [0.5], "interventions": [{"layer": "convcaps1", "capsule": 0, "scale": 2.0}], "precision": "exact", "n": 3,
}  # fmt: skip
SMALL_FIELD = 128 * 128
FEW_NUCLEI = 200


def card_of(path):
    with safe_open(path, "numpy") as file:
        return json.loads(file.metadata()[CARD_KEY])


def use(path, mask, anatomy):
    """Whatever the file says it is."""
    trained = load_trained(path, "cpu")
    if trained.card.role == "shapes":
        return ShapeModel(trained).decode(np.zeros((1, 10)))
    generator = load_generator(path, "cpu")
    beside = anatomy if generator.card.condition_channels else None
    return generator.render(mask, next(iter(generator.card.options), None), 1, condition=beside).image


@pytest.mark.parametrize("change", found.CARDS)
def test_cards_that_were_trouble(models, mask, tmp_path, change):
    path = tmp_path / "x.safetensors"
    card = json.dumps(card_of(models["generator"]) | change)
    save_file(load_file(models["generator"]), path, metadata={CARD_KEY: card})
    assert survives("model cards", lambda: use(path, mask, None)) is None


@pytest.mark.parametrize("role", ["generator", "metgan", "shapes"])
def test_cards(models, mask, anatomy, tmp_path, role):
    tensors, path = load_file(models[role]), tmp_path / "x.safetensors"

    @effort(0.08)
    @given(changed(card_of(models[role])))
    def run(card):
        try:
            text = json.dumps(card)
            save_file(tensors, path, metadata={CARD_KEY: text})
        except UnicodeEncodeError:
            return
        image = survives("model cards", lambda: use(path, mask, anatomy))
        assert image is None or role == "shapes" or image.shape[:2] == mask.shape

    run()


def test_weights(models, mask, tmp_path):
    tensors, card = load_file(models["generator"]), json.dumps(card_of(models["generator"]))
    path = tmp_path / "x.safetensors"

    @effort(0.04)
    @given(st.sampled_from(sorted(tensors)), st.sampled_from([np.nan, np.inf, -np.inf, "cut", "gone", "flat", "whole"]))
    def run(name, what):
        changed = dict(tensors)
        tensor = changed.pop(name).clone()
        if what == "whole":
            tensor = tensor.int()
        elif what == "flat":
            tensor = tensor.flatten()[:-1].clone()
        elif what == "cut":
            tensor = tensor.reshape(-1)[:0].clone()
        elif what != "gone" and tensor.is_floating_point():
            tensor.view(-1)[0] = what
        if what != "gone":
            changed[name] = tensor
        save_file(changed, path, metadata={CARD_KEY: card})
        image = survives("weights", lambda: use(path, mask, None))
        if image is not None:
            assert what == "whole" or not tensor.is_floating_point() or tensor.numel() == 0

    run()


def test_damaged_models(models, mask, tmp_path):
    path = tmp_path / "x.safetensors"

    @effort(0.06)
    @given(damaged(models["generator"].read_bytes()))
    def run(content):
        path.write_bytes(content)
        survives("damaged models", lambda: use(path, mask, None))

    run()


def follow_recipe(text, folder):
    """What an export of the recipe asks for before it renders."""
    recipe = located(parse_recipe(text, "recipe.yaml"), folder)
    for index in {0, recipe.count() - 1}:
        for path in TiffWriter().files(folder, Item(recipe.stem(index))):
            assert path.resolve().is_relative_to(folder.resolve())
    reader = mask_reader()
    for source in recipe.masks[:2]:
        if isinstance(source, FieldSource):
            s = source.settings
            if s.height * s.width > SMALL_FIELD or s.count_mean + 4 * s.count_sd > FEW_NUCLEI or s.count_quantiles:
                continue  # a large order is no fault
        if isinstance(source, FieldSource | FileSource):
            reader.labels(source)
    for beside in recipe.conditions[:1]:
        reader.image(beside)
    return recipe


@pytest.mark.parametrize("change", found.RECIPES)
def test_recipes_that_were_trouble(tmp_path, change):
    text = yaml.safe_dump(RECIPE | change)
    survives("recipes", lambda: follow_recipe(text, tmp_path))


def test_recipes(tmp_path, mask):
    tifffile.imwrite(tmp_path / "m.tif", np.stack([mask, mask]).astype(np.uint8))
    tifffile.imwrite(tmp_path / "one.tif", mask.astype(np.uint8))

    @effort(0.2)
    @given(changed(RECIPE))
    def run(record):
        text = yaml.safe_dump(record)
        survives("recipes", lambda: follow_recipe(text, tmp_path))

    run()


def read_text(text, folder):
    """The text as a recipe, as a setting and as the description of a data set."""
    survives("yaml", lambda: parse_recipe(text, "x.yaml"))
    survives("yaml", lambda: parse_settings([f"a={text}"]))
    try:
        (folder / "dataset.yaml").write_text(text, encoding="utf-8")
    except UnicodeEncodeError:
        return
    survives("yaml", lambda: describe(folder))


@pytest.mark.parametrize("text", found.YAML, ids=range(len(found.YAML)))
def test_yaml_that_was_trouble(tmp_path, text):
    read_text(text, tmp_path)


def test_yaml(tmp_path):
    @effort(0.05)
    @given(st.text(alphabet="[]{}:,-?!&*#|>'\"%@`\t\n 0123456789.eabnul~=<", max_size=40) | st.text(max_size=20))
    def run(text):
        read_text(text, tmp_path)

    run()


def read_archive(path):
    survives("npz archives", lambda: read_shapes(path))
    survives("npz archives", lambda: read_maps([path]))


@pytest.mark.parametrize("content", found.ARCHIVES, ids=range(len(found.ARCHIVES)))
def test_archives_that_were_trouble(tmp_path, content):
    (tmp_path / "x.npz").write_bytes(content)
    read_archive(tmp_path / "x.npz")
    (tmp_path / "x.npy").write_bytes(content)
    survives("latent files", lambda: read_latent(tmp_path / "x.npy"))


def test_an_archive_that_unpacks_to_gigabytes(tmp_path):
    """The directory of the archive says how much it is, and a directory that lies is found out."""
    path = tmp_path / "x.npz"
    np.savez_compressed(path, labels=np.zeros((5, 8192, 8192), np.uint8))
    assert path.stat().st_size < 2**20
    assert survives("npz archives", lambda: read_maps([path])) is None


def test_archives(tmp_path):
    path = tmp_path / "x.npz"
    names = ["shapes", "packed", "area_px", "about", "codes", "log_variances", "labels", "source"]

    @effort(0.06)
    @given(npz_files(names) | damaged(zipped({"labels.npy": b"x" * 500})))
    def run(content):
        path.write_bytes(content)
        read_archive(path)

    run()


def read_pixels(path):
    survives("images", lambda: read_labels(path))
    survives("images", lambda: read_image(path))


def test_tiffs_with_any_tags(tmp_path):
    path = tmp_path / "x.tif"

    @effort(0.06)
    @given(tiff_files())
    def run(content):
        path.write_bytes(content)
        read_pixels(path)
        survives("recipes in images", lambda: recipe_of(path))

    run()


@pytest.mark.parametrize("suffix", [".tif", ".png", ".jpg"])
def test_damaged_images(mask, tmp_path, suffix):
    whole, path = tmp_path / f"whole{suffix}", tmp_path / f"x{suffix}"
    if suffix == ".tif":
        write_tiff(whole, mask.astype(np.uint16), yaml.safe_dump(RECIPE), PixelSize(), {"index": np.arange(3)})
    else:
        iio.imwrite(whole, mask.astype(np.uint8))

    @effort(0.03)
    @given(damaged(whole.read_bytes()))
    def run(content):
        path.write_bytes(content)
        read_pixels(path)
        if suffix == ".tif":
            survives("recipes in images", lambda: recipe_of(path))
            survives("recipes in images", lambda: embedded_nuclei(path))

    run()


def test_images_that_are_larger_than_their_files(tmp_path):
    """Zeros pack so well that a small file can ask for more memory than there is."""
    path = tmp_path / "x.tif"
    tifffile.imwrite(
        path, shape=(40_000, 40_000), dtype=np.uint8, compression="zlib", tile=(16_000, 16_000), data=strips()
    )
    assert path.stat().st_size < 2**22
    assert survives("images", lambda: read_labels(path)) is None
    (tmp_path / "x.png").write_bytes(png_of(60_000, 60_000))
    assert survives("images", lambda: read_labels(tmp_path / "x.png")) is None


def strips():
    """Tiles of zeros, already packed."""
    packed = zlib.compress(bytes(16_000 * 16_000), 9)
    return iter([packed] * 9)


def png_of(width, height):
    """A PNG whose header alone is there."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 100)), (b"IEND", b""))
    packed = (struct.pack(">I", len(c)) + n + c + struct.pack(">I", zlib.crc32(n + c)) for n, c in chunks)
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)
