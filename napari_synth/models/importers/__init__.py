"""Checkpoints of published programs as models of ours.

An importer is a table from their names to ours; everything else is refused. Checkpoints are opened with
``weights_only=True``, so nothing in them is ever run. A new one is a file here and a line in `IMPORTERS`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from napari_synth.core.errors import InputError
from napari_synth.core.registry import Registry
from napari_synth.models.architectures import build
from napari_synth.models.importers.base import Imported, Importer, Wishes, check_fits, foreign
from napari_synth.models.importers.bioimageio import BIOIMAGEIO
from napari_synth.models.importers.capspix2pix import CAPSPIX2PIX
from napari_synth.models.importers.metgan import METGAN
from napari_synth.models.importers.pix2pix import PIX2PIX
from napari_synth.models.importers.thesis_dvae import THESIS_DVAE
from napari_synth.models.importers.thesis_pix2pix import THESIS_PIX2PIX
from napari_synth.models.importers.torchscript import TORCHSCRIPT

IMPORTERS: Registry[Importer] = Registry(
    "source of checkpoints",
    {
        "capspix2pix": CAPSPIX2PIX,
        "optional-pix2pix": THESIS_PIX2PIX,
        "pix2pix": PIX2PIX,
        "metgan": METGAN,
        "dvae": THESIS_DVAE,
        "torchscript": TORCHSCRIPT,
        "bioimageio": BIOIMAGEIO,
    },
)


def converted(paths: Sequence[Path], source: str, wishes: Wishes) -> Imported:
    """A checkpoint in our terms, whose weights fit its card.

    Parameters
    ----------
    paths : sequence of Path
        The file, or all files of a program that saves several.
    source : str
        A key of `IMPORTERS`.
    wishes : Wishes

    Raises
    ------
    InputError
        If the source is unknown, the file is no state dict, or it is not of that source; the first
        wrong name is in the sentence.
    """
    importer = IMPORTERS[source]
    if not 1 <= len(paths) <= len(importer.files):
        raise InputError(
            f"{len(paths)} files were given, but --from {source} reads {' and '.join(importer.files)}.",
            "Import one model at a time.",
        )
    imported = importer.convert(tuple(paths), wishes)
    import torch

    try:
        with torch.device("meta"):  # a file may ask for more than there is memory
            expected = build(imported.card.architecture, **imported.card.hyper).state_dict()
    except (RuntimeError, ValueError) as error:
        raise foreign(str(error).splitlines()[0]) from error
    check_fits(imported.weights, expected, paths[0])
    return imported
