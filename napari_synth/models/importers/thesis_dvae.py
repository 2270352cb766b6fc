"""The shape DVAE of the thesis (Sirinaovakul 2018)."""

from __future__ import annotations

from napari_synth.models.card import ModelCard
from napari_synth.models.importers.base import Imported, Importer, Names, State, renamed, shape_of


def convert(state: State, model_id: str, options: list[str]) -> Imported:
    """Encoder and decoder."""
    names: Names = {f"conv{i + 1}": f"encoder.{i}.0" for i in range(4)}
    names |= {f"bn{i + 1}": f"encoder.{i}.1" for i in range(4)}
    names |= {f"conv{i + 5}": f"decoder.{i}.0" for i in range(3)} | {"conv8": "decoder.3"}
    names |= {f"bn{i + 5}": f"decoder.{i}.1" for i in range(3)}
    names |= {"fc_e2": "encode_hidden", "fc_mean": "mean", "fc_logvar": "log_variance"}
    names |= {"fc_d1": "decode_hidden", "fc_d2": "decode_features"}
    latent = shape_of(state, "fc_mean.weight")[0]
    card = ModelCard(
        id=model_id,
        architecture="dvae",
        hyper={"latent_size": latent},
        role="shapes",
        latent_size=latent,
        value_range=(0, 1),
    )
    return Imported(renamed(state, names), card)


THESIS_DVAE = Importer("the shape DVAE of Sirinaovakul 2018", convert)
