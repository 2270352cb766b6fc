"""Checkpoints of published programs as models of ours.

An importer is a table from their names to ours; everything else is refused. Checkpoints are opened with
``weights_only=True``, so nothing in them is ever run. A new one is a file here and a line in `IMPORTERS`.
"""

from __future__ import annotations

from pathlib import Path

from napari_synth.core.registry import Registry
from napari_synth.models.architectures import build
from napari_synth.models.card import ModelCard
from napari_synth.models.checkpoint import save_model
from napari_synth.models.importers.base import Importer, check_fits, read_state
from napari_synth.models.importers.capspix2pix import CAPSPIX2PIX
from napari_synth.models.importers.pix2pix import PIX2PIX
from napari_synth.models.importers.thesis_dvae import THESIS_DVAE
from napari_synth.models.importers.thesis_pix2pix import THESIS_PIX2PIX

IMPORTERS: Registry[Importer] = Registry(
    "source of checkpoints",
    {"capspix2pix": CAPSPIX2PIX, "optional-pix2pix": THESIS_PIX2PIX, "pix2pix": PIX2PIX, "dvae": THESIS_DVAE},
)


def import_checkpoint(path: Path, source: str, out: Path, options: list[str] | None = None) -> ModelCard:
    """Read a checkpoint of a published program and write it as a model of ours.

    Parameters
    ----------
    path : Path
        A state dict saved by torch.
    source : str
        A key of `IMPORTERS`.
    out : Path
        The ``.safetensors`` file to write.
    options : list of str, optional
        Names of the options of an Optional Pix2Pix, in the order of its option numbers.

    Returns
    -------
    ModelCard

    Raises
    ------
    InputError
        If the source is unknown, the file is no state dict, or it is not of that source; the first
        wrong name is in the sentence.
    """
    importer = IMPORTERS[source]
    imported = importer.convert(read_state(path), out.stem, options or [])
    network = build(imported.card.architecture, **imported.card.hyper)
    check_fits(imported.weights, network.state_dict(), path)
    save_model(out, imported.card, imported.weights, half=False)
    return imported.card
