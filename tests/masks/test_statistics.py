import numpy as np
import pytest

import napari_synth as ns
from napari_synth.core.errors import InputError
from napari_synth.core.progress import CancelToken
from napari_synth.core.recipe import FieldSettings
from napari_synth.masks.field import compose_field
from napari_synth.masks.shape_model import ShapeModel
from napari_synth.masks.statistics import compare, fit, measure
from napari_synth.models.registry import load_trained


@pytest.fixture(scope="module")
def shapes():
    return ShapeModel(load_trained("nucleus-dvae", "cpu"))


def squares():
    labels = np.zeros((256, 256), np.uint16)
    labels[20:40, 20:40] = 1
    labels[20:40, 40:60] = 2
    labels[100:120, 20:60] = 3
    labels[0:10, 200:210] = 4
    return labels


def test_what_is_measured():
    found = measure([("a", squares())])
    assert found.counts.tolist() == [4]
    assert found.areas.tolist() == [400, 400, 800], "whole nuclei only"
    assert found.eccentricities == pytest.approx([0, 0, np.sqrt(0.75)], abs=0.01)
    assert sorted(found.distances)[:2] == [20, 20]
    assert found.touching == 0.5
    assert found.one_sided > 1, "all but one lie at the left"
    assert found.shown()["touching"] == "50 %"
    assert compare(found, found) == {"count": 0, "area": 0, "eccentricity": 0, "nearest neighbour": 0}


def scattered(seed, sides=1.0):
    """A mask with up to 40 specks, anywhere in so much of its width."""
    rng = np.random.default_rng(seed)
    labels = np.zeros((320, 256), np.int32)
    for number, (row, column) in enumerate(rng.integers((0, 0), (316, int(252 * sides)), (40, 2)), 1):
        labels[row : row + 4, column : column + 4] = number
    return labels


def test_nuclei_at_one_side_are_told_from_nuclei_anywhere():
    anywhere = measure([("", scattered(seed)) for seed in range(60)]).one_sided
    assert anywhere == pytest.approx(1, abs=0.35), "some three standard deviations of 60 masks"
    assert measure([("", scattered(seed, sides=0.6)) for seed in range(10)]).one_sided > 5
    assert measure([("", squares()[:, :64])]).one_sided == 0, "too few to say"


@pytest.mark.slow
def test_fitted_fields_gather_at_one_side_no_more_than_the_masks(shapes):
    """Few large nuclei in small groups look nearest-neighbour-wise as in one large group, which lies at one side."""
    settings = FieldSettings(
        count_mean=21, count_sd=8, area_mean=400, area_sd=120, spacing="clusters", cluster_size=3, cluster_radius=30,
        touching_fraction=0.1, sampler="library",
    )  # fmt: skip
    real = measure([("", compose_field(settings, shapes, seed).labels) for seed in range(40)])
    fitted = fit(real, FieldSettings(), shapes)
    composed = measure([("", compose_field(fitted, shapes, seed).labels) for seed in range(40)])
    assert composed.one_sided < 1.5 * real.one_sided


def test_masks_without_nuclei():
    with pytest.raises(InputError, match="no nucleus"):
        measure([("a", np.zeros((50, 50), int))])
    assert measure([("a", np.zeros((256, 256), int)), ("b", squares())]).counts.tolist() == [0, 4]
    with pytest.raises(InputError, match="fractions"):
        ns.measure_masks(np.full((10, 10), 0.5))


@pytest.mark.slow
@pytest.mark.parametrize("spacing", ["apart", "clusters"])
def test_fitted_fields_are_like_those_they_were_fitted_to(shapes, spacing):
    settings = FieldSettings(
        height=384, width=384, count_mean=9, count_law="poisson", area_mean=350, area_sd=90, spacing=spacing,
        cluster_size=7, cluster_radius=22, touching_fraction=0.1, sampler="library",
    )  # fmt: skip
    real = measure([("", compose_field(settings, shapes, seed).labels) for seed in range(12)])
    fitted = fit(real, FieldSettings(height=384, width=384), shapes)
    composed = measure([("", compose_field(fitted, shapes, seed).labels) for seed in range(12)])
    plain = measure([("", compose_field(FieldSettings(height=384, width=384), shapes, s).labels) for s in range(12)])
    near, far = compare(real, composed), compare(real, plain)
    assert near["area"] < 0.15 < far["area"]
    assert near["count"] < 0.45
    assert near["nearest neighbour"] < min(0.2, far["nearest neighbour"])


@pytest.mark.slow
def test_one_mask_is_enough_and_a_border_is_not(shapes):
    fitted = ns.fit_field(squares())
    assert fitted.count_law == "normal"
    assert fitted.count_mean == 4
    edge = np.zeros((60, 60), int)
    edge[:, 30:] = 1
    with pytest.raises(InputError, match="touch the border"):
        fit(measure([("a", edge)]), FieldSettings(), shapes)


def test_fitting_can_be_stopped(shapes):
    from napari_synth.core.errors import Cancelled

    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(Cancelled):
        fit(measure([("a", squares())]), FieldSettings(), shapes, cancel=cancel)


def test_settings_are_checked():
    with pytest.raises(InputError, match="count_mean"):
        ns.field_settings(count_mean=-1)
    with pytest.raises(InputError, match="count_quantiles"):
        ns.field_settings(count_quantiles=(3, 2))
    with pytest.raises(InputError, match="needs area_quantiles"):
        ns.field_settings(area_law="measured")
    with pytest.raises(InputError, match="no spacing"):
        ns.field_settings(spacing="wide")
    assert ns.field_settings(touching=False).spacing == "apart"
