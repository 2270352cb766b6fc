"""An export in shards: begun by anybody, made by any number of processes, finished once all shards are there."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from napari_synth.core.errors import Cancelled, InputError
from napari_synth.core.files import holds_other
from napari_synth.core.locks import LOCK_NAME, holding
from napari_synth.core.progress import CancelToken, OnProgress, Stopwatch, ignore_progress
from napari_synth.core.recipe import RECIPE_NAME, Recipe, image_hash, parse_recipe, versions
from napari_synth.datasets.image_files import PixelSize
from napari_synth.exporting.making import parts_of
from napari_synth.exporting.prepared import SETTINGS_NAME, surveyed
from napari_synth.exporting.shard_plan import SHARD_SIZE, ShardPlan, roles_of_few
from napari_synth.exporting.shards import Look, ShardResult, make_shard
from napari_synth.exporting.split import Split
from napari_synth.exporting.stores import Store, open_store
from napari_synth.synthesis.recipes import check_model
from napari_synth.synthesis.request import Renderer, check_option
from napari_synth.synthesis.styles import check_style

if TYPE_CHECKING:
    from napari_synth.masks.mask_reader import MaskReader


Hear = Callable[[Path, Sequence[Any]], object]
"""Told what was found in the mask of a file."""


@dataclass(frozen=True)
class ShardRequest:
    """What to export in shards.

    Attributes
    ----------
    recipe : Recipe
        One image or a batch, all of whose masks and images are sampled or in files.
    target : str
        A folder, or a URL such as ``s3://bucket/set``.
    split : Split, optional
    shard_size : int
        Pairs of a shard.
    part, of : int
        This process makes the shards whose number leaves ``part`` when it is divided by ``of``.
    device, endpoint : str
    compile : bool
    pixel_size : PixelSize
    look : callable, optional
        Looks at each mask that comes from a file, with its first pair, in the process that makes that.
    hear : callable
        Told what it found, in this process.
    """

    recipe: Recipe
    target: str
    split: Split | None = None
    shard_size: int = SHARD_SIZE
    part: int = 0
    of: int = 1
    device: str = "auto"
    compile: bool = False
    endpoint: str = ""
    pixel_size: PixelSize = field(default_factory=PixelSize)
    look: Look | None = None
    hear: Hear = lambda path, found: None


@dataclass(frozen=True)
class ShardedResult:
    """What is in the store.

    Attributes
    ----------
    place : str
    pairs : int
        That this process was to make.
    made, kept : int
        Pairs that are new, and that were there.
    failed : tuple of ShardResult
    seconds, rendering, composing : float
        Of all shards that were made together, and of these in the generator.
    """

    place: str
    pairs: int
    made: int
    kept: int
    failed: tuple[ShardResult, ...] = ()
    seconds: float = 0.0
    rendering: float = 0.0
    composing: float = 0.0

    @property
    def complete(self) -> bool:
        return self.made + self.kept == self.pairs


Tick = Callable[[int], None]
"""Told now and then, with the number of pairs of a shard that is under way."""


class Engine(Protocol):
    """Who makes shards: this process, or others."""

    def __call__(
        self, plan: ShardPlan, shards: Sequence[int], look: Look | None, cancel: CancelToken, tick: Tick
    ) -> Iterable[ShardResult]:
        """The result of each shard, in any order; ends early when cancelled."""

    def describe(self) -> str:
        """Who works now, for the line of progress."""


class Here:
    """The shards one after the other in this process."""

    def __call__(
        self, plan: ShardPlan, shards: Sequence[int], look: Look | None, cancel: CancelToken, tick: Tick
    ) -> Iterable[ShardResult]:
        for shard in shards:
            numbers = count(1)

            def on_pair(numbers: Iterator[int] = numbers) -> None:
                tick(next(numbers))

            try:
                yield make_shard(plan, shard, look=look, cancel=cancel, on_pair=on_pair)
            except Cancelled:
                return

    def describe(self) -> str:
        return "this process"


def plan_export(request: ShardRequest, generator: Renderer, masks: MaskReader) -> ShardPlan:
    """Check what can be checked before the first pair, and say what every process must know; touches no store.

    Raises
    ------
    InputError
        If the recipe cannot be made by other processes, or a role of the split stays empty.
    """
    recipe, card = request.recipe, generator.card
    check_model(recipe, generator)
    for option in recipe.options:
        check_option(card, option)
    check_style(card, recipe.style)
    hashed, _ = surveyed(recipe, masks, card)
    beside = [one.model_copy(update={"sha256": image_hash(masks.image(one))}) for one in recipe.conditions]
    recipe = recipe.model_copy(
        update={"model_sha256": generator.sha256, "masks": hashed.masks, "conditions": beside, "versions": versions()}
    )
    return ShardPlan(
        recipe,
        request.target,
        request.shard_size,
        request.split,
        roles_of_few(recipe, request.split),
        request.device,
        request.compile,
        request.endpoint,
        request.pixel_size,
    )


def begin(plan: ShardPlan, store: Store) -> None:
    """Say in the store what is exported into it, before anything else; any number of processes may.

    Raises
    ------
    InputError
        If it holds something else.
    """
    text = json.dumps(plan.described() | {"versions": versions()}, indent=1) + "\n"
    if store.read(SETTINGS_NAME) is None:
        if store.read(RECIPE_NAME) is not None:
            raise _other(store)
        store.create(SETTINGS_NAME, text.encode())
    if _described(store.read(SETTINGS_NAME) or b"") != plan.described():
        raise _other(store)
    store.create(RECIPE_NAME, plan.recipe.to_yaml().encode())


def _described(data: bytes) -> object:
    try:
        found = json.loads(data)
    except ValueError:
        return None
    return {name: value for name, value in found.items() if name != "versions"} if isinstance(found, dict) else None


def _other(store: Store) -> InputError:
    if store.folder is not None:
        return InputError(holds_other(store.folder, "pairs").problem, "Choose another folder.")
    return InputError(f"{store.place} already holds other pairs.", "Choose another address.")


def export_shards(
    request: ShardRequest,
    generator: Renderer,
    masks: MaskReader,
    engine: Engine | None = None,
    on_progress: OnProgress = ignore_progress,
    cancel: CancelToken | None = None,
) -> ShardedResult:
    """Make all shards of a recipe, or this process' part of them.

    Shards that are there are kept, so a run that was stopped, killed or lost a worker goes on where it was.
    A shard that fails is in the result and the others are made. `exporting.finish.finish_export` comes after all.

    Raises
    ------
    InputError
        If the target holds other pairs, or the recipe cannot be made.
    WorkError
        If the target cannot be written, or another run does the same there.
    """
    cancel, engine = cancel or CancelToken(), engine or Here()
    plan = plan_export(request, generator, masks)
    store = open_store(plan.target, plan.endpoint)
    parts_of(plan, store.folder)
    if store.folder is None:
        begin(plan, store)
        return _run(request, plan, store, engine, on_progress, cancel)
    lock = store.folder / (LOCK_NAME if request.of == 1 else f"{LOCK_NAME}-{request.part}-{request.of}")
    with holding(lock, f"The folder {store.folder}"):
        begin(plan, store)
        return _run(request, plan, store, engine, on_progress, cancel)


def _run(
    request: ShardRequest, plan: ShardPlan, store: Store, engine: Engine, on_progress: OnProgress, cancel: CancelToken
) -> ShardedResult:
    shards = range(request.part, plan.shards, request.of)
    total = sum(map(plan.size_of, shards))
    watch = Stopwatch(total, on_progress)
    result = ShardedResult(store.place, total, 0, 0)

    def tick(under_way: int) -> None:
        failed = f", {len(result.failed)} shards failed" if result.failed else ""
        watch.report(result.made + result.kept + under_way, f"{engine.describe()}{failed}")

    for shard in engine(plan, shards, request.look, cancel, tick):
        for path, found in shard.found:
            request.hear(path, found)
        result = replace(
            result,
            made=result.made + shard.pairs * shard.written,
            kept=result.kept + shard.pairs * (not shard.written),
            failed=(*result.failed, shard) if shard.problem else result.failed,
            seconds=result.seconds + shard.seconds * shard.written,
            rendering=result.rendering + shard.rendering,
            composing=result.composing + shard.composing,
        )
        tick(0)
    return result


def read_plan(store: Store, device: str = "auto", endpoint: str = "") -> ShardPlan:
    """The plan of an export that was begun in a store.

    Raises
    ------
    InputError
        If there is none.
    """
    settings, text = store.read(SETTINGS_NAME), store.read(RECIPE_NAME)
    described = _described(settings or b"")
    if text is None or not isinstance(described, dict) or "shard_size" not in described:
        raise InputError(f"{store.place} holds no export in shards.", "Give the folder or address of --out.")
    try:
        recipe = parse_recipe(text.decode(), RECIPE_NAME)
        split = None
        if described["split"]:
            train, val, test = map(float, described["split"])
            split = Split((train, val, test), bool(described["split_strict"]), int(described["split_seed"]))
        x, y, unit = described["pixel_size"]
        plan = ShardPlan(
            recipe,
            store.place,
            int(described["shard_size"]),
            split,
            roles_of_few(recipe, split),
            device,
            bool(described["compile"]),
            endpoint,
            PixelSize(float(x), float(y), str(unit)),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{SETTINGS_NAME} in {store.place} is damaged.", "Export to another place.") from error
    if plan.described() != described:
        raise InputError(
            f"{SETTINGS_NAME} and {RECIPE_NAME} in {store.place} do not belong together.", "Export to another place."
        )
    return plan
