"""``napari-synth train``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from napari_synth.cli.console import out, parse_settings, watched
from napari_synth.core.errors import Cancelled


def train(
    architecture: Annotated[str, typer.Argument(metavar="ARCH", help="optional-pix2pix, pix2pix, dvae or unet.")],
    data: Annotated[
        Path,
        typer.Argument(
            metavar="DATA_DIR", help="images/ and masks/, or one such folder per option; for dvae shape files (.npz)."
        ),
    ],
    out_file: Annotated[Path, typer.Option("--out", help="The .safetensors file to write.")],
    steps: Annotated[int | None, typer.Option(min=1, help="Optimisation steps.")] = None,
    preset: Annotated[str, typer.Option(help="fast or paper.")] = "fast",
    set_: Annotated[list[str], typer.Option("--set", help="One setting, name=value; may be given several times.")] = [],  # noqa: B006
    resume: Annotated[Path | None, typer.Option(help="The .ckpt file of an interrupted run.")] = None,
    init: Annotated[str | None, typer.Option(help="A model id or file to start from, for fine-tuning.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same model.")] = 1,
    device: Annotated[str, typer.Option(help="auto, cuda, mps or cpu.")] = "auto",
    devices: Annotated[int, typer.Option(min=1, help="Number of devices.")] = 1,
    precision: Annotated[str, typer.Option(help="32-true, bf16-mixed or 16-mixed.")] = "32-true",
    checkpoint_minutes: Annotated[float, typer.Option(min=0, help="Minutes between checkpoints.")] = 3.0,
) -> None:
    """Train a model on your own pairs. Ctrl+C keeps the weights and can be resumed."""
    from napari_synth.training.loop import TrainRequest
    from napari_synth.training.loop import train as run

    settings = parse_settings(set_) | ({"steps": steps} if steps else {})
    request = TrainRequest(
        architecture=architecture, data=data, out=out_file, preset=preset, settings=settings, resume=resume,
        init=init,
        seed=seed, device=device, devices=devices, precision=precision, checkpoint_minutes=checkpoint_minutes,
    )  # fmt: skip
    with watched("Training") as (on_progress, cancel):
        result = run(request, on_progress, cancel)
    losses = "  ".join(f"{name} {value:.3g}" for name, value in result.losses.items())
    out.print(f"{result.path} after {result.steps} steps  {losses}\nPreview: {result.preview_path}")
    if cancel.cancelled:
        raise Cancelled(
            f"Training was stopped at step {result.steps}; the model so far is kept.",
            f"Go on with: --resume {result.resume_path}",
        )
