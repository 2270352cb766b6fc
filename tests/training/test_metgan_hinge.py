import copy
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric
from scipy import ndimage
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from napari_synth import api
from napari_synth.core.errors import InputError
from napari_synth.core.progress import CancelToken
from napari_synth.datasets.triplets import TripletSampler, load_triplets
from napari_synth.models.checkpoint import load_weights, read_card
from napari_synth.training.loop import settings_for, train
from napari_synth.training.objectives.metgan_hinge import HingeMetGANObjective, beside_real
from napari_synth.training.objectives.metgan_terms import (
    area_distance,
    beyond_range,
    blobs,
    correlation,
    feature_distance,
    grey_values_of_bands,
    inside_distance,
    likeness,
    margin_loss,
    profile_distance,
    relief,
    unevenness,
)
from napari_synth.training.objectives.texture import grey_value_distance, lattice_power
from napari_synth.training.request import TrainRequest
from tests.helpers import triplet_folder
from tests.reference import plain_losses as plain

SMALL = {
    "crop": 64,
    "width": 0.05,
    "at_least": 8,
    "ndf": 2,
    "batch_size": 4,
    "foreign_labels": 0.5,
    "lesions": 0.25,
    "segmentor_steps": 2,
    "segmentor_width": 2,
    "segmentor_crop": 32,
}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return triplet_folder(tmp_path_factory.mktemp("data") / "brain", 4, hold_out="03")


def objective_of(data, **settings):
    request = TrainRequest("metgan", data, None, "gpu", settings=SMALL | {"segmentation": 0} | settings)
    objective = HingeMetGANObjective(settings_for(request), data, seed=3)
    fabric = Fabric(accelerator="cpu", devices=1)
    fabric.launch()
    objective.set_up(fabric)
    return objective


def request_of(data, out, **settings):
    return TrainRequest("metgan", data, out, "fast", settings=SMALL | settings, device="cpu")


def test_losses_equal_their_formulas():
    generator = torch.Generator().manual_seed(0)
    made, real = ([torch.randn(3, 2, 8 * n, 8 * n, generator=generator) for n in (2, 1)] for _ in range(2))
    distances = []
    for one, other in zip(made, real, strict=True):
        side = one.shape[-1] // 4
        means = [x.numpy().reshape(3, 2, 4, side, 4, side).mean((3, 5)) for x in (one, other)]
        distances.append(plain.distance(*means))
    assert feature_distance(made, real) == pytest.approx(np.mean(distances), rel=1e-4)
    images = [torch.rand(2, 1, 64, 32, generator=generator) for _ in range(2)]
    means = [x.numpy().reshape(2, 1, 4, 16, 2, 16).mean((3, 5)) for x in images]
    assert area_distance(*images) == pytest.approx(plain.distance(*means), rel=1e-4)
    # Stripes one pixel wide are as varied as dark and bright halves, but only pixel by pixel.
    stripes = (torch.arange(40) % 2).float().expand(1, 1, 40, 40)
    halves = (torch.arange(40) >= 20).float().expand(1, 1, 40, 40)
    assert grey_value_distance(stripes, halves, torch.ones(1, 1, 40, 40)) == 0
    assert grey_values_of_bands(stripes, halves, torch.ones(1, 1, 40, 40)) > 0.3
    logits = torch.tensor([[[[-3.0, -0.5], [0.5, 3.0]]]])
    assert margin_loss(logits, torch.zeros(1, 1, 2, 2), 5) == pytest.approx((0 + 0.5 + 1.5 + 4) / 4)
    assert margin_loss(logits, torch.ones(1, 1, 2, 2), 5) == pytest.approx(5 * (4 + 1.5 + 0.5 + 0) / 4)


def test_the_segmentor_is_asked_for_nothing_at_the_edges():
    target = torch.zeros(1, 1, 32, 32)
    target[..., 8:24, 8:24] = 1
    sure = 10 * (2 * target - 1)
    for row, is_asked in ((4, True), (5, False), (7, False), (8, False), (9, True), (15, True)):
        wrong = sure.clone()
        wrong[..., row, 12:20] *= -1
        assert (margin_loss(wrong, target, 5) > 0) == is_asked, row


def test_crops_on_the_device_are_those_of_the_sampler(data):
    objective = objective_of(data, variety=0)
    planes = load_triplets(data)
    scales = [planes.intensity(name) for name in ("anatomy", "signal")]
    expected = TripletSampler(planes.training, *scales, 64, 3).batch(5, 4)
    for one, other in zip(objective.batch(5)[:3], expected, strict=True):
        np.testing.assert_array_equal(one.numpy(), other)


def test_the_average_is_that_of_torch_but_for_the_vectors_of_the_spectral_norm(data):
    """It keeps 1/20, 2/21, 3/22 … of what it was, and never more than is asked for."""
    objective, kept = objective_of(data, average=0.12), (1 / 20, 2 / 21, 0.12)
    trained = objective.networks["generator"].module

    def average(averaged, now, number):
        get_ema_multi_avg_fn(kept[int(number) - 1])(averaged, now, number)

    expected = AveragedModel(trained, multi_avg_fn=average, use_buffers=True)
    expected.update_parameters(trained)  # the first one copies
    for step in range(3):
        objective.step(step)
        expected.update_parameters(trained)
    last, theirs = trained.state_dict(), expected.module.state_dict()
    for name, tensor in objective.exported.state_dict().items():
        if name.endswith(("._u", "._v")):
            torch.testing.assert_close(tensor, last[name])
        elif tensor.is_floating_point():
            torch.testing.assert_close(tensor, theirs[name], rtol=1e-4, atol=1e-6)
    assert not objective.exported.training


def test_two_draws_may_not_be_alike_in_grain_nor_in_their_objects():
    generator = torch.Generator().manual_seed(0)
    mask = torch.zeros(1, 1, 128, 128)
    mask[..., 32:64, 32:96] = 1
    grain = [torch.randn(1, 1, 128, 128, generator=generator) for _ in range(2)]
    assert likeness(grain[0], grain[0], mask) == pytest.approx(0.95 + 0.7, abs=1e-3)
    assert likeness(*grain, mask) < 0.1
    objects = mask * torch.linspace(-3, 3, 128)
    assert likeness(grain[0] + objects, grain[1] + objects, mask) == pytest.approx(0.7, abs=0.1)
    x, y, w = (torch.rand(1, 1, 9, 9, generator=generator) for _ in range(3))
    covariance = np.cov(x.flatten(), y.flatten(), aweights=w.flatten())
    expected = covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1])
    assert correlation(x, y, w) == pytest.approx(expected, abs=1e-4)
    assert likeness(torch.ones_like(mask), torch.ones_like(mask), mask) == 0


def test_grey_values_inside_other_labels_are_compared_as_distributions():
    generator = torch.Generator().manual_seed(0)
    real = torch.rand(2, 1, 64, 64, generator=generator)
    masks, asked = torch.zeros(2, 1, 64, 64), torch.zeros(3, 1, 64, 64)
    masks[..., 16:48, 16:48] = 1
    asked[:2, :, 8:56, 8:56] = 1
    made = torch.rand(3, 1, 64, 64, generator=generator)
    assert inside_distance(made, asked, real, masks) < 0.1
    assert inside_distance(made + 0.5, asked, real, masks) == pytest.approx(2 * 0.5, abs=0.1), "all but the contrast"
    empty = made.clone().requires_grad_()
    distance = inside_distance(empty, torch.zeros_like(asked), real, masks)
    distance.backward()
    assert distance == 0
    assert torch.isfinite(empty.grad).all()


def test_a_large_object_may_be_even_and_not_brighter_or_darker_than_real_ones():
    draw = torch.Generator().manual_seed(0)
    real = torch.zeros(1, 1, 64, 64)
    masks = torch.zeros(1, 1, 64, 64)
    masks[..., 8:56, 8:56] = 1
    real[masks > 0] = 0.4 * torch.rand(int(masks.sum()), generator=draw)
    asked = torch.zeros(1, 1, 64, 64)
    asked[..., :40, :40] = 1
    even = torch.full((1, 1, 64, 64), 0.2)

    assert beyond_range(even, asked, real, masks) == 0, "within the range of real objects, and without any contrast"
    assert beyond_range(even + 1, asked, real, masks) == pytest.approx(1, abs=0.1)
    assert beyond_range(even - 1, asked, real, masks) == pytest.approx(1, abs=0.1)
    assert beyond_range(even + 1, torch.zeros_like(asked), real, masks) == 0
    assert beyond_range(even + 1, asked, real, torch.zeros_like(masks)) == 0, "no real object says how bright"


def test_objects_are_compared_ring_by_ring_from_their_middles_to_a_halo():
    rows, columns = np.mgrid[:64, :64]
    away = np.hypot(rows - 30, columns - 34)
    mask = (away < 9).astype(np.float32)
    peaked, flat = np.exp(-away / 5).astype(np.float32), np.where(mask > 0, 0.5, 0).astype(np.float32)
    share = ndimage.uniform_filter(mask.astype(float), 7, mode="constant")
    numbers = np.where(share > 1e-6, np.minimum((share * 6 + 1e-6).astype(int), 5), -1)
    expected = np.mean([abs(peaked[numbers == ring].mean() - flat[numbers == ring].mean()) for ring in range(6)])
    one, other, masks = (torch.from_numpy(x)[None, None] for x in (peaked, flat, mask))
    assert profile_distance(one, other, masks) == pytest.approx(expected, rel=1e-3)
    noise = torch.randn(one.shape, generator=torch.Generator().manual_seed(0))
    noisy = one + 0.5 * noise
    assert profile_distance(noisy, one, masks) < 0.5 * profile_distance(noisy, other, masks), "the profile, not pixels"
    assert profile_distance(one, other, torch.zeros_like(masks)) == 0


def test_a_large_object_is_as_even_as_tissue_and_a_small_one_may_be_what_it_likes():
    draw = torch.Generator().manual_seed(0)
    real = 0.05 * torch.randn(1, 1, 64, 64, generator=draw)
    stripes = 0.5 * ((torch.arange(64) // 5) % 2).float().expand(1, 1, 64, 64)
    nothing, large, small = (torch.zeros(1, 1, 64, 64) for _ in range(3))
    large[..., 8:56, 8:56] = 1
    small[..., 20:30, 20:30] = 1
    assert unevenness(stripes, large, real, nothing) > 0.1
    assert unevenness(real + 0.7, large, real, nothing) < 0.01, "grain as in tissue, and of any brightness"
    assert unevenness(stripes, small, real, nothing) == 0
    assert unevenness(stripes, nothing, real, nothing) == 0


@pytest.mark.parametrize("turns", range(4))
def test_light_from_one_side_is_seen_and_camera_noise_has_none(turns):
    noise = ndimage.gaussian_filter(np.random.default_rng(0).standard_normal((128, 128)), 0.7)
    ridges = (np.mgrid[:128, :128][0] + noise) % 8  # rising slowly, falling at once
    nothing = torch.zeros(1, 1, 128, 128)
    lit, even = (
        relief(torch.from_numpy(np.rot90(image, turns).copy())[None, None].float(), nothing)
        for image in (ridges, noise)
    )
    assert even < 0.01
    assert lit > 10 * even


def test_no_pattern_from_block_to_block_is_rewarded(data):
    """The covariance of blocks is below 0 for a grid that changes its sign; a loss below 0 would ask for one."""
    grid = (2 * (torch.arange(64) % 2) - 1).float().expand(1, 1, 64, 64).clone()
    grid[..., :32, :] *= -1
    assert lattice_power(grid, block=32) < 0
    assert beside_real(grid, grid, torch.zeros_like(grid))["lattice"] == 0
    objective = objective_of(data)
    assert all(objective.step(step)["lattice"] >= 0 for step in range(3))


def test_blobs_are_large_and_leave_room():
    masks = blobs(20, 256, torch.Generator().manual_seed(0))
    assert set(masks.unique().tolist()) == {0.0, 1.0}
    shares = masks.mean((1, 2, 3))
    assert 0.01 < shares.mean() < 0.4


def test_a_step_moves_everything(data):
    objective = objective_of(data)
    networks = objective.networks | {"average": objective.exported}
    before = {name: copy.deepcopy(dict(network.named_parameters())) for name, network in networks.items()}
    losses = objective.step(0)
    of_own = {"features", "area", "spectrum", "profile", "lattice", "grey values"}
    assert set(losses) == {"D", "GAN", *of_own, "relief", "inside", "range", "uneven", "likeness"}
    assert np.isfinite(list(losses.values())).all()
    for name, network in networks.items():
        assert [key for key, p in network.named_parameters() if torch.equal(p, before[name][key])] == []


def test_the_last_of_a_batch_are_asked_for_other_labels(data):
    objective = objective_of(data)
    mask, anatomy, signal, asked = objective.batch(0)
    assert all(torch.equal(x[0], x[1]) for x in (mask, anatomy, signal, asked)), "the first two differ in noise alone"
    assert torch.equal(mask[:2], asked[:2])
    assert not torch.equal(mask[2:], asked[2:])
    assert set(asked.unique().tolist()) <= {0.0, 1.0}
    assert torch.equal(objective.batch(0)[3], asked), "a step has its own batch, whatever ran before"


@pytest.mark.slow
def test_a_resumed_run_ends_bit_exactly_like_a_whole_one_and_renders(data, tmp_path):
    whole = train(request_of(data, tmp_path / "whole.safetensors", steps=4))
    cancel = CancelToken()
    stopped = request_of(data, tmp_path / "part.safetensors", steps=4)
    shutil.copy(tmp_path / "whole-segmentor.safetensors", tmp_path / "part-segmentor.safetensors")
    part = train(stopped, lambda progress: cancel.cancel() if progress.done == 2 else None, cancel)
    assert part.steps == 2
    resumed = train(replace(stopped, resume=part.resume_path))
    one, two = (load_weights(result.path) for result in (whole, resumed))
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert read_card(resumed.path).hyper["noise"] is True
    anatomy = np.linspace(100, 600, 60 * 90).reshape(60, 90).astype(np.uint16)
    mask = np.zeros((60, 90), int)
    mask[20:30, 20:30] = 1
    model = api.load_model(resumed.path, "cpu")
    assert model.render(mask, condition=anatomy).image.shape == (60, 90)


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"lesions": 0.9}, "a part of foreign_labels"), ({"foreign_labels": 0.95}, "fewer than two labels")],
)
def test_shares_that_do_not_fit_are_refused(data, settings, message):
    with pytest.raises(InputError, match=message):
        settings_for(TrainRequest("metgan", data, None, "gpu", settings=settings))
