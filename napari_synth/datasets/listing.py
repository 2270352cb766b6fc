"""Listing folders, and naming outputs: the same rules at every door."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

from napari_synth.core.errors import InputError
from napari_synth.core.files import entries, existing_folder, text_named, user_path
from napari_synth.datasets.image_files import IMAGE_SUFFIXES

LONGEST_NAME = 200
"""Bytes of a file name; systems allow 255, some less, and a file that is being written has a longer name."""
NOT_IMAGES = ("_seg.npy", ".library.npz")
"""Endings of files that lie beside images and are none."""


def name_key(name: str) -> str:
    """A name as it is compared: macOS stores ä as two characters, others as one."""
    return unicodedata.normalize("NFC", name)


def stem_of(path: Path) -> str:
    """The name of a file, in Unicode NFC, without its suffix, which may be ``.ome.tif``."""
    stem = name_key(path.stem)
    return stem[:-4] if stem.lower().endswith(".ome") and len(stem) > 4 else stem


def image_files(folder: Path, suffixes: Sequence[str] = IMAGE_SUFFIXES) -> list[Path]:
    """The image files in a folder, sorted by name; names that begin with a dot are left out.

    Parameters
    ----------
    folder : Path
    suffixes : sequence of str
        In small letters; those of the files may be in capitals.

    Raises
    ------
    InputError
        If the folder cannot be read, or a name is no text.
    """
    found = [
        text_named(path)
        for path in entries(folder)
        if not path.name.startswith(".")
        and path.suffix.lower() in suffixes
        and not path.name.lower().endswith(NOT_IMAGES)
        and (path.is_file() or path.suffix.lower() == ".zarr")
    ]
    return sorted(found, key=lambda path: (name_key(path.name), path.name))


def by_stem(folder: Path) -> dict[str, Path]:
    """The image files in a folder by their `stem_of`.

    Raises
    ------
    InputError
        If two have the same stem.
    """
    found: dict[str, Path] = {}
    for path in image_files(folder):
        stem = stem_of(path)
        if stem in found:
            raise InputError(
                f"{found[stem].name} and {path.name} in {folder} have the same name but for the suffix.",
                "Remove or rename one of them.",
            )
        found[stem] = path
    return found


def mask_files(folder: str | Path) -> list[Path]:
    """The mask files of a folder, or of its sub-folder ``masks``, sorted by name.

    Raises
    ------
    InputError
        If there are none.
    """
    return files_below(folder, "masks", "mask folder")


def files_below(folder: str | Path, kind: Literal["images", "masks"], what: str) -> list[Path]:
    """The image files of a folder, or of its sub-folder of this name, sorted by name; ``what`` the folder is called.

    Raises
    ------
    InputError
        If there are none.
    """
    root = existing_folder(folder, what)
    root = root / kind if (root / kind).is_dir() else root
    paths = image_files(root)
    if not paths:
        raise InputError(f"The folder {root} holds no PNG, TIFF or JPEG {kind}.", "Check the path.")
    return paths


def files_of(paths: Iterable[str | Path]) -> list[Path]:
    """Files as they are named; a folder stands for the masks in it."""
    from napari_synth.datasets.reading.ome_zarr import is_zarr

    found: list[Path] = []
    for path in map(user_path, paths):
        found += mask_files(path) if path.is_dir() and not is_zarr(path) else [path]
    return found


def output_name(stem: str, suffix: str) -> str:
    """A file name that every disk takes: a long stem is cut and ends in a hash of the whole one.

    Parameters
    ----------
    stem : str
    suffix : str
        What follows the stem, such as ``_he.tif``.
    """
    if len(f"{stem}{suffix}".encode()) <= LONGEST_NAME:
        return f"{stem}{suffix}"
    end = f"-{hashlib.sha256(stem.encode()).hexdigest()[:8]}{suffix}"
    return stem.encode()[: LONGEST_NAME - len(end.encode())].decode(errors="ignore") + end


def numbered_names(stems: Sequence[str], suffix: str) -> list[str]:
    """File names of outputs, no two the same on any disk: the second one of a name ends in ``_2``."""
    names: list[str] = []
    seen: set[str] = set()
    for stem in stems:
        number, name = 1, output_name(stem, suffix)
        while name_key(name).casefold() in seen:
            number += 1
            name = output_name(stem, f"_{number}{suffix}")
        seen.add(name_key(name).casefold())
        names.append(name)
    return names


def check_outputs(targets: Iterable[tuple[Path, Path]]) -> None:
    """Refuse two inputs whose outputs would be one file, on a disk that ignores capitals too, or would be an input.

    Parameters
    ----------
    targets : iterable of (Path, Path)
        Input and output.

    Raises
    ------
    InputError
        Naming both inputs, or the one that would be replaced.
    """
    targets = list(targets)
    inputs = {source.resolve() for source, _ in targets}
    seen: dict[str, Path] = {}
    for source, target in targets:
        key = name_key(str(target)).casefold()
        if key in seen:
            same = seen[key] == source
            raise InputError(
                f"{source} is named twice." if same else f"{seen[key]} and {source} would both become {target.name}.",
                "Name it once." if same else "Rename one, or use two --out folders.",
            )
        if target.resolve() in inputs:
            raise InputError(f"The output of {source} would replace the mask {target}.", "Choose another folder.")
        seen[key] = source
