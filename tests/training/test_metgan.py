from dataclasses import replace

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric
from torch import nn

from napari_synth import api
from napari_synth.core.errors import Cancelled, InputError
from napari_synth.core.progress import CancelToken
from napari_synth.models.checkpoint import file_hash, load_weights, read_card
from napari_synth.training.image_pool import ImagePool
from napari_synth.training.loop import settings_for, train
from napari_synth.training.objectives.metgan import MetGANObjective
from napari_synth.training.request import TrainRequest
from tests.helpers import triplet_folder
from tests.reference import plain_losses as plain

SMALL = {
    "crop": 64,
    "width": 0.05,
    "ngf": 2,
    "ndf": 2,
    "pool": 3,
    "batch_size": 2,
    "segmentor_steps": 4,
    "segmentor_width": 2,
    "segmentor_crop": 32,
}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return triplet_folder(tmp_path_factory.mktemp("data") / "brain", 4, hold_out="03")


@pytest.fixture(scope="module")
def segmentor(data, tmp_path_factory):
    out = tmp_path_factory.mktemp("segmentor") / "m-segmentor.safetensors"
    settings = {"steps": 4, "width": 2, "crop": 32, "batch_size": 2}
    return train(TrainRequest("signal-segmentor", data, out, settings=settings, device="cpu")).path


def ready(data, segmentor, ablation="", **settings):
    request = TrainRequest("metgan", data, None, "paper-fast", ablation, settings=SMALL | {"steps": 8} | settings)
    objective = MetGANObjective(settings_for(request), data, seed=3)
    fabric = Fabric(accelerator="cpu", devices=1)
    fabric.launch()
    objective.set_up(fabric)
    if objective.first() is not None:
        objective.use(segmentor)
    return objective


def small_request(data, out, ablation="", **settings):
    return TrainRequest("metgan", data, out, "paper-fast", ablation, SMALL | settings, device="cpu")


def values(tensor):
    return tensor.detach().double().numpy()


@pytest.mark.parametrize("settings", [{}, {"gan": "log", "segmentation_loss": "l1"}, {"blocks": 7}])
def test_every_loss_equals_its_formula(data, segmentor, settings):
    objective = ready(data, segmentor, **settings)
    networks = {name: network.train() for name, network in objective.networks.items()}
    mask, anatomy, signal = objective.batch(0)
    before = {name: {k: v.clone() for k, v in network.state_dict().items()} for name, network in networks.items()}
    with torch.no_grad():
        # In the order of a step, since each pass moves the vectors of the spectral norm.
        made = networks["generator"](anatomy, mask)
        made_anatomy = networks["backward"](signal, mask)
        back_anatomy, back_signal = networks["backward"](made, mask), networks["generator"](made_anatomy, mask)
        judged = {
            "signal": [networks["discriminator"](x) for x in (signal, made)],
            "anatomy": [networks["discriminator_anatomy"](x) for x in (anatomy, made_anatomy)],
        }
        logits = objective.segmentor(made)
    for name, network in networks.items():
        network.load_state_dict(before[name])
    losses = objective.step(0)

    gan = plain.log_gan if settings.get("gan") == "log" else plain.least_squares
    judged = {name: [values(x) for x in both] for name, both in judged.items()}
    assert losses["GAN"] == pytest.approx(sum(gan(made, 1) for _, made in judged.values()), rel=1e-4)
    expected_d = sum(0.5 * (gan(real, 1) + gan(made, 0)) for real, made in judged.values())
    assert losses["D"] == pytest.approx(expected_d, rel=1e-4)
    pair = plain.distance(values(made), values(signal)) + plain.distance(values(made_anatomy), values(anatomy))
    assert losses["pair"] == pytest.approx(pair, rel=1e-4)
    cycle = plain.distance(values(back_anatomy), values(anatomy)) + plain.distance(values(back_signal), values(signal))
    assert losses["cycle"] == pytest.approx(cycle, rel=1e-4)
    if settings.get("segmentation_loss") == "l1":
        expected = plain.distance(plain.sigmoid(values(logits)), values(mask))
    else:
        expected = plain.weighted_bce(values(logits), values(mask), 5)
    assert losses["segmentation"] == pytest.approx(expected, rel=1e-4)


def test_the_generators_go_down_the_weighted_sum_of_the_losses(data, segmentor):
    objective = ready(data, segmentor, adversarial=1, cycle=10, segmentation=100, pair=10)
    seen = {}
    objective.optimise = lambda name, loss: seen.setdefault(name, loss.item())
    losses = objective.step(0)
    total = losses["GAN"] + 10 * losses["cycle"] + 100 * losses["segmentation"] + 10 * losses["pair"]
    assert seen == pytest.approx({"generators": total, "discriminators": losses["D"]}, rel=1e-5)


ABLATIONS = {
    "": {"GAN", "pair", "cycle", "segmentation"},
    "conditional-only": {"GAN", "pair"},
    "cycle-only": {"GAN", "cycle"},
    "no-segmentor": {"GAN", "pair", "cycle"},
    "no-pair": {"GAN", "cycle", "segmentation"},
    "pix2pix": {"GAN", "pair"},
    "cyclegan": {"GAN", "cycle"},
}


@pytest.mark.parametrize("ablation", ABLATIONS)
def test_ablations_switch_terms_off(data, segmentor, ablation):
    weights = {"GAN": 1.0, "pair": 10.0, "cycle": 10.0, "segmentation": 100.0}
    if ablation == "pix2pix":
        weights["pair"] = 100.0
    objective = ready(data, segmentor, ablation)
    assert set(MetGANObjective.ablations) == set(ABLATIONS) - {""}
    assert ("backward" in objective.networks) == ("cycle" in ABLATIONS[ablation])
    seen = {}
    take_step = objective.optimise
    objective.optimise = lambda name, loss: (seen.setdefault(name, loss.item()), take_step(name, loss))
    before = {n: p.clone() for key, net in objective.networks.items() for n, p in named(key, net)}
    losses = objective.step(0)
    expected = sum(weights[name] * losses[name] for name in ABLATIONS[ablation])
    assert seen["generators"] == pytest.approx(expected, rel=1e-4)
    after = {n: p for key, net in objective.networks.items() for n, p in named(key, net)}
    assert [name for name in before if torch.equal(before[name], after[name])] == []
    unet = any(isinstance(m, nn.ConvTranspose2d) for m in objective.networks["generator"].modules())
    assert unet == (ablation in ("pix2pix", "cyclegan"))


def named(key, network):
    """Parameters that a step must move; those that start at 0 may wait for their first gradient."""
    return [(f"{key}.{name}", p) for name, p in network.named_parameters()]


@pytest.mark.parametrize("steps", [20, pytest.param(1000, marks=pytest.mark.slow)])
def test_the_segmentor_stays_as_it_was_for_a_thousand_steps(data, segmentor, steps):
    objective = ready(data, segmentor, steps=steps, cycle=0, pool=0)
    start = {name: tensor.clone() for name, tensor in objective.segmentor.state_dict().items()}
    assert any("running_mean" in name for name in start), "its norm has statistics that could drift"
    for step in range(steps):
        losses = objective.step(step)
    assert np.isfinite(list(losses.values())).all()
    assert all(torch.equal(start[name], tensor) for name, tensor in objective.segmentor.state_dict().items())
    assert not any(p.requires_grad or p.grad is not None for p in objective.segmentor.parameters())


def test_one_command_trains_segmentor_and_generator_and_both_have_cards(data, tmp_path):
    request = small_request(data, tmp_path / "m.safetensors", steps=3)
    result = train(request)
    card, other = read_card(result.path), read_card(tmp_path / "m-segmentor.safetensors")
    assert (card.role, other.role) == ("generator", "segmentor")
    assert card.segmentor == other.id == "m-segmentor"
    assert card.condition_channels == ["anatomy"]
    assert card.output_channel == "signal"
    assert card.intensities["signal"].dtype == "uint16"
    assert 100 < card.intensities["signal"].low < 300 < 900 < card.intensities["signal"].high < 1400
    assert (card.training.data[0].files, card.training.data[0].held_out) == (3, 1)
    assert card.licence == "CC0"
    first = file_hash(tmp_path / "m-segmentor.safetensors")
    on_progress, cancel = (lambda _: None), CancelToken()
    cancel.cancel()
    train(replace(request, overwrite=True), on_progress, cancel)
    assert file_hash(tmp_path / "m-segmentor.safetensors") == first, "a finished segmentor is used again"


@pytest.mark.slow
def test_stopping_in_the_segmentor_says_so_and_the_same_command_goes_on(data, tmp_path):
    request = small_request(data, tmp_path / "m.safetensors", steps=2)
    cancel = CancelToken()
    with pytest.raises(Cancelled, match="step 2 of the segmentor"):
        train(request, lambda progress: cancel.cancel() if progress.done == 2 else None, cancel)
    seen = []
    train(request, lambda progress: seen.append((progress.done, progress.total)))
    assert seen == [(3, 4), (4, 4), (1, 2), (2, 2)]
    whole = train(small_request(data, tmp_path / "w.safetensors", steps=2))
    one, two = (load_weights(tmp_path / f"{name}.safetensors") for name in ("m", "w"))
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert whole.steps == 2


def test_shuffled_labels_no_longer_fit(data, segmentor):
    def fits(objective):
        return [(signal > 900)[mask > 0].mean() for mask, signal in planes(objective)]

    def planes(objective):
        for mask, _, signal in objective.sampler.arrays:
            yield mask, objective.signal.low + (signal + 1) / 2 * (objective.signal.high - objective.signal.low)

    assert min(fits(ready(data, segmentor))) > 0.9
    shuffled = ready(data, segmentor, shuffled_labels=0.5)
    assert sum(share < 0.7 for share in fits(shuffled)) == 2
    assert fits(ready(data, segmentor, shuffled_labels=0.5)) == fits(shuffled)


def test_unknown_ablations_are_refused(data, tmp_path):
    with pytest.raises(InputError, match="no ablation called 'nothing'"):
        train(TrainRequest("metgan", data, tmp_path / "m.safetensors", ablation="nothing"))
    with pytest.raises(InputError, match="no ablation"):
        settings_for(TrainRequest("unet", data, tmp_path / "m.safetensors", ablation="no-pair"))
    with pytest.raises(InputError, match="batch_size of 1 needs a crop of at least 128"):
        settings_for(TrainRequest("metgan", data, tmp_path / "m", "paper", settings={"crop": 64, "batch_size": 1}))
    with pytest.raises(InputError, match="crop is not valid"):
        settings_for(TrainRequest("metgan", data, tmp_path / "m.safetensors", "paper", settings={"crop": 100}))


def test_every_trained_model_of_the_comparison_renders(data, tmp_path):
    anatomy = np.linspace(100, 600, 60 * 90).reshape(60, 90).astype(np.uint16)
    mask = np.zeros((60, 90), int)
    mask[20:30, 20:30] = 1
    for ablation in ("pix2pix", "no-segmentor"):
        out = tmp_path / f"{ablation}.safetensors"
        request = small_request(data, out, ablation, steps=1)
        model = api.load_model(train(request).path, "cpu")
        assert model.render(mask, condition=anatomy).image.shape == (60, 90)


def test_the_pool_gives_older_images_in_half_of_the_cases():
    pool, rng = ImagePool(50), np.random.default_rng(0)
    images = [torch.full((1, 1, 2, 2), float(number)) for number in range(1000)]
    given = [pool.exchange(image, rng).unique().item() for image in images]
    assert given[:50] == list(range(50))
    older = np.mean([value != number for number, value in enumerate(given)][50:])
    assert 0.45 < older < 0.55
    assert len(pool) == 50
    again = ImagePool(50)
    again.load_state_dict(pool.state_dict())
    one, two = (p.exchange(images[0], np.random.default_rng(5)) for p in (pool, again))
    assert torch.equal(one, two)
    assert torch.equal(ImagePool(0).exchange(images[3], rng), images[3])
