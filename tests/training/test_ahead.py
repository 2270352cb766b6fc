"""Batches that are made before they are asked for are those of their steps."""

import pytest
import torch

from napari_synth.training.ahead import Ahead


@pytest.mark.parametrize("device", ["cpu", "cuda"])  # only the name counts: what to make does not compute there
def test_each_step_gets_its_own_batch(device):
    ahead = Ahead(lambda step: 10 * step, torch.device(device))
    assert [ahead(step) for step in (0, 1, 2, 7, 8, 3, 3, 4)] == [0, 10, 20, 70, 80, 30, 30, 40]


def test_the_next_batch_is_made_meanwhile_on_a_gpu_alone():
    made = {"cpu": [], "cuda": []}
    for device, steps in made.items():
        ahead = Ahead(lambda step, steps=steps: steps.append(step), torch.device(device))
        ahead(0)
        ahead(1)
    assert made["cpu"] == [0, 1]
    assert made["cuda"][:2] == [0, 1]


def test_an_error_of_a_batch_is_that_of_its_step():
    def make(step: int) -> int:
        if step == 1:
            raise ValueError("no such crop")
        return step

    ahead = Ahead(make, torch.device("cuda"))
    assert ahead(0) == 0
    with pytest.raises(ValueError, match="no such crop"):
        ahead(1)
    assert ahead(2) == 2
