"""The cases by name, and what they have in common.

A case is a function of an empty folder; it returns its parts by name: arrays, bytes or plain values.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
import yaml
from typer.testing import CliRunner

import napari_synth as ns
from tests.golden.surface import app

NUCLEI, AXONS, BRAIN = "optional-pix2pix-nuclei", "capspix2pix-axons", "metgan-brain"
Parts = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """How to make the parts, and whether it takes long."""

    make: Callable[[Path], Parts]
    slow: bool = False


CASES: dict[str, Case] = {}


def case(name: str, slow: bool = False) -> Callable[[Callable[[Path], Parts]], Callable[[Path], Parts]]:
    """Enter a function as a case."""

    def enter(make: Callable[[Path], Parts]) -> Callable[[Path], Parts]:
        if name in CASES:
            raise ValueError(f"two cases are called {name}")
        CASES[name] = Case(make, slow)
        return make

    return enter


def made(name: str, folder: Path) -> Parts:
    """The parts of a case, computed by one thread: sums over large planes depend on how they are shared out."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return CASES[name].make(folder)
    finally:
        torch.set_num_threads(threads)


@cache
def model(name: str | Path) -> Any:
    """A model on the CPU, loaded once."""
    return ns.load_model(name, "cpu")


def cli(*arguments: Any) -> str:
    """Run the program in this process; its output."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)
    if result.exit_code:
        raise RuntimeError(f"{arguments} ended with {result.exit_code}: {result.output}")
    return result.output


def tiffs(folder: Path) -> Parts:
    """The arrays of all TIFF files in a folder."""
    return {path.relative_to(folder).as_posix(): tifffile.imread(path) for path in sorted(folder.rglob("*.tif"))}


def file_bytes(folder: Path) -> Parts:
    """The bytes of the pairs in a folder, and of their recipe, which must name no versions."""
    about = ("manifest.sha256", "manifest.csv", "export.json", "TRAIN.md")
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and path.name not in about)
    return {f"bytes of {path.relative_to(folder).as_posix()}": path.read_bytes() for path in paths}


def recipe_in(folder: Path) -> Parts:
    """The ``recipe.yaml`` of a folder as plain values."""
    return {"recipe.yaml": yaml.safe_load((folder / "recipe.yaml").read_text(encoding="utf-8"))}


def table_in(path: Path) -> Parts:
    """The table of nuclei in a TIFF file, read as it is stored."""
    with tifffile.TiffFile(path) as tif:
        columns = json.loads(tif.imagej_metadata["napari_synth_nuclei"])
    return {f"{path.name} {name}": np.array(values) for name, values in columns.items()}
