import numpy as np
import pytest
import torch

from napari_synth.core.boxes import Box, whole
from napari_synth.models.architectures import build
from napari_synth.models.card import Look, ModelCard
from napari_synth.models.checkpoint import save_model
from napari_synth.synthesis.generator import RenderRequest
from napari_synth.synthesis.live.canvas import partial_update
from napari_synth.synthesis.recipes import load_generator
from tests.helpers import nuclei

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


@pytest.fixture(params=["transposed", "resize"])
def generator(request, tmp_path):
    hyper = {"upsampling": request.param, "head_dropout": 0.2} if request.param == "resize" else {}
    return made(tmp_path / "u.safetensors", **hyper)


def assert_equal_to_rounding(one, two):
    difference = np.abs(one.astype(int) - two)
    assert difference.max() <= 1
    assert (difference > 0).mean() < 1e-3


def test_the_end_of_any_stroke_equals_a_full_render(generator):
    follower, random = partial_update(generator, ROOM), np.random.default_rng(0)
    labels = nuclei((90, 130), 5)
    canvas = whole(*labels.shape)
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
        changed, mode = follower.follow(RenderRequest(labels, option, seed), boxes, settled, None)
        modes.add((settled, mode))
        for box in changed:
            shown[box.seen_from(canvas)] = follower.pixels(box)
        if settled:
            assert_equal_to_rounding(shown, generator.render(labels, option, seed).image)
    assert (False, "preview") in modes
    assert (True, "preview") not in modes


def test_a_preview_costs_less_and_shows_the_stroke(generator):
    follower = partial_update(generator, ROOM)
    labels = nuclei((256, 256), 12)
    request = RenderRequest(labels, "he", 1)
    assert follower.follow(request, None, True, None) == ([whole(256, 256)], "partial")
    everything, before = follower.computed, follower.pixels(whole(256, 256)).copy()
    labels[100:116, 100:116] = 40
    (box,), mode = follower.follow(request, [Box(100, 100, 116, 116)], False, None)
    assert mode == "preview"
    assert box.area < 110**2
    assert follower.computed < 0.25 * everything
    assert (follower.pixels(box) != before[box.seen_from(whole(256, 256))]).any()
    assert follower.follow(request, [], True, None)[1] == "partial"
    assert 0.9 < follower.nbytes / follower._needed((256, 256)) <= 1
    assert not partial_update(generator, 1000).fits((256, 256))


def test_a_norm_over_the_image_cannot_be_followed_in_parts(tmp_path):
    assert partial_update(made(tmp_path / "u.safetensors", norm="image"), ROOM) is None
