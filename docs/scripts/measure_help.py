"""Do the bundled looks help a segmenter? Prints the table of docs/quality.md.

python docs/scripts/measure_help.py prepare DATA WORK SET    # real pairs sorted, 200 synthetic ones made
python docs/scripts/measure_help.py run WORK SET IMAGES      # IMAGES real images to train on; 0: all
python docs/scripts/measure_help.py table WORK

SET is he, purple, fluorescence or axons. DATA holds nuclei/SET/images and masks (with nuclei/dataset.yaml) and
axons_two_photon/images and masks. Tested on is what the generators were not trained on. Of H&E and axons that are
four images: they are cut into quarters, so nothing is said about other patients or animals. A run that was
stopped goes on; each of the twelve is a process of its own.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import imageio.v3 as iio
import numpy as np
import tifffile
import typer
import yaml

import napari_synth as ns
from napari_synth.core.seeds import derived_seed
from napari_synth.datasets.axons import AxonSettings, axon_mask
from napari_synth.datasets.image_files import open_mask
from napari_synth.datasets.pairs import Pair, find_pairs, is_held_out
from napari_synth.evaluation.usefulness import HelpRequest, does_it_help
from napari_synth.evaluation.usefulness.roles import hold_out_rule
from napari_synth.synthesis.recipes import load_generator

SETS = ("he", "purple", "fluorescence", "axons")
IMAGES = (3, 10, 0)
QUARTERED = ("he", "axons")
AXON_RULE = "field1[3-6]"
"""What `capspix2pix-axons` was not trained on."""
SYNTHETIC = 200
SIDE = 256

app = typer.Typer(add_completion=False)
Device = Annotated[str, typer.Option()]


def source(data: Path, name: str) -> tuple[list[Pair], str]:
    """The pairs of a set and its hold-out rule."""
    if name == "axons":
        folder = data / "axons_two_photon"
        return [pair for pair in find_pairs(folder) if pair.stem.startswith("field")], AXON_RULE
    folder = data / "nuclei" / name
    return find_pairs(folder), hold_out_rule(folder)


def quarters(array: np.ndarray) -> Iterator[np.ndarray]:
    """The four of an image."""
    height, width = (side // 2 for side in array.shape[:2])
    for y in (0, height):
        for x in (0, width):
            yield array[y : y + height, x : x + width]


def write_pair(folder: Path, stem: str, image: np.ndarray, labels: np.ndarray) -> None:
    """An image and its labels as TIFF."""
    for kind, array in (("images", image), ("masks", labels.astype(np.uint16))):
        (folder / kind).mkdir(parents=True, exist_ok=True)
        tifffile.imwrite(folder / kind / f"{stem}.tif", array, compression="zlib")


@app.command()
def prepare(
    data: Path, work: Path, name: str, device: Device = "auto", count: Annotated[int, typer.Option()] = SYNTHETIC
) -> None:
    """Sort the real pairs and make synthetic ones."""
    real, made = work / name / "real", work / name / "synthetic"
    pairs, rule = source(data, name)
    groups, masks = [], []
    for index, pair in enumerate(pairs):
        image, labels = iio.imread(pair.image), open_mask(pair.mask, repair=True).pixels
        test = is_held_out(index, pair.stem, rule)
        parts = list(zip(quarters(image), quarters(labels), strict=True)) if test and name in QUARTERED else []
        for number, (piece, mask) in enumerate(parts or [(image, labels)]):
            stem = f"{'test' if test else 'train'}_{pair.stem}" + (f"_q{number}" if parts else "")
            write_pair(real, stem, piece, mask)
            patient = f"patient {pair.stem[:2]}" if name == "he" and not test else stem
            groups.append((stem, patient))
        if not test:
            masks.append(labels)
    if len(masks) == len(pairs):
        raise typer.BadParameter(f"No file of {name} is held out by {rule or 'nuclei/dataset.yaml'}.")
    (real / "dataset.yaml").write_text(yaml.safe_dump({"options": [{"name": name, "hold_out": "test_*"}]}))
    with (work / name / "groups.csv").open("w", newline="") as file:
        csv.writer(file).writerows(groups)
    for number, (labels, image) in enumerate(synthetic(name, masks, count, device)):
        write_pair(made, f"{number:03d}", image, labels)
    print(name, len(groups), "real,", count, "synthetic pairs", flush=True)


def synthetic(name: str, masks: list[np.ndarray], count: int, device: str) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Labels composed like the training masks, and their images."""
    if name == "axons":
        generator, option = load_generator("capspix2pix-axons", device), {}
        settings = AxonSettings(height=SIDE, width=SIDE)
        for number in range(count):
            labels = axon_mask(settings, number)
            image = generator.render(labels, seed=number).image
            yield (labels > 0).astype(np.int32), image if image.ndim == 2 else image.mean(-1).round().astype(np.uint8)
        return
    generator, option = load_generator("optional-pix2pix-nuclei", device), {"option": name}
    settings = ns.field_settings(ns.fit_field(masks), height=SIDE, width=SIDE)
    for number, (_, field) in enumerate(ns.compose_masks(settings, count)):
        yield field.labels, generator.render(field.labels, **option, seed=derived_seed(number, name)).image


@app.command()
def run(
    work: Path,
    name: str,
    images: int,
    device: Device = "auto",
    budget: Annotated[str, typer.Option()] = "standard",
    repeats: Annotated[int, typer.Option()] = 0,
    steps: Annotated[int, typer.Option()] = 0,
    crop: Annotated[int, typer.Option()] = 0,
    width: Annotated[int, typer.Option()] = 0,
) -> None:
    """Train and score; prints the verdict. Steps, crop and width other than the budget's are for slow machines."""
    folder = work / name
    request = HelpRequest(
        folder / "real",
        folder / "synthetic",
        folder / f"report-{images}",
        groups=str(folder / "groups.csv"),
        arms=("real", "synthetic", "joint"),
        budget=budget,
        repeats=repeats,
        steps=steps,
        crop=crop,
        width=width,
        images=images,
        device=device,
    )
    report = does_it_help(request, on_report=lambda report: report.save())
    print(f"{name}, {report.counts['train']} images: {report.sentence}", flush=True)


@app.command()
def table(work: Path) -> None:
    """Print the table in Markdown."""
    print(
        "| look | real images | real alone | synthetic alone | both (joint) | joint - real [95 %] | synthetic pairs |"
    )
    print("|---|---|---|---|---|---|---|")
    for name in SETS:
        for images in IMAGES:
            path = work / name / f"report-{images}" / "verdict.yaml"
            if path.is_file():
                print(row(name, yaml.safe_load(path.read_text(encoding="utf-8"))))


def row(name: str, found: dict) -> str:
    """A line of the table."""
    first = next((one for one in found["comparisons"] if one["arm"] == "joint"), None)
    if first is None:
        return f"| {name} | {found['images']['train']} | unfinished | | | | |"
    metric = {"ap50": "AP@0.5", "dice": "Dice"}[first["metric"]]
    means = [f"{found['arms'][arm][first['metric']]:.3f}" for arm in ("real", "synthetic", "joint")]
    low, high = first["interval"]
    said = {
        "helps": "help",
        "hurts": "hurt",
        "unclear": f"no difference seen (could have seen {first['could_have_seen']:.3f})",
    }
    difference = f"{first['difference']:+.3f} [{low:+.3f}, {high:+.3f}]"
    return (
        f"| {name} ({metric}) | {found['images']['train']} | {' | '.join(means)} | {difference} "
        f"| {said[first['verdict']]} |"
    )


if __name__ == "__main__":
    sys.exit(app())
