import torch

from napari_synth.training.fine_tune.best import BestSoFar
from napari_synth.training.fine_tune.objective import jittered


def test_half_of_the_crops_have_other_colours_and_grey_ones_stay_grey():
    images = (torch.rand(200, 1, 8, 8, generator=torch.Generator().manual_seed(1)) - 0.5).expand(-1, 3, -1, -1)
    grey = torch.arange(200) < 100
    seen = jittered(images, grey, 0.1, torch.Generator().manual_seed(2))
    changed = (seen != images).flatten(1).any(1)
    assert 70 < changed.sum() < 130
    assert torch.equal(seen[grey][:, 0], seen[grey][:, 2])
    assert not torch.equal(seen[~grey][:, 0], seen[~grey][:, 2])
    assert float((seen - images).abs().max()) <= 0.1 * 0.5 + 0.1 + 1e-6
    assert torch.equal(jittered(images, grey, 0.0, torch.Generator()), images)


def test_the_best_weights_are_kept_and_patience_ends():
    network = torch.nn.Linear(1, 1)
    kept = BestSoFar(network, 2)
    for distance, weight in ((0.9, 1.0), (0.5, 2.0), (0.7, 3.0)):
        torch.nn.init.constant_(network.weight, weight)
        kept.see(distance, network, worn=True)
    assert float(kept.network.weight) == 2.0
    assert not kept.worn_out
    again = BestSoFar(network, 2)
    again.load_state_dict(kept.state_dict())
    again.see(0.6, network, worn=True)
    assert again.worn_out
    assert float(again.network.weight) == 2.0
    kept.see(0.6, network, worn=False)
    assert not kept.worn_out
