"""How real synthetic images look: the battery, the classifier, the nearest neighbours and the map."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import yaml

from napari_synth.core.devices import resolve_device
from napari_synth.core.errors import InputError
from napari_synth.core.files import holds_other, writing
from napari_synth.core.locks import LOCK_NAME, holding
from napari_synth.core.progress import CancelToken, OnProgress, Stopwatch, ignore_progress
from napari_synth.core.recipe import RECIPE_NAME, versions
from napari_synth.core.untrusted import load_yaml
from napari_synth.evaluation.realism.battery import Line, Samples, battery, line
from napari_synth.evaluation.realism.classifier import classified, differences
from napari_synth.evaluation.realism.distances import DISTANCES, features
from napari_synth.evaluation.realism.features import filled
from napari_synth.evaluation.realism.memory import neighbours
from napari_synth.evaluation.realism.report import MapPoint, RealismReport, spectrum_curves
from napari_synth.evaluation.realism.sets import PATCHES, Patches, Picture, cut, read_both, side_for

Both = tuple[list[Picture], list[Picture], list[str]]
"""Real pictures, synthetic ones, and what was done to compare them."""
PARTS = 3
"""Beside the distances: classifier, nearest neighbours, report."""


@dataclass(frozen=True)
class RealismRequest:
    """A comparison of how images look.

    Attributes
    ----------
    real : Path
        Folder with ``images/`` and ``masks/``.
    synthetic : Path, optional
        Another one; its masks must not be those of the real images.
    out : Path
        Folder of the report.
    model, option : str
        Instead of ``synthetic``: a generator by id or path, and its look. It renders the masks of one half of the
        groups of real images; those of the other half are compared. If ``dataset.yaml`` holds out images, these alone.
    groups : str
        What a group of real images is; see `usefulness.roles.groups_of`.
    deep : bool
        KID with ImageNet features and a trained classifier besides; minutes.
    segmentor : str
        A segmenter trained on real images, by id or path, for mask agreement; empty: none.
    seed : int
    device : str
    overwrite : bool
        Replace another report.
    """

    real: Path
    synthetic: Path | None
    out: Path
    groups: str = ""
    model: str = ""
    option: str = ""
    deep: bool = False
    segmentor: str = ""
    seed: int = 1
    device: str = "auto"
    overwrite: bool = False

    def check(self) -> None:
        """Raise `InputError` unless there is either a folder of synthetic images or a model."""
        if (self.synthetic is None) != bool(self.model):
            raise InputError(
                "A folder of synthetic pairs and a model are both given."
                if self.model
                else "Neither a folder of synthetic pairs nor a model is given.",
                "Give one of the two: --synthetic DIR or --model ID.",
            )


def evaluate_realism(
    request: RealismRequest,
    on_progress: OnProgress = ignore_progress,
    cancel: CancelToken | None = None,
    on_line: Callable[[Line], None] = lambda _: None,
) -> RealismReport:
    """Compare synthetic images with real ones, each number beside what two real halves differ by.

    Parameters
    ----------
    request : RealismRequest
    on_progress, cancel
        Counts parts of the comparison.
    on_line : callable
        Called with each `battery.Line` as it is found.

    Returns
    -------
    RealismReport

    Raises
    ------
    InputError
        For sets that cannot be compared, or a folder that holds something else.
    WorkError
        If the folder is in use or cannot be written.
    """
    request.check()
    cancel = cancel or CancelToken()
    device = resolve_device(request.device)
    total = len(DISTANCES) + PARTS + 2 * request.deep
    watch = Stopwatch(total, on_progress)
    watch.report(0, "rendering masks" if request.model else "reading images")
    read = _begun(request, cancel)
    with holding(request.out / LOCK_NAME, f"The report {request.out}"):
        _prepare(request)
        real, synthetic, remarks = read()
        side = side_for([*real, *synthetic])
        patches = cut(real, side, request.seed), cut(synthetic, side, request.seed)
        if min(map(len, patches)) < PATCHES:
            remarks.append(f"Fewer than {PATCHES} patches on one side: too few for small differences.")
        lines: list[Line] = []
        samples: Samples = {}
        for found in battery(*patches, request.seed, cancel, samples):
            lines.append(found)
            on_line(found)
            watch.report(len(lines), found.title)
        done = len(lines)
        told_from = samples[features]
        told = classified(*told_from, patches[0].groups, patches[1].groups, request.seed, cancel)
        watch.report(done + 1, "classifier")
        near = neighbours(real, synthetic, request.seed, cancel)
        watch.report(done + 2, "nearest neighbours")
        recall = None
        if request.deep:
            from napari_synth.evaluation.realism.deep import KID, imagenet_features, trained_classifier

            deep = imagenet_features(patches[0], cancel), imagenet_features(patches[1], cancel)
            lines.append(line("kid", KID, deep[0], deep[1], patches[0].groups, patches[1].groups, request.seed))
            on_line(lines[-1])
            watch.report(done + 3, KID.title)
            recall = trained_classifier(*patches, request.seed, device, cancel)
            watch.report(done + 4, "trained classifier")
        agreement = _agreement(request, real, synthetic, cancel) if request.segmentor else None
        report = RealismReport(
            request.out,
            lines,
            told,
            differences(*told_from),
            near,
            _map(real, synthetic, patches, told_from),
            spectrum_curves(*patches),
            remarks,
            (len(real), len(synthetic), len(patches[0]), len(patches[1])),
            recall,
            agreement,
        )
        report.save()
        watch.report(total, "report")
    return report


def _begun(request: RealismRequest, cancel: CancelToken) -> Callable[[], Both]:
    """What gives the pictures of both sets, once the folder of the report may be written to."""
    if request.synthetic is not None:
        both = read_both(request.real, request.synthetic, request.groups or None, cancel)
        return lambda: both
    from napari_synth.evaluation.realism.rendered import RENDERED, generator_of, render_masks, two_halves

    halves, folder = two_halves(request.real, request.groups, request.seed), request.out / RENDERED
    generator, option = generator_of(request.model, request.option, request.real, request.device)

    def rendered() -> Both:
        told = render_masks(request.real, halves, generator, option, folder, request.seed, cancel)
        real, synthetic, remarks = read_both(request.real, folder, request.groups or None, cancel, halves.compared)
        return real, synthetic, [told, *remarks]

    return rendered


def _agreement(
    request: RealismRequest, real: list[Picture], synthetic: list[Picture], cancel: CancelToken
) -> tuple[float, float]:
    """Mean Dice of masks and segmentation, of synthetic and of real images."""
    from napari_synth.evaluation.metrics import METRICS
    from napari_synth.evaluation.segmentor import Segmentor
    from napari_synth.models.registry import load_trained

    segmentor = Segmentor(load_trained(request.segmentor, request.device))
    dice, means = METRICS["dice"].function, []
    for pictures in (synthetic, real):
        scores = []
        for picture in pictures:
            cancel.raise_if_cancelled()
            scores.append(dice(picture.labels, segmentor.foreground(picture.pixels)))
        means.append(float(np.mean(scores)))
    return means[0], means[1]


def _map(
    real: list[Picture],
    synthetic: list[Picture],
    patches: tuple[Patches, Patches],
    found: tuple[np.ndarray, np.ndarray],
) -> list[MapPoint]:
    """Images in the two directions in which real ones vary most, from the features of their patches."""
    ours, theirs, _ = filled(*found)
    means = [
        np.stack([table[part.image == number].mean(0) for number in range(len(pictures))])
        for table, part, pictures in ((ours, patches[0], real), (theirs, patches[1], synthetic))
    ]
    centre = means[0].mean(0)
    _, _, axes = np.linalg.svd(means[0] - centre, full_matrices=False)
    axes = axes[:2] * np.sign(axes[:2].sum(1, keepdims=True) + 1e-12)
    points = []
    for name, table, pictures in (("real", means[0], real), ("synthetic", means[1], synthetic)):
        places = (table - centre) @ axes.T
        points += [
            MapPoint(name, picture.path, picture.group, float(x), float(y))
            for picture, (x, y) in zip(pictures, places, strict=True)
        ]
    return points


def _prepare(request: RealismRequest) -> None:
    """Begin the report; another one is not replaced unasked."""
    path = request.out / RECIPE_NAME
    settings = {key: str(value) if isinstance(value, Path) else value for key, value in asdict(request).items()}
    for name in ("out", "device", "overwrite"):
        settings.pop(name)
    plan = {"realism": settings, "versions": versions()}
    if path.is_file():
        old = load_yaml(path.read_text(encoding="utf-8", errors="replace"), str(path), "Choose another folder.")
        same = isinstance(old, dict) and old.get("realism") == settings
        if not same and not request.overwrite:
            raise holds_other(request.out, "reports")
    elif any(found.name != LOCK_NAME for found in request.out.iterdir()) and not request.overwrite:
        raise holds_other(request.out, "files")
    with writing(path) as temporary:
        temporary.write_text(yaml.safe_dump(plan, sort_keys=False, allow_unicode=True), encoding="utf-8")
