import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from napari_synth.core.errors import Cancelled, InputError
from napari_synth.core.progress import CancelToken
from napari_synth.core.recipe import FieldSettings, FieldSource, FileSource, LayerSource, mask_hash
from napari_synth.exporting.formats.base import PixelSize
from napari_synth.exporting.formats.tiff import write_tiff
from napari_synth.masks.field import compose_field
from napari_synth.masks.field_v1 import turned_shape
from napari_synth.masks.mask_reader import MaskReader
from napari_synth.masks.nucleus_table import feature_names
from napari_synth.masks.presets import preset
from napari_synth.masks.shape_model import ShapeModel
from napari_synth.models.registry import load_trained
from tests.helpers import nuclei, small_generator


@pytest.fixture(scope="module")
def shapes():
    return ShapeModel(load_trained("nucleus-dvae", "cpu"))


def touching_pairs(labels):
    grown = ndimage.maximum_filter(labels, 3)
    return np.count_nonzero((grown != labels) & (labels > 0))


@pytest.mark.parametrize(
    ("spacing", "sampler"),
    [("free", "prior"), ("apart", "library"), ("touching", "jitter"), ("clusters", "knn"), ("free", "manifold")],
)
def test_every_nucleus_is_one_part_and_has_its_row(shapes, spacing, sampler):
    field = compose_field(FieldSettings(count_mean=30, spacing=spacing, sampler=sampler), shapes, seed=4)
    present = np.unique(field.labels)[1:]
    assert present.tolist() == list(range(1, field.placed + 1)) == field.features["index"].tolist()
    assert 15 < field.placed <= field.wanted
    for label, area in zip(present, field.features["area"], strict=True):
        assert ndimage.label(field.labels == label)[1] == 1
        assert np.count_nonzero(field.labels == label) == area
    assert list(field.features) == feature_names(10)
    assert (field.features["member"] >= 0).all() == (sampler == "library")
    assert (touching_pairs(field.labels) > 0) == (spacing != "apart")


def test_one_seed_repeats_and_two_differ(shapes):
    one, again, other = (compose_field(FieldSettings(), shapes, seed).labels for seed in (1, 1, 2))
    assert (one == again).all()
    assert (one != other).any()


def contact(labels):
    """Labels with another one beside or diagonal to them."""
    found = set()
    for label in np.unique(labels)[1:]:
        near = np.unique(labels[ndimage.binary_dilation(labels == label, np.ones((3, 3)))])
        if set(near) - {0, label}:
            found.add(label)
    return found


@pytest.mark.parametrize("fraction", [0.0, 0.3, 0.8])
def test_the_asked_share_of_nuclei_touches(shapes, fraction):
    settings = FieldSettings(height=512, width=512, count_mean=15, count_sd=0, touching_fraction=fraction)
    field = compose_field(settings, shapes, 3)
    assert field.placed == 60
    assert len(contact(field.labels)) / 60 == pytest.approx(fraction, abs=0.05)


@pytest.mark.parametrize("gap", [1, 5])
def test_a_gap_stays_free(shapes, gap):
    field = compose_field(FieldSettings(spacing="apart", gap=gap, count_mean=15), shapes, 2)
    for label in np.unique(field.labels)[1:]:
        grown = ndimage.binary_dilation(field.labels == label, np.ones((3, 3)), iterations=gap)
        assert set(np.unique(field.labels[grown])) <= {0, label}


def test_clusters_are_denser_than_nuclei_apart(shapes):
    def reach(spacing, neighbours):
        settings = FieldSettings(
            height=512, width=512, count_mean=6, count_sd=0, area_mean=200, area_sd=0, spacing=spacing,
            cluster_size=8, cluster_radius=15,
        )  # fmt: skip
        field = compose_field(settings, shapes, 1)
        places = np.stack([field.features["y"], field.features["x"]], 1)
        distance = np.linalg.norm(places[:, None] - places, axis=2)
        np.fill_diagonal(distance, np.inf)
        return np.median(np.sort(distance, 1)[:, neighbours - 1])

    assert reach("clusters", 1) < 0.7 * reach("apart", 1)
    assert reach("clusters", 4) < 0.5 * reach("touching", 4), "groups, not only pairs"


def test_nuclei_follow_a_density(shapes, tmp_path):
    import imageio.v3 as iio

    density = np.zeros((256, 256), np.uint8)
    density[:, 192:] = 255
    iio.imwrite(tmp_path / "density.png", density)
    settings = FieldSettings(density=str(tmp_path / "density.png"), area_mean=100, area_sd=0)
    field = compose_field(settings, shapes, 1)
    assert field.placed > 10
    assert field.features["x"].min() >= 192
    with pytest.raises(InputError, match="density is"):
        compose_field(settings.model_copy(update={"height": 128}), shapes, 1)
    with pytest.raises(InputError, match="no positive values"):
        compose_field(FieldSettings(), shapes, 1, density=np.zeros((256, 256)))


def test_long_axes_point_where_they_should(shapes):
    from napari_synth.datasets.instances import moments

    settings = FieldSettings(
        orientation="preferred", angle=30, angle_sd=5, count_mean=12, spacing="apart", sampler="library",
        eccentricity_quantiles=(0.85, 0.95),
    )  # fmt: skip
    field = compose_field(settings, shapes, 1)
    axes = np.array([moments((field.labels == label)[None]).axis[0] for label in field.features["index"]])
    inside = [not on_border(field.labels, label) for label in field.features["index"]]
    away = np.abs((axes[inside] - 30 + 90) % 180 - 90)
    assert len(away) > 4
    assert np.median(away) < 8


def on_border(labels, label):
    return any((side == label).any() for side in (labels[0], labels[-1], labels[:, 0], labels[:, -1]))


def test_counts_of_every_law(shapes):
    def counts(**law):
        settings = FieldSettings(area_mean=50, area_sd=0, **law)
        return np.array([compose_field(settings, shapes, seed).wanted for seed in range(40)])

    assert set(counts(count_law="fixed", count_mean=7)) == {7}
    poisson = counts(count_law="poisson", count_mean=12)
    assert poisson.mean() == pytest.approx(12, abs=2)
    assert 5 < poisson.var() < 25
    measured = counts(count_law="measured", count_quantiles=(3, 4, 30))
    assert measured.min() >= 3
    assert np.median(measured) == pytest.approx(4, abs=3)
    assert measured.max() > 15


def test_measured_areas_and_eccentricities_are_followed(shapes):
    settings = FieldSettings(
        height=512, width=512, count_mean=10, spacing="apart", area_law="measured", area_quantiles=(300, 310, 900),
        eccentricity_quantiles=(0.4, 0.5), sampler="library",
    )  # fmt: skip
    from napari_synth.masks.statistics import measure

    field = compose_field(settings, shapes, 1)
    found = measure([("field", field.labels)])
    as_drawn = compose_field(settings.model_copy(update={"eccentricity_quantiles": ()}), shapes, 1)
    plain = measure([("field", as_drawn.labels)]).eccentricities
    assert found.areas.min() > 270
    assert found.areas.max() < 950
    assert np.median(found.areas) == pytest.approx(310, rel=0.2)
    assert np.median(found.eccentricities) < 0.6 < np.median(plain)


def test_the_preset_of_the_thesis(shapes):
    numbers = [compose_field(preset("thesis", 350, 350), shapes, seed).wanted for seed in range(12)]
    assert np.mean(numbers) == pytest.approx(45.57, abs=4)
    large = [compose_field(preset("thesis", 700, 700), shapes, seed).wanted for seed in range(4)]
    assert np.mean(large) == pytest.approx(91, rel=0.15), "by length, not by area"
    with pytest.raises(InputError, match="no preset"):
        preset("other")


def test_a_field_grown_in_a_rectangle_leaves_the_rest_alone(shapes):
    before = nuclei((256, 256), count=8)
    field = compose_field(FieldSettings(area_mean=150), shapes, 1, onto=before, window=(100, 120, 200, 240))
    assert (field.labels[before > 0] == before[before > 0]).all()
    assert field.features["index"].min() == before.max() + 1
    assert ((field.features["y"] >= 100) & (field.features["y"] < 200)).all()
    assert ((field.features["x"] >= 120) & (field.features["x"] < 240)).all()
    with pytest.raises(InputError, match="rectangle"):
        compose_field(FieldSettings(), shapes, 1, onto=before, window=(300, 300, 310, 310))


def test_recipes_of_the_first_composer_still_give_their_masks(shapes):
    from napari_synth.core.recipe import Recipe

    old = {"height": 96, "width": 96, "count_mean": 20.0, "touching": False, "spread": 0.7}
    recipe = Recipe.model_validate({"model": "m", "masks": [{"kind": "field", "settings": old, "seed": 3}]})
    source = recipe.masks[0]
    assert (source.settings.composer, source.settings.sampler) == (1, "prior")
    assert Recipe.model_validate(recipe.model_dump()) == recipe
    field = compose_field(source.settings, shapes, 3)
    assert field.placed == 4
    assert touching_pairs(field.labels) == 0
    assert "member" not in field.features


def test_the_bundled_sample_is_made_again_by_its_recipe_and_its_script(shapes):
    import runpy

    from napari_synth.datasets.image_files import read_labels
    from napari_synth.exporting.formats.tiff import embedded_recipe
    from tests.test_package import ROOT

    path = ROOT / "sample_data" / "nuclei_256.tif"
    (source,) = embedded_recipe(path).masks
    again, stored = compose_field(source.settings, shapes, source.seed).labels, read_labels(path)
    assert (again != stored).mean() < 1e-3, "up to the rounding of another processor"
    script = runpy.run_path(str(ROOT / "docs" / "scripts" / "make_sample_data.py"))
    assert script["MASKS"]["nuclei_256"] == source.settings


@given(
    st.sampled_from(["free", "apart", "touching", "clusters"]),
    st.sampled_from(["library", "jitter", "knn", "prior"]),
    st.integers(16, 120),
    st.integers(16, 120),
    st.floats(0, 300),
    st.floats(1, 3000),
    st.integers(0, 2**31 - 1),
)
@settings(max_examples=40, deadline=None)
def test_identities_never_merge(shapes, spacing, sampler, height, width, count, area, seed):
    field = compose_field(
        FieldSettings(
            height=height, width=width, count_mean=count, area_mean=area, spacing=spacing, sampler=sampler
        ),
        shapes,
        seed,
    )  # fmt: skip
    assert np.unique(np.append(field.labels, 0)).tolist() == [0, *sorted(field.features["index"])]
    assert field.placed <= field.wanted
    for label, area in zip(field.features["index"], field.features["area"], strict=True):
        assert np.count_nonzero(field.labels == label) == area
        assert ndimage.label(field.labels == label)[1] == 1


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
    with pytest.raises(InputError, match="no spacing called 'magic'"):
        compose_field(FieldSettings(spacing="magic"), shapes, 1)


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
