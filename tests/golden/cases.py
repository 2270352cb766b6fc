"""Cases of masks, of images and exports by the command line, and of files of the day of ``files/``."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

import imageio.v3 as iio
import numpy as np
import tifffile
import yaml

import napari_synth as ns
from tests.golden import renders
from tests.golden.inputs import FILES, INPUTS, RECIPES, density, latent, mask_folder, plane
from tests.golden.registry import AXONS, BRAIN, CASES, Parts, case, cli, file_bytes, recipe_in, table_in, tiffs
from tests.golden.surface import embedded_nuclei, load_settings, read_kept, recipe_of

__all__ = ["CASES", "renders"]  # importing renders enters its cases

# -------------------------------------------------------------------------------------------------------- masks

FIELDS: dict[str, tuple[Any, ...]] = {
    "default": ("--n", 3, "--size", "96x64"),
    "library": ("--sampler", "library", "--size", 128, "--nuclei", 60, "--seed", 2),
    "jitter": ("--sampler", "jitter", "--spread", 1.5, "--size", 128, "--nuclei", 60),
    "knn": ("--sampler", "knn", "--size", 128, "--nuclei", 60),
    "manifold": ("--sampler", "manifold", "--size", 96, "--nuclei", 50),
    "prior": ("--sampler", "prior", "--spread", 0.7, "--size", 128, "--nuclei", 60),
    "free": ("--spacing", "free", "--size", 128, "--nuclei", 80),
    "apart": ("--spacing", "apart", "--gap", 4, "--size", 128, "--nuclei", 80),
    "no touching": ("--no-touching", "--size", 128, "--nuclei", 80),
    "touching": ("--touching-fraction", 0.9, "--size", 128, "--nuclei", 80),
    "clusters": ("--spacing", "clusters", "--cluster-size", 4, "--cluster-radius", 14, "--size", 128, "--nuclei", 60),
    "poisson": ("--count-law", "poisson", "--size", 128, "--nuclei", 30, "--n", 3),
    "fixed": ("--count-law", "fixed", "--size", "80x112", "--nuclei", 70),
    "full": ("--count-law", "fixed", "--size", 64, "--nuclei", 900, "--area", 300),
    "angle": ("--angle", 30, "--angle-sd", 5, "--size", 128, "--nuclei", 60, "--area", 400, "--area-sd", 50),
    "not turned": ("--orientation", "none", "--size", 128, "--nuclei-sd", 0),
    "thesis": ("--preset", "thesis", "--size", 160),
}


def _field(arguments: tuple[Any, ...]) -> Callable[[Path], Parts]:
    def make(folder: Path) -> Parts:
        cli("masks", *arguments, "--out", folder / "out")
        return tiffs(folder / "out") | recipe_in(folder / "out") | table_in(folder / "out" / "mask_0001.tif")

    return make


for field_name, field_arguments in FIELDS.items():
    case(f"masks {field_name}")(_field(field_arguments))


@case("masks with a density")
def _(folder: Path) -> Parts:
    image = density(folder / "density.tif", 96, 160)
    return _field(("--size", "160x96", "--nuclei", 80, "--density", image))(folder)


@case("masks like real ones", slow=True)
def _(folder: Path) -> Parts:
    return _field(("--fit-from", mask_folder(folder / "real"), "--size", 128))(folder)


@case("masks with the shapes of a folder")
def _(folder: Path) -> Parts:
    return _field(("--library", mask_folder(folder / "real"), "--sampler", "knn", "--size", 128))(folder)


@case("masks with the shapes of a library file")
def _(folder: Path) -> Parts:
    return _field(("--library", FILES / "library.npz", "--sampler", "jitter", "--size", 128))(folder)


@case("library of a folder")
def _(folder: Path) -> Parts:
    cli("library", mask_folder(folder / "real"), "--min-box", 300, "--out", folder / "made.npz")
    with np.load(folder / "made.npz") as made:
        return {name: json.loads(str(made[name])) if name == "about" else made[name] for name in made.files}


@case("public names for masks")
def _(folder: Path) -> Parts:
    settings = ns.field_settings(ns.FieldSettings(height=96, width=112), count_mean=70, spacing="touching")
    parts: Parts = {}
    for number, (source, field) in enumerate(ns.compose_masks(settings, n=2, seed=5)):
        parts |= {f"labels {number}": field.labels, f"source {number}": source.model_dump(mode="json")}
        parts |= {f"table {number} {name}": values for name, values in field.features.items()}
    measured = ns.measure_masks(plane("nuclei"))
    parts |= {name: getattr(measured, name) for name in ("counts", "areas", "eccentricities", "distances")}
    library = ns.shape_library([plane("nuclei"), plane("nuclei")[:, ::-1]], min_box=300)
    return parts | {"touching": measured.touching, "shapes": library.shapes, "area_px": library.area_px}


@case("fit a field", slow=True)
def _(folder: Path) -> Parts:
    return {"settings": ns.fit_field([plane("nuclei")], ns.field_settings(height=64, width=64)).model_dump(mode="json")}


@case("recombine")
def _(folder: Path) -> Parts:
    plain = (INPUTS / "brain_labels.tif", "--n", 3, "--size", "96x80", "--out", folder / "plain")
    exact = (INPUTS / "nuclei.tif", INPUTS / "brain_labels.tif", "--merge", 1, "--no-flip", "--rotate", 0)
    cli("recombine", *plain)
    cli("recombine", *exact, "--scale", "1,1", "--size", 128, "--seed", 4, "--out", folder / "exact")
    return tiffs(folder) | recipe_in(folder / "plain")


# ------------------------------------------------------------------------------------------ images and exports


@case("synthesize")
def _(folder: Path) -> Parts:
    options = ("--option", "he", "--option", "fluorescence", "--seed", 3)
    cli("synthesize", INPUTS / "nuclei.tif", INPUTS / "axons.tif", *options, "--device", "cpu", "--out", folder)
    recipe = recipe_of(folder / "nuclei_fluorescence.tif").model_dump(mode="json")
    return tiffs(folder) | {"recipe": recipe}


@case("synthesize without noise, fast")
def _(folder: Path) -> Parts:
    common = (INPUTS / "nuclei.tif", "--option", "purple", "--device", "cpu")
    cli("synthesize", *common, "--no-noise", "--out", folder / "noiseless")
    cli("synthesize", *common, "--fast", "--out", folder / "fast")
    return tiffs(folder)


@case("synthesize axons from a latent file")
def _(folder: Path) -> Parts:
    np.savetxt(folder / "z.txt", latent())
    cli("synthesize", INPUTS / "axons.tif", "--model", AXONS, "--z", folder / "z.txt", "--out", folder / "out")
    recipe = recipe_of(folder / "out" / "axons.tif").model_dump(mode="json")
    return tiffs(folder / "out") | {"recipe": recipe}


@case("synthesize into a brain")
def _(folder: Path) -> Parts:
    mask, beside = INPUTS / "brain_labels.tif", INPUTS / "anatomy.tif"
    cli("synthesize", mask, "--model", BRAIN, "--condition", beside, "--device", "cpu", "--out", folder)
    return tiffs(folder) | {"recipe": recipe_of(folder / "brain_labels.tif").model_dump(mode="json")}


@case("synthesize axons from a physical model")
def _(folder: Path) -> Parts:
    cli("synthesize", INPUTS / "axons.tif", "--model", "pbam-axons", "--seed", 5, "--out", folder)
    return tiffs(folder)


def _exported(recipe: Path, folder: Path, *arguments: Any) -> Parts:
    cli("export", recipe, *arguments, "--device", "cpu", "--out", folder)
    return tiffs(folder) | recipe_in(folder)


def _as_format_1(recipe: Path, seeds: tuple[int, ...]) -> Path:
    """The recipe of one mask as it was written when seeds had 31 bits, with a mask for each of ``seeds``."""
    found = yaml.safe_load(recipe.read_text(encoding="utf-8"))
    (mask,) = found["masks"]
    masks = [mask | {"seed": seed, "sha256": mask["sha256"] if seed == mask["seed"] else ""} for seed in seeds]
    recipe.write_text(yaml.safe_dump(found | {"format": 1, "masks": masks}), encoding="utf-8")
    return recipe


SAMPLED = ("--size", 64, "--nuclei", 60)
LOOKS = ("--option", "he", "--option", "fluorescence", "--variants", 2, "--n", 10)


@case("export sampled masks")
def _(folder: Path) -> Parts:
    cli("masks", *SAMPLED, "--out", folder / "masks")
    recipe = _as_format_1(folder / "masks" / "recipe.yaml", (1, 1554503058))
    return _exported(recipe, folder / "pairs", *LOOKS)


@case("export sampled masks with seeds of 64 bits")
def _(folder: Path) -> Parts:
    cli("masks", "--n", 2, *SAMPLED, "--out", folder / "masks")
    parts = _exported(folder / "masks" / "recipe.yaml", folder / "pairs", *LOOKS)
    recipe = recipe_of(folder / "pairs" / "recipe.yaml")
    seeds = [[item.masks[0].seed, item.seed] for item in map(recipe.item, range(10))]
    return {name: part for name, part in parts.items() if not name.startswith("images")} | {"seeds": seeds}


@case("export recombined masks in a brain")
def _(folder: Path) -> Parts:
    beside = ("--condition", INPUTS / "anatomy.tif", "--n", 1, "--out", folder / "masks")
    cli("recombine", INPUTS / "brain_labels.tif", *beside)
    recipe = _as_format_1(folder / "masks" / "recipe.yaml", (1,))
    return _exported(recipe, folder / "pairs", "--n", 2)


def _recipe_case(name: str) -> Callable[[Path], Parts]:
    def make(folder: Path) -> Parts:
        return _exported(RECIPES / f"{name}.yaml", folder) | file_bytes(folder)

    return make


for recipe_name in ("first_version", "axons", "brain", "fast", "without_noise", "thesis"):
    case(f"export recipe {recipe_name}")(_recipe_case(recipe_name))


@case("public names for exports")
def _(folder: Path) -> Parts:
    recipe = ns.read_recipe(RECIPES / "without_noise.yaml")
    result = ns.export(recipe, folder / "one", device="cpu")
    again = ns.replay(folder / "one" / "images" / "0001_purple.tif", folder / "two", device="cpu")
    return tiffs(folder) | {"counts": [result.total, result.written, result.kept, again.total]}


@case("walk")
def _(folder: Path) -> Parts:
    common = (INPUTS / "axons.tif", "--from-seed", 3, "--to-seed", 4, "--device", "cpu")
    cli("walk", *common, "--steps", 3, "--out", folder / "spherical.tif")
    linear = ("--path", "linear", "--activations", "--layer", "convcaps6", "--set", "convcaps9,1=0")
    cli("walk", *common, "--steps", 2, *linear, "--out", folder / "linear.tif")
    return tiffs(folder) | {"recipe": recipe_of(folder / "linear.tif").model_dump(mode="json")}


@case("walk as GIF")
def _(folder: Path) -> Parts:
    cli("walk", INPUTS / "axons.tif", "--steps", 2, "--device", "cpu", "--out", folder / "walk.gif")
    return {"frames": iio.imread(folder / "walk.gif")}


@case("activations")
def _(folder: Path) -> Parts:
    common = (INPUTS / "axons.tif", "--device", "cpu")
    cli("activations", *common, "--layer", "convcaps4", "--seed", 2, "--out", folder / "pose.tif")
    changed = ("--what", "length", "--set", "convcaps4,2=0", "--set", "convcaps4,3,1=0.5")
    cli("activations", *common, "--layer", "convcaps8", *changed, "--out", folder / "length.tif")
    cli("activations", *common, "--layer", "convcaps6", "--what", "routing", "--out", folder / "routing.tif")
    return tiffs(folder) | {"recipe": recipe_of(folder / "length.tif").model_dump(mode="json")}


# ------------------------------------------------------------------------------------- files of an earlier day


@case("replay a pair of that day")
def _(folder: Path) -> Parts:
    cli("replay", FILES / "pairs" / "images" / "0003_he.tif", "--device", "cpu", "--out", folder)
    return tiffs(folder) | recipe_in(folder)


@case("replay an export of that day")
def _(folder: Path) -> Parts:
    cli("replay", FILES / "pairs" / "recipe.yaml", "--device", "cpu", "--out", folder)
    same = [bool((array == tifffile.imread(FILES / "pairs" / name)).all()) for name, array in tiffs(folder).items()]
    return tiffs(folder) | {"as in the files": same}


@case("replay a brain of that day")
def _(folder: Path) -> Parts:
    cli("replay", FILES / "brain" / "images" / "0001.tif", "--device", "cpu", "--out", folder / "pair")
    cli("replay", FILES / "brain" / "recipe.yaml", "--device", "cpu", "--out", folder / "all")
    return tiffs(folder)


@case("go on with an export of that day")
def _(folder: Path) -> Parts:
    pairs = folder / "pairs"
    shutil.copytree(FILES / "pairs", pairs)
    (pairs / "images" / "0002_fluorescence.tif").unlink()
    output = cli("export", pairs / "recipe.yaml", "--device", "cpu", "--out", pairs)
    return tiffs(pairs) | {"kept": "3 were there already" in output}


@case("export from masks of that day")
def _(folder: Path) -> Parts:
    return _exported(FILES / "masks" / "recipe.yaml", folder, "--option", "he-dark")


@case("open files of that day")
def _(folder: Path) -> Parts:
    kept = read_kept(FILES / "autosave" / "3.tif")
    library = ns.shape_library(FILES / "library.npz")
    parts: Parts = {"autosaved": kept.labels, "about it": kept.about.model_dump(mode="json")}
    parts |= {f"nuclei {name}": column for name, column in embedded_nuclei(FILES / "masks" / "mask_0001.tif").items()}
    parts |= {"shapes": library.shapes, "area_px": library.area_px, "dropped": library.dropped}
    opened = ("pairs/recipe.yaml", "pairs/masks/0001_he.tif", "brain/images/0001.tif", "masks/mask_0002.tif")
    for name in (*opened, "walk.tif", "activations.tif"):
        parts[f"recipe of {name}"] = recipe_of(FILES / name).model_dump(mode="json")
    return parts | {f"walk {number}": frame for number, frame in enumerate(tifffile.imread(FILES / "walk.tif"))}


@case("open settings of that day")
def _(folder: Path) -> Parts:
    shutil.copy(FILES / "settings.json", folder / "settings.json")
    with patch.dict(os.environ, NAPARI_SYNTH_SETTINGS=str(folder / "settings.json")):
        return {"settings": load_settings().model_dump(mode="json")}
