import numpy as np
import pytest
import torch
from torch import nn

from napari_synth import api
from napari_synth.core.errors import InputError
from napari_synth.models.architectures import build
from napari_synth.models.importers import import_checkpoint
from napari_synth.models.registry import load_trained
from tests.helpers import nuclei
from tests.nets.test_pix2pix import randomised
from tests.reference.published import NestedGenerator, ThesisDVAE, ThesisGenerator


def brought_in(network, source, folder, **options):
    torch.save(network.state_dict(), folder / "theirs.pth")
    card = import_checkpoint(folder / "theirs.pth", source, folder / "ours.safetensors", **options)
    return card, load_trained(folder / "ours.safetensors", "cpu").network


@pytest.mark.parametrize("norm", [nn.BatchNorm2d, nn.InstanceNorm2d])
@pytest.mark.parametrize("channels", [(1, 1), (3, 3)])
def test_the_nested_pix2pix(norm, channels, tmp_path):
    theirs = randomised(NestedGenerator(*channels, levels=5, ngf=4, norm=norm))
    card, ours = brought_in(theirs, "pix2pix", tmp_path)
    x = torch.randn(1, channels[0], 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        expected = theirs(x)
        torch.testing.assert_close(ours(x), expected, atol=1e-4, rtol=1e-4)
    assert expected.std() > 0.05
    assert card.tile_multiple == 32
    labels = nuclei((64, 64))
    signed = torch.from_numpy(2.0 * (labels > 0) - 1).float().expand(1, channels[0], -1, -1)
    with torch.no_grad():
        picture = ((theirs(signed)[0] + 1) * 127.5).permute(1, 2, 0).numpy()
    image = api.load_model(tmp_path / "ours.safetensors", "cpu").render(labels).image
    assert np.abs(image.reshape(picture.shape) - picture).max() <= 0.6


def test_optional_pix2pix_of_the_thesis(tmp_path):
    theirs = randomised(ThesisGenerator(4, 6)).train()  # the thesis never switches to evaluation
    card, ours = brought_in(theirs, "optional-pix2pix", tmp_path, options=["he", "fluo"])
    mask = torch.from_numpy((nuclei((128, 128)) > 0).astype(np.float32))[None, None]
    x = torch.cat([mask, torch.full_like(mask, 2.0)], 1)
    with torch.no_grad():
        expected = theirs(x)
        torch.testing.assert_close(ours(x), expected, atol=1e-4, rtol=1e-4)
    assert card.options == ["he", "fluo"]
    image = api.load_model(tmp_path / "ours.safetensors", "cpu").render(nuclei((128, 128)), "fluo").image
    picture = 255 * expected[0].clamp(0, 1).permute(1, 2, 0).numpy()
    assert np.abs(image - picture).max() <= 0.6


def test_the_dvae_of_the_thesis(tmp_path):
    theirs = randomised(ThesisDVAE())
    _, ours = brought_in(theirs, "dvae", tmp_path)
    x = (torch.rand(2, 1, 64, 64, generator=torch.Generator().manual_seed(0)) > 0.5).float()
    z = torch.randn(2, 10, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        for got, wanted in zip((*ours.encode(x), ours.decode(z)), (*theirs.encode(x), theirs.decode(z)), strict=True):
            torch.testing.assert_close(got, wanted, atol=1e-4, rtol=1e-4)


def capsule_state():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = build("capspix2pix")
    state = {}
    for name, tensor in network.state_dict().items():
        layer = name.split(".")[0]
        inner = "deconv2d" if layer.startswith("deconv") else "conv2d"
        state[name.replace(".conv.", f".{inner}.")] = tensor
    state |= {"convcaps7.conv2d.weight": torch.ones(2), "recon1.weight": torch.ones(3)}
    return network, state | {"convcaps1.bn.weight": torch.ones(2), "convcaps1.bn.running_mean": torch.ones(2)}


def test_capspix2pix_without_its_dead_layers(tmp_path):
    network, state = capsule_state()
    torch.save({"state_dict": state}, tmp_path / "caps.pth")
    card = import_checkpoint(tmp_path / "caps.pth", "capspix2pix", tmp_path / "caps.safetensors")
    assert card.latent_size == 100
    mask, z = torch.from_numpy((nuclei((32, 32)) > 0).astype(np.float32))[None, None], torch.randn(1, 100)
    with torch.no_grad():
        torch.testing.assert_close(
            load_trained(tmp_path / "caps.safetensors", "cpu").network(mask, z), network(mask, z)
        )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda s: s.pop("conv2.weight"), "'conv2.weight' has no counterpart"),
        (lambda s: s.update({"surprise.weight": torch.ones(1)}), "'surprise.weight', which is not expected"),
        (
            lambda s: s.update({"conv1.weight": torch.ones(16, 3, 5, 5)}),
            r"'conv1.weight' has the shape \(16, 3, 5, 5\)",
        ),
    ],
)
def test_the_first_wrong_name_is_said(change, words, tmp_path):
    _, state = capsule_state()
    change(state)
    torch.save(state, tmp_path / "caps.pth")
    with pytest.raises(InputError, match=words):
        import_checkpoint(tmp_path / "caps.pth", "capspix2pix", tmp_path / "caps.safetensors")
    assert not (tmp_path / "caps.safetensors").exists()


@pytest.mark.parametrize("source", ["pix2pix", "optional-pix2pix", "dvae"])
def test_a_checkpoint_of_another_kind_is_refused(source, tmp_path):
    torch.save(capsule_state()[1], tmp_path / "caps.pth")
    with pytest.raises(InputError, match="not of this kind"):
        import_checkpoint(tmp_path / "caps.pth", source, tmp_path / "out.safetensors")


def test_files_with_code_damaged_ones_and_unknown_sources(tmp_path):
    torch.save(nn.Linear(2, 2), tmp_path / "whole.pth")  # a pickled object, not weights
    (tmp_path / "junk.pth").write_bytes(b"junk")
    for name in ("whole.pth", "junk.pth"):
        with pytest.raises(InputError, match="holds more than weights, or is damaged"):
            import_checkpoint(tmp_path / name, "dvae", tmp_path / "o.safetensors")
    torch.save([1, 2], tmp_path / "list.pth")
    with pytest.raises(InputError, match="not a state dict"):
        import_checkpoint(tmp_path / "list.pth", "dvae", tmp_path / "o.safetensors")
    with pytest.raises(InputError, match="does not exist"):
        import_checkpoint(tmp_path / "none.pth", "dvae", tmp_path / "o.safetensors")
    with pytest.raises(InputError, match="no source of checkpoints called 'gpt'"):
        import_checkpoint(tmp_path / "list.pth", "gpt", tmp_path / "o.safetensors")
