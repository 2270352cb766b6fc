"""``napari-synth train``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from napari_synth.cli.console import out, parse_settings, watched
from napari_synth.cli.doctor import say_before_training
from napari_synth.core.errors import Cancelled, InputError
from napari_synth.training.objectives import OBJECTIVES

if TYPE_CHECKING:
    from napari_synth.training.request import TrainRequest


def train(
    architecture: Annotated[str, typer.Argument(metavar="ARCH", help=f"{OBJECTIVES.choices}.")],
    data: Annotated[
        Path,
        typer.Argument(
            metavar="DATA_DIR",
            help="images/ and masks/, or one such folder per option; for dvae shape files (.npz); "
            "for metgan anatomy/, signal/ and labels/.",
        ),
    ],
    out_file: Annotated[Path, typer.Option("--out", help="The .safetensors file to write.")],
    steps: Annotated[int | None, typer.Option(min=1, help="Optimisation steps.")] = None,
    minutes: Annotated[float | None, typer.Option(min=0, help="End after this time; the rates fall along.")] = None,
    preset: Annotated[
        str,
        typer.Option(
            help="fast or paper; for optional-pix2pix, metgan and ising-gan also gpu, for metgan also paper-fast."
        ),
    ] = "fast",
    ablation: Annotated[
        str,
        typer.Option(
            help="To compare with. For metgan: conditional-only, cycle-only, no-segmentor, no-pair, pix2pix, cyclegan; "
            "for ising-gan: vanilla, no_residual, laplacian, tv."
        ),
    ] = "",
    set_: Annotated[list[str], typer.Option("--set", help="One setting, name=value; may be given several times.")] = [],  # noqa: B006
    resume: Annotated[Path | None, typer.Option(help="The .ckpt file of an interrupted run.")] = None,
    init: Annotated[str | None, typer.Option(help="A model id or file to start from, for fine-tuning.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same model.")] = 1,
    device: Annotated[str, typer.Option(help="auto, cuda, mps or cpu.")] = "auto",
    devices: Annotated[int, typer.Option(min=1, help="Number of devices.")] = 1,
    precision: Annotated[
        str, typer.Option(help="32-true, bf16-mixed or 16-mixed; by default what suits model and device.")
    ] = "",
    checkpoint_minutes: Annotated[float, typer.Option(min=0, help="Minutes between checkpoints.")] = 3.0,
    latent_sizes: Annotated[
        str | None, typer.Option(help="For dvae: train one model per size, such as 8,10,15, and print the table.")
    ] = None,
    check: Annotated[bool, typer.Option(help="Look for faults in pairs first, as the command check does.")] = True,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a model of the same name.")] = False,
) -> None:
    """Train a model on your own pairs. Ctrl+C keeps the weights and can be resumed."""
    from napari_synth.training.loop import train as run
    from napari_synth.training.request import TrainRequest

    settings = parse_settings(set_)
    settings |= {name: value for name, value in (("steps", steps), ("minutes", minutes)) if value is not None}
    request = TrainRequest(
        architecture=architecture, data=data, out=out_file, preset=preset, settings=settings, resume=resume,
        init=init, ablation=ablation,
        seed=seed, device=device, devices=devices, precision=precision, checkpoint_minutes=checkpoint_minutes,
        overwrite=overwrite,
    )  # fmt: skip
    if latent_sizes is not None:
        _study(request, _sizes(latent_sizes, architecture))
        return
    if check and resume is None:
        say_before_training(data)
    with watched("Training") as (on_progress, cancel):
        result = run(request, on_progress, cancel)
    losses = "  ".join(f"{name} {value:.3g}" for name, value in result.losses.items())
    for remark in result.remarks:
        out.print(remark)
    out.print(f"{result.path} after {result.steps} steps  {losses}\nPreview: {result.preview_path}")
    if cancel.cancelled:
        raise Cancelled(
            f"Training was stopped at step {result.steps}; the model so far is kept.",
            f"Go on with: --resume {result.resume_path}",
        )


def _sizes(text: str, architecture: str) -> list[int]:
    """``"8,10,15"`` as numbers."""
    if architecture != "dvae":
        raise InputError(f"{architecture} has no latent size to study.", "Give --latent-sizes with dvae only.")
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() and len(part) < 4 and 1 <= int(part) <= 512 for part in parts):
        raise InputError(f"The latent sizes {text!r} are not understood.", "Write for example 8,10,15.")
    return [int(part) for part in parts]


def _study(request: TrainRequest, sizes: list[int]) -> None:
    """Train a shape model per latent size, going on where one was stopped, and print how well each reconstructs."""
    from rich.table import Table

    from napari_synth.api import load_shapes
    from napari_synth.evaluation.shapes import reconstruction
    from napari_synth.training.loop import train as run

    table = Table("latent size", "library", "wrong pixels, training", "wrong pixels, held out", "steps", "parameters")
    for size in sizes:
        out_file = request.out.with_name(f"{request.out.stem}-{size}{request.out.suffix}")
        one = replace(request, out=out_file, settings=request.settings | {"latent_size": size})
        if one.resume_path.exists() and not request.overwrite:
            one = replace(one, resume=one.resume_path)
        with watched(f"Training with latent size {size}") as (on_progress, cancel):
            result = run(one, on_progress, cancel)
        if cancel.cancelled:
            raise Cancelled(
                f"The study was stopped at latent size {size}, step {result.steps}.", "The same command goes on."
            )
        model = load_shapes(out_file, request.device)
        for row in reconstruction(model, request.data):
            shares = (f"{wrong:.2f} ({wrong / 40.96:.2f} %)" for wrong in (row.training, row.held_out))
            table.add_row(str(size), row.name, *shares, str(result.steps), str(model.parameters))
    out.print(table)
