"""Measure the samplers on held-out shapes, and fitted fields on held-out masks; print both tables.

python docs/scripts/measure_samplers.py MODEL SHAPES_DIR [MASKS_DIR ...]
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from napari_synth.api import load_shapes
from napari_synth.core.recipe import FieldSettings
from napari_synth.core.seeds import numpy_rng
from napari_synth.datasets.image_files import read_labels
from napari_synth.datasets.shape_library import joined, mask_files, training_shapes
from napari_synth.evaluation.shapes import SamplerFigures, figures_of, sampler_figures
from napari_synth.masks.field import compose_field
from napari_synth.masks.manifold import LatentMetric, run_chains
from napari_synth.masks.shape_codes import Latents
from napari_synth.masks.shape_model import ShapeModel
from napari_synth.masks.statistics import compare, fit, measure, settings_with

COUNT = 600
VARIANTS = [("library", 1.0), ("jitter", 0.7), ("jitter", 1.5), ("jitter", 3.0), ("knn", 0.7), ("knn", 1.0)]
VARIANTS += [("manifold", 1.0), ("prior", 0.5), ("prior", 0.7), ("prior", 1.0)]
CHAINS = (5, 10, 25, 100)


def row(name: str, f: SamplerFigures) -> None:
    """Print a line of the table."""
    numbers = (f.area, f.eccentricity, f.solidity, f.mean)
    print(f"| {name} | {f.diversity:.2f} | {f.nearest:.3f} | {f.softness:.3f} |", *(f"{n:.2f} |" for n in numbers))


def samplers(model: ShapeModel, real: np.ndarray) -> None:
    """The samplers beside held-out shapes, and the manifold sampler at several chain lengths."""
    latents = model.latents()
    head = "| sampler, spread | diversity | nearest library shape | undecided pixels | KS area | KS eccentricity"
    print(head + " | KS solidity | mean KS |\n|---|---|---|---|---|---|---|---|")
    row("held-out shapes themselves", figures_of(real[::2].astype(np.float32), latents.shapes, real[1::2]))
    again = model.decode(model.encode(real[::2]))
    row("held-out shapes, reconstructed", figures_of(again, latents.shapes, real[1::2]))
    for name, spread in VARIANTS:
        figures = sampler_figures(name, spread, model, latents, real, COUNT, numpy_rng(1, "measure", name))
        row(f"{name}, {spread:g}", figures)
    chains(model, latents, real)


def chains(model: ShapeModel, latents: Latents, real: np.ndarray) -> None:
    """Diversity and sharpness of the manifold sampler against the length of its chains."""
    print("\n| HMC steps | acceptance | diversity | undecided pixels | mean KS |\n|---|---|---|---|---|")
    start = latents.codes[latents.centres[numpy_rng(1, "start").integers(len(latents.centres), size=COUNT)]]
    density = LatentMetric.of(latents).log_volume
    for steps in CHAINS:
        ended = run_chains(density, start, steps, numpy_rng(1, "chains", steps))
        f = figures_of(model.decode(ended.z), latents.shapes, real)
        print(f"| {steps} | {ended.acceptance:.2f} | {f.diversity:.2f} | {f.softness:.3f} | {f.mean:.2f} |")


def fields(model: ShapeModel, folders: list[Path]) -> None:
    """Fields fitted on every other mask of a folder, beside the masks that were left out."""
    names = ("count", "area", "eccentricity", "nearest neighbour")
    distances = " | ".join(f"KS {name}" for name in names)
    print(f"\n| masks | held out | spacing | {distances} | to one side | found no place |")
    print("|" + "---|" * 9)
    for folder in folders:
        masks = [(path.name, read_labels(path)) for path in mask_files(folder)]
        settings = fit(measure(masks[::2]), FieldSettings(), model)
        composed, left_out, wanted = [], 0, 0
        for number, (name, mask) in enumerate(masks[1::2]):
            height, width = mask.shape
            field = compose_field(settings_with(settings, height=height, width=width), model, number)
            composed.append((name, field.labels))
            left_out, wanted = left_out + field.left_out, wanted + field.wanted
        held_out = measure(masks[1::2])
        for title, other in (("other real masks", measure(masks[::2])), (settings.spacing, measure(composed))):
            distance = compare(held_out, other)
            placed = f"{left_out} of {wanted}" if title == settings.spacing else ""
            shown = " | ".join(f"{distance[name]:.2f}" for name in names)
            print(f"| {folder.name} | {len(masks[1::2])} | {title} | {shown} | {other.one_sided:.1f} | {placed} |")


def main(model: str, data: str, *folders: str) -> None:
    """Print the tables."""
    shapes = load_shapes(model, "cpu")
    held_out = joined([part for _, _, part in training_shapes(Path(data))])
    samplers(shapes, held_out.shapes[:: max(len(held_out) // COUNT, 1)])
    fields(shapes, [Path(folder) for folder in folders])


if __name__ == "__main__":
    main(*sys.argv[1:])
