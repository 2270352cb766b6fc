"""``napari-synth fit-camera``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from napari_synth.cli.console import check_free, err, out, watched
from napari_synth.core.errors import InputError
from napari_synth.models.defaults import DEFAULT_GENERATOR

if TYPE_CHECKING:
    from napari_synth.evaluation.microscope import FittedCamera


def fit_camera(
    images: Annotated[
        Path, typer.Argument(metavar="IMAGES", help="Folder of images of your microscope, or one image.")
    ],
    out_file: Annotated[Path, typer.Option("--out", help="The .yaml file to write.")],
    model: Annotated[str, typer.Option(help="Model id or file.")] = DEFAULT_GENERATOR,
    option: Annotated[
        str | None, typer.Option(help="Look; the first that is grey or in colour as the images are if not given.")
    ] = None,
    style: Annotated[int | None, typer.Option(min=0, help="Number of a style; drawn by the seed if not given.")] = None,
    masks: Annotated[
        Path | None, typer.Option(help="Masks of such images: number and size of nuclei are not fitted then.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same camera.")] = 1,
    device: Annotated[str, typer.Option(help="auto, cuda, mps or cpu.")] = "auto",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a file of the same name.")] = False,
) -> None:
    """Fit blur, noise, background and exposure, and number and size of nuclei, to images without labels.

    Then: synthesize MASK --camera FILE, or export RECIPE --camera FILE.
    """
    from napari_synth.evaluation.microscope.ask import fit_camera as fit

    if out_file.suffix.lower() not in (".yaml", ".yml"):
        raise InputError(f"The output {out_file} is no .yaml file.", "Let its name end in .yaml.")
    check_free([out_file], overwrite, "name")
    with watched("Fitting") as (on_progress, cancel):
        found = fit(
            images,
            model,
            option,
            style=style,
            masks=() if masks is None else masks,
            seed=seed,
            device=device,
            on_progress=on_progress,
            cancel=cancel,
        )
    found.save(out_file)
    for remark in found.remarks:
        err.print(f"Note: {remark}")
    _tell(found)
    out.print(f"{out_file}: use it with --camera {out_file}")


def _tell(found: FittedCamera) -> None:
    from rich.table import Table

    from napari_synth.core.recipe import CameraSettings

    table = Table("setting", "fitted", "")
    for name in found.fitted:
        field = CameraSettings.model_fields[name]
        table.add_row(name, f"{getattr(found.camera, name):.3g}", (field.description or "").split("\n")[0])
    if found.field is not None:
        for name in ("count_mean", "count_sd", "area_mean", "area_sd"):
            description = type(found.field).model_fields[name].description or ""
            table.add_row(f"field {name}", f"{getattr(found.field, name):.4g}", description)
    out.print(table)
    for one in found.agreement:
        out.print(f"{one.title}: {one.before:.1f} without the camera, {one.after:.1f} with it (alike: under 3)")
