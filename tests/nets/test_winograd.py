import copy

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_synth.core.boxes import Box, full_box
from napari_synth.nets.capsule import CapsuleLayer
from napari_synth.nets.receptive_windows import Reach
from napari_synth.nets.winograd import at_points, enter, kernel_matrix, leave
from tests.reference.plain_capsules import plain_layer

KINDS = {"stride 1": (5, 1, 2), "stride 2": (5, 2, 2), "transposed": (4, 2, 1)}


def layer(kind, channels=16, capsules=2, pose=16):
    """A layer of which the program renders with loops of its own; capsules of lengths of order 1."""
    torch.manual_seed(0)
    made = CapsuleLayer(channels, capsules, pose, *KINDS[kind], transposed=kind == "transposed").eval()
    with torch.no_grad():
        made.conv.weight.mul_(5)
    return made


def capsules(*shape, seed=1):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed)) / 4


def in_double(made, kind, x):
    weight, bias = made.conv.weight.detach().double(), made.conv.bias.detach().double()
    return plain_layer(x.double(), weight, bias, made.capsules, *KINDS[kind][1:], kind == "transposed")


@pytest.mark.parametrize("outputs", [4, 6])
def test_products_at_the_points_are_a_convolution(outputs):
    rng = np.random.default_rng(0)
    inputs, kernel = rng.normal(size=8), rng.normal(size=9 - outputs)
    made = leave((kernel_matrix(outputs) @ kernel) * np.array(enter(inputs)), outputs)
    np.testing.assert_allclose(made, np.correlate(inputs, kernel, "valid"), atol=1e-12)


def test_a_kernel_of_one_weight_is_the_same_in_both_directions():
    kernels = torch.zeros(2, 5, 5)
    kernels[0, 1, 3] = kernels[1, 3, 1] = 1
    there, back = at_points(kernels).unflatten(1, (8, 8))
    torch.testing.assert_close(there, back.T)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=20, deadline=None)
@given(
    shape=st.tuples(st.integers(1, 2), st.integers(1, 3)),
    size=st.tuples(st.integers(1, 21), st.integers(1, 21)),
    seed=st.integers(0, 9),
)
def test_a_layer_of_any_size_equals_the_plain_one_in_double_precision(kind, shape, size, seed):
    made, x = layer(kind), capsules(*shape, 16, *size, seed=seed)
    with torch.inference_mode():
        torch.testing.assert_close(made(x).double(), in_double(made, kind, x), atol=3e-5, rtol=0)


@pytest.mark.parametrize("kind", KINDS)
def test_so_does_one_of_more_channels_with_its_coefficients(kind):
    made, x = layer(kind, channels=32, capsules=3, pose=32), capsules(1, 4, 32, 9, 14)
    with torch.inference_mode():
        quick = made.routed(x)
        torch.testing.assert_close(quick.capsules.double(), in_double(made, kind, x), atol=3e-5, rtol=0)
    usual = made.routed(x.requires_grad_())  # with a gradient torch convolves
    torch.testing.assert_close(quick.coefficients, usual.coefficients.detach(), atol=3e-5, rtol=0)
    assert quick.coefficients[2].std() > 0.01


@pytest.mark.parametrize("kind", KINDS)
def test_a_window_is_a_part_of_the_whole(kind):
    made, x, reach = layer(kind), capsules(1, 3, 16, 30, 26), Reach(*KINDS[kind], kind == "transposed")
    with torch.inference_mode():
        whole = made(x)
        for box in (Box(0, 0, 5, 7), Box(3, 2, 12, 11), Box(4, 8, 5, 9), full_box(*whole.shape[3:])):
            origin = reach.needed(box).within(full_box(30, 26))
            seen = x[..., origin.top : origin.bottom, origin.left : origin.right]
            part = made.routed(seen, keep_coefficients=False, window=(origin, box)).capsules
            wanted = whole[..., box.top : box.bottom, box.left : box.right]
            torch.testing.assert_close(part, wanted, atol=2e-5, rtol=0)


def test_a_tile_does_not_depend_on_the_number_of_threads():
    made, x, threads = layer("stride 1"), capsules(2, 2, 16, 50, 70), torch.get_num_threads()
    found = []
    with torch.inference_mode():
        for count in (1, 2, 3):
            torch.set_num_threads(count)
            found.append(made(x))
        torch.set_num_threads(threads)
    assert torch.equal(found[0], found[1])
    assert torch.equal(found[0], found[2])


def test_weights_that_change_are_followed():
    made, x = layer("stride 1"), capsules(1, 2, 16, 8, 8)
    other = copy.deepcopy(made)
    with torch.no_grad():
        first = made(x)
        other.conv.weight.neg_()
        made.conv.weight.neg_()
        assert torch.equal(made(x), other(x))
        made.load_state_dict(layer("stride 1").state_dict())
        assert torch.equal(made(x), first)
        made.conv.weight = torch.nn.Parameter(-made.conv.weight)
        assert torch.equal(made(x), other(x))


def test_half_precision_stays_half_precision():
    made, x = layer("stride 1"), capsules(1, 2, 16, 8, 8)
    with torch.inference_mode():
        exact = made(x)
        with torch.autocast("cpu", torch.bfloat16):
            quick = made(x)
    assert not torch.equal(quick.float(), exact)
    torch.testing.assert_close(quick.float(), exact, atol=0.05, rtol=0)
