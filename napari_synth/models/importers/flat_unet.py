"""The U-Net with flat names, ``conv1 … deconv8``: that of znxlwm, and of the thesis which took it over."""

from __future__ import annotations

import re
from typing import Any

from napari_synth.models.importers.base import Mode, Names, renamed, shape_of
from napari_synth.models.importers.norms import norm_of, with_statistics
from napari_synth.models.importers.states import State


def recognised(state: State) -> bool:
    """Whether these are the names."""
    return {"conv1.weight", "conv2_bn.weight", "deconv1.weight", "deconv1_bn.weight"} <= set(state)


def convert(state: State, mode: Mode) -> tuple[State, dict[str, Any]]:
    """Weights under our names, and the hyper-parameters; dropout is on in both modes, as in the original."""
    levels = sum(bool(re.fullmatch(r"conv\d+\.weight", name)) for name in state)
    ngf, in_channels = shape_of(state, "conv1.weight")[:2]
    names: Names = {}
    for level in range(levels):
        names |= {f"conv{level + 1}": f"down.{level}.conv", f"conv{level + 1}_bn": f"down.{level}.norm"}
        names |= {f"deconv{level + 1}": f"up.{level}.conv", f"deconv{level + 1}_bn": f"up.{level}.norm"}
    out_channels = shape_of(state, f"deconv{levels}.weight")[1]
    weights = renamed(state, names)
    norm = norm_of(weights, True, mode)
    hyper: dict[str, Any] = {"in_channels": in_channels, "out_channels": out_channels, "ngf": ngf}
    return with_statistics(weights, norm), hyper | {"levels": levels, "bias": True, "norm": norm}
