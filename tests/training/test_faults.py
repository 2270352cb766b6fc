import pytest
import torch

from napari_synth.training.faults import is_finite, training_error


@pytest.mark.parametrize(
    ("raised", "says", "do"),
    [
        ("CUDA error: unspecified launch failure", "last checkpoint is kept", "--resume"),
        ("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED", "last checkpoint is kept", "--resume"),
        ("CUDA out of memory. Tried to allocate 2 GiB", "out of memory", "batch_size"),
        ("shapes differ", "shapes differ", "Report"),
    ],
)
def test_what_a_device_says_becomes_a_sentence_and_what_to_do(raised, says, do):
    error = training_error(RuntimeError(raised))
    assert says in error.problem
    assert do in error.action


def test_weights_too_large_for_a_file_are_not_finite():
    network = torch.nn.Linear(2, 2)
    assert is_finite(network)
    torch.nn.init.constant_(network.weight, 1e6)  # more than 16 bits hold
    assert not is_finite(network)
