import pytest
import torch
from torch import nn

from napari_synth.models.architectures import build
from napari_synth.training.fine_tune.stages import ALL, LOOK, OUTER, StagedGenerator, stage_at
from tests.helpers import STYLED_HYPER

CONDITIONS, NOISES = 2, 3


def step(stage):
    """Which weights move in one step of a stage, by name, and whether the norms took in statistics."""
    torch.manual_seed(3)
    made = build("optional-pix2pix", **STYLED_HYPER | {"levels": 5, "options": 1})
    staged = StagedGenerator(made, made.encoder, CONDITIONS, NOISES)
    optimiser = torch.optim.Adam(made.parameters(), 0.01)
    before = {name: tensor.clone() for name, tensor in made.state_dict().items()}
    made.train()
    staged.enter(stage)
    x = torch.rand(2, CONDITIONS, 64, 64)
    style, spread = made.encoder(x, torch.rand(2, 3, 64, 64))
    image = made.drawn(x, torch.randn(2, NOISES, 64, 64), style + spread)
    image.square().mean().backward()
    optimiser.step()
    after = made.state_dict()
    moved = {name for name, tensor in after.items() if not torch.equal(tensor, before[name])}
    return before, after, moved


def test_first_only_option_style_and_norms_are_trained():
    before, after, moved = step(LOOK)
    weights = {name for name in moved if name.endswith(".weight") and before[name].ndim == 4}
    assert weights == {"down.0.conv.weight", "head.detail.weight"}
    others = after["head.detail.weight"].shape[1] - after["down.0.conv.weight"].shape[1]
    for name, start in (("down.0.conv.weight", 0), ("head.detail.weight", others)):
        same = (before[name] == after[name]).all((0, 2, 3))
        looks = [start + 1, *range(start + CONDITIONS + NOISES, len(same))]
        assert not same[looks].any()
        assert same[[number for number in range(len(same)) if number not in looks]].all()
    assert any("running_mean" in name for name in moved)
    assert any(".norm.weight" in name for name in moved)
    assert {"encoder.mean.weight", "encoder.log_variance.weight"} <= moved
    assert not any(name.startswith("encoder.layers") for name in moved)


def test_then_the_outer_blocks_and_the_norms_keep_their_statistics():
    before, _, moved = step(OUTER)
    weights = {name for name in moved if before[name].ndim == 4 and not name.startswith("encoder")}
    blocks = {name.split(".conv")[0] for name in weights}
    assert blocks >= {"down.0", "down.1", "up.3", "up.4", "head.detail.weight"}
    assert not blocks & {"down.2", "down.3", "down.4", "up.0", "up.1", "up.2"}
    assert not any("running" in name for name in moved)
    assert "encoder.layers.0.weight" in moved


def test_last_all_blocks():
    before, _, moved = step(ALL)
    assert {name for name in before if before[name].ndim == 4} <= moved
    assert not any("running" in name for name in moved)


@pytest.mark.parametrize(("share", "stage"), [(0, LOOK), (0.19, LOOK), (0.21, OUTER), (0.49, OUTER), (0.51, ALL)])
def test_stages_follow_each_other(share, stage):
    assert stage_at(share, 0.2, 0.3) is stage


def test_norms_train_again_in_the_first_stage():
    made = build("optional-pix2pix", **STYLED_HYPER)
    staged = StagedGenerator(made, made.encoder, CONDITIONS, NOISES)
    norms = [module for module in made.modules() if isinstance(module, nn.BatchNorm2d)]
    for stage in (ALL, LOOK):
        made.train()
        staged.enter(stage)
        assert all(norm.training is (stage is LOOK) for norm in norms)
