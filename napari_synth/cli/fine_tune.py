"""``napari-synth fine-tune``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from napari_synth.cli.console import err, out, parse_settings, watched
from napari_synth.core.errors import Cancelled


def fine_tune(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="Id or file of a model with styles to start from.")],
    data: Annotated[Path, typer.Argument(metavar="DATA_DIR", help="images/ and masks/, or one such folder per look.")],
    out_file: Annotated[Path, typer.Option("--out", help="The .safetensors file to write.")],
    name: Annotated[str, typer.Option(help="Name of the look, if there is one; else that of the folder.")] = "",
    start_look: Annotated[str, typer.Option(help="Look of MODEL to start from; by default the most similar.")] = "",
    minutes: Annotated[float, typer.Option(min=0.1, help="Time to train.")] = 15.0,
    unlabelled: Annotated[Path | None, typer.Option(metavar="DIR", help="Images without masks that join.")] = None,
    plan: Annotated[bool, typer.Option("--plan", help="Only say what it will take.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with what lies beside --out.")] = False,
    set_: Annotated[list[str], typer.Option("--set", help="One setting, name=value; may be given several times.")] = [],  # noqa: B006
    check: Annotated[bool, typer.Option(help="Look for faults in pairs first, as the command check does.")] = True,
    judge: Annotated[bool, typer.Option(help="Measure in the end whether it helped.")] = True,
    deep: Annotated[bool, typer.Option(help="By KID too, half a minute more (extra evaluate).")] = True,
    checkpoint_minutes: Annotated[float, typer.Option(min=0, help="Minutes between two states to go on from.")] = 0.75,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same model.")] = 1,
    device: Annotated[str, typer.Option(help="auto, cuda, mps or cpu.")] = "auto",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a model of the same name.")] = False,
) -> None:
    """Teach a model the look of your own images from 3 to 10 pairs. Ctrl+C keeps what there is."""
    from napari_synth.evaluation.fine_tuning import FineTuneRequest
    from napari_synth.evaluation.fine_tuning import fine_tune as run

    request = FineTuneRequest(
        model=model, data=data, out=out_file, look=name, start_look=start_look, minutes=minutes,
        settings=parse_settings(set_), unlabelled=unlabelled, resume=resume, check=check, judge=judge, deep=deep,
        checkpoint_minutes=checkpoint_minutes, seed=seed, device=device, overwrite=overwrite,
    )  # fmt: skip
    if plan:
        _say_plan(request)
        return

    def say(event: str, values: dict[str, Any]) -> None:
        if event == "checked":
            for sentence in values["serious"]:
                err.print(sentence)
            if values["serious"]:
                err.print(f"For a copy with the cures: napari-synth check {data} --repair COPY")
        elif event == "plan":
            err.print("\n".join([*values["remarks"], values["sentence"]]))
        elif event in ("paused", "going on", "judging"):
            err.print({"judging": "Measuring how real it looks."}.get(event, event.capitalize() + "."))

    with watched("Fine-tuning") as (on_progress, cancel):
        result = run(request, on_progress, cancel, say)
    out.print(f"{result.path} after {result.steps} steps.\n{result.sentence}")
    if result.sheet is not None:
        out.print(f"Mask, real image, before, now: {result.sheet}")
    if result.stopped:
        raise Cancelled(
            f"Fine-tuning was stopped at step {result.steps}; the model so far is kept.",
            "Go on with the same command and --resume.",
        )


def _say_plan(request: Any) -> None:
    from napari_synth.training.fine_tune.plan import make_plan

    plan = make_plan(request)
    out.print("\n".join([*plan.remarks, plan.sentence]))
