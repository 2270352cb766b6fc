import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.ndimage import gaussian_filter

from napari_synth.nets.ising import (
    IsingDiscriminator,
    IsingGenerator,
    indecision,
    laplacian,
    total_variation,
    variety,
)


def parameters(network):
    return sum(parameter.numel() for parameter in network.parameters())


def codes(count, size=100):
    return torch.rand(count, size, generator=torch.Generator().manual_seed(1)) * 2 - 1


def test_published_sizes():
    """100 → 512×4×4 → 256 → 128 → 64, branches 64 → 32 → 3 and 1; discriminator 32 to 512, seven convolutions."""
    assert parameters(IsingGenerator(residual=False)) == 3_772_676
    assert round(parameters(IsingGenerator()) / 1e6, 2) == 3.96
    assert round(parameters(IsingDiscriminator()) / 1e6, 2) == 17.47
    assert round(parameters(IsingDiscriminator(width=16)) / 1e6, 2) == 4.37


@pytest.mark.parametrize("size", [64, 128, 256])
@pytest.mark.parametrize("upsampling", ["transposed", "resize"])
def test_sizes_and_ranges(size, upsampling):
    pairs = IsingGenerator(size, width=8, upsampling=upsampling)(codes(2))
    assert pairs.shape == (2, 4, size, size)
    assert pairs.abs().max() <= 1
    whole, *patches = IsingDiscriminator(size, 2, modern=True)(pairs, torch.zeros(2, dtype=torch.long))
    assert whole.shape == (2,)
    assert [tuple(p.shape) for p in patches] == [(2, size >> n, size >> n) for n in (3, 4, 5)][: len(patches)]
    assert len(patches) == (2 if size == 64 else 3)


@pytest.mark.parametrize("size", [32, 96, 250])
def test_other_sizes_are_refused(size):
    with pytest.raises(ValueError, match=f"not {size}"):
        IsingGenerator(size)


def test_a_look_has_its_own_pairs_and_verdict():
    generator = IsingGenerator(64, looks=2, width=8).eval()
    z = codes(1).repeat(2, 1)
    first, second = generator(z, torch.tensor([0, 1]))
    assert not torch.allclose(first, second)
    with pytest.raises(ValueError, match="number of the look"):
        generator(z)
    discriminator = IsingDiscriminator(64, 2, looks=2, modern=True).eval()
    same = torch.stack([first, first])
    for verdict in discriminator(same, torch.tensor([0, 1])):
        assert not torch.allclose(verdict[0], verdict[1])


def test_the_branches_share_no_weights_and_smoothness_reaches_the_mask_branch_only():
    generator = IsingGenerator(64, width=8)
    total_variation(generator(codes(4))[:, 3:]).backward()
    reached = {name.split(".")[0] for name, p in generator.named_parameters() if p.grad is not None and p.grad.any()}
    assert reached == {"enter", "norm", "trunk", "mask"}
    generator(codes(4)).square().sum().backward()
    assert all(p.grad.any() for p in generator.parameters())


def energy(mask):
    """Ordered pairs of neighbours that differ, counted one by one."""
    height, width = mask.shape
    count = 0
    for y in range(height):
        for x in range(width):
            for dy, dx in ((0, 1), (1, 0), (0, -1), (-1, 0)):
                if 0 <= y + dy < height and 0 <= x + dx < width:
                    count += mask[y, x] != mask[y + dy, x + dx]
    return count


@given(arrays(bool, st.tuples(st.integers(2, 9), st.integers(2, 9))))
def test_on_binary_masks_both_are_twice_the_ising_energy(mask):
    signed = torch.from_numpy(2.0 * mask - 1)[None, None]
    for measure in (laplacian, total_variation):
        assert (measure(signed) * mask.size).item() == pytest.approx(2 * energy(mask), abs=1e-9)


@pytest.mark.parametrize(("steps", "cost"), [(1, 2.0), (2, 1.0), (4, 0.5), (8, 0.25), (16, 0.125)])
def test_the_laplacian_pays_for_soft_edges_and_total_variation_does_not(steps, cost):
    row = torch.clamp((torch.arange(64) - 20) / steps, 0, 1).double()
    edge = row.expand(1, 1, 5, -1)
    assert (laplacian(edge) * 64).item() == pytest.approx(cost)
    assert (total_variation(edge) * 64).item() == pytest.approx(2.0)


def test_gradients_agree_with_finite_differences():
    masks = torch.rand(2, 1, 5, 6, dtype=torch.double, generator=torch.Generator().manual_seed(3), requires_grad=True)
    for measure in (laplacian, total_variation, indecision):
        assert torch.autograd.gradcheck(measure, masks)


def test_indecision():
    hard = torch.from_numpy(2.0 * (np.indices((16, 16)).sum(0) > 15) - 1)[None, None]
    soft = torch.from_numpy(gaussian_filter(hard[0, 0].numpy(), 2))[None, None]
    assert indecision(hard) == 0
    assert 0 < indecision(soft) < 1
    assert indecision(torch.zeros(1, 1, 4, 4)) == 1


def test_variety_is_that_of_the_group():
    x = torch.cat([torch.ones(4, 3, 2, 2), torch.randn(4, 3, 2, 2, generator=torch.Generator().manual_seed(0))])
    plane = variety(x)
    assert plane.shape == (8, 1, 2, 2)
    assert plane[:4].max() < 1e-3
    expected = x[4:].numpy().std(0).mean()
    assert plane[4:].numpy() == pytest.approx(np.full((4, 1, 2, 2), expected), rel=1e-4)


def test_noise_changes_the_grain_of_the_image_and_never_the_mask():
    torch.manual_seed(0)
    network = IsingGenerator(128, width=8, upsampling="resize", noise=True).eval()
    assert network.noise_sides == (64, 128)
    z = torch.rand(1, 100)
    one, other = ([torch.randn(1, 1, side, side) for side in network.noise_sides] for _ in range(2))
    with torch.no_grad():
        first, again, second = network(z, None, one), network(z, None, one), network(z, None, other)
    assert torch.equal(first, again)
    assert torch.equal(first[:, 3:], second[:, 3:])
    assert not torch.equal(first[:, :3], second[:, :3])
