import imageio.v3 as iio
import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from napari_synth.core.errors import InputError
from napari_synth.core.progress import CancelToken
from napari_synth.core.seeds import numpy_rng
from napari_synth.datasets.pairs import LoadedPair, find_pairs, load_pair
from napari_synth.models.checkpoint import read_card
from napari_synth.training.augmentation import Augmentation
from napari_synth.training.device_pairs import DevicePairs
from napari_synth.training.loop import TrainRequest, settings_for, train
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


def test_crops_are_parts_of_their_image_turned_or_mirrored(data):
    loaded = [load_pair(pair) for pair in find_pairs(data / "colour")]
    pairs = DevicePairs([loaded], 64, seed=3)
    batch, numbers = pairs.batch(0, 4)
    assert numbers.tolist() == [0, 0, 0, 0]
    again, _ = pairs.batch(0, 4)
    assert torch.equal(batch, again)
    assert not torch.equal(batch, pairs.batch(1, 4)[0])
    for sample in batch.numpy():
        image = np.rint((sample[:3].transpose(1, 2, 0) + 1) * 127.5).astype(np.uint8)
        mask = sample[3] > 0
        assert any(_contains(pair, image, mask) for pair in loaded)


def _contains(pair, image, mask):
    for turn in range(4):
        for flip in (1, -1):
            turned = np.rot90(image, turn)[:, ::flip], np.rot90(mask, turn)[:, ::flip]
            for y in range(pair.labels.shape[0] - 63):
                for x in range(pair.labels.shape[1] - 63):
                    part = np.s_[y : y + 64, x : x + 64]
                    if (pair.labels[part] > 0)[turned[1]].all() and np.array_equal(pair.image[part], turned[0]):
                        return np.array_equal(pair.labels[part] > 0, turned[1])
    return False


@pytest.mark.parametrize(("whole", "zoom"), [(True, 0.0), (False, 0.3)])
def test_image_and_mask_stay_together_and_nothing_outside_is_seen(whole, zoom):
    """The image is its own mask in white and black; no grey comes in but at edges."""
    labels = np.zeros((100, 80), np.int32)
    labels[20:70, 30:60] = 1
    image = np.repeat(255 * (labels > 0)[..., None], 3, -1).astype(np.uint8)
    pairs = DevicePairs([[LoadedPair("a", labels, image, True)]], 64, seed=0, whole=whole, zoom=zoom)
    batch, _ = pairs.batch(0, 16)
    assert set(batch[:, 3].unique().tolist()) == {-1.0, 1.0}
    differ = (batch[:, 0] - batch[:, 3]).abs() > 1.01
    assert differ.float().mean() < 0.02
    assert (batch[:, 0] * batch[:, 3]).mean() > 0.95


def test_looks_come_in_groups_of_the_same_size(data):
    looks = [[load_pair(pair) for pair in find_pairs(data / name)] for name in ("colour", "grey")]
    _, numbers = DevicePairs(looks, 64, seed=0, group=4).batch(0, 16)
    assert numbers.tolist() == [0] * 4 + [1] * 4 + [0] * 4 + [1] * 4


def test_the_discriminator_sees_image_and_mask_moved_alike():
    ramp = torch.arange(32 * 32.0).reshape(1, 1, 32, 32).expand(8, 4, -1, -1)
    seen = Augmentation(numpy_rng(1), 8, 32, torch.device("cpu"))(ramp)
    assert torch.equal(seen[:, 0], seen[:, 3])
    for sample in seen[:, 0]:
        left = sample[sample > 0]
        shifts = (torch.nonzero(sample)[:, 0] * 32 + torch.nonzero(sample)[:, 1]) - left
        assert len(shifts.unique()) == 1, "all that is left moved by one shift"
        assert abs(int(shifts[0])) <= 4 * 32 + 4
    holes = (seen[:, 0, 8:24, 8:24] == 0).flatten(1).any(1)
    assert 0 < holes.sum() < 8


def test_colour_changes_the_image_alone_and_the_gradient_passes():
    pairs = torch.rand(4, 4, 16, 16, requires_grad=True)
    change = Augmentation(numpy_rng(2), 4, 16, torch.device("cpu"), colour=0.3)
    plain = Augmentation(numpy_rng(2), 4, 16, torch.device("cpu"))
    assert torch.equal(change(pairs)[:, 3], plain(pairs)[:, 3])
    assert not torch.allclose(change(pairs)[:, :3], plain(pairs)[:, :3])
    change(pairs).sum().backward()
    assert pairs.grad.abs().sum() > 0
