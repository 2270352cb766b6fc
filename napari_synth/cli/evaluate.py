"""``napari-synth evaluate``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from napari_synth.cli.console import out, watched
from napari_synth.cli.door import with_paths
from napari_synth.core.errors import Cancelled

app = typer.Typer(
    help="Is it helping? Realism of synthetic images, their use for a segmenter, faults of pairs.",
    rich_markup_mode=None,
    no_args_is_help=True,
)
Real = Annotated[Path, typer.Option("--real", metavar="DIR", help="Real pairs: images/ and masks/.")]
Synthetic = Annotated[Path, typer.Option("--synthetic", metavar="DIR", help="Synthetic pairs: images/ and masks/.")]
SomeSynthetic = Annotated[
    Path | None, typer.Option("--synthetic", metavar="DIR", help="Synthetic pairs: images/ and masks/.")
]
Out = Annotated[Path, typer.Option("--out", metavar="REPORT", help="Folder for report.html and tables.")]
Groups = Annotated[
    str,
    typer.Option(
        help="What belongs together (slide, patient, plate, day): a pattern in the file names, such as ^[^_]+, or a "
        "CSV file of name and group. Each file alone if not given."
    ),
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace another report.")]


def realism(
    real: Real,
    out_dir: Out,
    synthetic: SomeSynthetic = None,
    model: Annotated[
        str,
        typer.Option(
            help="A generator, by id or file, instead of --synthetic: it renders the masks of one half of the real "
            "images, which are compared with the other half."
        ),
    ] = "",
    option: Annotated[str, typer.Option(help="Its look; that of the folder's name, else the first.")] = "",
    groups: Groups = "",
    deep: Annotated[
        bool, typer.Option("--deep", help="KID with ImageNet features (extra evaluate) and a trained classifier too.")
    ] = False,
    segmentor: Annotated[str, typer.Option(help="A segmenter trained on real images, for mask agreement.")] = "",
    seed: Annotated[int, typer.Option(min=0)] = 1,
    device: Annotated[str, typer.Option(help="auto, cuda, mps or cpu.")] = "auto",
    overwrite: Overwrite = False,
) -> None:
    """Compare how synthetic and real images look: what differs, in words, beside how much real images differ."""
    from napari_synth.evaluation.questions import evaluate_realism

    with watched("Comparing") as (on_progress, cancel):
        report = evaluate_realism(
            real,
            synthetic,
            out_dir,
            model=model,
            option=option,
            groups=groups,
            deep=deep,
            segmentor=segmentor,
            seed=seed,
            device=device,
            overwrite=overwrite,
            on_progress=on_progress,
            cancel=cancel,
        )
    out.print(report.text)
    out.print(f"The report is {report.folder / 'report.html'}")


def help_(
    real: Real,
    synthetic: Synthetic,
    out_dir: Out,
    groups: Groups = "",
    arms: Annotated[str, typer.Option(help="Compared, such as real,synthetic,joint. As the budget says.")] = "",
    endpoint: Annotated[str, typer.Option(help="The arm whose difference to real is the question.")] = "joint",
    metric: Annotated[str, typer.Option(help="ap50, dice or another figure. ap50 where masks part objects.")] = "",
    budget: Annotated[str, typer.Option(help="quick, standard or paper.")] = "quick",
    repeats: Annotated[int, typer.Option(min=0, help="Trainings of each arm; 0: as the budget says.")] = 0,
    steps: Annotated[int, typer.Option(min=0, help="Updates of each training; 0: as the budget says.")] = 0,
    images: Annotated[int, typer.Option(min=0, help="Real images to train on; 0: all.")] = 0,
    seed: Annotated[int, typer.Option(min=0)] = 1,
    device: Annotated[str, typer.Option(help="auto, cuda, mps or cpu.")] = "auto",
    predictions: Annotated[bool, typer.Option("--predictions", help="Write predicted labels of test images.")] = False,
    overwrite: Overwrite = False,
) -> None:
    """Train segmenters on real, synthetic and both kinds of pairs, and score them on real images they never saw.

    A run that was stopped goes on when started again.
    """
    from napari_synth.evaluation.questions import does_it_help
    from napari_synth.evaluation.usefulness import time_left

    with watched("Training") as (on_progress, cancel):
        report = does_it_help(
            real,
            synthetic,
            out_dir,
            groups=groups,
            arms=tuple(filter(None, arms.split(","))),
            endpoint=endpoint,
            metric=metric,
            budget=budget,
            repeats=repeats,
            steps=steps,
            images=images,
            seed=seed,
            device=device,
            predictions=predictions,
            overwrite=overwrite,
            on_progress=lambda p: on_progress(replace(p, message=f"{p.message} {time_left(p)}")),
            cancel=cancel,
        )
    out.print(report.text)
    if not report.complete:
        raise Cancelled(
            f"The comparison was stopped after {report.finished} of {report.planned} trainings.",
            "Start the same command again to go on.",
        )
    out.print(f"The report is {report.folder / 'report.html'}")


def pairs(
    real: Real,
    synthetic: Synthetic,
    out_dir: Out,
    groups: Groups = "",
    steps: Annotated[int, typer.Option(min=0, help="Updates of the segmenter; 0: 300.")] = 0,
    seed: Annotated[int, typer.Option(min=0)] = 1,
    device: Annotated[str, typer.Option(help="auto, cuda, mps or cpu.")] = "auto",
    overwrite: Overwrite = False,
) -> None:
    """Look at every synthetic pair with a segmenter trained on real ones: shifts, missing labels, missing nuclei."""
    from napari_synth.evaluation.pair_report import second_look

    with watched("Looking") as (on_progress, cancel):
        report = second_look(
            real,
            synthetic,
            out_dir,
            groups=groups,
            steps=steps,
            seed=seed,
            device=device,
            overwrite=overwrite,
            on_progress=on_progress,
            cancel=cancel,
        )
    out.print(report.text)
    out.print(f"The report is {report.folder / 'report.html'}")


app.command("realism")(with_paths(realism))
app.command("pairs")(with_paths(pairs))
app.command("help")(with_paths(help_))
