"""A segmenter trained on real pairs, kept in a file: the eyes that look at synthetic ones."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from napari_synth.core.devices import resolve_device
from napari_synth.core.progress import CancelToken, OnProgress, Stopwatch, ignore_progress
from napari_synth.core.seeds import derived_seed
from napari_synth.datasets.pairs import LoadedPair, load_pair
from napari_synth.evaluation.segmentor import Segmentor
from napari_synth.evaluation.usefulness.arms import ARMS
from napari_synth.evaluation.usefulness.budgets import BUDGETS
from napari_synth.evaluation.usefulness.request import MULTIPLE
from napari_synth.evaluation.usefulness.roles import real_pairs
from napari_synth.evaluation.usefulness.training import Data, trained
from napari_synth.models.card import ModelCard
from napari_synth.models.checkpoint import save_model
from napari_synth.models.registry import load_trained


@dataclass(frozen=True, eq=False)
class TrainedOnReal:
    """A segmenter, and real pairs that it was not trained on."""

    segmentor: Segmentor
    others: list[LoadedPair]


def segmentor_for(
    real: Path,
    path: Path,
    groups: str = "",
    steps: int = 0,
    seed: int = 1,
    device: str = "auto",
    on_progress: OnProgress = ignore_progress,
    cancel: CancelToken | None = None,
    width: int = 0,
) -> TrainedOnReal:
    """Train a segmenter on the training groups of a folder of real pairs, or take the one that is there.

    Parameters
    ----------
    real : Path
    path : Path
        Its ``.safetensors`` file.
    groups : str
        See `roles.groups_of`.
    steps, width : int
        0: as the budget ``quick`` has them.

    Raises
    ------
    InputError
        If the folder has too few groups.
    Cancelled
    """
    roles = real_pairs(real, groups or None, seed)
    others = [load_pair(one.pair) for one in roles if one.role != "train"]
    if not path.is_file():
        target = resolve_device(device)
        budget = BUDGETS["quick"]
        budget = replace(budget, steps=steps or budget.steps, hyper={"width": width or budget.hyper["width"]})
        pairs = [load_pair(one.pair) for one in roles if one.role == "train"]
        watch = Stopwatch(budget.steps, on_progress)
        network = trained(
            ARMS["real"],
            Data(pairs, [], budget.crop, target),
            budget,
            derived_seed(seed, "segmenter"),
            lambda step, _: watch.report(step, "segmenter of real images"),
            cancel,
        )
        card = ModelCard(
            id=path.stem,
            title="Segmenter of real images",
            architecture=budget.network,
            hyper=budget.hyper,
            role="segmentor",
            mask_meaning="foreground",
            value_range=(0, 1),
            tile_multiple=MULTIPLE,
        )
        save_model(path, card, network.cpu().state_dict())
    return TrainedOnReal(Segmentor(load_trained(path, device)), others)
