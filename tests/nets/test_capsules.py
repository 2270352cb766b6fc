import numpy as np
import pytest
import torch

from napari_synth.nets.capspix2pix import CapsPix2PixGenerator, LatentPlane, rearranged, reflected
from napari_synth.nets.capsule import CapsuleLayer, route, squash
from napari_synth.nets.discriminators import DCGANDiscriminator
from napari_synth.nets.seeded_dropout import SeededDropout
from tests.reference.plain_capsules import plain_capspix2pix, plain_layer, plain_squash


def layer(inputs_channels, transposed=False, stride=1, kernel=5, padding=2, dtype=torch.float32):
    """A layer whose output capsules have lengths of order 1, so that routing matters."""
    torch.manual_seed(0)
    made = CapsuleLayer(inputs_channels, 3, 4, kernel, stride, padding, transposed=transposed).to(dtype)
    with torch.no_grad():
        made.conv.weight.mul_(8 if transposed else 3)
    return made


@pytest.mark.parametrize("batch", [1, 2])
@pytest.mark.parametrize("inputs", [1, 2, 5])
@pytest.mark.parametrize(
    ("transposed", "kernel", "stride", "padding"), [(False, 5, 1, 2), (False, 5, 2, 2), (True, 4, 2, 1)]
)
def test_forward_and_gradients_equal_the_plain_algorithm(batch, inputs, transposed, kernel, stride, padding):
    mine = layer(3, transposed, stride, kernel, padding)
    x = torch.randn(batch, inputs, 3, 8, 10, generator=torch.Generator().manual_seed(1), requires_grad=True)
    out = mine(x)
    expected = plain_layer(x, mine.conv.weight, mine.conv.bias, 3, stride, padding, transposed)
    lengths = expected.detach().square().sum(2).sqrt()
    assert 0.3 < lengths.mean() < 0.95
    torch.testing.assert_close(out, expected, atol=1e-5, rtol=1e-5)
    pull = torch.randn(out.shape, generator=torch.Generator().manual_seed(2))
    parameters = (x, mine.conv.weight, mine.conv.bias)
    for got, wanted in zip(
        torch.autograd.grad((out * pull).sum(), parameters),
        torch.autograd.grad((expected * pull).sum(), parameters),
        strict=True,
    ):
        torch.testing.assert_close(got, wanted, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("inputs", [1, 2, 5, 16])
@pytest.mark.parametrize("pixels", [1, 64, 150])
def test_native_routing_equals_the_torch_one(inputs, pixels):
    votes = 3 * torch.randn(2, inputs, pixels, 3, 8, generator=torch.Generator().manual_seed(0))
    native, coefficients = route(votes, keep=True)
    expected, wanted = route(votes.double(), keep=True)
    torch.testing.assert_close(native.double(), expected, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(coefficients.double(), wanted, atol=1e-5, rtol=1e-5)
    assert torch.equal(native, route(votes)[0])


def test_native_routing_does_not_depend_on_the_number_of_threads():
    votes = torch.randn(1, 4, 1000, 3, 16, generator=torch.Generator().manual_seed(0))
    threads = torch.get_num_threads()
    results = []
    for count in (1, 2, 3):
        torch.set_num_threads(count)
        results.append(route(votes)[0])
    torch.set_num_threads(threads)
    assert torch.equal(results[0], results[1])
    assert torch.equal(results[0], results[2])


def test_extreme_votes_give_finite_capsules_and_gradients():
    for scale in (0.0, 1e-30, 1e4):
        votes = (scale * torch.randn(1, 4, 10, 2, 8, generator=torch.Generator().manual_seed(0))).requires_grad_()
        capsules, _ = route(votes)
        capsules.sum().backward()
        assert capsules.isfinite().all()
        assert votes.grad.isfinite().all()
    nan = torch.zeros(1, 2, 3, 1, 4)
    nan[0, 0, 1] = torch.nan
    assert route(nan)[0].isnan().any(-1).flatten().tolist() == [False, True, False]


def test_routing_coefficients_sum_to_one_over_the_input_capsules():
    routed = layer(3).routed(torch.randn(2, 4, 3, 6, 5))
    assert routed.capsules.shape == (2, 3, 4, 6, 5)
    assert routed.coefficients.shape == (3, 2, 4, 3, 6, 5)
    torch.testing.assert_close(routed.coefficients.sum(2), torch.ones(3, 2, 3, 6, 5))
    assert routed.coefficients[0].unique().tolist() == [0.25]
    assert routed.coefficients[2].std() > 0.01


def test_an_image_does_not_depend_on_its_neighbours_in_the_batch():
    mine = layer(3)
    x = torch.randn(3, 4, 3, 8, 8)
    with torch.no_grad():
        torch.testing.assert_close(mine(x)[1:2], mine(x[1:2]), atol=1e-6, rtol=1e-6)


def test_squash_by_hand_and_at_zero():
    s = torch.tensor([[3.0, 4.0], [0.0, 0.0]], requires_grad=True)
    v = squash(s)
    torch.testing.assert_close(v[0], torch.tensor([3.0, 4.0]) * 5 / 26)
    assert v[1].tolist() == [0, 0]
    v.sum().backward()
    assert s.grad.isfinite().all()
    random = torch.randn(50, 4) * 10
    torch.testing.assert_close(squash(random), plain_squash(random))
    assert (squash(random).square().sum(-1) < 1).all()


def test_the_latent_plane_is_cropped_below_and_reflected_beyond_256():
    assert reflected(3).tolist() == [0, 1, 2]
    assert reflected(514)[250:260].tolist() == [250, 251, 252, 253, 254, 255, 254, 253, 252, 251]
    assert reflected(514)[508:].tolist() == [2, 1, 0, 1, 2, 3]


@pytest.mark.parametrize("beyond", ["reflection", "blocks"])
def test_a_window_of_the_latent_plane_is_a_part_of_the_whole(beyond):
    network = CapsPix2PixGenerator(beyond=beyond)
    z = torch.randn(1, 100, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        plane = LatentPlane(network, z)
        whole = plane.window(0, 0, 600, 300)
        assert whole.shape == (1, 1, 600, 300)
        assert torch.equal(whole[..., :256, :256], network.base_plane(z))
        assert torch.equal(whole[..., 200:530, 100:290], plane.window(200, 100, 530, 290))
        assert torch.equal(whole[..., :64, :48], network.latent_plane(z, 64, 48))
        mirrored = whole[..., 255 : 255 + 200, :256].flip(2)
        same = torch.equal(mirrored, whole[..., 56:256, :256])
        assert same == (beyond == "reflection")


def test_blocks_of_the_latent_plane_are_draws_of_their_own_that_follow_z():
    z = torch.randn(50, 100, generator=torch.Generator().manual_seed(1))
    other = rearranged(z, 1, 0)
    torch.testing.assert_close(other.abs().sort(1).values, z.abs().sort(1).values)
    assert torch.equal(other, rearranged(z, 1, 0))
    assert not torch.equal(other, rearranged(z, 0, 1))
    assert abs(np.corrcoef(z.flatten(), other.flatten())[0, 1]) < 0.05
    torch.testing.assert_close(rearranged(2 * z, 1, 0), 2 * other)
    assert torch.equal(rearranged(z, 0, 0), z)


def test_published_parameter_count_without_dead_layers():
    network = CapsPix2PixGenerator()
    assert sum(p.numel() for p in network.parameters()) == 8_035_665
    assert sum(p.numel() for p in network.fc.parameters()) == 6_619_136


@pytest.fixture(scope="module")
def generator():
    torch.manual_seed(0)
    network = CapsPix2PixGenerator().eval()
    with torch.no_grad():
        for name, p in network.named_parameters():
            if name.endswith("conv.weight"):
                p.mul_(4)
    return network


def test_the_generator_equals_the_plain_one(generator):
    mask = (torch.rand(2, 1, 24, 32, generator=torch.Generator().manual_seed(1)) > 0.8).float()
    z = torch.randn(2, 100, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        out = generator(mask, z)
        expected = plain_capspix2pix(mask, z, generator.state_dict())
        assert torch.equal(out, generator(mask, z))
    assert out.std() > 0.01
    torch.testing.assert_close(out, expected, atol=1e-5, rtol=1e-5)


def test_z_matters_and_gradients_reach_every_parameter(generator):
    mask = torch.zeros(1, 1, 16, 16)
    mask[..., 5:9, 3:12] = 1
    one, two = torch.randn(2, 1, 100).unbind(0)
    with torch.no_grad():
        assert not torch.equal(generator(mask, one), generator(mask, two))
    generator(mask, one).square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in generator.parameters())
    generator.zero_grad()


def test_dropout_switches_whole_capsules_off(generator):
    x = torch.ones(4, 6, 2, 3, 3)
    dropped = SeededDropout(0.5, leading_axes=2)(x, torch.Generator().manual_seed(0))
    assert set(dropped.unique().tolist()) == {0.0, 2.0}
    per_capsule = dropped.flatten(2)
    assert (per_capsule == per_capsule[..., :1]).all()
    assert SeededDropout(0.5, leading_axes=2)(x) is x
    with pytest.raises(ValueError, match="dropout"):
        SeededDropout(1.0)


def test_the_discriminator_decides_once_per_image():
    network = DCGANDiscriminator(2, 4).train()
    x = torch.randn(2, 2, 256, 256, generator=torch.Generator().manual_seed(0))
    weights = network.state_dict()
    expected = x
    for number, (conv, norm, stride, padding) in enumerate(
        ((0, None, 2, 1), (2, 3, 2, 1), (5, 6, 2, 1), (8, 9, 2, 1), (11, None, 1, 0))
    ):
        expected = torch.nn.functional.conv2d(expected, weights[f"layers.{conv}.weight"], None, stride, padding)
        if norm is not None:
            mean, var = expected.mean((0, 2, 3), keepdim=True), expected.var((0, 2, 3), unbiased=False, keepdim=True)
            expected = (expected - mean) / torch.sqrt(var + 1e-5)
        if number < 4:
            expected = torch.where(expected > 0, expected, 0.2 * expected)
    assert expected.shape == (2, 1, 13, 13)
    expected = expected.flatten(1) @ weights["decide.weight"].T + weights["decide.bias"]
    with torch.no_grad():
        torch.testing.assert_close(network(x), expected, atol=1e-4, rtol=1e-4)
