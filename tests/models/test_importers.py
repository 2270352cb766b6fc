"""Checkpoints with published names, made by plain implementations of the published programs."""

import json
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

from napari_synth import api
from napari_synth.core.errors import InputError
from napari_synth.models.importers.base import Wishes
from napari_synth.models.registry import load_trained
from napari_synth.synthesis.importing import import_checkpoint
from napari_synth.synthesis.latents.vectors import latent_for
from tests.helpers import nuclei
from tests.reference.plain_capsules import plain_published_capspix2pix
from tests.reference.published import (
    NestedGenerator,
    Nothing,
    PublishedImagePath,
    PublishedLabelPath,
    PublishedResNet,
    ThesisDVAE,
    ThesisGenerator,
    TrackedInstanceNorm,
    capsule_state,
)

GREY = 0.55
"""Half a grey level of rounding, and a twentieth for the order of sums."""


def trained(network, channels, side, seed=0):
    """Weights as large as trained ones, norms with weights, and running statistics that are not those of one image."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, tensor in network.named_parameters():
            noise = torch.randn(tensor.shape, generator=generator)
            fan = tensor[0].numel() if tensor.ndim == 4 else 1
            tensor.copy_(noise * (1.5 / fan) ** 0.5 if tensor.ndim == 4 else 0.1 * noise + name.endswith("weight"))
        for _ in range(2):
            network.train()(torch.rand(1, channels, side, side, generator=generator) * 2 - 1)
    return network.eval()


def brought_in(state, source, folder, **wishes):
    torch.save(state, folder / "theirs.pth")
    card = import_checkpoint(folder / "theirs.pth", source, folder / "ours.safetensors", Wishes("ours", **wishes))
    return card, api.load_model(folder / "ours.safetensors", "cpu")


def pixels(values, black=-1.0, white=1.0):
    """What a network gives as 8-bit grey values, not rounded."""
    picture = 255 * (values[0].permute(1, 2, 0).numpy() - black) / (white - black)
    return np.clip(picture[..., 0] if picture.shape[-1] == 1 else picture, 0, 255)


def signed(labels, channels):
    return torch.from_numpy(2.0 * (labels > 0) - 1).float().expand(1, channels, -1, -1)


def assert_equal_images(image, picture):
    assert picture.std() > 5, "a flat image proves nothing"
    assert image.shape == picture.shape
    assert np.abs(image - picture).max() <= GREY


BATCH, INSTANCE, AFFINE = nn.BatchNorm2d, nn.InstanceNorm2d, partial(nn.InstanceNorm2d, affine=True)
UNET = partial(NestedGenerator, ngf=3)
RESNET = partial(PublishedResNet, ngf=4)
ROWS = [
    (UNET, {"levels": 7}, BATCH, (1, 1), "test"),
    (UNET, {"levels": 7}, BATCH, (1, 1), "eval"),
    (UNET, {"levels": 8}, BATCH, (3, 3), "test"),
    (UNET, {"levels": 9, "ngf": 2}, BATCH, (4, 3), "test"),
    (UNET, {"levels": 6, "ngf": 5}, INSTANCE, (1, 3), "test"),
    (UNET, {"levels": 7}, INSTANCE, (3, 1), "eval"),
    (UNET, {"levels": 7}, TrackedInstanceNorm, (1, 1), "test"),
    (UNET, {"levels": 7}, Nothing, (1, 1), "test"),
    (UNET, {"levels": 7}, Nothing, (3, 3), "eval"),
    (RESNET, {"blocks": 9}, INSTANCE, (1, 1), "test"),
    (RESNET, {"blocks": 9}, BATCH, (3, 3), "test"),
    (RESNET, {"blocks": 6, "ngf": 6}, BATCH, (1, 3), "eval"),
    (RESNET, {"blocks": 6}, TrackedInstanceNorm, (4, 1), "test"),
    (RESNET, {"blocks": 9, "dropout": True}, INSTANCE, (1, 1), "test"),
    (RESNET, {"blocks": 6, "dropout": True}, Nothing, (1, 1), "eval"),
]


def name_of(row):
    network, hyper, norm, channels, mode = row
    kind = "unet" if network is UNET else "resnet"
    return f"{kind}-{'-'.join(f'{k}{v}' for k, v in hyper.items())}-{norm.__name__}-{channels[0]}to{channels[1]}-{mode}"


@pytest.mark.parametrize(("network", "hyper", "norm", "channels", "mode"), ROWS, ids=map(name_of, ROWS))
def test_pix2pix(network, hyper, norm, channels, mode, tmp_path):
    side = 2 ** hyper.get("levels", 6)
    theirs = trained(network(*channels, **{"norm": norm} | hyper), channels[0], side)
    card, ours = brought_in(theirs.state_dict(), "pix2pix", tmp_path, mode=mode)
    labels = nuclei((side, side))
    set_dropout(theirs.train(mode == "test"), False)
    with torch.no_grad():
        picture = pixels(theirs(signed(labels, channels[0])))
    assert_equal_images(ours.render(labels).image, picture)
    assert card.tile_multiple == (side if network is UNET else 4)


def set_dropout(network, on):
    for module in network.modules():
        if isinstance(module, nn.Dropout):
            module.train(on)


@pytest.mark.parametrize(
    ("theirs", "side"),
    [
        (NestedGenerator(1, 1, levels=7, ngf=6, norm=BATCH, dropout=True), 128),
        (PublishedResNet(1, 1, blocks=6, ngf=4, norm=INSTANCE, dropout=True), 64),
    ],
    ids=["unet", "resnet"],
)
def test_dropout_is_where_the_program_has_it(theirs, side, tmp_path):
    theirs = trained(theirs, 1, side)
    _, ours = brought_in(theirs.state_dict(), "pix2pix", tmp_path)
    labels = nuclei((side, side))
    torch.manual_seed(0)
    with torch.no_grad():
        drawn = np.stack([pixels(theirs.train()(signed(labels, 1))) for _ in range(16)])
    made = np.stack([ours.render(labels, seed=seed).image.astype(float) for seed in range(16)])
    spread, expected = made.std(0).mean(), drawn.std(0).mean()
    assert expected > 2
    assert abs(spread / expected - 1) < 0.15
    assert np.abs(made.mean(0) - drawn.mean(0)).mean() < expected / 2
    _, quiet = brought_in(theirs.state_dict(), "pix2pix", tmp_path, mode="eval")
    np.testing.assert_array_equal(quiet.render(labels, seed=1).image, quiet.render(labels, seed=2).image)


def test_a_checkpoint_of_torch_before_it_counted_batches(tmp_path):
    theirs = trained(UNET(1, 1, levels=5, norm=BATCH), 1, 32)
    state = {name: tensor for name, tensor in theirs.state_dict().items() if "tracked" not in name}
    _, ours = brought_in(state, "pix2pix", tmp_path, mode="eval")
    labels = nuclei((32, 32), 3)
    with torch.no_grad():
        assert_equal_images(ours.render(labels).image, pixels(theirs(signed(labels, 1))))


@pytest.mark.parametrize("mode", ["test", "eval"])
def test_optional_pix2pix_of_the_thesis(mode, tmp_path):
    theirs = trained(ThesisGenerator(4, 6), 2, 64).train(mode == "test")
    card, ours = brought_in(theirs.state_dict(), "optional-pix2pix", tmp_path, options=("he", "fluo"), mode=mode)
    mask = torch.from_numpy((nuclei((128, 128)) > 0).astype(np.float32))[None, None]
    with torch.no_grad():
        expected = theirs(torch.cat([mask, torch.full_like(mask, 2.0)], 1))
    assert card.options == ["he", "fluo"]
    assert_equal_images(ours.render(nuclei((128, 128)), "fluo").image, pixels(expected, 0.0))


@pytest.mark.parametrize("mode", ["test", "eval"])
def test_the_flat_pix2pix_is_not_taken_for_the_thesis(mode, tmp_path):
    theirs = trained(ThesisGenerator(3, 6, in_channels=3), 3, 64).train(mode == "test")
    with pytest.raises(InputError, match="reads 3 channels, not a mask and an option") as caught:
        brought_in(theirs.state_dict(), "optional-pix2pix", tmp_path)
    assert "--from pix2pix" in caught.value.action
    _, ours = brought_in(theirs.state_dict(), "pix2pix", tmp_path, mode=mode)
    labels = nuclei((64, 64))
    with torch.no_grad():
        assert_equal_images(ours.render(labels).image, pixels(theirs(signed(labels, 3))))
    with pytest.raises(InputError, match="is an Optional Pix2Pix"):
        brought_in(ThesisGenerator(3, 6).state_dict(), "pix2pix", tmp_path)


def test_the_dvae_of_the_thesis(tmp_path):
    theirs = ThesisDVAE()
    generator = torch.Generator().manual_seed(0)
    for name, tensor in theirs.state_dict().items():
        if tensor.is_floating_point():
            noise = torch.randn(tensor.shape, generator=generator)
            tensor.copy_(noise.abs() + 0.5 if name.endswith("running_var") else 0.2 * noise + (tensor.ndim == 1))
    theirs.eval()
    brought_in_file(theirs.state_dict(), "dvae", tmp_path)
    ours = load_trained(tmp_path / "ours.safetensors", "cpu").network
    x = (torch.rand(2, 1, 64, 64, generator=torch.Generator().manual_seed(0)) > 0.5).float()
    z = torch.randn(2, 10, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        for got, wanted in zip((*ours.encode(x), ours.decode(z)), (*theirs.encode(x), theirs.decode(z)), strict=True):
            torch.testing.assert_close(got, wanted, atol=1e-4, rtol=1e-4)


def brought_in_file(state, source, folder, **wishes):
    torch.save(state, folder / "theirs.pth")
    return import_checkpoint(folder / "theirs.pth", source, folder / "ours.safetensors", Wishes("ours", **wishes))


@pytest.fixture(scope="module")
def capsules():
    return capsule_state()


def capsule_picture(labels, seed, state):
    z = torch.from_numpy(latent_for(None, seed, 100))[None]
    mask = torch.from_numpy((labels > 0).astype(np.float32))[None, None]
    return plain_published_capspix2pix(mask, z, state)


def test_capspix2pix_reads_the_mask_first(capsules, tmp_path):
    _, ours = brought_in(capsules, "capspix2pix", tmp_path)
    labels = nuclei((32, 32), 3)
    assert_equal_images(ours.render(labels, seed=3).image, pixels(capsule_picture(labels, 3, capsules), 0.0))


def settings_beside(folder, **settings):
    (folder / "parameters.json").write_text(json.dumps(settings))


def test_capspix2pix_with_a_tanh(capsules, tmp_path):
    settings_beside(tmp_path, gan_last_nonlinearity="tanh", normalise_data=True, caps_nonlinearity="sqaush")
    _, ours = brought_in(capsules, "capspix2pix", tmp_path)
    labels = nuclei((32, 32), 3)
    values = torch.tanh(torch.logit(capsule_picture(labels, 3, capsules)))
    assert_equal_images(ours.render(labels, seed=3).image, pixels(values))


@pytest.mark.parametrize(
    ("change", "settings", "words"),
    [
        ({"convcaps2.bn.num_batches_tracked": torch.tensor(7)}, {}, "batch_norm=True"),
        ({"convcaps2.bn.running_mean": torch.ones(128)}, {}, "batch_norm=True"),
        ({"fc.weight": torch.ones(64 * 64, 100)}, {}, "image_size=64 and noise_size=100"),
        ({"fc.weight": torch.ones(256 * 256, 50)}, {}, "noise_size=50"),
        ({"conv_noise.weight": torch.ones(1)}, {}, "noise_source=broadcast_conv"),
        ({"conv_dropout.conv2d.weight": torch.ones(1)}, {}, "noise_source=dropout"),
        ({}, {"caps_nonlinearity": "relu"}, "caps_nonlinearity=relu"),
        ({}, {"gan_nonlinearity": "relu"}, "gan_nonlinearity=relu"),
        ({}, {"gan_last_nonlinearity": "tanh"}, "gan_last_nonlinearity=tanh"),
        ({"surprise.weight": torch.ones(1)}, {}, "'surprise.weight', which is not expected"),
        ({"conv1.weight": torch.ones(16, 3, 5, 5)}, {}, r"'conv1.weight' has the shape \(16, 3, 5, 5\)"),
        ({"conv2.weight": torch.full((1, 16, 1, 1), np.nan)}, {}, "not finite: its training diverged"),
    ],
)
def test_a_capspix2pix_that_would_render_otherwise_is_refused_by_name(change, settings, words, capsules, tmp_path):
    settings_beside(tmp_path, **settings)
    with pytest.raises(InputError, match=words):
        brought_in(capsules | change, "capspix2pix", tmp_path)
    assert not (tmp_path / "ours.safetensors").exists()


@pytest.mark.parametrize("mode", ["test", "eval"])
@pytest.mark.parametrize("name_both", [True, False])
def test_metgan_from_its_two_files(mode, name_both, tmp_path):
    image_path, label_path = PublishedImagePath(divisor=8, ngf=2), PublishedLabelPath(ngf=2, hidden=16)
    labels = nuclei((128, 128))
    one_hot = torch.from_numpy(np.stack([labels == 0, labels > 0]).astype(np.float32))[None]
    anatomy = np.random.default_rng(0).uniform(-1, 1, labels.shape).astype(np.float32)
    x = torch.from_numpy(anatomy)[None, None]
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for network in (image_path, label_path):
            for name, tensor in network.named_parameters():
                noise = torch.randn(tensor.shape, generator=generator)
                fan = tensor[0].numel() if tensor.ndim == 4 else 1
                tensor.copy_(noise * (2 / fan) ** 0.5 if tensor.ndim == 4 else 0.1 * noise + name.endswith("bn.weight"))
        for _ in range(2):
            image_path.train()(x, label_path.train()(one_hot))
    files = [tmp_path / "latest_net_G_A.pth", tmp_path / "latest_net_SPADE_A.pth"]
    for file, network in zip(files, (image_path, label_path), strict=True):
        torch.save(network.state_dict(), file)
    card = import_checkpoint(
        files if name_both else files[0], "metgan", tmp_path / "m.safetensors", Wishes("m", mode=mode)
    )
    assert card.condition_channels == ["anatomy"]
    with torch.no_grad():
        expected = image_path.train(mode == "test")(x, label_path.train(mode == "test")(one_hot))[0, 0].numpy()
    signal = api.load_model(tmp_path / "m.safetensors", "cpu").render(labels, condition=anatomy).image
    assert expected.std() > 0.05
    assert np.abs(signal - expected).max() * 127.5 <= 0.5


@pytest.mark.slow
def test_metgan_at_its_full_width(tmp_path):
    torch.save(PublishedImagePath().state_dict(), tmp_path / "net_G_A.pth")
    torch.save(PublishedLabelPath().state_dict(), tmp_path / "net_SPADE_A.pth")
    card = import_checkpoint(tmp_path / "net_G_A.pth", "metgan", tmp_path / "m.safetensors")
    assert card.hyper == {"norm": "image", "width": 1.0, "ngf": 8, "hidden": 128}
    assert sum(p.numel() for p in PublishedImagePath().parameters()) == pytest.approx(35.6e6, rel=0.01)


def test_a_metgan_without_its_other_file(tmp_path):
    torch.save(PublishedLabelPath(2).state_dict(), tmp_path / "latest_net_SPADE_A.pth")
    with pytest.raises(InputError, match="lies no other"):
        import_checkpoint(tmp_path / "latest_net_SPADE_A.pth", "metgan", tmp_path / "m.safetensors")
    (tmp_path / "latest_net_G_A.pth").write_bytes((tmp_path / "latest_net_SPADE_A.pth").read_bytes())
    with pytest.raises(InputError, match=r"none is the net_G of a MetGAN"):
        import_checkpoint(tmp_path / "latest_net_SPADE_A.pth", "metgan", tmp_path / "m.safetensors")


@pytest.mark.parametrize(
    ("channels", "words"), [((2, 1), "reads 2 channels"), ((1, 2), "gives 2 channels"), ((5, 4), "reads 5 channels")]
)
@pytest.mark.parametrize("network", [partial(UNET, levels=5), partial(RESNET, blocks=6)])
def test_channels_that_cannot_be_rendered(network, channels, words, tmp_path):
    with pytest.raises(InputError, match=words):
        brought_in(network(*channels, norm=BATCH).state_dict(), "pix2pix", tmp_path)


@pytest.mark.parametrize("source", ["pix2pix", "optional-pix2pix", "dvae", "metgan"])
def test_a_checkpoint_of_another_kind_is_refused(source, capsules, tmp_path):
    (tmp_path / "net_SPADE_theirs.pth").touch()
    torch.save({"conv1.weight": capsules["conv1.weight"]}, tmp_path / "caps.pth")
    with pytest.raises(InputError, match=r"not of this kind|of a MetGAN|lies no other"):
        import_checkpoint(tmp_path / "caps.pth", source, tmp_path / "out.safetensors")


def test_the_first_name_that_is_missing_is_said(capsules, tmp_path):
    state = {name: tensor for name, tensor in capsules.items() if name != "conv2.weight"}
    with pytest.raises(InputError, match=r"'conv2.weight' has no counterpart"):
        brought_in(state, "capspix2pix", tmp_path)


def test_what_renders_no_image_is_not_written(tmp_path):
    state = trained(UNET(1, 1, levels=5, norm=BATCH), 1, 32).state_dict()
    flat = state | {"model.model.3.weight": torch.zeros_like(state["model.model.3.weight"])}
    with pytest.raises(InputError, match="an image of one value") as caught:
        brought_in(flat, "pix2pix", tmp_path)
    assert "not trained" in caught.value.action
    loud = state | {"model.model.3.weight": 1e4 * state["model.model.3.weight"]}
    with pytest.raises(InputError, match="nothing but black and white"):
        brought_in(loud, "pix2pix", tmp_path)
    huge = state | {"model.model.0.weight": 1e38 * state["model.model.0.weight"]}
    with pytest.raises(InputError, match="not finite"):
        brought_in(huge, "pix2pix", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["theirs.pth"]
