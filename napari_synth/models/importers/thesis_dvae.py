"""The shape DVAE of the thesis (Sirinaovakul 2018)."""

from __future__ import annotations

from pathlib import Path

from napari_synth.models.card import ModelCard
from napari_synth.models.importers.base import Imported, Importer, Names, Wishes, renamed, shape_of
from napari_synth.models.importers.norms import with_statistics
from napari_synth.models.importers.states import read_state


def convert(paths: tuple[Path, ...], wishes: Wishes) -> Imported:
    """Encoder and decoder."""
    state = read_state(paths[0], lambda tensors: {"fc_mean.weight", "fc_d1.weight"} <= set(tensors), wishes.part)
    names: Names = {f"conv{i + 1}": f"encoder.{i}.0" for i in range(4)}
    names |= {f"bn{i + 1}": f"encoder.{i}.1" for i in range(4)}
    names |= {f"conv{i + 5}": f"decoder.{i}.0" for i in range(3)} | {"conv8": "decoder.3"}
    names |= {f"bn{i + 5}": f"decoder.{i}.1" for i in range(3)}
    names |= {"fc_e2": "encode_hidden", "fc_mean": "mean", "fc_logvar": "log_variance"}
    names |= {"fc_d1": "decode_hidden", "fc_d2": "decode_features"}
    latent = shape_of(state, "fc_mean.weight", 2)[0]
    card = ModelCard(
        id=wishes.model_id,
        architecture="dvae",
        hyper={"latent_size": latent},
        role="shapes",
        latent_size=latent,
        value_range=(0, 1),
    )
    return Imported(with_statistics(renamed(state, names), "batch"), card)


THESIS_DVAE = Importer("the shape DVAE of Sirinaovakul 2018", convert)
