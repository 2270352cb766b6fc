"""Optional Pix2Pix of the thesis (Sirinaovakul 2018), rendered as published."""

from __future__ import annotations

import re
from typing import Any

from napari_synth.models.importers.base import Imported, Importer, Names, State, renamed, shape_of
from napari_synth.models.importers.pix2pix import pix2pix_card


def convert(state: State, model_id: str, options: list[str]) -> Imported:
    """The generator.

    Its norms take the statistics of the image at hand, its options are the numbers 1, 2, …, and its
    images lie in [0, 1].
    """
    levels = sum(bool(re.fullmatch(r"conv\d+\.weight", name)) for name in state)
    ngf, in_channels = shape_of(state, "conv1.weight")[:2]
    names: Names = {}
    for level in range(levels):
        names |= {f"conv{level + 1}": f"down.{level}.conv", f"conv{level + 1}_bn": f"down.{level}.norm"}
        names |= {f"deconv{level + 1}": f"up.{level}.conv", f"deconv{level + 1}_bn": f"up.{level}.norm"}
    out_channels = shape_of(state, f"deconv{levels}.weight")[1]
    weights = renamed(state, names)
    weights = {name: tensor for name, tensor in weights.items() if not re.search("running|tracked", name)}
    hyper: dict[str, Any] = {"in_channels": in_channels, "out_channels": out_channels, "ngf": ngf}
    hyper |= {"levels": levels, "bias": True, "norm": "image"}
    card = pix2pix_card(model_id, hyper, options or ["1"]).model_copy(
        update={"mask_meaning": "foreground", "network_range": (0.0, 1.0), "option_values": "number"}
    )
    return Imported(weights, card)


THESIS_PIX2PIX = Importer("the Optional Pix2Pix of Sirinaovakul 2018", convert)
