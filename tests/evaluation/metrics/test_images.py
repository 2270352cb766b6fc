import numpy as np
import pytest

from napari_synth.core.errors import InputError
from napari_synth.evaluation.held_out import held_out_figures
from napari_synth.evaluation.metrics.images import mean_absolute_error, similarity
from napari_synth.evaluation.metrics.masks import dice
from napari_synth.evaluation.metrics.spectra import grid_peaks
from napari_synth.evaluation.segmentor import Segmentor
from napari_synth.models.architectures import build
from napari_synth.models.card import ModelCard
from napari_synth.models.checkpoint import save_model
from napari_synth.models.registry import load_trained
from napari_synth.synthesis.recipes import load_generator
from tests.helpers import pair_folder, small_generator


def test_dice_by_hand():
    a, b = np.array([[1, 1, 0, 0]]), np.array([[0, 5, 5, 0]])
    assert dice(a, b) == 0.5
    assert dice(a, a * 7) == 1
    assert dice(a * 0, a * 0) == 1
    assert dice(a, a * 0) == 0


def test_error_and_similarity():
    rng = np.random.default_rng(0)
    a = rng.integers(0, 255, (32, 32, 3)).astype(np.uint8)
    assert mean_absolute_error(a, a) == 0
    assert mean_absolute_error(np.zeros((2, 2), np.uint8), np.full((2, 2), 51, np.uint8)) == pytest.approx(0.2)
    assert similarity(a, a) == pytest.approx(1)
    assert similarity(a, 255 - a) < 0.1


@pytest.mark.parametrize("period", [2, 4, 8])
def test_a_grid_shows_at_its_period(period):
    rng = np.random.default_rng(0)
    noise = [rng.normal(128, 10, (256, 256)) for _ in range(4)]
    assert max(grid_peaks(noise).values()) < 1.5
    with_grid = [image.copy() for image in noise]
    for image in with_grid:
        image[::period] += 4
    assert grid_peaks(with_grid)[period] > 5


def test_images_smaller_than_a_tile_have_no_spectrum():
    with pytest.raises(ValueError, match="smaller than a tile"):
        grid_peaks([np.zeros((100, 300))])


def test_figures_on_held_out_pairs(tmp_path):
    pair_folder(tmp_path / "data" / "he", 4, (128, 140))
    pair_folder(tmp_path / "data" / "grey", 4, (128, 128), grey=True)
    (tmp_path / "data" / "dataset.yaml").write_text(
        "options: [{name: he, hold_out: 'every:2'}, {name: grey, hold_out: '03'}]"
    )
    card = ModelCard(id="u", architecture="unet", hyper={"width": 4}, role="segmentor", tile_multiple=16)
    save_model(tmp_path / "u.safetensors", card, build("unet", width=4).state_dict())
    generator = load_generator(small_generator(tmp_path / "g.safetensors"), "cpu")
    seen = []
    figures = held_out_figures(
        generator,
        Segmentor(load_trained(tmp_path / "u.safetensors", "cpu")),
        tmp_path / "data",
        on_progress=seen.append,
    )
    assert (figures["he"].files, figures["grey"].files) == (2, 1)
    assert (seen[-1].done, seen[-1].total) == (3, 3)
    for row in figures.values():
        assert 0 < row.mae < 1
        assert row.agreement == pytest.approx(row.dice_synthetic / row.dice_real, nan_ok=True)
    with pytest.raises(InputError, match="does not segment images"):
        Segmentor(load_trained(tmp_path / "g.safetensors", "cpu"))
