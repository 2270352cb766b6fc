import numpy as np
import pytest
import torch

from napari_synth.core.errors import InputError
from napari_synth.masks import manifold
from napari_synth.masks.manifold import LatentMetric, gradient, leapfrog, run_chains
from napari_synth.masks.samplers import SAMPLERS
from napari_synth.masks.shape_codes import Latents, Plane, medoids, straight_walk, traversals

LATENT = 4


def clusters(count=60, seed=0):
    """Two groups of codes with known posterior variances."""
    rng = np.random.default_rng(seed)
    codes = rng.normal(0, 0.3, (count, LATENT)) + np.where(np.arange(count)[:, None] % 2, 2.0, -2.0)
    shapes = np.zeros((count, 64, 64), np.uint8)
    shapes[:, 20:44, 20:44] = 1
    variances = rng.uniform(0.02, 0.2, (count, LATENT))
    return Latents(codes.astype(np.float32), variances.astype(np.float32), shapes, np.full(count, 576.0, np.float32))


@pytest.fixture
def latents():
    return clusters()


def test_every_sampler_repeats_by_its_generator(latents):
    for name in SAMPLERS:
        sampler = SAMPLERS[name](LATENT, 0.7, lambda: latents)
        one, again, other = (sampler.draw(np.random.default_rng(seed), 9) for seed in (1, 1, 2))
        assert one.codes.shape == (9, LATENT)
        assert one.codes.dtype == np.float32
        assert (one.codes == again.codes).all()
        assert (one.codes != other.codes).any()
        assert np.isfinite(one.codes).all()
        assert len(sampler.draw(np.random.default_rng(1), 0).codes) == 0
        assert len(sampler.draw(np.random.default_rng(1), 60).codes) == 60


def test_samplers_that_know_the_library_stay_near_it(latents):
    def distance(name, spread=0.7):
        codes = SAMPLERS[name](LATENT, spread, lambda: latents).draw(np.random.default_rng(0), 200).codes
        return np.linalg.norm(codes[:, None] - latents.codes, axis=2).min(1).mean()

    assert distance("library") == 0
    assert 0 < distance("jitter") < distance("prior")
    assert 0 < distance("knn") < distance("prior")
    assert 0 < distance("manifold") < distance("prior")
    assert distance("jitter", 0) == pytest.approx(0, abs=1e-6)
    assert distance("jitter", 2) > distance("jitter", 0.5)


def test_library_uses_all_before_any_twice(latents):
    members = SAMPLERS["library"](LATENT, 0, lambda: latents).draw(np.random.default_rng(0), 120).members
    assert np.bincount(members).tolist() == [2] * 60


def test_knn_stays_on_the_way_to_a_near_neighbour(latents):
    codes = SAMPLERS["knn"](LATENT, 1.0, lambda: latents).draw(np.random.default_rng(0), 300).codes
    assert (np.abs(codes.mean(1)) > 0.8).all(), "never between the two groups"


@pytest.mark.parametrize("name", list(SAMPLERS))
def test_a_library_of_one_shape(name):
    one = clusters(1)
    if SAMPLERS[name].fewest > 1:
        with pytest.raises(InputError, match="has 1 shape"):
            SAMPLERS[name](LATENT, 0.7, lambda: one)
    else:
        assert len(SAMPLERS[name](LATENT, 0.7, lambda: one).draw(np.random.default_rng(0), 3).codes) == 3


def test_the_metric_is_the_published_sum(latents):
    metric = LatentMetric.of(latents)
    z = torch.randn(5, LATENT, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    for point, found, volume in zip(z, metric.diagonal(z), metric.log_volume(z), strict=True):
        matrix = manifold.FLOOR * torch.eye(LATENT, dtype=torch.float64)
        for centre, precision in zip(metric.centres, metric.precisions, strict=True):
            inverse = torch.diag(precision)
            away = point - centre
            matrix = matrix + inverse * torch.exp(-away @ inverse @ away / metric.reach**2)
        assert torch.allclose(found, matrix.diagonal())
        assert volume == pytest.approx(0.5 * float(torch.logdet(matrix)), rel=1e-9)


def test_the_gradient_is_that_of_finite_differences(latents):
    density = LatentMetric.of(latents).log_volume
    z = torch.from_numpy(latents.codes[:6].astype(np.float64)) + 0.1
    _, slope = gradient(density, z)
    for dimension in range(LATENT):
        step = torch.zeros(LATENT, dtype=torch.float64)
        step[dimension] = 1e-5
        numeric = (density(z + step) - density(z - step)) / 2e-5
        assert torch.allclose(slope[:, dimension], numeric, rtol=1e-5, atol=1e-6)
    assert slope.abs().max() > 0.1


def test_leapfrog_keeps_the_energy_and_runs_backwards(latents):
    density = LatentMetric.of(latents).log_volume
    z = torch.from_numpy(latents.codes[:20].astype(np.float64))
    momentum = torch.randn(z.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    value, slope = gradient(density, z)
    energy = 0.5 * momentum.square().sum(1) - value

    def drift(step, count):
        _, p, end, _ = leapfrog(density, z, momentum, slope, step, count)
        return float((0.5 * p.square().sum(1) - end - energy).abs().max())

    assert drift(0.01, 15) < 0.02
    assert drift(0.005, 30) == pytest.approx(drift(0.01, 15) / 4, rel=0.3), "an error of second order"
    moved, p, _, back = leapfrog(density, z, momentum, slope, 0.01, 15)
    assert (moved - z).abs().max() > 0.1
    again, _, _, _ = leapfrog(density, moved, -p, back, 0.01, 15)
    assert torch.allclose(again, z, atol=1e-9)


def test_chains_accept_and_stay_where_the_volume_is(latents):
    density = LatentMetric.of(latents).log_volume
    chains = run_chains(density, latents.codes[latents.centres], 15, np.random.default_rng(0))
    assert chains.acceptance > 0.7
    far = run_chains(density, latents.codes[latents.centres] + 30, 1, np.random.default_rng(0))
    inside = density(torch.from_numpy(chains.z).double()).mean()
    assert inside > density(torch.from_numpy(far.z).double()).mean() + 1


def test_a_gaussian_is_sampled_right():
    chains = run_chains(lambda z: -0.5 * z.square().sum(1), np.zeros((3000, 2)), 60, np.random.default_rng(0))
    assert chains.z.std(0) == pytest.approx(1, abs=0.06)
    assert chains.z.mean(0) == pytest.approx(0, abs=0.08)


def test_medoids_are_points_in_the_middle_of_their_groups(latents):
    found = medoids(latents.codes, 2, np.random.default_rng(0))
    assert sorted(np.sign(latents.codes[found].mean(1)).tolist()) == [-1, 1]
    best = min(np.linalg.norm(latents.codes[1::2] - c, axis=1).sum() for c in latents.codes[1::2])
    own = latents.codes[found[latents.codes[found].mean(1) > 0][0]]
    assert np.linalg.norm(latents.codes[1::2] - own, axis=1).sum() == pytest.approx(best)
    assert len(medoids(np.zeros((5, 3)), 4, np.random.default_rng(0))) == 1, "equal points need one medoid"


def test_plane_walk_and_traversals(latents):
    plane = Plane.through(latents.codes)
    there = plane.project(latents.codes)
    assert there.var(0)[0] > there.var(0)[1]
    assert plane.project(plane.lift((1.5, -0.5)))[0] == pytest.approx((1.5, -0.5), abs=1e-5)
    beside = plane.lift(there[3], latents.codes[3])
    assert beside == pytest.approx(latents.codes[3], abs=1e-5), "the code of a dot itself"
    assert Plane.through(latents.codes[:1]).project(latents.codes[:1])[0] == pytest.approx((0, 0))
    alpha, codes = straight_walk(latents.codes[0], latents.codes[1], 5)
    assert alpha.tolist() == [0, 0.25, 0.5, 0.75, 1]
    assert (codes[0] == latents.codes[0]).all()
    assert codes[-1] == pytest.approx(latents.codes[1])
    moved = traversals(np.zeros(LATENT), 2.0, 5)
    assert moved.shape == (LATENT, 5, LATENT)
    assert moved[1, :, 1].tolist() == [-2, -1, 0, 1, 2]
    assert np.count_nonzero(moved) == LATENT * 4


def test_an_unknown_sampler_names_the_known():
    with pytest.raises(InputError, match="library, jitter, knn, manifold, prior"):
        SAMPLERS["magic"]
