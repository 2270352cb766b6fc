import pytest
import torch

from napari_synth.nets.discriminators import PatchGAN
from napari_synth.nets.metgan import MetGen
from tests.reference.plain_metgan import plain_metgen


def parameters(network):
    return sum(p.numel() for p in network.parameters())


def inputs(size=(64, 128), batch=2):
    generator = torch.Generator().manual_seed(1)
    image = 2 * torch.rand(batch, 1, *size, generator=generator) - 1
    return image, (torch.rand(batch, 1, *size, generator=generator) > 0.7).float()


def network(blocks=6, width=0.1):
    torch.manual_seed(0)
    made = MetGen(width=width, blocks=blocks)
    with torch.no_grad():
        for name, p in made.named_parameters():
            if "mlp" in name and name.endswith("weight"):
                p.mul_(3)  # so that the label matters
    return made


def test_published_parameter_counts():
    full = MetGen(blocks=7)
    label = parameters(full.label)
    # The publication's drawing: 35.6 M for the image path and 4.2 M for a label path of seven blocks.
    assert label == 4_244_320
    assert parameters(full) - label == 35_566_137
    assert parameters(MetGen(blocks=6).label) == 4_142_912


def test_noise_planes_are_further_channels_of_the_image():
    with_noise = MetGen(width=0.1, noise=True).eval()
    wider = MetGen(4, width=0.1).eval()
    wider.load_state_dict(with_noise.state_dict())
    image, mask = inputs()
    planes = torch.randn(2, 3, *image.shape[-2:], generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        torch.testing.assert_close(with_noise(image, mask, planes), wider(torch.cat([image, planes], 1), mask))
        torch.testing.assert_close(with_noise(image, mask), with_noise(image, mask, torch.zeros_like(planes)))
    narrow = MetGen(width=0.1, at_least=16)
    assert {stage[0][0].out_channels for stage in narrow.down} >= {16}
    assert narrow.last.in_channels == 16


@pytest.mark.parametrize("blocks", [6, 7])
def test_the_generator_equals_the_plain_one(blocks):
    mine = network(blocks).train()
    image, mask = inputs()
    with torch.no_grad():
        mine(image, mask)  # moves the vectors of the spectral norm
        mine.requires_grad_(False)
        for module in mine.modules():
            if hasattr(module, "parametrizations"):
                module.parametrizations.weight[0].eval()  # and keeps them
        out = mine(image, mask)
        expected = plain_metgen(image, mask, mine.state_dict(), blocks)
    assert out.std() > 0.01
    torch.testing.assert_close(out, expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("blocks", [6, 7])
def test_gradients_reach_every_parameter(blocks):
    mine = network(blocks).train()
    image, mask = inputs()
    mine(image, mask).square().sum().backward()
    assert [name for name, p in mine.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0] == []


def test_the_label_changes_the_image_and_the_anatomy_path_does_not_see_it():
    mine = network().eval()
    image, mask = inputs(batch=1)
    moved = mask.flip(-1)
    with torch.no_grad():
        features = mine.encode(image)
        assert torch.equal(mine.decode(features, moved), mine(image, moved))
        assert (mine(image, mask) - mine(image, moved)).abs().max() > 0.01


@pytest.mark.parametrize("size", [(64, 64), (64, 192), (256, 128)])
def test_any_multiple_of_64_gives_its_own_size(size):
    with torch.no_grad():
        out = network(width=0.05).eval()(*inputs(size, 1))
    assert out.shape == (1, 1, *size)
    assert out.abs().max() <= 1


@pytest.mark.parametrize("wrong", [{"blocks": 5}, {"width": 0}])
def test_impossible_networks_are_refused(wrong):
    with pytest.raises(ValueError, match="must be"):
        MetGen(**wrong)


def test_the_discriminator_with_instance_norm_judges_patches_of_70_pixels():
    judge = PatchGAN(1, 4, norm="instance").eval()
    assert judge(torch.zeros(1, 1, 256, 256)).shape == (1, 1, 30, 30)
    assert sum(isinstance(m, torch.nn.InstanceNorm2d) for m in judge.modules()) == 3
    assert not any(isinstance(m, torch.nn.BatchNorm2d) for m in judge.modules())
    assert parameters(PatchGAN(1, 64, norm="instance")) == 2_762_689
