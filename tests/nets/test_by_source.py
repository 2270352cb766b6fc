import numpy as np
import pytest
import torch
from torch import nn

from napari_synth.nets.by_source import FEATURES, BySource


def plain_entry(image, weight, bias, source):
    """Of one image (C, Y, X), in loops: 1×1 convolution of [image, 0] or [0, image], and attention between channels."""
    coded = np.concatenate([image * (source == 0), image * (source == 1)])
    a = np.einsum("fc,cyx->fyx", weight[:, :, 0, 0], coded) + bias[:, None, None]
    flat = a.reshape(len(a), -1)
    energy = flat @ flat.T / flat.shape[1]
    x = np.exp(energy) / np.exp(energy).sum(1, keepdims=True)
    return np.array([sum(x[j, i] * a[j] for j in range(len(a))) + a[i] for i in range(len(a))])


@pytest.mark.parametrize("first", [0, 1, 3])
def test_each_source_has_an_entry_of_its_own(first):
    torch.manual_seed(0)
    network, images = BySource(nn.Identity()), torch.randn(3, 3, 8, 6)
    with torch.no_grad():
        found = network(images, first).numpy()
    for number, image in enumerate(images.numpy()):
        entry = network.entries[int(number >= first)]
        weights = (entry.weight.detach().numpy(), entry.bias.detach().numpy())
        assert found[number] == pytest.approx(plain_entry(image, *weights, int(number >= first)), abs=1e-5)


def test_images_alone_are_of_the_first_source():
    network, images = BySource(nn.Conv2d(FEATURES, 1, 1)), torch.randn(2, 3, 8, 8)
    assert torch.equal(network(images), network(images, 2))
    assert not torch.allclose(network(images), network(images, 0))
