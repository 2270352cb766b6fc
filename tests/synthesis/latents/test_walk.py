import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_synth.core.errors import InputError
from napari_synth.synthesis.latents.paths import latent_at, latent_path
from napari_synth.synthesis.latents.sources import Drawn, OnWay, Spot
from napari_synth.synthesis.latents.vectors import latent_of
from napari_synth.synthesis.latents.walk import Walk
from napari_synth.synthesis.recipes import load_generator
from napari_synth.synthesis.request import RenderRequest
from tests.helpers import nuclei, small_capsules

VECTORS = arrays(np.float32, 5, elements=st.floats(-10, 10, width=32))


@given(a=VECTORS, b=VECTORS, steps=st.integers(2, 9), kind=st.sampled_from(["spherical", "linear"]))
@settings(max_examples=100, deadline=None)
def test_a_path_runs_from_a_to_b_in_finite_steps(a, b, steps, kind):
    path = latent_path(a, b, steps, kind)
    assert path.shape == (steps, 5)
    assert np.isfinite(path).all()
    np.testing.assert_array_equal(path[0], a)
    np.testing.assert_array_equal(path[-1], b)
    longest = max(np.linalg.norm(a), np.linalg.norm(b))
    assert (np.linalg.norm(path, axis=1) <= longest * 1.001 + 1e-5).all()


def test_a_spherical_path_keeps_the_length_and_a_linear_one_shortens_it():
    a, b = np.eye(4)[0] * 3, np.eye(4)[1] * 3
    np.testing.assert_allclose(np.linalg.norm(latent_path(a, b, 5), axis=1), 3, rtol=1e-6)
    middle = latent_path(a, b, 5, "linear")[2]
    np.testing.assert_allclose(middle, [1.5, 1.5, 0, 0])
    angles = np.degrees(np.arccos(latent_path(a, b, 5) @ a / 9))
    np.testing.assert_allclose(angles, [0, 22.5, 45, 67.5, 90], atol=1e-3)


def test_a_walk_of_one_step_and_an_unknown_path_are_refused():
    with pytest.raises(InputError, match="at least 2 steps"):
        latent_path(np.zeros(3), np.ones(3), 1)
    with pytest.raises(InputError, match="no path called"):
        latent_path(np.zeros(3), np.ones(3), 3, "geodesic")


def test_the_corners_of_the_pad_are_a_b_and_c():
    a, b, c = np.random.default_rng(0).normal(size=(3, 100))
    for place, corner in (((0, 0), a), ((1, 0), b), ((0, 1), c)):
        np.testing.assert_allclose(latent_at(a, b, c, *place), corner, rtol=1e-5)
    inner = np.linalg.norm(latent_at(a, b, c, 0.33, 0.33))
    assert 0.9 < inner / np.linalg.norm(a) < 1.1
    assert (latent_at(np.zeros(3), np.zeros(3), np.zeros(3), 0.5, 0.2) == 0).all()


@pytest.fixture(scope="module")
def generator(tmp_path_factory):
    return load_generator(small_capsules(tmp_path_factory.mktemp("model") / "c.safetensors"), "cpu")


def test_a_walk_is_a_lazy_stack_with_activations_in_step(generator):
    mask = nuclei((24, 30), 1)
    a, b = np.random.default_rng(0).normal(size=(2, 100))
    walk = Walk(generator, RenderRequest(mask, capture=("convcaps4",)), latent_path(a, b, 4))
    images, maps = walk.images(), walk.activations("convcaps4")
    assert images.shape == (4, 24, 30)
    assert maps.shape == (4, 8, 32, 6, 8)
    middle = generator.render(mask, z=walk.path[2], capture=["convcaps4"])
    assert (np.asarray(images[2]) == middle.image).all()
    assert (np.asarray(maps[2]) == middle.activations["convcaps4"]).all()
    assert walk.frame(2) is walk.frame(2)
    assert (np.asarray(images)[0] == generator.render(mask, z=a).image).all()


def test_a_walk_checks_its_latents_and_layers_at_once(generator):
    mask = nuclei((24, 30), 1)
    with pytest.raises(InputError, match="Give 100 numbers"):
        Walk(generator, RenderRequest(mask), np.zeros((3, 10)))
    with pytest.raises(InputError, match="no layer called"):
        Walk(generator, RenderRequest(mask, capture=("nowhere",)), np.zeros((3, 100)))


@pytest.mark.parametrize("size", [1, 100, 12])
def test_sources_give_vectors_of_the_size_of_the_model(size):
    a, b, c = Drawn(1), Drawn(2), Drawn(None)
    assert (c.vector(size) == np.zeros(size)).all()
    np.testing.assert_array_equal(a.vector(size), latent_of(1, size))
    for source in (a, c, Spot(a, b, a, 0.2, 0.3), OnWay(a, Spot(a, b, c, 0.5, 0), 5, "spherical", 2)):
        assert source.vector(size).shape == (size,)
        assert source.vector(size).dtype == np.float32
    np.testing.assert_array_equal(OnWay(a, b, 5, "linear", 4).vector(size), b.vector(size))
