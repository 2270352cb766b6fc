"""Rendering on an NVIDIA GPU: as on the CPU, by graphs as without, and what happens when memory or device are gone."""

from functools import cache
from threading import Thread

import numpy as np
import pytest
import torch

from napari_synth import api
from napari_synth.core.devices import without_graphs
from napari_synth.core.errors import WorkError
from napari_synth.datasets.image_files import read_channel, read_labels
from napari_synth.models.defaults import DEFAULT_CAPSULES, DEFAULT_GENERATOR, DEFAULT_TWO_CHANNEL
from napari_synth.nets import routing_gpu
from napari_synth.nets.capsule import route
from napari_synth.synthesis.architectures.registry import architecture
from napari_synth.synthesis.cuda.graphs import graphs_of
from napari_synth.synthesis.live.canvas import LiveCanvas
from napari_synth.synthesis.request import RenderRequest
from napari_synth.ui.samples import sample_folder

pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="no NVIDIA GPU")]
MODELS = (DEFAULT_CAPSULES, DEFAULT_GENERATOR, DEFAULT_TWO_CHANNEL)


@cache
def loaded(name: str, device: str):
    return api.load_model(name, device)


def request_for(name: str, size: int = 256, seed: int | None = 5, **more) -> RenderRequest:
    folder = sample_folder()
    sample = {DEFAULT_CAPSULES: "axons_256", DEFAULT_GENERATOR: "nuclei_256"}.get(name, "brain_256_labels")
    around = [(0, max(0, size - 256))] * 2
    labels = np.pad(read_labels(folder / f"{sample}.tif"), around, "symmetric")[:size, :size]
    if name == DEFAULT_TWO_CHANNEL:
        more["condition"] = np.pad(read_channel(folder / "brain_256.tif", 0), around, "symmetric")[:size, :size]
    return RenderRequest(labels, None, seed, **more)


def grey_levels_apart(name: str, one: np.ndarray, other: np.ndarray) -> float:
    """The largest difference, in 1/255 of what the model's image spans."""
    low, high = loaded(name, "cpu").card.value_range
    return float(np.abs(one.astype(float) - other).max() * 255 / (high - low))


@pytest.fixture
def graphs():
    kept = graphs_of(torch.device("cuda"))
    kept.clear()
    yield kept
    kept.wait()
    kept.clear()


@pytest.mark.parametrize("size", [256, 300])
@pytest.mark.parametrize("name", MODELS)
def test_an_image_by_a_graph_is_the_image(name, size, graphs):
    model, request = loaded(name, "cuda"), request_for(name, size)
    with without_graphs():
        expected = model.run(request).image
        np.testing.assert_array_equal(model.run(request).image, expected)
    assert graphs.count == 0
    first = model.run(request).image
    graphs.wait()
    assert graphs.count == 1
    before = graphs.played
    played, again = model.run(request).image, model.run(request).image
    assert graphs.played == before + 2
    np.testing.assert_array_equal(first, expected)
    np.testing.assert_array_equal(played, again)
    assert grey_levels_apart(name, played, expected) <= 1
    other = model.run(request_for(name, size, seed=6)).image
    with without_graphs():
        assert grey_levels_apart(name, other, model.run(request_for(name, size, seed=6)).image) <= 1
    here = loaded(name, "cpu").run(request).image
    assert grey_levels_apart(name, played, here) <= 1


@pytest.mark.parametrize("name", MODELS)
def test_the_fast_choice_by_a_graph_stays_near(name, graphs):
    model = loaded(name, "cuda")
    exact, request = model.run(request_for(name)).image, request_for(name, precision="fast")
    first = model.run(request).image
    graphs.wait()
    assert grey_levels_apart(name, model.run(request).image, first) <= 1
    assert np.abs(first.astype(float) - exact).mean() * 255 / np.ptp(model.card.value_range) < 3


@pytest.mark.parametrize("name", [DEFAULT_CAPSULES, DEFAULT_GENERATOR])
def test_tiles_on_a_gpu_are_parts_of_the_whole(name, monkeypatch):
    from napari_synth.synthesis import device_plan

    model, request = loaded(name, "cuda"), request_for(name, 1000)
    whole = model.run(request)
    assert whole.tile == 0
    monkeypatch.setattr(device_plan, "LARGEST_SIDE", 384)
    tiled = model.run(request)
    assert tiled.tile == 384
    assert grey_levels_apart(name, whole.image, tiled.image) <= 1


@pytest.mark.parametrize("inputs", [1, 2, 3, 8, 16])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_routing_in_one_kernel_equals_the_reference(inputs, dtype):
    assert routing_gpu.works(torch.device("cuda")) or not _has_triton()
    generator = torch.Generator("cuda").manual_seed(inputs)
    for capsules, channels, places in ((4, 32, 111), (2, 16, 1000), (1, 64, 7)):
        votes = torch.randn(2, inputs, places, capsules, channels, device="cuda", generator=generator).to(dtype)
        votes.requires_grad_()
        exact = votes.detach().double().requires_grad_()
        iterations = 3 if inputs > 1 else 1
        made, expected = route(votes, iterations)[0], route(exact, iterations)[0]
        near = 1e-5 if dtype == torch.float32 else 1e-2
        assert (made - expected).norm() < near * expected.norm()
        pull = torch.randn(expected.shape, device="cuda", generator=generator)
        (got,) = torch.autograd.grad((made * pull).sum(), votes)
        (wanted,) = torch.autograd.grad((expected * pull).sum(), exact)
        assert (got - wanted).norm() < near * wanted.norm()


def _has_triton() -> bool:
    try:
        import triton  # noqa: F401
    except ImportError:
        return False
    return True


def test_where_memory_runs_out_the_image_is_made_in_tiles(monkeypatch):
    model, request = api.load_model(DEFAULT_GENERATOR, "cuda"), request_for(DEFAULT_GENERATOR, 700)
    expected, record = model.run(request).image, architecture("optional-pix2pix")

    def forward(trained, wanted, usual=record.forward):
        if wanted.labels.size > 520 * 520:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return usual(trained, wanted)

    from dataclasses import replace

    from napari_synth.synthesis.architectures import pix2pix

    monkeypatch.setattr(pix2pix, "forward", forward)
    monkeypatch.setattr(pix2pix, "PIX2PIX", replace(record, forward=forward))
    made = model.run(request)
    assert 0 < made.tile <= 512
    assert "short of memory" in made.remark
    assert grey_levels_apart(DEFAULT_GENERATOR, made.image, expected) <= 1


def test_a_device_that_is_lost_is_said_in_one_sentence(monkeypatch):
    from napari_synth.synthesis.cuda import graphs as module

    def lost(*_):
        raise RuntimeError(
            "CUDA error: unspecified launch failure\nCUDA kernel errors might be asynchronously reported\nat x.cpp:1"
        )

    model = loaded(DEFAULT_GENERATOR, "cuda")
    monkeypatch.setattr(module, "drawn", lost)
    with pytest.raises(WorkError, match=r"^The cuda device was lost while rendering\.") as caught:
        model.run(request_for(DEFAULT_GENERATOR))
    assert "\n" not in caught.value.problem
    assert "cpu" in caught.value.action


def test_two_viewers_render_at_the_same_time(graphs):
    models = {name: loaded(name, "cuda") for name in MODELS}
    expected = {}
    for name, model in models.items():
        for seed in (1, 2):
            with without_graphs():
                expected[name, seed] = model.run(request_for(name, seed=seed)).image
    made: dict = {}

    def paint(seed: int) -> None:
        for turn in range(8):
            for name, model in models.items():
                made[name, seed, turn] = model.run(request_for(name, seed=seed)).image

    viewers = [Thread(target=paint, args=(seed,)) for seed in (1, 2)]
    for viewer in viewers:
        viewer.start()
    for viewer in viewers:
        viewer.join()
    assert len(made) == 48
    for (name, seed, _), image in made.items():
        assert grey_levels_apart(name, image, expected[name, seed]) <= 1


@pytest.mark.parametrize("name", MODELS)
def test_the_image_that_follows_a_brush_is_the_image(name):
    model, request = loaded(name, "cuda"), request_for(name)
    canvas, labels = LiveCanvas(), np.array(request.labels)
    canvas.reset(labels.copy())
    canvas.follow(model, request, settled=True)
    from napari_synth.core.boxes import Box

    patch = np.where(labels[100:116, 90:106] == 0, labels.max() + 1, labels[100:116, 90:106]).astype(labels.dtype)
    labels[100:116, 90:106] = patch
    canvas.put(Box(100, 90, 116, 106), patch)
    canvas.lost()
    followed = canvas.follow(model, request, settled=True)
    image = np.zeros_like(model.run(request).image)
    for box, pixels in followed.parts:
        image[box.top : box.bottom, box.left : box.right] = pixels
    from dataclasses import replace

    assert grey_levels_apart(name, image, model.run(replace(request, mask=labels)).image) <= 1


def test_graphs_give_their_memory_back(graphs):
    model = loaded(DEFAULT_CAPSULES, "cuda")
    for size in (128, 256, 320):
        model.run(request_for(DEFAULT_CAPSULES, size))
    graphs.wait()
    assert graphs.count == 3
    before = torch.cuda.memory_reserved()
    graphs.clear()
    assert graphs.count == 0
    assert torch.cuda.memory_reserved() < before


@pytest.mark.parametrize("look", ["fluorescence", "purple"])
def test_a_pair_from_noise_is_that_of_the_processor(look):
    for seed in (1, 2, 3):
        here, there = (loaded("ising-nuclei", device).sample(seed, look) for device in ("cpu", "cuda"))
        assert np.abs(here.image.astype(int) - there.image).max() <= 1
        np.testing.assert_array_equal(here.z, there.z)
        assert (here.labels != there.labels).mean() < 0.001, "a pixel whose value is next to the threshold"
