"""What the tensors of a file say of its norms, and those tensors as our norms want them."""

from __future__ import annotations

from napari_synth.core.errors import InputError
from napari_synth.models.importers.base import STATISTICS, Mode
from napari_synth.models.importers.states import State


def norm_of(weights: State, bias: bool, mode: Mode) -> str:
    """The kind of norm, a key of `nets.pix2pix.NORMS`.

    A norm with weights is a BatchNorm, one without is an InstanceNorm, whose convolutions have a bias
    in the published programs; where there is neither norm nor bias, there is no norm.

    Parameters
    ----------
    weights : dict of Tensor
        Under our names: those of norms contain ``norm.``.
    bias : bool
        Whether the convolutions before norms have one.
    mode : {'test', 'eval'}

    Raises
    ------
    InputError
        If the running statistics are asked for and are not in the file.
    """
    parts = {name.rpartition(".")[2] for name in weights if "norm." in name}
    if "weight" not in parts:
        return "instance" if bias or parts else "none"
    if mode == "test":
        return "image"
    if "running_var" not in parts:
        raise InputError("The checkpoint holds no running statistics of its norms.", "Import it with --as test.")
    return "batch"


def with_statistics(weights: State, norm: str) -> State:
    """The weights with the running statistics that a norm wants: all of them or none."""
    if norm != "batch":
        return {name: tensor for name, tensor in weights.items() if not STATISTICS.search(name)}
    import torch

    counters = {name.replace("running_var", "num_batches_tracked") for name in weights if name.endswith("running_var")}
    return {name: torch.tensor(0) for name in counters} | weights  # torch counts them since 0.4.1 only
