import numpy as np
import pytest
import torch

from napari_synth.core.boxes import Box, full_box
from napari_synth.core.errors import InputError
from napari_synth.core.progress import CancelToken
from napari_synth.models.architectures import build
from napari_synth.models.card import Look, ModelCard
from napari_synth.models.checkpoint import save_model
from napari_synth.synthesis.recipes import load_generator
from napari_synth.synthesis.request import RenderRequest
from tests.helpers import nuclei, small_styled

ROOM = 2**30


def made(path, **hyper):
    hyper = {"in_channels": 2, "out_channels": 3, "ngf": 4, "levels": 5, "dropout_blocks": 2, **hyper}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = build("optional-pix2pix", **hyper)
    card = ModelCard(
        id="u",
        architecture="optional-pix2pix",
        hyper=hyper,
        role="generator",
        mask_meaning="foreground-gap",
        looks=[Look(name="he"), Look(name="grey", rgb=False)],
        tile_multiple=2 ** int(hyper["levels"]),
    )
    save_model(path, card, network.state_dict())
    return load_generator(path, "cpu")


@pytest.fixture(params=["transposed", "resize", "styled"])
def generator(request, tmp_path):
    if request.param == "styled":
        return load_generator(small_styled(tmp_path / "u.safetensors", levels=5), "cpu")
    hyper = {"upsampling": request.param, "head_dropout": 0.2} if request.param == "resize" else {}
    return made(tmp_path / "u.safetensors", **hyper)


def assert_equal_to_rounding(one, two):
    difference = np.abs(one.astype(int) - two)
    assert difference.max() <= 1
    assert (difference > 0).mean() < 1e-3


def test_the_end_of_any_stroke_equals_a_full_render(generator):
    random, labels = np.random.default_rng(0), nuclei((90, 130), 5)
    followed = generator.follower(ROOM).begin(RenderRequest(labels, "he", 3))
    canvas = full_box(*labels.shape)
    shown = np.zeros((90, 130, 3), np.uint8)
    option, seed, modes = "he", 3, set()
    for step in range(12):
        boxes = []
        if step in (4, 8):
            option, seed = ("grey", 3) if step == 4 else ("he", None)
            shown = np.zeros((90, 130) if option == "grey" else (90, 130, 3), np.uint8)
        else:
            top, left = random.integers(0, (85, 125))
            box = Box(int(top), int(left), int(top) + 9, int(left) + 7).within(canvas)
            labels[box.seen_from(canvas)] = random.integers(0, 3)
            boxes = [box]
        settled = step % 2 == 1
        changed, mode = followed.follow(RenderRequest(labels, option, seed), boxes, settled, CancelToken())
        modes.add((settled, mode))
        for box in changed:
            shown[box.seen_from(canvas)] = followed.pixels(box)
        if settled:
            assert_equal_to_rounding(shown, generator.render(labels, option, seed).image)
    assert (False, "preview") in modes
    assert (True, "preview") not in modes


def test_a_preview_costs_less_and_shows_the_stroke(generator):
    follower, labels, never = generator.follower(ROOM), nuclei((256, 256), 12), CancelToken()
    request = RenderRequest(labels, "he", 1)
    followed = follower.begin(request)
    assert followed.follow(request, None, True, never) == ([full_box(256, 256)], "partial")
    everything, before = followed.computed, followed.pixels(full_box(256, 256)).copy()
    labels[100:116, 100:116] = 40
    (box,), mode = followed.follow(request, [Box(100, 100, 116, 116)], False, never)
    assert mode == "preview"
    assert box.area < 110**2
    assert followed.computed < 0.25 * everything
    assert (followed.pixels(box) != before[box.seen_from(full_box(256, 256))]).any()
    assert followed.follow(request, [], True, never)[1] == "partial"
    assert 0.9 < followed.nbytes / follower.needed((256, 256)) <= 1
    assert not generator.follower(1000).fits((256, 256))


def test_a_change_of_the_style_is_followed(tmp_path):
    generator, labels = load_generator(small_styled(tmp_path / "u.safetensors", levels=5), "cpu"), nuclei((90, 130), 5)
    followed = generator.follower(ROOM).begin(RenderRequest(labels, seed=3))
    shown = []
    for style in (None, 2, (0.5,) * 8):
        request = RenderRequest(labels, seed=3, style=style)
        assert followed.follow(request, [], True, CancelToken()) == ([full_box(90, 130)], "partial")
        shown.append(followed.pixels(full_box(90, 130)).copy())
        assert_equal_to_rounding(shown[-1], generator.run(request).image)
        assert followed.follow(request, [], True, CancelToken()) == ([], "partial")
    assert (shown[0] != shown[1]).any()
    assert (shown[1] != shown[2]).any()
    with pytest.raises(InputError, match="beyond the 6"):
        followed.follow(RenderRequest(labels, seed=3, style=6), [], True, CancelToken())


def test_a_norm_over_the_image_cannot_be_followed_in_parts(tmp_path):
    assert made(tmp_path / "u.safetensors", norm="image").follower(ROOM) is None
