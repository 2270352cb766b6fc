"""What people save: prefixes, dictionaries, several networks in a file, damage."""

import argparse
from collections import OrderedDict

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from napari_synth.core.errors import InputError
from napari_synth.models.importers import IMPORTERS, converted
from napari_synth.models.importers.base import Wishes, mode_named
from tests.reference.published import NestedGenerator, PublishedResNet, ThesisGenerator

NETWORKS = {
    "unet": lambda: NestedGenerator(1, 1, levels=5, ngf=2, norm=nn.BatchNorm2d),
    "resnet": lambda: PublishedResNet(1, 1, blocks=2, ngf=2, norm=nn.InstanceNorm2d),
    "flat": lambda: ThesisGenerator(2, 4, in_channels=3),
}
PREFIXES = ("module.", "_orig_mod.", "generator.", "netG.", "G.", "module._orig_mod.", "ema.module.", "model.netG.")
NESTS = ("state_dict", "model_state_dict", "generator", "netG", "G", "model", "params", "ema")


@pytest.fixture(scope="module", params=NETWORKS)
def state(request):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return NETWORKS[request.param]().state_dict()


def weights(path, saved, **wishes):
    torch.save(saved, path)
    return converted([path], "pix2pix", Wishes("m", **wishes)).weights


def assert_same(ours, theirs):
    assert ours.keys() == theirs.keys()
    for name, tensor in theirs.items():
        assert torch.equal(ours[name], tensor)


@pytest.mark.parametrize("prefix", PREFIXES)
def test_a_prefix_is_taken_off(prefix, state, tmp_path):
    wanted = weights(tmp_path / "a.pth", state)
    prefixed = {prefix + name: tensor for name, tensor in state.items()}
    assert_same(weights(tmp_path / "b.pth", prefixed), wanted)
    beside = {"discriminator.main.0.weight": torch.ones(1), "netD.model.0.weight": torch.ones(2, 2, 4, 4)}
    assert_same(weights(tmp_path / "c.ckpt", {"state_dict": prefixed | beside, "epoch": 3}), wanted)


@pytest.mark.parametrize("nest", NESTS)
def test_the_generator_in_a_dictionary(nest, state, tmp_path):
    wanted = weights(tmp_path / "a.pth", state)
    saved = {nest: OrderedDict(state), "netD": {"model.0.weight": torch.ones(1)}, "epoch": 3, "loss": np.float64(0.5)}
    saved |= {"optimizer": torch.optim.Adam(nn.Linear(2, 2).parameters()).state_dict(), "args": argparse.Namespace(n=1)}
    assert_same(weights(tmp_path / "b.pth", saved), wanted)
    assert_same(weights(tmp_path / "c.pth", {"checkpoint": saved}), wanted)
    save_file({name: tensor.contiguous() for name, tensor in state.items()}, tmp_path / "d.safetensors")
    assert_same(converted([tmp_path / "d.safetensors"], "pix2pix", Wishes("m")).weights, wanted)


def test_of_several_that_would_do_one_is_named(state, tmp_path):
    other = {name: tensor + 1 for name, tensor in state.items()}
    for saved in (
        {"netG_A": state, "netG_B": other},
        {f"{part}.{name}": tensor for part, s in (("netG_A", state), ("netG_B", other)) for name, tensor in s.items()},
    ):
        with pytest.raises(InputError, match="several networks that would do: netG_A, netG_B") as caught:
            weights(tmp_path / "b.pth", saved)
        assert "--part" in caught.value.action
        assert_same(weights(tmp_path / "b.pth", saved, part="netG_B"), weights(tmp_path / "a.pth", other))
    with pytest.raises(InputError, match="of which none in netC is of this kind"):
        weights(tmp_path / "b.pth", {"netG_A": state, "netG_B": other}, part="netC")


def test_parts_that_are_no_generators_are_named(tmp_path):
    with pytest.raises(InputError, match="holds netD, netE, of which none is of this kind"):
        weights(tmp_path / "a.pth", {"netD": {"x": torch.ones(1)}, "netE": {"y": torch.ones(1)}})
    with pytest.raises(InputError, match=r"lacks 'model.model.0.weight'"):
        weights(tmp_path / "a.pth", {"module.x.weight": torch.ones(1)})


def test_files_with_code_damaged_ones_and_unknown_names(tmp_path):
    torch.save(nn.Linear(2, 2), tmp_path / "whole.pth")  # a pickled object, not weights
    (tmp_path / "junk.pth").write_bytes(b"junk")
    for name in ("whole.pth", "junk.pth"):
        with pytest.raises(InputError, match="holds more than weights, or is damaged"):
            converted([tmp_path / name], "dvae", Wishes("m"))
    torch.save([1, 2], tmp_path / "list.pth")
    with pytest.raises(InputError, match="not a state dict"):
        converted([tmp_path / "list.pth"], "dvae", Wishes("m"))
    torch.jit.script(nn.Linear(2, 2)).save(tmp_path / "program.pt")
    with pytest.raises(InputError, match="is a TorchScript program") as caught:
        converted([tmp_path / "program.pt"], "pix2pix", Wishes("m"))
    assert "--from torchscript" in caught.value.action
    with pytest.raises(InputError, match="does not exist"):
        converted([tmp_path / "none.pth"], "dvae", Wishes("m"))
    with pytest.raises(InputError, match="no source of checkpoints called 'gpt'"):
        converted([tmp_path / "list.pth"], "gpt", Wishes("m"))
    with pytest.raises(InputError, match="no way to import a checkpoint called 'train'"):
        mode_named("train")
    for source, importer in IMPORTERS.items():
        with pytest.raises(InputError, match="files were given"):
            converted([tmp_path / "list.pth"] * (len(importer.files) + 1), source, Wishes("m"))


def test_no_code_in_a_file_is_run(tmp_path):
    class Evil:
        def __reduce__(self):
            return (open, (str(tmp_path / "opened"), "w"))

    torch.save({"state_dict": {"a": torch.ones(1)}, "x": Evil()}, tmp_path / "evil.pth")
    with pytest.raises(InputError, match="holds more than weights"):
        converted([tmp_path / "evil.pth"], "pix2pix", Wishes("m"))
    assert not (tmp_path / "opened").exists()


ODD = {
    "scalar": lambda t: torch.tensor(1.0),
    "vector": lambda t: torch.ones(17),
    "empty": lambda t: torch.ones(0, *t.shape[1:]),
    "deeper": lambda t: t[None],
    "wide": lambda t: t.new_zeros(1).expand(10**6, *t.shape[1:]) if t.ndim > 1 else torch.ones(10**6),
    "complex": lambda t: t.to(torch.complex64),
}


@pytest.mark.parametrize("change", ODD.values(), ids=ODD)
def test_a_tensor_that_is_not_what_it_should_be_is_named(change, state, tmp_path):
    for name, tensor in state.items():
        if "running" not in name and "tracked" not in name:  # which are dropped, whatever they are
            with pytest.raises(InputError):
                weights(tmp_path / "a.pth", state | {name: change(tensor)})
