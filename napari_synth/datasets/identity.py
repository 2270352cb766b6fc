"""Which data a run is trained on."""

from __future__ import annotations

import hashlib
from pathlib import Path

from napari_synth.core.errors import InputError
from napari_synth.datasets.image_files import IMAGE_SUFFIXES
from napari_synth.datasets.pairs import DATASET_FILE

ARRAY_SUFFIX = ".npz"


def data_hash(data: Path) -> str:
    """SHA-256 of the names and contents of what a data folder holds, wherever the folder lies.

    Parameters
    ----------
    data : Path
        A file, or a folder with ``dataset.yaml``, ``.npz`` files, and images in folders of it.

    Raises
    ------
    InputError
        If a file cannot be read.
    """
    digest = hashlib.sha256()
    for path in [data] if data.is_file() else _files(data):
        try:
            with path.open("rb") as file:
                content = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise InputError(f"{path} cannot be read ({error.strerror}).", "Check the file.") from error
        name = path.name if path == data else path.relative_to(data).as_posix()
        digest.update(f"{content}  {name}\n".encode(errors="surrogateescape"))
    return digest.hexdigest()


def _files(data: Path) -> list[Path]:
    """Images beside the folders are left out: previews of models may lie there."""
    found = [data / DATASET_FILE, *data.glob(f"*{ARRAY_SUFFIX}")]
    for path in data.glob("*/**/*"):
        parts = path.relative_to(data).parts
        if path.suffix.lower() in IMAGE_SUFFIXES or any(part.lower().endswith(".zarr") for part in parts):
            found.append(path)
    return sorted(path for path in found if path.is_file() and not path.name.startswith("."))
