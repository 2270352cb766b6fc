"""From the words of a caller to the request of an export."""

from __future__ import annotations

from pathlib import Path

from napari_synth.core import arguments
from napari_synth.core.recipe import Recipe
from napari_synth.exporting.batch import ExportRequest
from napari_synth.exporting.formats import FORMATS
from napari_synth.exporting.parts import made_of_real_data
from napari_synth.exporting.split import parse_split


def export_request(
    recipe: Recipe,
    folder: str | Path,
    format: str = "tiff",
    split: str = "",
    split_strict: bool | None = None,
    with_real: str | Path | None = None,
    overwrite: bool = False,
) -> ExportRequest:
    """The request; an unknown format or split is said here, before anything is loaded.

    Raises
    ------
    InputError
        If one of the words is none.
    """
    FORMATS[arguments.text(format, "format")]
    strict = made_of_real_data(recipe) if split_strict is None else split_strict
    return ExportRequest(
        recipe,
        arguments.place(folder, "folder"),
        format,
        overwrite,
        split=parse_split(arguments.text(split, "split"), strict) if split else None,
        with_real=None if with_real is None else arguments.place(with_real, "with_real"),
    )
