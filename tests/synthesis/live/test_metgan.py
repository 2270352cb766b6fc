import numpy as np
import pytest
import torch

from napari_synth.core.boxes import Box, full_box
from napari_synth.core.errors import Cancelled, InputError
from napari_synth.core.intensity import Intensity
from napari_synth.core.progress import CancelToken
from napari_synth.models.checkpoint import load_weights, read_card, save_model
from napari_synth.nets.metgan import MetGen
from napari_synth.synthesis.live.canvas import LIMIT, LiveCanvas
from napari_synth.synthesis.recipes import load_generator
from napari_synth.synthesis.request import RenderRequest, Steering
from tests.helpers import nuclei, small_metgan

SIZE = (70, 100)
CANVAS = full_box(*SIZE)


def anatomy(seed=0, size=SIZE):
    return np.random.default_rng(seed).integers(50, 700, size).astype(np.uint16)


@pytest.fixture
def generator(tmp_path):
    """Its image is what the network gives, unrounded."""
    path = small_metgan(tmp_path / "small.safetensors")
    card, weights = read_card(path), load_weights(path)
    for name, weight in weights.items():
        if "mlp" in name and name.endswith("weight"):
            weight.mul_(3)  # so that the label matters
    scales = {"anatomy": card.intensities["anatomy"], "signal": Intensity(dtype="float32", low=-1, high=1)}
    save_model(path, card.model_copy(update={"intensities": scales}), weights)
    return load_generator(path, "cpu")


@pytest.fixture
def encoded(generator, monkeypatch):
    """How often the image path ran."""
    network, calls = generator.network_for("exact").network, []
    encode = network.encode
    monkeypatch.setattr(network, "encode", lambda *given: calls.append(1) or encode(*given))
    return calls


def stroke(labels, random):
    """Paint or erase a box."""
    top, left = (int(random.integers(0, side - 5)) for side in labels.shape)
    box = Box(top, left, top + 9, left + 7).within(full_box(*labels.shape))
    labels[box.seen_from(full_box(*labels.shape))] = random.integers(0, 3)
    return box


def test_any_sequence_of_edits_equals_a_full_render(generator, encoded):
    random = np.random.default_rng(0)
    labels, beside, shown = nuclei(SIZE, 5), anatomy(), np.full(SIZE, np.nan, np.float32)
    followed = generator.follower(LIMIT).begin(RenderRequest(labels, condition=beside.copy()))
    changes = []
    for step in range(12):
        boxes = [stroke(labels, random)]
        if step == 5:
            beside = anatomy(3)
        if step == 8:
            labels[:] = 0
            boxes = [CANVAS]
        request = RenderRequest(labels, condition=beside.copy())
        found, mode = followed.follow(request, boxes, step % 2 == 1, CancelToken())
        assert mode == "full"
        before = shown.copy()
        for box in found:
            shown[box.seen_from(CANVAS)] = followed.pixels(box)
        changes.append(np.abs(shown - before).max())
        np.testing.assert_allclose(shown, generator.render(labels, condition=beside).image, atol=1e-5, rtol=0)
    assert np.nanmax(changes[1:]) > 0.01, "the strokes are seen"
    assert len(encoded) == 2, "the image path ran for two anatomies, however often they were given and rendered"


def test_the_network_as_it_was_trained_gives_the_same(generator, tmp_path):
    network = MetGen(**generator.card.hyper).eval()
    network.load_state_dict(load_weights(generator.path))
    labels, beside = nuclei((64, 128), 5), anatomy(size=(64, 128))
    request = RenderRequest(labels, condition=beside)
    followed = generator.follower(LIMIT).begin(request)
    followed.follow(request, None, True, CancelToken())
    labels[20:40, 30:50] = 9
    followed.follow(request, [Box(20, 30, 40, 50)], False, CancelToken())
    image = torch.from_numpy(generator.card.intensities["anatomy"].to_network(beside))[None, None]
    with torch.no_grad():
        expected = network(image, torch.from_numpy(labels > 0)[None, None].float())[0, 0].numpy()
    np.testing.assert_allclose(followed.pixels(full_box(64, 128)), expected, atol=1e-5, rtol=0)


def test_only_what_changed_is_given_and_nothing_where_nothing_did(generator):
    labels, never = nuclei((512, 512), 5), CancelToken()
    request = RenderRequest(labels, condition=anatomy(size=(512, 512)))
    followed = generator.follower(LIMIT).begin(request)
    assert followed.follow(request, None, True, never) == ([full_box(512, 512)], "full")
    assert followed.follow(request, [], True, never)[0] == []
    labels[labels == 1] = 7  # another nucleus, the same foreground
    assert followed.follow(request, None, True, never)[0] == []
    labels[2:10, 2:10] = 9
    (box,) = followed.follow(request, [Box(2, 2, 10, 10)], False, never)[0]
    assert box.area < 0.9 * 512 * 512
    assert box.within(Box(2, 2, 10, 10)).area


def test_what_is_kept_is_counted_and_bounded(generator):
    follower, size = generator.follower(LIMIT), (256, 192)
    request = RenderRequest(nuclei(size), condition=anatomy(size=size))
    followed = follower.begin(request)
    followed.follow(request, None, True, CancelToken())
    needed = follower.needed(size)
    assert 0.9 * needed < followed.nbytes <= needed
    assert generator.follower(needed).fits(size)
    narrow = generator.follower(needed - 1)
    assert not narrow.fits(size)
    assert "over the limit" in narrow.too_large(size)
    assert not follower.fits((1024, 1025))
    assert "windows" in follower.too_large((1024, 1025))


def test_a_canvas_follows_the_size_the_anatomy_the_model_and_a_mistake(generator, tmp_path):
    canvas, other = LiveCanvas(), load_generator(small_metgan(tmp_path / "other.safetensors", seed=4), "cpu")
    labels = nuclei(SIZE, 4)
    canvas.reset(labels)

    def image(made, beside, settled=True):
        rendering = canvas.follow(made, RenderRequest(labels, condition=beside), settled=settled)
        canvas.shown()
        assert rendering.mode == "full"
        for box, pixels in rendering.parts:
            shown[box.seen_from(full_box(*shown.shape))] = pixels
        return shown

    shown = np.zeros(SIZE, np.float32)
    whole = generator.render(labels, condition=anatomy()).image
    np.testing.assert_allclose(image(generator, anatomy()), whole)
    canvas.put(Box(5, 5, 25, 30), np.full((20, 25), 6, labels.dtype))
    with pytest.raises(InputError, match="100×70"):
        image(generator, anatomy(size=(64, 64)))
    with pytest.raises(InputError, match="needs an image of the anatomy"):
        image(generator, None)
    token = CancelToken()
    token.cancel()
    with pytest.raises(Cancelled):
        request = RenderRequest(labels, condition=anatomy(1))
        canvas.follow(generator, request, settled=True, steering=Steering(cancel=token))
    labels = labels.copy()
    labels[5:25, 5:30] = 6
    np.testing.assert_allclose(
        image(generator, anatomy(1)), generator.render(labels, condition=anatomy(1)).image, atol=1e-5
    )
    shown = np.zeros(SIZE, np.uint16)
    assert np.abs(image(other, anatomy(1)).astype(int) - other.render(labels, condition=anatomy(1)).image).max() <= 1
    labels = nuclei((64, 200), 3)
    canvas.reset(labels)
    shown = np.zeros(labels.shape, np.float32)
    beside = anatomy(size=labels.shape)
    np.testing.assert_allclose(
        image(generator, beside), generator.render(labels, condition=beside).image, atol=1e-5, rtol=0
    )
