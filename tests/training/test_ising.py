import imageio.v3 as iio
import pytest
import torch
from safetensors.torch import load_file

from napari_synth.core.errors import InputError
from napari_synth.core.progress import CancelToken
from napari_synth.datasets.pairs import find_pairs, load_pair
from napari_synth.models.checkpoint import read_card
from napari_synth.training.crops import DeviceCrops
from napari_synth.training.loop import settings_for, train
from napari_synth.training.objectives.ising import IsingObjective
from napari_synth.training.request import TrainRequest
from tests.helpers import pair_folder

SMALL = {"steps": 5, "size": 64, "width": 8, "ndf": 2, "batch_size": 4}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    root = tmp_path_factory.mktemp("data")
    pair_folder(root / "colour", 8, (72, 90))
    pair_folder(root / "grey", 9, (60, 64), grey=True)
    return root


def request(data, out, preset="fast", **changes):
    settings = SMALL | changes.pop("settings", {})
    return TrainRequest("ising-gan", data, out, preset=preset, settings=settings, device="cpu", **changes)


def stop_after(step):
    cancel = CancelToken()
    return (lambda progress: cancel.cancel() if progress.done >= step else None), cancel


@pytest.mark.parametrize("preset", ["paper", "fast"])
@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
def test_the_same_seed_and_a_resumed_run_end_bit_exactly_alike(preset, precision, data, tmp_path):
    whole = train(request(data, tmp_path / "whole.safetensors", preset, precision=precision))
    part_file = tmp_path / "part.safetensors"
    part = train(request(data, part_file, preset, precision=precision), *stop_after(3))
    assert part.steps == 3
    rest = train(request(data, part_file, preset, precision=precision, resume=part.resume_path))
    assert rest.losses == whole.losses
    expected, got = load_file(whole.path), load_file(rest.path)
    assert all(torch.equal(expected[name], got[name]) for name in expected)


def test_the_card_and_the_preview(data, tmp_path):
    result = train(request(data, tmp_path / "mine.safetensors"))
    card = read_card(result.path)
    assert (card.role, card.architecture, card.latent_size) == ("pairs", "ising-gan", 100)
    assert card.options == ["colour", "grey"]
    assert [look.rgb for look in card.looks] == [True, False]
    assert all(look.thumbnail for look in card.looks)
    assert card.hyper["looks"] == 2
    assert "learned from 8 images only" in card.notes
    assert iio.imread(result.preview_path).shape[:2] == (4 * 64 + 3 * 4, 8 * 64 + 7 * 4)


def test_ablations_change_what_they_name():
    def chosen(ablation):
        return settings_for(TrainRequest("ising-gan", None, None, ablation=ablation))

    assert chosen("vanilla").smoothness == "none"
    assert not chosen("no_residual").residual
    assert chosen("laplacian").smoothness == "laplacian"
    assert chosen("tv").smoothness == "tv"
    paper = settings_for(TrainRequest("ising-gan", None, None, preset="paper"))
    published = (paper.batch_size, paper.learning_rate, paper.beta1, paper.smoothness, paper.smooth_weight, paper.size)
    assert published == (64, 2e-4, 0.9, "laplacian", 1.5, 256)


def test_too_few_images_are_refused(tmp_path):
    pair_folder(tmp_path / "few", 7)
    with pytest.raises(InputError, match="few has 7 images to train on; pairs from noise need 8"):
        train(request(tmp_path / "few", tmp_path / "a.safetensors"))


def test_a_time_limit_ends_the_run_and_the_rate(data, tmp_path):
    limited = request(data, tmp_path / "a.safetensors", settings={"minutes": 1e-6})
    result = train(limited)
    assert result.steps == 1
    more = request(data, tmp_path / "a.safetensors", settings={"steps": 3}, resume=result.resume_path)
    assert train(more).steps == 3


def test_neighbours_are_of_one_look_and_nothing_is_scaled_unless_asked(data):
    looks = [[load_pair(pair) for pair in find_pairs(data / name)] for name in ("colour", "grey")]
    crops = DeviceCrops(looks, 60, "foreground", seed=0, scaled_share=0, group=4)
    masks, images, numbers = crops.batch(0, 16)
    assert numbers.tolist() == [0] * 4 + [1] * 4 + [0] * 4 + [1] * 4
    grey = (images[4:8, 0] + 1) * 127.5
    assert torch.allclose(grey, grey.round(), atol=1e-3), "pixels as they are"
    assert ((grey > 150) == (masks[4:8, 0] > 0)).all()


def test_whole_images_keep_image_and_mask_together(tmp_path):
    pair_folder(tmp_path / "wide", 8, (64, 160), grey=True)
    limited = request(tmp_path / "wide", tmp_path / "a.safetensors", "paper", settings={"steps": 1})
    objective = IsingObjective(settings_for(limited), tmp_path / "wide", 1)
    masks, images, _ = objective.pairs.batch(0, 8)
    assert images.shape == (8, 3, 64, 64)
    assert set(masks.unique().tolist()) == {0.0, 1.0}
    assert ((images[:, 0] > 0) != (masks[:, 0] > 0)).float().mean() < 0.02
