"""How large the pieces of an image are; a GPU is a stand-in that says what memory it has."""

from types import SimpleNamespace

import pytest
import torch

from napari_synth.synthesis.device_plan import footprint, measuring, plan_for

USUAL = 1024 * 1024


@pytest.fixture
def card(monkeypatch):
    """Its memory in bytes: free, and taken at the peak of the last image."""
    memory = SimpleNamespace(free=8e9, peak=0.0)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (memory.free, 8e9))
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda device: 0)
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda device: 0)
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda device: memory.peak)
    monkeypatch.setattr(torch.cuda, "reset_peak_memory_stats", lambda device: None)
    return memory


def model(device: str = "cuda"):
    return SimpleNamespace(network=torch.nn.Identity(), device=torch.device(device))


def rendered(one, card, side: int, per_pixel: float) -> None:
    with measuring(one, side * side):
        card.peak = per_pixel * side * side


def test_pieces_follow_what_a_pixel_takes_and_what_is_free(card):
    one = model()
    assert plan_for(one, USUAL, True).whole_pixels == USUAL, "nothing is known yet"
    rendered(one, card, 512, 4000)
    assert footprint(one) == 4000
    plan = plan_for(one, USUAL, True)
    assert plan.whole_pixels == plan.tile**2
    assert plan.tile % 64 == 0
    assert plan.whole_pixels * 4000 <= card.free / 2 < (plan.tile + 64) ** 2 * 4000
    card.free /= 4
    assert plan_for(one, USUAL, True).tile < plan.tile
    card.free = 0
    assert plan_for(one, USUAL, True).tile >= 256


def test_a_large_card_renders_pieces_that_can_still_be_stopped(card):
    one, card.free = model(), 80e9
    rendered(one, card, 512, 100)
    assert plan_for(one, USUAL, True).tile == 2048


def test_small_images_say_nothing_and_the_largest_most(card):
    one = model()
    rendered(one, card, 64, 90_000)
    assert footprint(one) is None
    rendered(one, card, 256, 9000)
    rendered(one, card, 1024, 4000)
    rendered(one, card, 256, 9000)
    assert footprint(one) == 4000


def test_elsewhere_the_sizes_are_the_usual_ones(card):
    one = model()
    rendered(one, card, 512, 4000)
    assert plan_for(one, USUAL, False).whole_pixels == USUAL
    assert plan_for(one, USUAL, False).tile == 0
    here = model("cpu")
    rendered(here, card, 512, 4000)
    assert footprint(here) is None
    assert plan_for(here, USUAL, True).whole_pixels == USUAL
