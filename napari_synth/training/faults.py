"""What can go wrong in a step, in words."""

from __future__ import annotations

import torch

from napari_synth.core.devices import device_lost, out_of_memory
from napari_synth.core.errors import WorkError


def is_finite(network: torch.nn.Module) -> bool:
    """Whether all weights are, in the precision in which a model is stored too."""
    stored = (tensor.half() if tensor.ndim > 1 else tensor for tensor in network.state_dict().values())
    return all(bool(torch.isfinite(tensor).all()) for tensor in stored)


def training_error(error: RuntimeError | ValueError) -> WorkError:
    """The sentence for what torch raised in a step."""
    if isinstance(error, RuntimeError) and out_of_memory(error):
        return WorkError("The device ran out of memory while training.", "Use a smaller batch_size or crop.")
    if isinstance(error, RuntimeError) and device_lost(error):
        return WorkError(
            "The GPU answers no more; what was trained up to the last checkpoint is kept.",
            "Start the program again and go on with --resume, or compute with --device cpu.",
        )
    return WorkError(f"A training step failed: {error}.", "Report this with the details.")
