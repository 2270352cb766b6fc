"""The same request on a GPU: within a grey level of the CPU, the same bits each time. Skipped where there is none."""

import numpy as np
import pytest
import torch

from napari_synth import api
from napari_synth.datasets.image_files import read_channel, read_labels
from napari_synth.models.defaults import DEFAULT_CAPSULES, DEFAULT_GENERATOR, DEFAULT_TWO_CHANNEL
from napari_synth.synthesis.request import RenderRequest
from napari_synth.ui.samples import sample_folder

DEVICES = [
    pytest.param(
        "cuda", marks=[pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="no NVIDIA GPU")]
    ),
    pytest.param("mps", marks=pytest.mark.skipif(not torch.backends.mps.is_available(), reason="no Apple GPU")),
]


def request_for(name: str, option: str | None) -> RenderRequest:
    folder = sample_folder()
    if name == DEFAULT_TWO_CHANNEL:
        labels = read_labels(folder / "brain_256_labels.tif")
        return RenderRequest(labels, seed=5, condition=read_channel(folder / "brain_256.tif", 0))
    sample = "axons_256" if name == DEFAULT_CAPSULES else "nuclei_256"
    return RenderRequest(read_labels(folder / f"{sample}.tif"), option, 5)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize(
    ("name", "option"),
    [
        (DEFAULT_GENERATOR, "he"),
        (DEFAULT_GENERATOR, "fluorescence"),
        (DEFAULT_CAPSULES, None),
        (DEFAULT_TWO_CHANNEL, None),
    ],
)
def test_a_gpu_makes_the_image_of_the_cpu(name, option, device):
    request = request_for(name, option)
    here = api.load_model(name, "cpu").run(request).image
    model = api.load_model(name, device)
    there, again = (model.run(request).image for _ in range(2))
    np.testing.assert_array_equal(there, again)
    assert there.dtype == here.dtype
    assert np.abs(there.astype(int) - here).max() <= 1
