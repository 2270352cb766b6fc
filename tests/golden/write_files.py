"""Write ``files/`` with the program as it is: once, and then kept as files of that day.

python -m tests.golden.write_files
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from pathlib import Path
from unittest.mock import patch

import numpy as np
import tifffile
import yaml
from napari_synth.core.settings import Settings, save_settings
from napari_synth.masks.autosave import Column, Description, KeptMask, Placement, write_kept

import napari_synth as ns
from tests.golden.inputs import FILES, INPUTS, RECIPES, latent, mask_folder
from tests.golden.registry import AXONS, BRAIN, NUCLEI, cli
from tests.helpers import small_generator

SAMPLES = Path(__file__).parents[2] / "sample_data"


def write_inputs() -> None:
    """Pieces of the sample data."""
    pieces = {
        "nuclei": tifffile.imread(SAMPLES / "nuclei_256.tif")[100:228, 60:180],
        "axons": tifffile.imread(SAMPLES / "axons_256.tif")[90:154, 100:156],
        "anatomy": tifffile.imread(SAMPLES / "brain_256.tif")[0][40:144, 60:164],
        "brain_labels": tifffile.imread(SAMPLES / "brain_256_labels.tif")[40:144, 60:164],
    }
    INPUTS.mkdir(parents=True)
    for name, array in pieces.items():
        tifffile.imwrite(INPUTS / f"{name}.tif", array, compression="zlib")


def write_recipes() -> None:
    """Recipes of format 1 as a person may have written them, without versions."""
    file = {"kind": "file", "path": "../inputs/nuclei.tif"}
    old = {"height": 64, "width": 96, "count_mean": 70.0, "count_sd": 4.0, "area_mean": 500.0, "area_sd": 150.0}
    old |= {"touching": True, "sampler": "prior", "spread": 0.7, "shapes": "nucleus-dvae"}
    thesis = {"composer": 2, "height": 64, "width": 64, "count_scaling": "length", "count_mean": 33.3, "count_sd": 5.4}
    thesis |= {"area_law": "scale", "orientation": "none", "spacing": "free", "sampler": "prior", "spread": 0.5}
    off = {"layer": "convcaps9", "capsule": 1, "channel": None, "scale": 0.0, "value": None}
    put = {"layer": "convcaps10", "capsule": 0, "channel": 5, "scale": 1.0, "value": 1.25}
    recipes = {
        "first_version": {  # of the days before composers had numbers
            "model": NUCLEI,
            "masks": [{"kind": "field", "settings": old, "seed": seed} for seed in (3, 4)],
            "options": ["he", "purple"],
            "variants": 1,
            "seed": 5,
            "n": 5,
        },
        "axons": {
            "model": AXONS,
            "masks": [{"kind": "file", "path": "../inputs/axons.tif"}],
            "seed": 2,
            "z": latent().tolist(),
            "interventions": [off, put],
        },
        "brain": {
            "model": BRAIN,
            "masks": [{"kind": "file", "path": "../inputs/brain_labels.tif"}],
            "conditions": [{"kind": "file", "path": "../inputs/anatomy.tif"}],
        },
        "fast": {"model": NUCLEI, "masks": [file], "options": ["fluorescence"], "variants": 2, "precision": "fast"},
        "without_noise": {"model": NUCLEI, "masks": [file], "options": ["purple"], "seed": None},
        "thesis": {
            "model": NUCLEI,
            "masks": [{"kind": "field", "settings": thesis, "seed": 8}],
            "options": ["fluorescence"],
        },
    }
    RECIPES.mkdir()
    for name, recipe in recipes.items():
        text = yaml.safe_dump({"format": 1} | recipe, sort_keys=False)
        (RECIPES / f"{name}.yaml").write_text(text, encoding="utf-8")


def write_results(folder: Path) -> None:
    """What the commands write; ``folder`` is for what is not kept."""
    cli("masks", "--n", 2, "--size", "64x48", "--nuclei", 90, "--seed", 12, "--out", FILES / "masks")
    options = ("--option", "he", "--option", "fluorescence", "--n", 4, "--device", "cpu")
    cli("export", FILES / "masks" / "recipe.yaml", *options, "--out", FILES / "pairs")
    cli("export", RECIPES / "brain.yaml", "--device", "cpu", "--out", FILES / "brain")
    shutil.copy(INPUTS / "axons.tif", folder / "axons.tif")
    axons = (folder / "axons.tif", "--device", "cpu")
    cli("walk", *axons, "--steps", 3, "--set", "convcaps4,2=0", "--out", FILES / "walk.tif")
    cli("activations", *axons, "--layer", "convcaps5", "--what", "length", "--out", FILES / "activations.tif")
    cli("library", mask_folder(folder / "real"), "--min-box", 300, "--out", FILES / "library.npz")
    small_generator(FILES / "small.safetensors")


def write_state() -> None:
    """Settings and an autosaved mask."""
    settings = Settings(device="cpu", model=BRAIN, option="he-dark", seed=77, export_folder="pairs", variants=3)
    with patch.dict(os.environ, NAPARI_SYNTH_SETTINGS=str(FILES / "settings.json")):
        save_settings(settings)
    unit = [[1.0, 0.0], [0.0, 1.0]]
    place = Placement(
        scale=[0.5, 0.25], translate=[3.0, -4.0], rotate=unit, shear=[0.0],
        affine=[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]], units=["micrometer"] * 2, axis_labels=["y", "x"],
    )  # fmt: skip
    columns = [
        Column(name="index", dtype="int64", values=[1, 2]),
        Column(name="z0", dtype="float64", values=[0.5, None]),
    ]
    about = Description(napari_synth_mask=1, name="Nuclei", placement=place, features=columns)
    labels = np.zeros((40, 30), np.int32)
    labels[5:12, 4:9], labels[20:30, 10:25] = 1, 2
    write_kept(FILES / "autosave" / "3.tif", KeptMask(labels, about))


def main() -> None:
    """Write all of it where there is nothing."""
    FILES.mkdir()
    write_inputs()
    write_recipes()
    with tempfile.TemporaryDirectory() as folder:
        write_results(Path(folder))
    write_state()
    sizes = {path.relative_to(FILES).as_posix(): path.stat().st_size for path in FILES.rglob("*") if path.is_file()}
    print(json.dumps(sizes, indent=1), sum(sizes.values()), "bytes with napari-synth", ns.__version__)


if __name__ == "__main__":
    main()
