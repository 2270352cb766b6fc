"""What a GPU is given to launch makes, on the CPU, the images of the usual way there."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from napari_synth.core.intensity import Intensity
from napari_synth.core.meanings import MASK_MEANINGS
from napari_synth.datasets.image_files import read_channel, read_labels
from napari_synth.datasets.mask_encoding import from_network, mask_plane
from napari_synth.models.defaults import DEFAULT_CAPSULES, DEFAULT_GENERATOR, DEFAULT_TWO_CHANNEL
from napari_synth.models.registry import load_trained
from napari_synth.nets.counter_noise import noise_planes, noise_planes_at
from napari_synth.synthesis.architectures.registry import architecture
from napari_synth.synthesis.cuda import drawings
from napari_synth.synthesis.cuda.planes import (
    anatomy_channel,
    drawn_in_bytes,
    drawn_in_grey_values,
    mask_channel,
)
from napari_synth.synthesis.latents.vectors import latent_of
from napari_synth.synthesis.network_io import ForwardRequest
from napari_synth.synthesis.styles import style_for
from napari_synth.ui.samples import sample_folder

DRAWINGS = {
    DEFAULT_CAPSULES: ("axons_256", drawings.CAPSULES),
    DEFAULT_GENERATOR: ("nuclei_256", drawings.PIX2PIX),
    DEFAULT_TWO_CHANNEL: ("brain_256_labels", drawings.METGAN),
}


@pytest.mark.parametrize("name", DRAWINGS)
@pytest.mark.parametrize("seed", [None, 7])
def test_a_drawing_makes_the_image_of_the_forward_pass(name, seed):
    sample, drawing = DRAWINGS[name]
    model = load_trained(name, "cpu")
    labels = read_labels(sample_folder() / f"{sample}.tif")[:128, 64:192]
    beside = None
    if model.card.condition_channels:
        beside = read_channel(sample_folder() / "brain_256.tif", 0)[:128, 64:192]
    place = (64, 512)
    request = ForwardRequest(
        np.ascontiguousarray(labels, np.int32),
        1 if len(model.card.looks) > 1 else 0,
        seed,
        latent_of(seed, model.card.latent_size),
        condition=beside,
        style=style_for(model, None, 0, seed),
    )
    if name != DEFAULT_CAPSULES:
        request = ForwardRequest(**{**vars(request), "origin": place})
    with torch.inference_mode():
        expected = architecture(model.card.architecture).forward(model, request)
        made = drawing(model, request)
    assert made.dtype == expected.dtype
    assert made.shape == expected.shape
    assert np.abs(made.astype(int) - expected).max() <= 1
    assert (made == expected).mean() > 0.999


@pytest.mark.slow
@pytest.mark.parametrize("beyond", ["reflection", "blocks"])
def test_a_window_of_axons_is_part_of_the_canvas(beyond):
    model = load_trained(DEFAULT_CAPSULES, "cpu")
    before, model.network.beyond = model.network.beyond, beyond
    labels = np.tile(read_labels(sample_folder() / "axons_256.tif").astype(np.int32), (2, 2))[:304, :400]
    z = latent_of(3, model.card.latent_size)
    try:
        with torch.inference_mode():
            whole = drawings.CAPSULES(model, ForwardRequest(labels, 0, 3, z))
            part = drawings.CAPSULES(
                model, ForwardRequest(np.ascontiguousarray(labels[104:, 120:]), 0, 3, z, origin=(104, 120))
            )
            usual = architecture("capspix2pix").forward(model, ForwardRequest(labels, 0, 3, z))
    finally:
        model.network.beyond = before
    assert np.abs(whole.astype(int) - usual).max() <= 1
    inner = part[72:, 72:].astype(int)
    assert np.abs(inner - whole[176:, 192:]).max() <= 1


@settings(deadline=None)
@given(arrays.arrays(np.int32, st.tuples(st.integers(1, 9), st.integers(1, 9)), elements=st.integers(0, 4)))
def test_the_mask_channel_is_that_of_training(labels):
    for meaning in MASK_MEANINGS:
        made = mask_channel(torch.from_numpy(labels), meaning)
        np.testing.assert_array_equal(made[0, 0].numpy(), mask_plane(labels, meaning))


@pytest.mark.parametrize("place", [(0, 0), (32, 480), (1024, 16)])
@pytest.mark.parametrize("key", [0, 5, 2**31 - 1])
def test_noise_of_a_place_on_the_device_is_that_of_the_place(key, place):
    numbers = torch.tensor(key), *torch.tensor(place)
    made = noise_planes_at(numbers[0], (1, 4, 16), *numbers[1:], 40, 24)
    assert torch.equal(made, noise_planes(key, (1, 4, 16), *place, 40, 24))


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "int16", "float32"])
def test_grey_values_there_and_back_are_those_of_the_card(dtype):
    low, high = (0.25, 3.5) if dtype == "float32" else (3.0, 120.0) if dtype == "int8" else (3.0, 250.0)
    scale = Intensity(dtype=dtype, low=low, high=60_000.0 if dtype == "uint16" else high)
    values = np.linspace(-1.5, 1.5, 4001, dtype=np.float32)[None]
    image, finite = drawn_in_grey_values(torch.from_numpy(values)[None, None], scale)
    made = image.numpy().view(dtype)
    assert bool(finite)
    np.testing.assert_array_equal(made, scale.from_network(values))
    stored = made.view(np.int16) if dtype == "uint16" else made
    np.testing.assert_allclose(
        anatomy_channel(torch.from_numpy(stored), scale)[0, 0], scale.to_network(made), atol=1e-6
    )


@pytest.mark.parametrize("channels", [1, 3])
def test_bytes_are_those_of_the_card(channels):
    values = torch.linspace(-1.2, 1.3, channels * 500).reshape(1, channels, 20, -1)
    image, finite = drawn_in_bytes(values, -1, 1)
    expected = from_network(values[0].permute(1, 2, 0).numpy())
    np.testing.assert_array_equal(image.numpy(), expected[..., 0] if channels == 1 else expected)
    assert bool(finite)
    values[0, 0, 3, 3] = float("nan")
    assert not bool(drawn_in_bytes(values, -1, 1).finite)
