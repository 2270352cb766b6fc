"""The U-Net generator of the widely used PyTorch pix2pix, with batch or instance norm."""

from __future__ import annotations

from typing import Any

from napari_synth.models.card import Look, ModelCard
from napari_synth.models.importers.base import Imported, Importer, Names, State, renamed, shape_of


def convert(state: State, model_id: str, options: list[str]) -> Imported:
    """The generator of any depth."""
    levels = sum(name.endswith(".weight") and tensor.ndim == 4 for name, tensor in state.items()) // 2
    ngf, in_channels = shape_of(state, "model.model.0.weight")[:2]
    out_channels = shape_of(state, "model.model.3.weight")[1]
    names: Names = {}
    prefix = "model.model."
    for level in range(levels):
        first, last = level == 0, level == levels - 1
        down, up, norm_up = (0, 3, None) if first else (1, 3, 4) if last else (1, 5, 6)
        ours = levels - 1 - level
        names |= {f"{prefix}{down}": f"down.{level}.conv", f"{prefix}{up}": f"up.{ours}.conv"}
        if norm_up is not None:
            names[f"{prefix}{norm_up}"] = f"up.{ours}.norm"
        if not first and not last:
            names[f"{prefix}2"] = f"down.{level}.norm"
        prefix += "1.model." if first else "3.model."
    weights = renamed(state, names)
    for block in range(1, levels):  # they join [skip, decoder], we join [decoder, skip]
        name = f"up.{block}.conv.weight"
        if name in weights:
            weights[name] = weights[name].roll(weights[name].shape[0] // 2, 0)
    batch = any(name.endswith("running_mean") for name in weights)
    hyper: dict[str, Any] = {"in_channels": in_channels, "out_channels": out_channels, "ngf": ngf}
    hyper |= {"levels": levels, "bias": not batch, "norm": "batch" if batch else "instance"}
    return Imported(weights, pix2pix_card(model_id, hyper, []))


def pix2pix_card(model_id: str, hyper: dict[str, Any], options: list[str]) -> ModelCard:
    """The card of a pix2pix generator, an optional one where there are options."""
    return ModelCard(
        id=model_id,
        architecture="optional-pix2pix" if options else "pix2pix",
        hyper=hyper,
        role="generator",
        mask_meaning="foreground-signed",
        looks=[Look(name=name, rgb=hyper["out_channels"] == 3) for name in options],
        tile_multiple=2 ** hyper["levels"],
    )


PIX2PIX = Importer("the PyTorch pix2pix of Isola et al. 2017", convert)
