"""A checkpoint of a published program becomes a model that is known to render."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from napari_synth.core.errors import InputError, SynthError
from napari_synth.core.files import writing
from napari_synth.models.checkpoint import save_model
from napari_synth.models.importers import converted
from napari_synth.models.importers.base import Wishes
from napari_synth.models.registry import load_trained

if TYPE_CHECKING:
    from napari_synth.models.card import ModelCard
    from napari_synth.models.registry import TrainedModel

SIDE = 64
CLIPPED = 0.99
"""Part of the pixels that may be black or white."""
CAUSE = {
    "constant": "The network was not trained, or --from or --as does not fit it.",
    "clipped": "The range of its image is another one, or --from or --as does not fit it.",
}


def import_checkpoint(paths: Path | Sequence[Path], source: str, out: Path, wishes: Wishes | None = None) -> ModelCard:
    """Read a checkpoint of a published program, try it, and write it as a model of ours.

    Parameters
    ----------
    paths : Path or sequence of Path
        The file, or all files of a program that saves several.
    source : str
        A key of `models.importers.IMPORTERS`.
    out : Path
        The ``.safetensors`` file to write.
    wishes : Wishes, optional
        What the checkpoint does not say of itself.

    Returns
    -------
    ModelCard

    Raises
    ------
    InputError
        If the source is unknown, the file is not of that source, or what it renders is not an image;
        then nothing is written.
    """
    files = [paths] if isinstance(paths, Path) else list(paths)
    imported = converted(files, source, wishes or Wishes(out.stem))
    with writing(out) as temporary:
        save_model(temporary, imported.card, imported.weights, half=False)
        try_out(temporary, files[0].name)
    return imported.card


def try_out(path: Path, name: str) -> None:
    """Render once with a model.

    Raises
    ------
    InputError
        If it fails, or the image is constant, black and white alone, or not finite. ``name`` is that of
        the file that the model comes from.
    """
    trained = load_trained(path, "cpu")
    try:
        image = _shapes(trained) if trained.card.role == "shapes" else _image(trained)
    except SynthError as error:
        raise InputError(f"{name} cannot be rendered: {error.problem}", error.action) from error
    black, white = trained.card.value_range
    if image.min() == image.max():
        raise InputError(f"{name} renders an image of one value, {image.flat[0]}, everywhere.", CAUSE["constant"])
    if np.isin(image, (black, white)).mean() > CLIPPED:
        raise InputError(f"{name} renders nothing but black and white.", CAUSE["clipped"])


def _image(trained: TrainedModel) -> np.ndarray:
    from napari_synth.synthesis.generator import Generator
    from napari_synth.synthesis.request import RenderRequest

    card = trained.card
    side = card.tile_multiple * -(-SIDE // card.tile_multiple)
    mask, beside = trial_mask(side), None
    if card.condition_channels:
        scale = card.intensities[card.condition_channels[0]]
        slope = np.linspace(-0.8, 0.8, side, dtype=np.float32)
        beside = scale.from_network(slope + 0.2 * np.sin(slope[:, None] * 20))
    return Generator(trained).run(RenderRequest(mask, condition=beside)).image


def trial_mask(side: int) -> np.ndarray:
    """Discs of three sizes."""
    y, x = np.mgrid[:side, :side] / side
    mask = np.zeros((side, side), np.int32)
    for label, (row, column, radius) in enumerate(((0.3, 0.3, 0.2), (0.7, 0.6, 0.25), (0.25, 0.8, 0.1)), 1):
        mask[(y - row) ** 2 + (x - column) ** 2 < radius**2] = label
    return mask


def _shapes(trained: TrainedModel) -> np.ndarray:
    import torch

    from napari_synth.nets.dvae import DVAE
    from napari_synth.synthesis.network_io import network_of

    codes = torch.eye(trained.card.latent_size)
    with torch.inference_mode():
        shapes: np.ndarray = network_of(trained, DVAE).decode(codes).numpy()
    if not np.isfinite(shapes).all():
        raise InputError("Its shapes are not finite.", "Import an earlier checkpoint of the training.")
    return shapes
