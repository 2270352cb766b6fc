"""``napari-synth looks``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from napari_synth.cli.console import err, out, watched
from napari_synth.core.errors import InputError, unknown_name


def looks(
    source: Annotated[Path, typer.Argument(help="Folder of images, or one with images/ and masks/.")],
    out_dir: Annotated[Path, typer.Option("--out", help="New folder with one sub-folder per look, to train on.")],
    k: Annotated[str, typer.Option(help="Number of looks, or auto.")] = "auto",
    name: Annotated[list[str] | None, typer.Option(help="OLD=NEW: another name; the same one for two merges.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the search for groups.")] = 1,
) -> None:
    """Find the looks in a mixed folder, by how bright, coloured and textured its images are."""
    from napari_synth.datasets.found_looks import masks_beside, write_looks
    from napari_synth.datasets.modalities import find_looks, image_files

    files = image_files(source)
    found = find_looks(files, parse_k(k), seed)
    for text in name or []:
        old, new = parse_rename(text)
        if old not in found.names:
            raise unknown_name("look", old, list(found.names))
        number = found.names.index(old)
        if new in found.names and new != old:
            found = found.merged(number, found.names.index(new))
        else:
            found = found.renamed(number, new)
    for problem in found.unreadable:
        err.print(f"Left out: {problem}")
    with watched("Copying") as (on_progress, cancel):
        masks = masks_beside(files[0].parent)
        written = write_looks(found, out_dir, masks, on_progress=on_progress, cancel=cancel)
    for number, look in enumerate(found.names):
        out.print(f"{look}: {len(found.files_of(number))} images")
    out.print(f"{written.images} images and {written.masks} masks in {out_dir}; six of each look in {written.strip}.")
    if len(found.names) == 1:
        out.print("The images form no groups. Ask for a number of looks with --k.")


def parse_k(text: str) -> int | None:
    """``auto`` as None, else the number.

    Raises
    ------
    InputError
        If it is neither.
    """
    if text == "auto":
        return None
    if not text.isdigit() or int(text) < 1:
        raise InputError(f"The number of looks {text!r} is not understood.", "Write a number from 1 on, or auto.")
    return int(text)


def parse_rename(text: str) -> tuple[str, str]:
    """``OLD=NEW`` as two names.

    Raises
    ------
    InputError
        If it is written differently.
    """
    old, equals, new = text.partition("=")
    if not (old and equals and new):
        raise InputError(f"The name {text!r} is not understood.", "Write OLD=NEW, for example dark-grey-smooth=dapi.")
    return old, new
