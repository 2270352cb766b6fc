"""Of the Python surface what ends in a measurement: `does_it_help`, `evaluate_realism` and `fine_tune`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_synth.core import arguments
from napari_synth.core.progress import CancelToken, OnProgress, ignore_progress

if TYPE_CHECKING:
    from napari_synth.evaluation.fine_tuning import FineTuneResult
    from napari_synth.evaluation.realism import RealismReport
    from napari_synth.evaluation.usefulness import HelpReport


def does_it_help(
    real: str | Path,
    synthetic: str | Path,
    out: str | Path,
    *,
    groups: str | Path = "",
    arms: Sequence[str] = (),
    endpoint: str = "joint",
    metric: str = "",
    budget: str = "quick",
    repeats: int = 0,
    steps: int = 0,
    images: int = 0,
    seed: int = 1,
    device: str = "auto",
    predictions: bool = False,
    overwrite: bool = False,
    on_progress: OnProgress = ignore_progress,
    cancel: CancelToken | None = None,
) -> HelpReport:
    """Whether synthetic pairs make a segmenter better on real images it never saw; it may say no.

    See `evaluation.usefulness.HelpRequest` for all of this. A call with the same ``out`` goes on where an
    earlier one was stopped.

    >>> report = ns.does_it_help("my-pairs", "synthetic", "report")
    >>> print(report.sentence)
    """
    from napari_synth.evaluation.usefulness import HelpRequest
    from napari_synth.evaluation.usefulness import does_it_help as run

    request = HelpRequest(
        arguments.place(real, "real"),
        arguments.place(synthetic, "synthetic"),
        arguments.place(out, "out"),
        groups=str(groups),
        arms=arguments.texts(arms, "arms"),
        endpoint=arguments.text(endpoint, "endpoint"),
        metric=arguments.text(metric, "metric"),
        budget=arguments.text(budget, "budget"),
        repeats=arguments.whole_number(repeats, "repeats"),
        steps=arguments.whole_number(steps, "steps"),
        images=arguments.whole_number(images, "images"),
        seed=arguments.whole_number(seed, "seed"),
        device=arguments.text(device, "device"),
        predictions=predictions,
        overwrite=overwrite,
    )
    return run(request, on_progress, cancel)


def evaluate_realism(
    real: str | Path,
    synthetic: str | Path | None,
    out: str | Path,
    *,
    model: str | Path = "",
    option: str = "",
    groups: str | Path = "",
    deep: bool = False,
    segmentor: str | Path = "",
    seed: int = 1,
    device: str = "auto",
    overwrite: bool = False,
    on_progress: OnProgress = ignore_progress,
    cancel: CancelToken | None = None,
) -> RealismReport:
    """How synthetic images look beside real ones; see `evaluation.realism.RealismRequest` for all of this.

    >>> report = ns.evaluate_realism("my-pairs", "synthetic", "report")
    >>> print(report.sentence)

    With a model instead of a folder, the masks of one half of the real images are rendered and compared with the
    other half.

    >>> report = ns.evaluate_realism("my-pairs", None, "report", model="optional-pix2pix-nuclei", option="he")
    """
    from napari_synth.evaluation.realism import RealismRequest
    from napari_synth.evaluation.realism import evaluate_realism as run

    request = RealismRequest(
        arguments.place(real, "real"),
        None if synthetic is None else arguments.place(synthetic, "synthetic"),
        arguments.place(out, "out"),
        model=str(model),
        option=arguments.text(option, "option"),
        groups=str(groups),
        deep=deep,
        segmentor=str(segmentor),
        seed=arguments.whole_number(seed, "seed"),
        device=arguments.text(device, "device"),
        overwrite=overwrite,
    )
    return run(request, on_progress, cancel)


def fine_tune(
    model: str | Path,
    data: str | Path,
    out: str | Path,
    *,
    look: str = "",
    start_look: str = "",
    minutes: float = 15.0,
    settings: Mapping[str, Any] | None = None,
    unlabelled: str | Path | None = None,
    resume: bool = False,
    check: bool = True,
    judge: bool = True,
    deep: bool = True,
    checkpoint_minutes: float = 0.75,
    seed: int = 1,
    device: str = "auto",
    overwrite: bool = False,
    on_progress: OnProgress = ignore_progress,
    cancel: CancelToken | None = None,
) -> FineTuneResult:
    """Teach a generator with styles the look of a few pairs; see `FineTuneRequest` for all of this.

    The new file holds the new look alone. What it was worth is measured on what was held out, and may be nothing.

    >>> done = ns.fine_tune("optional-pix2pix-nuclei", "my-pairs", "my-look.safetensors", look="my microscope")
    >>> print(done.sentence)
    """
    from napari_synth.evaluation.fine_tuning import FineTuneRequest
    from napari_synth.evaluation.fine_tuning import fine_tune as run

    request = FineTuneRequest(
        str(arguments.place(model, "model")),
        arguments.place(data, "data"),
        arguments.place(out, "out"),
        look=arguments.text(look, "look"),
        start_look=arguments.text(start_look, "start_look"),
        minutes=arguments.finite_number(minutes, "minutes"),
        settings=dict(arguments.table(settings, "settings")),
        unlabelled=None if unlabelled is None else arguments.place(unlabelled, "unlabelled"),
        resume=resume,
        check=check,
        judge=judge,
        deep=deep,
        checkpoint_minutes=arguments.finite_number(checkpoint_minutes, "checkpoint_minutes"),
        seed=arguments.whole_number(seed, "seed"),
        device=arguments.text(device, "device"),
        overwrite=overwrite,
    )
    return run(request, on_progress, cancel)
