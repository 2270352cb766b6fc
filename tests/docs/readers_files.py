"""What a reader of the docs brings along, in small: the samples, pairs, label maps and a checkpoint."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import tifffile
import torch
from PIL import Image

from tests.datasets.test_modalities import picture
from tests.docs.markdown import ROOT
from tests.evaluation.usefulness.small_sets import disc_folder
from tests.helpers import nuclei, pair_folder, small_pairs, triplet_folder
from tests.reference.published import NestedGenerator


def bring_files(folder: Path) -> None:
    """Put the files that the blocks name into ``folder``."""
    shutil.copytree(ROOT / "sample_data", folder / "sample_data")
    axons = folder / "sample_data" / "axons_256.tif"
    tifffile.imwrite(axons, tifffile.imread(axons)[:128, :128])  # a quarter of the time that capsules take
    _own_files(folder)
    _training_data(folder)


def _own_files(folder: Path) -> None:
    tifffile.imwrite(folder / "mask.tif", nuclei().astype(np.uint16))
    rng = np.random.default_rng(0)
    tifffile.imwrite(folder / "anatomy.tif", rng.normal(300, 40, (64, 64)).astype(np.uint16))
    (folder / "labels").mkdir()
    for number, name in enumerate("abc"):
        tifffile.imwrite(folder / "labels" / f"{name}.tif", nuclei(seed=number).astype(np.uint16))
    finished = ROOT / "sample_data" / "finished"
    Image.fromarray(tifffile.imread(finished / "images" / "tissue_he.tif")).save(folder / "slide.png")
    Image.fromarray(tifffile.imread(finished / "masks" / "tissue_he.tif")).save(folder / "slide_mask.png")
    cells = tifffile.imread(finished / "images" / "crowded_cells.tif")
    (folder / "my-images").mkdir()
    for number, (y, x) in enumerate(((0, 0), (0, 128), (128, 0), (128, 128))):
        Image.fromarray(cells[y : y + 128, x : x + 128]).save(folder / "my-images" / f"{number}.png")
    (folder / "my-data" / "masks").mkdir(parents=True)
    for name in ("nuclei_256.tif", "nuclei_512.tif"):
        shutil.copy(ROOT / "sample_data" / name, folder / "my-data" / "masks" / name)
    theirs = NestedGenerator(1, 1, levels=5, ngf=4, norm=torch.nn.BatchNorm2d)
    torch.save(theirs.state_dict(), folder / "latest_net_G.pth")
    small_pairs(folder / "noise.safetensors")


def _training_data(folder: Path) -> None:
    """Folders beside the descriptions that `docs/training.md` points to."""
    for name in ("my-look", "other"):
        pair_folder(folder / "MY_DATA" / name)
    for kind, name in (("nuclei", "DATA"), ("axons", "AXONS"), ("shapes", "SHAPES")):
        (folder / name).mkdir()
        shutil.copy(ROOT / "docs" / "training" / kind / "dataset.yaml", folder / name)
    for name in ("he", "he-dark", "purple", "fluorescence"):
        pair_folder(folder / "DATA" / name, count=5, grey=name == "fluorescence")
    pair_folder(folder / "AXONS" / "axons", count=2, size=(256, 256), grey=True)
    disc_folder(folder / "REAL", 10)
    disc_folder(folder / "SYNTHETIC", 6, 500)
    for kind in range(3):
        (folder / "MIXED").mkdir(exist_ok=True)
        for number in range(9):
            tifffile.imwrite(folder / "MIXED" / f"{kind}-{number}.tif", picture(kind, number))
    triplet_folder(folder / "BRAIN", count=4, size=(64, 64), hold_out="every:4")
    y, x = np.mgrid[-32:32, -32:32]
    for name in ("he", "purple", "fluorescence"):
        shapes = np.stack([(y / a) ** 2 + (x / 20) ** 2 < 1 for a in range(8, 28)])
        np.savez(folder / "SHAPES" / f"{name}.npz", shapes=shapes)
