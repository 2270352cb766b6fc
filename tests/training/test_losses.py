"""Losses against plain formulas, on the very networks and batches of a step."""

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric
from scipy.stats import wasserstein_distance

from napari_synth.core.seeds import torch_generator
from napari_synth.nets.probe import Probe
from napari_synth.training.objectives.capspix2pix import CapsPix2PixObjective, CapsPix2PixSettings, excess_length
from napari_synth.training.objectives.dvae import DVAEObjective, DVAESettings
from napari_synth.training.objectives.pix2pix import Pix2PixObjective, Pix2PixSettings
from napari_synth.training.objectives.texture import (
    blurred,
    grey_value_distance,
    lattice_power,
    local_deviation,
    log_power,
    spectral_distance,
)
from tests.helpers import nuclei, pair_folder
from tests.reference.plain_dvae import plain_loss


def ready(objective):
    fabric = Fabric(accelerator="cpu", devices=1)
    fabric.launch()
    objective.set_up(fabric)
    return objective


def test_dvae_loss(tmp_path):
    np.savez(tmp_path / "a.npz", shapes=np.stack([nuclei((64, 64), 1, seed=s) > 0 for s in range(12)]).astype(np.uint8))
    objective = ready(DVAEObjective(DVAESettings(batch_size=4, steps=5), tmp_path, seed=3))
    network = objective.networks["dvae"].train()
    x = torch.from_numpy(objective.batch(0, 0))
    with torch.no_grad():
        logits, mean, log_variance = network(x, torch_generator(3, "latent", 0, 0))
    for norm in [m for m in network.modules() if isinstance(m, torch.nn.BatchNorm2d)]:
        norm.reset_running_stats()
    arrays = [tensor.double().numpy() for tensor in (x, torch.sigmoid(logits.double()), mean, log_variance)]
    losses = objective.step(0)
    assert losses["BCE"] + 3 * losses["KL"] == pytest.approx(plain_loss(*arrays, beta=3), rel=1e-4)


def test_pix2pix_losses(tmp_path):
    pair_folder(tmp_path / "a")
    pair_folder(tmp_path / "b")
    settings = Pix2PixSettings(steps=5, crop=32, ngf=4, ndf=4, levels=3, batch_size=2)
    objective = ready(Pix2PixObjective(settings, tmp_path, seed=3))
    masks, images, numbers = objective.sampler.batch(0, 2)
    real = torch.from_numpy(images).float() / 127.5 - 1
    x = objective.inputs(torch.from_numpy(masks), torch.from_numpy(numbers))
    assert x[0, 1].unique().item() == pytest.approx((numbers[0] + 1) / 2)
    generator, discriminator = (objective.networks[name].train() for name in ("generator", "discriminator"))
    with torch.no_grad():
        fake = generator(x, torch_generator(3, "dropout", 0, 0))
        on_real, on_fake = (torch.sigmoid(discriminator(torch.cat([x, y], 1)).double()).numpy() for y in (real, fake))
    losses = objective.step(0)
    assert losses["D"] == pytest.approx(-0.5 * (np.log(on_real).mean() + np.log(1 - on_fake).mean()), rel=1e-4)
    assert losses["L1"] == pytest.approx(np.abs(fake.numpy() - real.numpy()).mean(), rel=1e-5)
    assert losses["GAN"] > 0


def test_the_norm_keeps_its_statistics_once_frozen(tmp_path):
    pair_folder(tmp_path / "a")
    settings = Pix2PixSettings(steps=4, crop=32, ngf=4, ndf=4, levels=3, batch_size=2, freeze_norm_after=0.5)
    objective = ready(Pix2PixObjective(settings, tmp_path, seed=1))

    def statistics():
        return {n: t.clone() for n, t in objective.exported.state_dict().items() if "running_mean" in n}

    start = statistics()
    objective.step(1)
    moved = statistics()
    assert any(not torch.equal(start[name], moved[name]) for name in start)
    objective.step(2)
    assert all(torch.equal(moved[name], tensor) for name, tensor in statistics().items())


def test_both_networks_learn_and_rates_decay(tmp_path):
    pair_folder(tmp_path / "a")
    objective = ready(
        Pix2PixObjective(Pix2PixSettings(steps=4, crop=32, ngf=4, ndf=4, levels=3, batch_size=2), tmp_path, 1)
    )
    before = {n: p.clone() for net in objective.networks.values() for n, p in net.named_parameters()}
    objective.step(0)
    after = {n: p for net in objective.networks.values() for n, p in net.named_parameters()}
    assert all(not torch.equal(before[name], after[name]) for name in before)
    assert [objective.learning_rate_factor(step) for step in range(4)] == [1, 1, 1, 0.5]


@pytest.mark.slow
def test_capspix2pix_losses_and_the_balanced_start(tmp_path):
    """BCE with targets 0.9 and 0.1, 1 for the generator; balanced capsules start with lengths near 0.5."""
    pair_folder(tmp_path / "grey", 2, (256, 256), grey=True)
    settings = CapsPix2PixSettings(steps=5, width=4, start="balanced", l1=3)
    objective = ready(CapsPix2PixObjective(settings, tmp_path / "grey", seed=3))
    generator, discriminator = objective.networks["generator"].train(), objective.networks["discriminator"].train()
    masks, real = objective.batch(0)
    z = objective.latent(1, 0, 0)
    with torch.no_grad():
        probe = Probe(capture=("convcaps4", "convcaps9"))
        objective.plain("generator")(masks, z, probe=probe)
        for activation in probe.activations.values():
            assert 0.3 < activation.square().sum(2).sqrt().mean() < 0.7
        generator.train()
        fake = generator(masks, z, torch_generator(3, "dropout", 0, 0))
        on_real, on_fake = (torch.sigmoid(discriminator(torch.cat([x, masks], 1))).double() for x in (real, fake))
    losses = objective.step(0)

    def cross_entropy(p, target):
        return float(-(target * np.log(p) + (1 - target) * np.log(1 - p)).mean())

    p, q = on_real.numpy(), on_fake.numpy()
    assert losses["D"] == pytest.approx(cross_entropy(p, 0.9) + cross_entropy(q, 0.1), rel=1e-4)
    assert losses["L1"] == pytest.approx(float(np.abs(fake.numpy() - real.numpy()).mean()), rel=1e-4)
    assert 0.5 * real.mean() < fake.mean() < 2 * real.mean()
    kernels = objective.plain("generator").conv1.weight.detach()
    assert (objective.plain("generator").conv1.weight[:, 0] != 0).sum() > 16  # the step reached the whole kernel
    assert kernels[:, 0, 2, 2].abs().min() > 10 * kernels[:, 0, 0, 0].abs().max()


@pytest.mark.slow
def test_conv1_may_not_outvote_the_capsules(tmp_path):
    """After a third of the steps its vectors are as long as a capsule, which only the last layer hears, and stay so."""
    lengths = torch.tensor([0.5, 1.0, 3.0, 0.0])
    vectors = torch.nn.functional.pad(lengths[None, None, None, :, None], (0, 0, 0, 0, 1, 2))  # [B, I, C, H, W]
    assert excess_length(vectors).item() == pytest.approx(2 / 4)

    pair_folder(tmp_path / "grey", 2, (256, 256), grey=True)
    settings = CapsPix2PixSettings(steps=3, width=4, start="balanced", learning_rate=1e-9, conv1=1000)
    objective = ready(CapsPix2PixObjective(settings, tmp_path / "grey", seed=3))
    generator = objective.plain("generator")

    @torch.no_grad()
    def maps():
        conv1 = generator.layer("conv1", generator.entry(objective.batch(0)[0], objective.latent(1, 0, 0)))
        return conv1, generator.layer("convcaps1", conv1)

    long, first = maps()
    assert excess_length(long) > 1
    objective.step(1)
    short, same = maps()
    assert excess_length(short) < 0.05
    torch.testing.assert_close(same, first, atol=1e-3, rtol=1e-3)

    with torch.no_grad():
        generator.conv1.weight *= 3
    before = excess_length(maps()[0])
    objective.set_learning_rate(1e6)
    objective.step(2)
    assert 0 < excess_length(maps()[0]) < before


@pytest.mark.parametrize(
    ("spoil", "times"),
    [
        pytest.param(lambda noise: noise, 1.5, id="other noise of the same kind"),
        pytest.param(lambda noise: 2 * noise, 3, id="twice as strong"),
        pytest.param(lambda noise: (noise + noise.roll((1, 1), (2, 3))) / 2**0.5, 10, id="streaks"),
        pytest.param(lambda noise: noise + 0.1 * (torch.arange(256) % 4 == 0), 1.6, id="a grid"),
        pytest.param(lambda noise: blurred(noise), 10, id="blurred"),
    ],
)
def test_the_spectral_distance_sees_what_noise_should_not_have(spoil, times):
    generator = torch.Generator().manual_seed(0)
    real, same, other = (0.1 * torch.randn(2, 1, 256, 256, generator=generator) for _ in range(3))
    alike = spectral_distance(same, real)
    assert spectral_distance(real + 0.3, real) == pytest.approx(0, abs=1e-6)  # brightness is the matter of L1
    if times < 1.6:
        assert spectral_distance(spoil(other), real) < times * alike
    else:
        assert spectral_distance(spoil(other), real) > times * alike


def test_the_logarithm_of_the_power_is_that_of_a_spectrogram():
    """Against blocks taken one by one; a wave of amplitude a stands out at its own frequency alone."""
    wave = 0.2 * torch.cos(2 * torch.pi * 8 / 64 * torch.arange(128)).expand(1, 1, 128, 128)
    power = log_power(wave, 64)[0]
    window = np.hanning(65)[:64]
    block = (wave[0, 0, :64, :64].numpy() - wave[0, 0, :64, :64].numpy().mean()) * np.outer(window, window)
    assert np.allclose(power.exp(), np.abs(np.fft.rfft2(block)) ** 2 + 1e-6, rtol=1e-3, atol=1e-5)
    assert divmod(int(power.argmax()), 33) == (0, 8)


def test_blurring_averages_a_pixel_with_the_neighbours_it_has():
    image = torch.arange(12.0).reshape(1, 1, 3, 4)
    assert blurred(image)[0, 0, 1, 1] == pytest.approx(float(image[0, 0, :3, :3].mean()))
    assert blurred(image)[0, 0, 0, 0] == pytest.approx(float(image[0, 0, :2, :2].mean()))


def test_the_local_deviation_is_that_of_the_pixels_around():
    image = 0.2 * torch.rand(1, 1, 12, 15, generator=torch.Generator().manual_seed(0))
    found = local_deviation(image)[0, 0]
    assert found[5, 6] == pytest.approx(float(image[0, 0, 2:9, 3:10].std(correction=0)), rel=1e-4)
    assert found[0, 0] == pytest.approx(float(image[0, 0, :4, :4].std(correction=0)), rel=1e-4)
    flat = torch.full((1, 1, 8, 8), 0.5, requires_grad=True)
    local_deviation(flat).sum().backward()
    assert torch.isfinite(flat.grad).all()


def test_the_distance_of_grey_values_is_wasserstein_inside_and_outside():
    generator = torch.Generator().manual_seed(0)
    made, real = torch.rand(2, 1, 16, 16, generator=generator), torch.rand(2, 1, 16, 16, generator=generator) ** 2
    masks = (torch.rand(2, 1, 16, 16, generator=generator) > 0.7).float()
    masks[1] = 0  # nothing painted in one of them
    expected = 0.0
    for one, other, mask in zip(made.numpy(), real.numpy(), masks.numpy(), strict=True):
        for region in (mask > 0, mask == 0):
            if region.any():
                expected += wasserstein_distance(one[region], other[region]) / 2
    assert grey_value_distance(made, real, masks) == pytest.approx(expected, rel=1e-4)
    assert grey_value_distance(made, made.flip(-1), torch.zeros_like(masks)) == 0, "places do not matter"


def test_the_power_of_a_lattice_is_the_variance_between_its_phases():
    rows, columns = torch.meshgrid(torch.arange(128), torch.arange(128), indexing="ij")
    smooth = (columns / 1280)[None, None]
    grid = 0.1 * ((rows % 4 == 1) & (columns % 2 == 0))[None, None]
    assert lattice_power(grid + smooth) > 10 * lattice_power(smooth)
    phases = np.zeros((4, 4))
    phases[1, ::2] = 0.1
    assert lattice_power(grid) == pytest.approx(phases.var(), rel=1e-5)
    noise = 0.1 * torch.randn(200, 1, 128, 128, generator=torch.Generator().manual_seed(0))
    assert abs(lattice_power(noise)) < 0.002 * phases.var(), "noise is no lattice"
    assert lattice_power(grid + noise) == pytest.approx(phases.var(), rel=0.01)
