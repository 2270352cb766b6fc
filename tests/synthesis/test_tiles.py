import numpy as np
import pytest
import torch

from napari_synth.core.boxes import Box, full_box
from napari_synth.core.errors import Cancelled, InputError, WorkError
from napari_synth.core.progress import CancelToken
from napari_synth.synthesis.capsules.access import intervention
from napari_synth.synthesis.capsules.windows import needed_windows
from napari_synth.synthesis.generator import Generator
from napari_synth.synthesis.recipes import load_generator
from napari_synth.synthesis.request import RenderRequest, Steering
from napari_synth.synthesis.tiles import tile_boxes
from tests.helpers import nuclei, set_whole_pixels, small_capsules, small_generator

HALO = 72


@pytest.fixture(scope="module")
def capsules(tmp_path_factory):
    return load_generator(small_capsules(tmp_path_factory.mktemp("model") / "c.safetensors"), "cpu")


@pytest.fixture
def pix2pix(tmp_path):
    return load_generator(small_generator(tmp_path / "g.safetensors"), "cpu")


def tiled(monkeypatch, generator: Generator, request: RenderRequest, **steering):
    """Rendered in tiles however small it is."""
    with monkeypatch.context() as patch:
        set_whole_pixels(patch, generator.card.architecture, 0)
        return generator.run(request, Steering(**steering))


def in_one_piece(monkeypatch, generator: Generator, request: RenderRequest):
    """Rendered without tiles however large it is."""
    with monkeypatch.context() as patch:
        set_whole_pixels(patch, generator.card.architecture, 1 << 30)
        return generator.run(request)


def assert_equal_to_rounding(one: np.ndarray, two: np.ndarray):
    """Two float32 sums may fall on either side of a half grey level."""
    difference = np.abs(one.astype(int) - two)
    assert difference.max() <= 1
    assert (difference > 0).mean() < 1e-3


def test_tiles_of_the_capsule_generator_are_exact(capsules, monkeypatch):
    request = RenderRequest(
        nuclei((90, 110), 6), seed=3, capture=("conv1", "convcaps6", "convcaps10"), routing=("convcaps8",)
    )
    whole_image, parts = capsules.run(request), tiled(monkeypatch, capsules, request, tile=64)
    assert (whole_image.tile, parts.tile) == (0, 64)
    assert np.ptp(whole_image.image) > 5
    assert_equal_to_rounding(whole_image.image, parts.image)
    for kept, again in ((whole_image.activations, parts.activations), (whole_image.routing, parts.routing)):
        assert kept.keys() == again.keys()
        for name in kept:
            np.testing.assert_allclose(again[name], kept[name], atol=1e-5, rtol=0, err_msg=name)


def test_interventions_reach_every_tile(capsules, monkeypatch):
    changed = intervention(("deconvcaps3", 1), scale=3)
    request = RenderRequest(nuclei((90, 70), 4), seed=3, interventions=(changed,))
    assert_equal_to_rounding(capsules.run(request).image, tiled(monkeypatch, capsules, request, tile=64).image)


@pytest.mark.slow
def test_a_large_canvas_has_no_seam_and_equals_the_one_in_one_piece(capsules, monkeypatch):
    request = RenderRequest(nuclei((1024, 1024), 300), seed=3)
    one, parts = in_one_piece(monkeypatch, capsules, request).image, capsules.run(request).image
    assert_equal_to_rounding(one, parts)
    jumps = np.abs(np.diff(parts.astype(int), axis=0)).max(1)
    assert jumps[511] <= np.delete(jumps, 511).max()


def test_a_tile_needs_no_more_than_the_halo(capsules):
    network = capsules.network_for("exact").network
    tile = Box(512, 512, 1024, 1024)
    for name, window in needed_windows(network, tile, 4096, 4096).items():
        factor = next(stage.factor for stage in capsules.stages if stage.name == name)
        reach = Box(*(factor * side for side in window))
        assert reach.within(tile.grown(HALO)) == reach, name
    assert needed_windows(network, Box(0, 0, 64, 64), 64, 64)["conv1"] == full_box(64, 64)


@pytest.mark.parametrize("name", ["capsules", "pix2pix"])
def test_progress_has_a_known_end_and_cancel_keeps_what_is_done(name, request, monkeypatch):
    generator = request.getfixturevalue(name)
    wanted = RenderRequest(nuclei((128, 128), 6), seed=1)
    expected = tiled(monkeypatch, generator, wanted, tile=64).image
    seen, got, token = [], np.full_like(expected, 255), CancelToken()

    def on_tile(box, pixels):
        got[box.seen_from(full_box(128, 128))] = pixels
        if len(done := [*done_boxes, box]) == 2:
            token.cancel()
        done_boxes[:] = done

    done_boxes = []
    with pytest.raises(Cancelled):
        tiled(monkeypatch, generator, wanted, tile=64, on_tile=on_tile, cancel=token, on_progress=seen.append)
    assert len(done_boxes) == 2
    for box in done_boxes:
        part = box.seen_from(full_box(128, 128))
        assert (got[part] == expected[part]).all()
    assert {progress.total for progress in seen} == {4 if name == "capsules" else 9}
    assert seen[0].done == 0


def test_tiles_in_view_come_first(capsules, monkeypatch):
    order = []
    request = RenderRequest(nuclei((90, 200), 6), seed=1)
    tiled(monkeypatch, capsules, request, tile=64, near=(80, 190), on_tile=lambda box, _: order.append(box))
    assert order[0] == Box(64, 192, 90, 200)
    assert order[-1] == Box(0, 0, 64, 64)
    assert sum(box.area for box in order) == 90 * 200, "the padding is not shown"


def test_out_of_memory_halves_the_tile_and_says_so(tmp_path, monkeypatch):
    generator = load_generator(small_capsules(tmp_path / "c.safetensors"), "cpu")
    request = RenderRequest(nuclei((128, 128), 6), seed=3)
    expected = generator.run(request).image
    network = generator.network_for("exact").network
    layer = network.layer

    def small_memory(name, x, *rest):
        if name == "deconvcaps3" and x.shape[-1] > 40:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 9 GiB.")
        return layer(name, x, *rest)

    monkeypatch.setattr(network, "layer", small_memory)
    first = tiled(monkeypatch, generator, request, tile=128)
    assert_equal_to_rounding(first.image, expected)
    assert first.tile == 64
    assert first.remark == "The cpu device ran short of memory, so tiles have 64 pixels from now on."
    again = tiled(monkeypatch, generator, request, tile=128)
    assert (again.tile, again.remark) == (64, ""), "the size is remembered"
    monkeypatch.setattr(network, "layer", lambda *_: small_memory("deconvcaps3", torch.zeros(1, 99)))
    with pytest.raises(WorkError, match="out of memory"):
        tiled(monkeypatch, generator, request)


@pytest.mark.parametrize("option", ["he", "grey"])
def test_blended_windows_repeat_and_have_no_seam(pix2pix, monkeypatch, option):
    request = RenderRequest(nuclei((200, 170), 12), option, seed=3)
    one, two = (tiled(monkeypatch, pix2pix, request, tile=64).image for _ in range(2))
    assert (one == two).all()
    assert (one != tiled(monkeypatch, pix2pix, RenderRequest(request.mask, option, 4), tile=64).image).any()
    silent = RenderRequest(request.mask, option)
    piece, parts = pix2pix.run(silent).image, tiled(monkeypatch, pix2pix, silent, tile=64).image
    assert parts.shape == piece.shape
    difference = np.abs(piece.astype(int) - parts)
    assert np.ptp(piece) > 20
    assert difference.mean() < 0.5


def test_windows_shrink_too(pix2pix, monkeypatch):
    network = pix2pix.network_for("exact").network
    forward = network.forward

    def small_memory(x, noise):
        if x.shape[-1] > 64:
            raise RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 9 bytes")
        return forward(x, noise)

    monkeypatch.setattr(network, "forward", small_memory)
    request = RenderRequest(nuclei((128, 128), 6), seed=1)
    rendering = tiled(monkeypatch, pix2pix, request, tile=128)
    assert rendering.tile == 64
    assert "64 pixels" in rendering.remark


def test_a_model_without_tiles_says_what_it_can(monkeypatch):
    generator = load_generator("pbam-axons", "cpu")
    with pytest.raises(InputError, match="renders at most"):
        generator.render(np.eye(1025, 1026, dtype=int))


def test_boxes_of_tiles_cover_it_once():
    canvas = np.zeros((100, 70), int)
    for box in tile_boxes(Box(10, 0, 100, 70), 32, (50, 50)):
        canvas[box.seen_from(full_box(100, 70))] += 1
    assert (canvas[10:] == 1).all()
    assert (canvas[:10] == 0).all()
