import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from napari_synth.core.errors import InputError
from napari_synth.datasets.instances import moments
from napari_synth.masks.outlines import outlines, scale_for_area
from napari_synth.masks.shape_model import ShapeModel
from napari_synth.masks.single_nucleus import Nucleus, nucleus_at, picture, stamp
from napari_synth.models.registry import load_trained


@pytest.fixture(scope="module")
def shapes():
    return ShapeModel(load_trained("nucleus-dvae", "cpu"))


def ellipse(a=24.0, b=10.0):
    y, x = np.mgrid[:64, :64] - 31.5
    return ((x / a) ** 2 + (y / b) ** 2 < 1).astype(np.float32)


def drawn(outline):
    side = 2 * int(max(np.abs(outline.dy).max(), np.abs(outline.dx).max())) + 3
    image = np.zeros((side, side), bool)
    image[outline.dy + side // 2, outline.dx + side // 2] = True
    return image


@given(st.floats(0, 360), st.floats(10, 6000), st.floats(8, 30), st.floats(8, 30))
@settings(max_examples=60, deadline=None)
def test_area_angle_and_unity(angle, area, a, b):
    shape = ellipse(a, b)
    scale = scale_for_area(shape[None], np.array([area]))
    (outline,) = outlines(shape[None], np.array([angle]), scale)
    assert outline.area == pytest.approx(area, rel=0.15, abs=8)
    image = drawn(outline)
    assert ndimage.label(image)[1] == 1
    if max(a, b) / min(a, b) > 1.5 and area > 200:
        start = 0 if a > b else 90
        away = (moments(image[None]).axis[0] - start - angle + 90) % 180 - 90
        assert abs(away) < 6


def test_many_are_the_same_as_one_by_one(shapes):
    rng = np.random.default_rng(0)
    decoded = shapes.decode(rng.normal(0, 1, (30, 10)))
    angles, scales = rng.uniform(0, 360, 30), rng.uniform(0.05, 2, 30)
    for together, index in zip(outlines(decoded, angles, scales, 2), range(30), strict=True):
        (alone,) = outlines(decoded[[index]], angles[[index]], scales[[index]], 2)
        assert (together.dy == alone.dy).all()
        assert (together.dx == alone.dx).all()
        grown = ndimage.binary_dilation(np.pad(drawn(alone), 2), np.ones((3, 3)), iterations=2)
        assert len(together.grown_dy) == np.count_nonzero(grown)


def test_parts_and_holes_are_mended_and_an_empty_shape_is_a_pixel():
    shape = ellipse(20, 20) - ellipse(6, 6)
    shape[2:5, 2:5] = 1
    whole, nothing = outlines(np.stack([shape, np.zeros_like(shape)]), np.zeros(2), np.ones(2))
    assert whole.area == pytest.approx(ellipse(20, 20).sum(), rel=0.03)
    assert nothing.area == 1


def test_the_folded_decoder_gives_what_the_network_gives(shapes):
    z = np.random.default_rng(0).normal(0, 1, (50, 10))
    assert np.abs(shapes.decode(z) - shapes.decode_as_trained(z)).max() < 1e-5
    assert shapes.decode(np.zeros((0, 10))).shape == (0, 64, 64)


def test_a_stamp_never_eats_into_a_neighbour(shapes):
    labels = np.zeros((80, 80), np.uint16)
    labels[:, 40:] = 7
    nucleus = Nucleus(np.zeros(10, np.float32), 30, 0.6, 40, 36)
    patch = stamp(labels, ellipse(), nucleus)
    assert patch.label == 8
    assert (patch.values == 8).all()
    assert (patch.columns < 40).all()
    assert patch.area == patch.rows.size > 100
    full = np.full((80, 80), 3)
    assert stamp(full, ellipse(), nucleus).area == 0
    assert stamp(labels, ellipse(), nucleus.changed(y=200.0)).area == 0


@given(st.floats(0, 360), st.floats(0.05, 2), st.integers(-20, 100), st.integers(-20, 100), st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_stamped_and_edited_nuclei_stay_one_part(angle, scale, y, x, seed):
    rng = np.random.default_rng(seed)
    labels = np.zeros((80, 80), np.int32)
    for label in range(1, 5):
        top, left = rng.integers(0, 70, 2)
        labels[top : top + 12, left : left + 10][labels[top : top + 12, left : left + 10] == 0] = label
    before = labels.copy()
    patch = stamp(labels, ellipse(), Nucleus(np.zeros(10), angle, scale, y, x))
    labels[patch.rows, patch.columns] = patch.values
    assert (labels[before > 0] == before[before > 0]).all()
    assert np.count_nonzero(labels == patch.label) == patch.area
    assert ndimage.label(labels == patch.label)[1] == (patch.area > 0)
    if patch.area:
        again = stamp(labels, ellipse(), Nucleus(np.zeros(10), angle + 90, scale, y, x), patch.label)
        labels[again.rows, again.columns] = again.values
        assert (labels[before > 0] == before[before > 0]).all()
        kept = again.area or patch.area  # one that finds no free pixel stays as it was
        assert np.count_nonzero(labels == patch.label) == kept


def test_a_painted_nucleus_gets_a_code_and_comes_back_in_its_place(shapes):
    labels = np.zeros((120, 120), np.uint16)
    y, x = np.mgrid[:120, :120]
    labels[((x - 70) / 22) ** 2 + ((y - 50) / 12) ** 2 < 1] = 4
    nucleus = nucleus_at(labels, 4, shapes)
    patch = stamp(labels, picture(nucleus, shapes), nucleus, 4)
    again = labels.copy()
    again[patch.rows, patch.columns] = patch.values
    overlap = np.count_nonzero((labels == 4) & (again == 4)) / np.count_nonzero((labels == 4) | (again == 4))
    assert overlap > 0.85
    with pytest.raises(InputError, match="no nucleus 9"):
        nucleus_at(labels, 9, shapes)


def test_a_nucleus_keeps_its_library_shape_until_its_code_changes(shapes):
    latents = shapes.latents()
    real = Nucleus(latents.codes[5], 0, 1, 0, 0, member=5)
    assert (picture(real, shapes) == latents.shapes[5]).all()
    assert real.changed(angle=40.0).member == 5
    assert real.changed(z=real.z + 1).member == -1
