"""``napari-synth masks`` and ``napari-synth library``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from napari_synth.cli.console import check_free, out, watched, were_there
from napari_synth.core.errors import InputError
from napari_synth.core.progress import Progress
from napari_synth.core.recipe import DEFAULT_SHAPES, FieldSettings
from napari_synth.datasets.shape_library import MIN_BOX
from napari_synth.masks.presets import PRESETS
from napari_synth.masks.presets import preset as named_preset
from napari_synth.masks.samplers import SAMPLERS
from napari_synth.masks.spacing import SPACINGS
from napari_synth.models.defaults import DEFAULT_GENERATOR

if TYPE_CHECKING:
    from napari_synth.core.recipe import FieldSource, RecombinedSource
    from napari_synth.masks.statistics import FieldStatistics

DEFAULTS = FieldSettings()
MOST = 1_000_000
"""Masks of one set."""


def _given(help: str, **limits: Any) -> Any:
    """An option that changes nothing unless it is given."""
    return typer.Option(help=help, show_default=False, **limits)


def masks(
    out_dir: Annotated[Path, typer.Option("--out", help="Folder for the masks.")],
    n: Annotated[int, typer.Option(min=1, max=MOST, help="Number of masks.")] = 1,
    size: Annotated[str, typer.Option(help="Side in pixels, or WIDTHxHEIGHT.")] = "256",
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same masks.")] = 1,
    preset: Annotated[str | None, _given(f"Named settings to start from: {PRESETS.choices}.")] = None,
    fit_from: Annotated[
        Path | None, _given("Folder of real masks whose number, size, shape and distances are followed.")
    ] = None,
    nuclei: Annotated[
        float | None, _given(f"Mean number of nuclei per 256×256 pixels. [{DEFAULTS.count_mean:g}]", min=0, max=5000)
    ] = None,
    nuclei_sd: Annotated[
        float | None, _given(f"Its standard deviation. [{DEFAULTS.count_sd:g}]", min=0, max=5000)
    ] = None,
    count_law: Annotated[str | None, _given("normal, poisson or fixed. [normal]")] = None,
    area: Annotated[
        float | None, _given(f"Mean area of a nucleus in square pixels. [{DEFAULTS.area_mean:g}]", min=1)
    ] = None,
    area_sd: Annotated[float | None, _given(f"Its standard deviation. [{DEFAULTS.area_sd:g}]", min=0)] = None,
    orientation: Annotated[str | None, _given("uniform, preferred or none. [uniform]")] = None,
    angle: Annotated[
        float | None, _given("Preferred direction of the long axis in degrees; implies preferred.")
    ] = None,
    angle_sd: Annotated[
        float | None, _given(f"Its standard deviation. [{DEFAULTS.angle_sd:g}]", min=0, max=360)
    ] = None,
    spacing: Annotated[str | None, _given(f"{SPACINGS.choices}. [{DEFAULTS.spacing}]")] = None,
    touching: Annotated[bool | None, _given("--no-touching is short for --spacing apart.")] = None,
    touching_fraction: Annotated[
        float | None, _given(f"Share that touches another one. [{DEFAULTS.touching_fraction:g}]", min=0, max=1)
    ] = None,
    gap: Annotated[int | None, _given(f"Free pixels between nuclei for apart. [{DEFAULTS.gap}]", min=1)] = None,
    cluster_size: Annotated[float | None, _given(f"Nuclei in a cluster. [{DEFAULTS.cluster_size:g}]", min=1)] = None,
    cluster_radius: Annotated[
        float | None, _given(f"Its radius in pixels. [{DEFAULTS.cluster_radius:g}]", min=0.1)
    ] = None,
    density: Annotated[Path | None, _given("Image of the size of the masks: the brighter, the more nuclei.")] = None,
    sampler: Annotated[str | None, _given(f"How shapes are drawn: {SAMPLERS.choices}. [{DEFAULTS.sampler}]")] = None,
    spread: Annotated[
        float | None, _given(f"How far shapes go from known ones. [{DEFAULTS.spread:g}]", min=0, max=3)
    ] = None,
    library: Annotated[
        Path | None, _given("Real shapes: a library file or a folder of masks. [that of the shape model]")
    ] = None,
    shapes: Annotated[str | None, _given(f"Shape model: id or file. [{DEFAULT_SHAPES}]")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace masks of the same name.")] = False,
) -> None:
    """Compose masks of nuclei: OUT/mask_0001.tif (uint16 labels) and OUT/recipe.yaml to export pairs from.

    A stopped set goes on when started again.
    """
    from napari_synth import api
    from napari_synth.datasets.image_files import read_labels
    from napari_synth.exporting.formats.tiff import embedded_nuclei
    from napari_synth.exporting.mask_sets import MadeMask, write_mask_set
    from napari_synth.masks.field import compose_field, field_sources
    from napari_synth.masks.statistics import measure
    from napari_synth.synthesis.recipes import masks_recipe

    width, height = parse_size(size)
    given = {
        "count_mean": nuclei, "count_sd": nuclei_sd, "count_law": count_law, "area_mean": area, "area_sd": area_sd,
        "orientation": orientation, "angle": angle, "angle_sd": angle_sd, "spacing": spacing, "touching": touching,
        "touching_fraction": touching_fraction, "gap": gap, "cluster_size": cluster_size,
        "cluster_radius": cluster_radius, "sampler": sampler, "spread": spread, "shapes": shapes,
        "library": str(library.resolve()) if library else None,
        "density": str(density.resolve()) if density else None,
    }  # fmt: skip
    given = {name: value for name, value in given.items() if value is not None}
    if angle is not None and orientation is None:
        given["orientation"] = "preferred"
    if area is not None or area_sd is not None:
        given["area_law"] = "normal"
    if (nuclei is not None or nuclei_sd is not None) and count_law is None and fit_from:
        given["count_law"] = "normal"
    start = named_preset(preset, height, width) if preset is not None else FieldSettings(height=height, width=width)
    settings = api.field_settings(start, **given)
    left_out, real = [0], None
    with watched("Composing masks") as (on_progress, cancel):
        if fit_from is not None:
            on_progress(Progress(0, n, "Measuring the real masks"))
            real = api.measure_masks(fit_from)
            settings = api.field_settings(api.fit_field(real, settings, cancel=cancel), **given)
        model = api.load_shapes(settings.shapes)

        def compose(source: FieldSource | RecombinedSource) -> MadeMask:
            field = compose_field(settings, model, source.seed)
            left_out[0] += field.left_out
            return MadeMask(field.labels, field.features)

        plan = masks_recipe(DEFAULT_GENERATOR, list(field_sources(settings, n, seed)), seed=seed)
        made = write_mask_set(out_dir, plan, compose, overwrite=overwrite, on_progress=on_progress, cancel=cancel)
    placed = sum(len(embedded_nuclei(path).get("index", ())) for path in made.paths)
    out.print(f"{n} masks with {placed} nuclei in {out_dir}{were_there(made.kept)}")
    if left_out[0]:
        out.print(f"{left_out[0]} more nuclei found no place: ask for fewer, smaller or closer ones.")
    if real is not None and placed:
        composed = measure((path.name, read_labels(path)) for path in made.paths)
        out.print(f"Spacing: {_described(settings)}")
        _print_comparison(real, composed)
    if preset in PRESETS and settings.count_scaling == "length":
        out.print("The number of nuclei grows with the side of the mask here, not with its area.")


def library(
    masks_dir: Annotated[Path, typer.Argument(metavar="MASKS_DIR", help="Folder of masks, or of images/ and masks/.")],
    out_file: Annotated[Path, typer.Option("--out", help="The .npz file to write.")],
    min_box: Annotated[int, typer.Option(min=1, help="Smallest bounding box in square pixels.")] = MIN_BOX,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a file of the same name.")] = False,
) -> None:
    """Cut single nuclei out of masks into a shape library for: masks --library FILE, train dvae FILE."""
    from napari_synth.datasets.shape_library import library_from_folder

    if out_file.suffix != ".npz":
        raise InputError(f"The output {out_file} is not an .npz file.", "Let its name end in .npz.")
    check_free([out_file], overwrite, "name")
    made = library_from_folder(masks_dir, min_box)
    made.save(out_file)
    out.print(f"{out_file}: {made.summary}")


def _described(settings: FieldSettings) -> str:
    if settings.spacing == "touching":
        return f"touching, {100 * settings.touching_fraction:.0f} % of the nuclei"
    if settings.spacing == "clusters":
        return f"clusters of about {settings.cluster_size:g} within {settings.cluster_radius:g} pixels"
    return settings.spacing


def _print_comparison(real: FieldStatistics, composed: FieldStatistics) -> None:
    """Statistics side by side, with Kolmogorov-Smirnov distances."""
    from rich.table import Table

    from napari_synth.masks.statistics import side_by_side

    table = Table("", "real", "composed", "KS distance")
    for line in side_by_side(real, composed):
        table.add_row(line.name, line.real, line.composed or "–", line.distance)
    out.print(table)


def parse_size(size: str) -> tuple[int, int]:
    """``"256"`` or ``"320x256"`` as (width, height)."""
    parts = size.lower().split("x")
    if len(parts) > 2 or not all(part.isdecimal() and len(part) < 9 for part in parts):
        raise InputError(f"The size {size!r} is not understood.", "Write 256, or 320x256 for width and height.")
    width, height = int(parts[0]), int(parts[-1])
    if not all(16 <= side <= 8192 for side in (width, height)):
        raise InputError(f"The size {size} is out of range.", "Use 16 to 8192 pixels.")
    return width, height
