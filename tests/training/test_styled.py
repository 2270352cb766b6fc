"""The styled objective against plain formulas."""

from itertools import combinations

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric
from safetensors.torch import load_file

from napari_synth.core.errors import InputError
from napari_synth.core.progress import CancelToken
from napari_synth.datasets.pairs import LoadedPair
from napari_synth.models.architectures import build
from napari_synth.models.checkpoint import load_weights, read_card
from napari_synth.nets.discriminators import OptionPatchGAN
from napari_synth.nets.styled import colour_statistics
from napari_synth.training.augment import Augmentation
from napari_synth.training.crops import DeviceCrops
from napari_synth.training.loop import train
from napari_synth.training.objectives.styled import StyledObjective, StyledSettings, hinge_loss, weighted_l1
from napari_synth.training.request import TrainRequest
from napari_synth.training.styles import StyleMemory, greedy_medoids
from tests.helpers import pair_folder

SMALL = {"steps": 4, "crop": 64, "ngf": 4, "ndf": 4, "levels": 3, "batch_size": 4, "memory": 4, "bank_size": 5}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    root = tmp_path_factory.mktemp("pairs")
    pair_folder(root / "colour", 3, (80, 100))
    pair_folder(root / "grey", 3, (80, 100), grey=True)
    return root


@pytest.fixture
def objective(data):
    objective = StyledObjective(StyledSettings(**SMALL), data, seed=3)
    fabric = Fabric(accelerator="cpu", devices=1)
    fabric.launch()
    objective.set_up(fabric)
    return objective


def numbered(height, width, number):
    """A pair whose colours tell the place of each pixel and the image, and whose mask is every third column."""
    y, x = np.mgrid[:height, :width]
    labels = np.where(x % 3 == 0, 1, 0).astype(np.int32)
    return LoadedPair("n", labels, np.stack([y, x, np.full_like(x, number)], -1).astype(np.uint8), rgb=True)


def whole_numbers(images):
    return ((images + 1) * 127.5).round().long()


@pytest.mark.parametrize("size", [(90, 120), (40, 70)])
def test_upright_crops_are_parts_of_the_image_reflected_beyond_it(size):
    crops = DeviceCrops([[numbered(*size, 7)], [numbered(*size, 8)]], 64, "foreground", 1)
    masks, images = crops.upright(1, range(6))
    places = set()
    for mask, image in zip(masks, whole_numbers(images), strict=True):
        rows, columns = image[0, :, 0], image[1, 0]
        places.add((int(rows[0]), int(columns[0])))
        assert (image[2] == 8).all()
        for along, side in ((rows, size[0]), (columns, size[1])):
            expected = np.pad(np.arange(side), (0, 64), mode="symmetric")[int(along[0]) :][:64]
            assert along.tolist() == expected.tolist()
        assert torch.equal(mask[0] > 0, image[1] % 3 == 0)
    assert len(places) > 1


def test_batches_hold_turned_flipped_and_scaled_crops_of_all_options():
    crops = DeviceCrops([[numbered(120, 150, 7)], [numbered(120, 150, 8)]], 64, "foreground", 1)
    scales, ways = [], set()
    for step in range(12):
        masks, images, numbers = crops.batch(step, 4)
        assert numbers.tolist() == [0, 1, 0, 1]
        rows, columns = ((images[:, c] + 1) * 127.5 for c in (0, 1))
        for mask, y, x in zip(masks, rows, columns, strict=True):
            along_rows, along_columns = (
                torch.stack([(t[:, 1:] - t[:, :-1])[:, 8:-8].median(), (t[1:] - t[:-1])[8:-8].median()]) for t in (y, x)
            )
            turn = torch.stack([along_rows, along_columns])
            scale = turn.abs().max()
            torch.testing.assert_close(turn @ turn.T, scale**2 * torch.eye(2), atol=1e-3, rtol=0)
            scales.append(float(scale))
            ways.add(tuple((turn / scale).round().flatten().int().tolist()))
            if abs(scale - 1) < 1e-4:
                assert torch.equal(mask[0] > 0, x.round().long() % 3 == 0)
    assert len(ways) == 8
    assert 0.2 < np.mean(np.abs(np.array(scales) - 1) < 1e-4) < 0.6
    assert 0.8 < min(scales) < 0.9 < 1.1 < max(scales) < 1.25
    again = crops.batch(3, 4)
    assert all(torch.equal(a, b) for a, b in zip(again, crops.batch(3, 4), strict=True))


def test_the_discriminator_sees_both_images_changed_alike():
    images = torch.rand(64, 3, 48, 48) * 2 - 1
    planes = torch.cat([torch.ones(64, 1, 48, 48), torch.linspace(1, 2, 48).expand(64, 1, 48, 48)], 1)
    augment = Augmentation(images.shape, torch.Generator().manual_seed(1))
    seen, image, same = augment.conditions(planes), augment.images(images), augment.images(images)
    assert torch.equal(image, same)
    holes = 0
    for number in range(64):
        inside = seen[number, 0] > 0
        columns = seen[number, 1].amax(0)
        shift = round(float(columns[columns > 0][0] - 1) * 47) - int((columns > 0).nonzero()[0])
        assert abs(shift) <= 6
        holes += (~inside[12:36, 12:36]).any()
        grey = image[number].mean(0)[inside]
        top = int(inside.any(1).nonzero()[0])
        candidates = []
        for dy in range(-6, 7):  # the vertical shift: the one for which the grey values fit a line
            moved = torch.roll(images[number], (-dy, -shift), (1, 2)).mean(0)[inside]
            candidates.append(np.corrcoef(moved.numpy(), grey.numpy())[0, 1])
        assert max(candidates) > 0.98, top
    assert 10 < holes < 54


def test_colour_statistics_inside_and_outside():
    rng = np.random.default_rng(0)
    image = rng.uniform(-1, 1, (2, 3, 20, 20)).astype(np.float32)
    mask = rng.integers(0, 2, (2, 1, 20, 20)).astype(np.float32)
    mask[1] = 0
    got = colour_statistics(torch.from_numpy(mask), torch.from_numpy(image)).numpy()
    inside = mask[0, 0] > 0
    expected = [f(image[0, :, where], axis=0) for where in (inside, ~inside) for f in (np.mean, np.std)]
    np.testing.assert_allclose(got[0], np.concatenate(expected), atol=1e-5)
    np.testing.assert_allclose(got[1, :6], [0] * 3 + [1e-3] * 3, atol=1e-6)


def test_medoids_are_the_best_ones():
    rng = np.random.default_rng(1)
    centres = np.array([[0, 0], [10, 0], [0, 10]])
    points = np.concatenate([c + rng.normal(size=(6, 2)) for c in centres])
    distance = np.linalg.norm(points[:, None] - points[None], axis=-1)
    best = min(combinations(range(18), 3), key=lambda chosen: distance[:, chosen].min(1).sum())
    assert greedy_medoids(points, 3).tolist() == list(best)
    assert greedy_medoids(points[:5], 5).tolist() == [0, 1, 2, 3, 4]
    assert len(set(greedy_medoids(np.zeros((9, 2)), 4).tolist())) == 4, "equal points do no harm"


def test_drawn_styles_lie_between_codes_of_their_option():
    memory, draw = StyleMemory(2, 3, 2), torch.Generator().manual_seed(0)
    numbers = torch.tensor([0, 1] * 200)
    codes = torch.where(numbers[:, None] == 0, torch.tensor([[0.0, 5.0]]), torch.tensor([[2.0, 7.0]]))
    memory.keep(numbers, codes, 0.1 * torch.ones_like(codes), draw)
    assert torch.allclose(memory.draw(numbers, draw)[0], codes)
    one = torch.zeros(300, dtype=torch.long)
    memory.keep(torch.zeros(50, dtype=torch.long), torch.rand(50, 1).repeat(1, 2), torch.ones(50, 2), draw)
    drawn, spread = memory.draw(one, draw)
    assert torch.allclose(drawn[:, 0], drawn[:, 1]), "on the line between"
    own = torch.isclose(drawn[:, :1], memory.mean[0, :, 0]).any(1).float().mean()
    assert 0.5 < own < 0.9, "half unmixed, and a third of the rest mixed with itself"
    assert set(spread.unique().tolist()) == {1.0}


def test_the_head_of_the_option_decides_and_convolutions_are_bounded():
    torch.manual_seed(0)
    network = OptionPatchGAN(4, 3, 4)
    x = torch.randn(6, 4, 64, 64)
    for _ in range(20):
        _, logits = network(x, torch.tensor([0, 1, 2, 0, 1, 2]))
    network.eval()
    features, logits = network(x, torch.tensor([0, 1, 2, 0, 1, 2]))
    assert len(features) == 4
    every = network.decide(features[-1])
    for sample, number in enumerate([0, 1, 2, 0, 1, 2]):
        assert torch.equal(logits[sample, 0], every[sample, number])
    weights = [m.weight for m in network.modules() if isinstance(m, torch.nn.Conv2d)]
    assert len(weights) == 5
    for weight in weights:
        assert abs(float(torch.linalg.matrix_norm(weight.detach().flatten(1), 2)) - 1) < 0.1


def test_losses_follow_their_formulas():
    rng = np.random.default_rng(0)
    maps = [rng.normal(size=(4, 1, n, n)) for n in (5, 3)]
    expected = np.mean([np.maximum(0, 1 - m[:2]).mean() + np.maximum(0, 1 + m[2:]).mean() for m in maps])
    assert hinge_loss([torch.from_numpy(m) for m in maps]).item() == pytest.approx(expected, rel=1e-5)
    one, other = rng.normal(size=(2, 3, 2, 4, 4))
    expected = np.abs(one - other)[[0, 2]].sum() / one.size
    got = weighted_l1(torch.from_numpy(one), torch.from_numpy(other), torch.tensor([[1.0], [0], [1]]))
    assert got.item() == pytest.approx(expected, rel=1e-5)


def test_all_networks_learn_and_the_average_follows(objective):
    trained = {n: p for net in objective.networks.values() for n, p in net.named_parameters()}
    before = {name: parameter.clone() for name, parameter in trained.items()}
    name = "down.1.conv.weight"
    generator = objective.networks["generator"]
    averaged = [objective.exported.state_dict()[name].clone()]
    assert torch.equal(averaged[0], generator.state_dict()[name])
    weights = []
    for step in range(3):
        losses = objective.step(step)
        weights.append(generator.state_dict()[name].clone())
        averaged.append(objective.exported.state_dict()[name].clone())
        kept = (step + 1) / (step + 20)
        torch.testing.assert_close(averaged[-1], kept * averaged[-2] + (1 - kept) * weights[-1], atol=1e-6, rtol=1e-4)
    assert all(not torch.equal(before[name], parameter) for name, parameter in trained.items())
    assert set(losses) == {"D", "GAN", "features", "coarse", "KL", "style"}
    assert all(np.isfinite(value) for value in losses.values())
    objective.set_learning_rate(0.5)
    rates = [objective.optimizers[n].param_groups[0]["lr"] for n in ("generator", "encoder", "discriminator")]
    assert rates == [1e-4, 1e-4, 2e-4]


def test_the_bank_holds_codes_of_training_crops(objective):
    objective.step(0)
    objective.complete()
    model = objective.exported
    masks, images = objective.crops.upright(1, range(160))
    plane = torch.ones_like(masks)  # (k + 1) / K of the second of two options
    with torch.no_grad():
        mean, log_variance = model.encoder(torch.cat([masks, plane], 1), images)
    for code, spread in zip(model.bank[1], model.bank_spread[1], strict=True):
        distance = (mean - code).abs().amax(1)
        assert distance.min() < 1e-5
        torch.testing.assert_close(spread, (log_variance[distance.argmin()] / 2).exp(), atol=1e-4, rtol=1e-4)
    assert len(model.bank[1].unique(dim=0)) == 5
    assert not torch.equal(model.bank[0], model.bank[1])


def test_the_file_holds_generator_encoder_and_bank_and_another_run_starts_from_it(data, tmp_path):
    first = train(TrainRequest("optional-pix2pix", data, tmp_path / "a.safetensors", settings=SMALL, device="cpu"))
    card = read_card(first.path)
    assert card.hyper["style_size"] == 8
    assert card.hyper["in_channels"] == 2
    network = build(card.architecture, **card.hyper).eval()
    network.load_state_dict(load_weights(first.path))
    assert network.bank.shape == (2, 5, 8)
    assert network.bank.abs().sum() > 0
    made = network.drawn(torch.zeros(1, 2, 64, 64), torch.randn(1, 3, 64, 64), network.bank[0, :1])
    assert made.shape == (1, 3, 64, 64)
    cancel = CancelToken()
    cancel.cancel()
    request = TrainRequest(
        "optional-pix2pix", data, tmp_path / "b.safetensors", settings=SMALL, device="cpu", init=str(first.path)
    )
    train(request, cancel=cancel)
    a, b = (load_file(tmp_path / f"{name}.safetensors") for name in "ab")
    assert all(torch.equal(a[key], b[key]) for key in a if not key.startswith("bank"))
    torch.testing.assert_close(a["bank"], b["bank"], atol=0.05, rtol=0.05)


@pytest.mark.parametrize(
    ("settings", "words"), [({"noise_periods": "1,x"}, "whole numbers"), ({"crop": 68}, "multiple of 8")]
)
def test_settings_that_cannot_be(data, tmp_path, settings, words):
    with pytest.raises(InputError, match=words):
        train(TrainRequest("optional-pix2pix", data, tmp_path / "a.safetensors", settings=SMALL | settings))
