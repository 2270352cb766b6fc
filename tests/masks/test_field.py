import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from napari_synth.core.errors import Cancelled, InputError
from napari_synth.core.progress import CancelToken
from napari_synth.core.recipe import FieldSettings, FieldSource, FileSource, LayerSource, mask_hash
from napari_synth.export.base import PixelSize
from napari_synth.export.tiff import write_tiff
from napari_synth.masks.field import compose_field, turned_shape
from napari_synth.masks.shapes import ShapeModel
from napari_synth.masks.sources import MaskReader
from napari_synth.models.registry import load_trained
from tests.helpers import nuclei, small_generator


@pytest.fixture(scope="module")
def shapes():
    return ShapeModel(load_trained("nucleus-dvae", "cpu"))


def touching_pairs(labels):
    grown = ndimage.maximum_filter(labels, 3)
    return np.count_nonzero((grown != labels) & (labels > 0))


@pytest.mark.parametrize("touching", [True, False])
def test_every_nucleus_is_one_part_and_has_its_row(shapes, touching):
    field = compose_field(FieldSettings(count_mean=30, touching=touching), shapes, seed=4)
    present = np.unique(field.labels)[1:]
    assert present.tolist() == list(range(1, field.placed + 1)) == field.features["index"].tolist()
    assert 15 < field.placed <= field.wanted
    for label, area in zip(present, field.features["area"], strict=True):
        assert ndimage.label(field.labels == label)[1] == 1
        assert np.count_nonzero(field.labels == label) == area
    assert {"angle", "scale", "z0", "z9"} <= set(field.features)
    if touching:
        assert touching_pairs(field.labels) > 0
    else:
        assert touching_pairs(field.labels) == 0


def test_one_seed_repeats_and_two_differ(shapes):
    one, again, other = (compose_field(FieldSettings(), shapes, seed).labels for seed in (1, 1, 2))
    assert (one == again).all()
    assert (one != other).any()


def test_count_follows_the_area_of_the_canvas(shapes):
    small = [compose_field(FieldSettings(count_sd=0, area_mean=200), shapes, s).wanted for s in range(3)]
    large = compose_field(FieldSettings(height=512, width=256, count_sd=0, area_mean=200), shapes, 1)
    assert small == [20] * 3
    assert large.wanted == 40
    assert large.labels.shape == (512, 256)


def test_areas_follow_the_settings(shapes):
    settings = FieldSettings(height=512, width=512, count_mean=10, area_mean=400, area_sd=0, touching=False)
    field = compose_field(settings, shapes, 3)
    inside = [
        row["area"]
        for row in (
            dict(zip(field.features, values, strict=True)) for values in zip(*field.features.values(), strict=True)
        )
        if not np.isin(
            row["index"], np.concatenate([field.labels[0], field.labels[-1], field.labels[:, 0], field.labels[:, -1]])
        )
    ]
    assert np.mean(inside) == pytest.approx(400, rel=0.1)


def test_a_full_canvas_says_how_many_found_a_place(shapes):
    field = compose_field(FieldSettings(height=64, width=64, count_mean=800, area_mean=900), shapes, 1)
    assert 0 < field.placed < field.wanted


def test_cancel_is_answered_between_two_nuclei(shapes):
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(Cancelled):
        compose_field(FieldSettings(), shapes, 1, cancel)


def test_nothing_wanted_gives_an_empty_field(shapes):
    field = compose_field(FieldSettings(count_mean=0, count_sd=0), shapes, 1)
    assert not field.labels.any()
    assert field.placed == 0


@given(st.floats(0, 360), st.floats(4, 4000), st.integers(0, 50))
@settings(max_examples=40, deadline=None)
def test_a_turned_shape_has_the_asked_area(angle, area, seed):
    y, x = np.mgrid[:64, :64] - 31.5
    rng = np.random.default_rng(seed)
    shape = ((y / rng.uniform(8, 28)) ** 2 + (x / rng.uniform(8, 28)) ** 2 < 1).astype(np.float32)
    nucleus, scale = turned_shape(shape, angle, area)
    assert scale == pytest.approx(np.sqrt(area / shape.sum()))
    assert np.count_nonzero(nucleus) == pytest.approx(area, rel=0.12, abs=6)
    assert nucleus[0].any()
    assert nucleus[:, -1].any()


def test_a_shape_without_nucleus_is_one_pixel():
    nucleus, _ = turned_shape(np.zeros((64, 64), np.float32), 10, 100)
    assert nucleus.tolist() == [[True]]


def test_bad_codes_and_samplers(shapes):
    assert shapes.decode(np.zeros(10)).shape == (1, 64, 64)
    with pytest.raises(InputError, match=r"Give \(N, 10\) numbers"):
        shapes.decode(np.zeros((2, 9)))
    with pytest.raises(InputError, match="NaN"):
        shapes.decode(np.full((1, 10), np.nan))
    with pytest.raises(InputError, match=r"Give \(N, 64, 64\)"):
        shapes.encode(np.zeros((64, 64)))
    with pytest.raises(InputError, match="no sampler called 'magic'"):
        compose_field(FieldSettings(sampler="magic"), shapes, 1)


def test_a_decoded_shape_encodes_to_a_similar_shape(shapes):
    decoded = shapes.decode(np.random.default_rng(0).normal(0, 0.7, (8, 10))) > 0.5
    again = shapes.decode(shapes.encode(decoded)) > 0.5
    overlap = (decoded & again).sum((1, 2)) / (decoded | again).sum((1, 2))
    assert np.median(overlap) > 0.85


def test_a_generator_is_no_shape_model(tmp_path):
    with pytest.raises(InputError, match="does not decode nucleus shapes"):
        ShapeModel(load_trained(small_generator(tmp_path / "g.safetensors"), "cpu"))


def test_sources_of_every_kind(shapes, tmp_path):
    painted = nuclei()
    reader = MaskReader(lambda name: shapes, {mask_hash(painted): painted})
    assert (reader.labels(LayerSource(name="a", sha256=mask_hash(painted))) == painted).all()
    write_tiff(tmp_path / "a.tif", painted.astype(np.uint16), "x", PixelSize())
    assert (reader.labels(FileSource(path=str(tmp_path / "a.tif"), sha256=mask_hash(painted))) == painted).all()
    field = reader.labels(FieldSource(settings=FieldSettings(), seed=1))
    assert (field == compose_field(FieldSettings(), shapes, 1).labels).all()


def test_sources_that_changed_or_are_gone(shapes, tmp_path):
    reader = MaskReader(lambda name: shapes)
    with pytest.raises(InputError, match="never saved"):
        reader.labels(LayerSource(name="painted", sha256="00"))
    write_tiff(tmp_path / "a.tif", nuclei().astype(np.uint16), "x", PixelSize())
    for source in (
        FileSource(path=str(tmp_path / "a.tif"), sha256="00"),
        FieldSource(settings=FieldSettings(), seed=1, sha256="00"),
    ):
        with pytest.raises(InputError, match="not the one the recipe was made with"):
            reader.labels(source)
    with pytest.raises(InputError, match="does not exist"):
        reader.labels(FileSource(path=str(tmp_path / "gone.tif")))
