"""Architectures by name, and one that somebody else adds."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from napari_synth.core.boxes import Box, full_box
from napari_synth.core.errors import InputError
from napari_synth.core.seeds import torch_generator
from napari_synth.datasets.mask_encoding import mask_plane
from napari_synth.models import architectures as networks
from napari_synth.models.card import ModelCard
from napari_synth.models.checkpoint import save_model
from napari_synth.models.registry import bundled_cards
from napari_synth.nets.capsule_stages import STAGES
from napari_synth.synthesis.architectures.registry import RECORDS, architecture, has_noise, stages_of
from napari_synth.synthesis.live.canvas import LiveCanvas
from napari_synth.synthesis.recipes import load_generator, painted_recipe, request_of
from napari_synth.synthesis.request import RenderRequest, Steering
from tests.helpers import nuclei

TORCH_FREE = """
import sys
from napari_synth.synthesis import recipes
from napari_synth.synthesis.architectures.registry import RECORDS, architecture
from napari_synth.synthesis.latents.sources import Drawn
records = [architecture(name) for name in RECORDS]
assert any(record.stages for record in records)
assert "torch" not in sys.modules
"""
BLUR = '''
"""Blurred masks under uniform noise."""

from functools import partial

import numpy as np
import torch

from napari_synth.core.seeds import torch_generator
from napari_synth.synthesis.architectures.record import Architecture
from napari_synth.synthesis.network_io import mask_tensor
from napari_synth.synthesis.tiles import blended_windows


class Blur(torch.nn.Module):
    def __init__(self, gain=1.0):
        super().__init__()
        self.gain = torch.nn.Parameter(torch.tensor([[gain]]))

    def forward(self, mask):
        return self.gain * torch.nn.functional.avg_pool2d(mask, 3, 1, 1)


def forward(model, request):
    values = model.network(mask_tensor(model, request.labels).to(model.device))[0, 0]
    if request.seed is not None:
        values = values + 0.1 * torch.rand(values.shape, generator=torch_generator(request.seed, "blur"))
    return (255 * values.clamp(0, 1)).round().to(torch.uint8).numpy()


RECORD = Architecture(forward, partial(blended_windows, forward), whole_pixels=10_000)
'''


def test_names_stages_and_noise_are_known_without_torch():
    subprocess.run([sys.executable, "-c", TORCH_FREE], check=True)


def test_every_bundled_generator_has_a_record():
    cards = bundled_cards().values()
    made = {card.architecture for card in cards if card.role == "generator"}
    assert made <= set(RECORDS) <= set(networks.ARCHITECTURES)
    for card in cards:
        assert stages_of(card) == (STAGES if card.architecture == "capspix2pix" else ())
    assert has_noise(bundled_cards()["metgan-brain"])


def test_a_name_that_is_not_there_is_named_with_those_that_are():
    with pytest.raises(InputError, match="'pix3pix'") as caught:
        architecture("pix3pix")
    assert "capspix2pix" in caught.value.action


@pytest.fixture
def blurred(tmp_path, monkeypatch):
    """A generator of an architecture that lives in a package of somebody else."""
    package = tmp_path / "somebody"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "blur.py").write_text(BLUR)
    monkeypatch.syspath_prepend(tmp_path)
    from somebody.blur import Blur

    monkeypatch.setitem(networks.ARCHITECTURES, "blur", Blur)
    monkeypatch.setitem(RECORDS, "blur", "somebody.blur:RECORD")
    card = ModelCard(
        id="b", architecture="blur", hyper={"gain": 0.8}, role="generator", mask_meaning="foreground", tile_multiple=4
    )
    save_model(tmp_path / "b.safetensors", card, Blur(0.8).state_dict(), half=False)
    return load_generator(tmp_path / "b.safetensors", "cpu")


def expected(mask, seed=None):
    """The same by SciPy, for a mask whose sides are multiples of 4."""
    from scipy.ndimage import uniform_filter

    values = 0.8 * uniform_filter(mask_plane(mask, "foreground").astype(float), 3, mode="constant")
    if seed is not None:
        values = values + 0.1 * torch.rand(mask.shape, generator=torch_generator(seed, "blur")).numpy()
    return np.round(255 * np.clip(values, 0, 1))


def test_an_architecture_of_somebody_else_renders(blurred):
    mask = nuclei((64, 48), 4)
    for seed in (None, 3):
        made = blurred.render(mask, seed=seed)
        assert made.tile == 0
        assert np.abs(made.image - expected(mask, seed)).max() <= 1
    assert blurred.render(mask[:61, :47]).image.shape == (61, 47)
    assert blurred.stages == ()
    assert has_noise(blurred.card)


def test_it_is_rendered_in_tiles_where_it_is_too_large(blurred):
    mask = nuclei((128, 160), 12)
    filled = np.zeros(mask.shape, np.uint8)

    def fill(box, pixels):
        filled[box.seen_from(full_box(*mask.shape))] = pixels

    made = blurred.run(RenderRequest(mask), Steering(tile=64, on_tile=fill))
    assert made.tile == 64
    np.testing.assert_array_equal(filled, made.image)
    difference = np.abs(made.image - expected(mask))
    assert np.median(difference) <= 1, "only where windows end the blur sees less"
    assert np.abs(gaussian_filter(difference, 8)).max() < 20


def test_it_is_followed_by_new_renders_and_replayed(blurred):
    mask, canvas = nuclei((64, 48), 4), LiveCanvas()
    canvas.reset(mask)
    canvas.put(Box(3, 3, 20, 20), np.zeros((17, 17), mask.dtype))
    made = canvas.follow(blurred, RenderRequest(mask, seed=3), settled=True)
    assert made.mode == "full"
    assert canvas.followed is None
    ((box, pixels),) = made.parts
    assert box == full_box(64, 48)
    recipe = painted_recipe(blurred, made.request, "mask")
    np.testing.assert_array_equal(blurred.run(request_of(recipe, made.request.mask)).image, pixels)
