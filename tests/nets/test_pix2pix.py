import pytest
import torch

from napari_synth.nets.discriminators import PatchGAN
from napari_synth.nets.pix2pix import Pix2PixGenerator, option_plane, reach
from tests.reference.plain_pix2pix import plain_generator, plain_patchgan


def randomised(network, seed=0):
    """Weights and norm statistics away from their start, so that every term counts."""
    generator = torch.Generator().manual_seed(seed)
    for name, tensor in network.state_dict().items():
        if tensor.is_floating_point():
            noise = torch.randn(tensor.shape, generator=generator)
            tensor.copy_(noise.abs() + 0.5 if name.endswith("running_var") else 0.2 * noise + (tensor.ndim == 1))
    return network.eval()


def test_published_parameter_count():
    assert sum(p.numel() for p in Pix2PixGenerator(1, 1).parameters()) == 54_407_809


def test_parameter_count_of_the_thesis():
    assert sum(p.numel() for p in Pix2PixGenerator(2, 3, bias=True).parameters()) == 54_418_435


@pytest.mark.parametrize("upsampling", ["transposed", "resize"])
@pytest.mark.parametrize("size", [(32, 32), (64, 32)])
def test_generator_equals_the_plain_one(upsampling, size):
    network = randomised(Pix2PixGenerator(2, 3, ngf=6, levels=4, upsampling=upsampling)).double()
    x = torch.randn(2, 2, *size, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    expected = plain_generator(x, network.state_dict(), 4, upsampling)
    with torch.no_grad():
        got = network(x)
    assert expected.std() > 0.05
    torch.testing.assert_close(got, expected, atol=1e-9, rtol=1e-9)


def test_discriminator_equals_the_plain_one_and_sees_70_pixels():
    network = randomised(PatchGAN(5, ndf=4)).train()
    x = torch.randn(2, 5, 256, 256, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        got = network(x)
    assert got.shape == (2, 1, 30, 30)
    torch.testing.assert_close(got, plain_patchgan(x, network.state_dict()), atol=1e-4, rtol=1e-4)

    x = torch.zeros(1, 5, 256, 256, requires_grad=True)
    network.eval()(x)[0, 0, 15, 15].backward()
    rows = x.grad.abs().sum((0, 1, 3)).nonzero()
    assert rows.max() - rows.min() + 1 == 70


def test_dropout_is_the_only_noise_and_follows_the_generator():
    network = randomised(Pix2PixGenerator(2, 3, ngf=6, levels=4))
    x = torch.randn(1, 2, 32, 32)
    with torch.no_grad():
        first, again, other = (network(x, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2))
        silent = network(x)
        assert torch.equal(network(x), silent)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert not torch.equal(first, silent)


@pytest.mark.parametrize("upsampling", ["transposed", "resize"])
@pytest.mark.parametrize("levels", [2, 3, 4])
def test_a_pixel_sees_as_far_as_is_said(upsampling, levels):
    torch.manual_seed(0)
    network = Pix2PixGenerator(1, 1, ngf=2, levels=levels, upsampling=upsampling, dropout=0).eval()
    far, side, farthest = reach(levels), 2**levels * 16, 0
    x = torch.randn(1, 1, side, side, requires_grad=True)
    for offset in range(2**levels):
        row = side // 2 + offset
        (gradient,) = torch.autograd.grad(network(x)[0, 0, row, side // 2], x)
        seen = gradient[0, 0].abs().sum(1).nonzero()[:, 0] - row
        farthest = max(farthest, int(seen.abs().max()))
    assert farthest <= far
    assert farthest >= 0.5 * far


def test_option_plane_counts_from_one_part_of_k():
    plane = option_plane(torch.tensor([0, 3]), 4, 2, 3)
    assert plane.shape == (2, 1, 2, 3)
    assert plane[0].unique().tolist() == [0.25]
    assert plane[1].unique().tolist() == [1.0]


@pytest.mark.parametrize("wrong", [{"upsampling": "nearest"}, {"levels": 1}, {"dropout": 1.0}])
def test_wrong_hyper_parameters_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Pix2PixGenerator(2, 3, ngf=4, **({"levels": 3} | wrong))


def test_gradients_reach_every_parameter():
    network = Pix2PixGenerator(2, 3, ngf=4, levels=3, upsampling="resize")
    network(torch.randn(2, 2, 16, 16), torch.Generator().manual_seed(0)).square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in network.parameters())
