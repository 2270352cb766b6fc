"""Pictures of what was held out, before and after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import imageio.v3 as iio
import numpy as np
from PIL import Image, ImageDraw

from napari_synth.core.files import writing
from napari_synth.core.seeds import derived_seed
from napari_synth.datasets.pairs import LoadedPair
from napari_synth.synthesis.generator import Generator
from napari_synth.training.previews import GAP, label_picture, picture_sheet

SIDE = 256
ROWS = 3
"""Per look."""
LINE = 16
TITLES = ("mask", "real, held out", "before", "now", "now, another style")


def write_sheet(
    path: Path,
    looks: Sequence[tuple[str, str]],
    held_out: Mapping[str, Sequence[LoadedPair]],
    before: Generator,
    now: Generator,
    seed: int,
) -> None:
    """A picture with a row for each of a few held-out masks.

    Parameters
    ----------
    path : Path
        PNG.
    looks : sequence of (str, str)
        New look and the one it began as.
    held_out : mapping
        Pairs by look.
    before, now : Generator
    seed : int
        Draws styles and noise.
    """
    rows = []
    for look, start in looks:
        for number, pair in enumerate(held_out[look][:ROWS]):
            labels = pair.labels[:SIDE, :SIDE]
            key = derived_seed(seed, "sheet", number)
            made = [before.render(labels, start, key), now.render(labels, look, key), now.render(labels, look, key + 1)]
            pictures = [label_picture(labels), pair.image[:SIDE, :SIDE], *(one.image for one in made)]
            rows.append([_filled(picture) for picture in pictures])
    sheet = picture_sheet(rows)
    titled = np.full((sheet.shape[0] + LINE, *sheet.shape[1:]), 255, np.uint8)
    titled[LINE:] = sheet
    picture = Image.fromarray(titled)
    for column, title in enumerate(TITLES):
        ImageDraw.Draw(picture).text((column * (SIDE + GAP) + 2, 2), title, fill=(0, 0, 0))
    with writing(path) as temporary:
        iio.imwrite(temporary, np.asarray(picture), extension=".png")


def _filled(picture: np.ndarray) -> np.ndarray:
    """``(SIDE, SIDE, 3)`` uint8: white where the picture is smaller."""
    if picture.ndim == 2:
        picture = np.repeat(picture[..., None], 3, -1)
    whole = np.full((SIDE, SIDE, 3), 255, np.uint8)
    whole[: picture.shape[0], : picture.shape[1]] = picture
    return whole
