"""Look whether an export in shards is what its manifests say, and whether its pairs come out again."""

from __future__ import annotations

import hashlib
import tarfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from napari_synth.core.errors import SynthError, WorkError
from napari_synth.core.progress import CancelToken, OnProgress, Stopwatch, ignore_progress
from napari_synth.core.recipe import mask_hash
from napari_synth.core.seeds import numpy_rng
from napari_synth.exporting.finish import COMPLETE_NAME
from napari_synth.exporting.making import PairMaker
from napari_synth.exporting.shard_plan import ShardPlan
from napari_synth.exporting.shard_table import ShardTable, tables_of
from napari_synth.exporting.sharded import read_plan
from napari_synth.exporting.shards import maker_for
from napari_synth.exporting.stores import Store, open_store
from napari_synth.exporting.tars import read_pair

SHARE = 0.01
"""Of the pairs, that are made again."""


@dataclass(frozen=True)
class Verified:
    """What was found.

    Attributes
    ----------
    place : str
    shards, pairs : int
        That are whole.
    again : int
        Pairs that were made again.
    close : int
        Of these, with the same mask and an image that differs in grey levels by rounding: made on another device.
    faults : tuple of str
        What is wrong, one sentence each; empty where nothing is.
    """

    place: str
    shards: int
    pairs: int
    again: int
    close: int
    faults: tuple[str, ...]


def verify_export(
    target: str,
    endpoint: str = "",
    *,
    share: float = SHARE,
    device: str = "auto",
    on_progress: OnProgress = ignore_progress,
    cancel: CancelToken | None = None,
) -> Verified:
    """Compare every file with its hash, count, look that no group has two roles, and make some pairs again.

    A shard at fault loses its manifests, so that the same export makes it anew; its files stay until then.

    Parameters
    ----------
    target, endpoint : str
    share : float
        Of the pairs that are made again, at least one of each file; 0 makes none.
    device : str
        Where they are made.

    Raises
    ------
    InputError
        If there is no export in shards.
    Cancelled
        If the user stops.
    """
    cancel = cancel or CancelToken()
    store = open_store(target, endpoint)
    plan = read_plan(store, device, endpoint)
    watch = Stopwatch(plan.shards, on_progress)
    look = _Look(store, plan, share)
    for shard in range(plan.shards):
        cancel.raise_if_cancelled()
        look.at(shard)
        watch.report(shard + 1, f"{len(look.faults)} faults")
    if look.faults:
        store.remove(COMPLETE_NAME)
    elif store.read(COMPLETE_NAME) is None:
        look.faults.append(f"All shards are there, but the set was never finished: napari-synth export finish {target}")
    return Verified(store.place, look.shards, look.pairs, look.again, look.close, tuple(look.faults))


class _Look:
    """What was found so far."""

    def __init__(self, store: Store, plan: ShardPlan, share: float):
        self.store, self.plan, self.share = store, plan, share
        self.shards = self.pairs = self.again = self.close = 0
        self.faults: list[str] = []
        self._roles: dict[str, str] = {}

    def at(self, shard: int) -> None:
        """Look at one shard."""
        tables = tables_of(self.store, self.plan, shard)
        if tables is None:
            self.faults.append(f"Shard {shard} is missing or not whole.")
            return
        found = [fault for table in tables for fault in self._faults(table)]
        if sorted(row.index for table in tables for row in table.rows) != list(self.plan.indices(shard)):
            found.append(f"Shard {shard} holds other pairs than it should.")
        if found:
            self.faults += found
            for table in tables:
                self.store.remove(table.name)
        else:
            self.shards += 1
            self.pairs += self.plan.size_of(shard)

    def _faults(self, table: ShardTable) -> Iterator[str]:
        for row in table.rows:
            role = self._roles.setdefault(row.group, row.role) if self.plan.split is not None else row.role
            if role != row.role:
                yield f"The mask of {row.stem} in {table.name} is in {role} too."
        for file in table.files:
            try:
                with self.store.open(file.name) as data:
                    if hashlib.file_digest(data, "sha256").hexdigest() != file.sha256:
                        yield f"{file.name} is not what was written."
                    elif self.share > 0:
                        data.seek(0)
                        yield from self._compared(table, data)
            except (OSError, tarfile.TarError) as error:
                yield f"{file.name} cannot be read ({error})."

    def _compared(self, table: ShardTable, data: object) -> Iterator[str]:
        """Make some pairs again."""
        rng = numpy_rng(self.plan.shard_size, "verify", table.shard, table.role)
        count = max(round(self.share * len(table.rows)), 1)
        try:
            maker = maker_for(self.plan, self.store)
        except SynthError as error:
            raise WorkError(
                f"No pair can be made again: {error.problem}", "Add --sample 0 to compare hashes alone."
            ) from error
        with tarfile.open(fileobj=data, mode="r:") as tar:  # type: ignore[call-overload]
            for number in sorted(rng.choice(len(table.rows), count, replace=False)):
                yield from self._same(maker, tar, table, int(number))

    def _same(self, maker: PairMaker, tar: tarfile.TarFile, table: ShardTable, number: int) -> Iterator[str]:
        row = table.rows[number]
        made, again = maker.pair(self.plan.placed(row.index))
        self.again += 1
        name = f"Pair {row.stem} in {table.files[0].name}"
        image = labels = None
        with suppress(KeyError):
            image, labels = read_pair(tar, row.index)
        if image is None or labels is None:
            yield f"{name} is not there."
        elif again.mask_sha256 != row.mask_sha256 or mask_hash(labels) != row.mask_sha256:
            yield f"{name} has another mask than its recipe gives."
        else:
            wanted = made.image if made.condition is None else np.stack([made.condition, made.image])
            if wanted.shape != image.shape or wanted.dtype != image.dtype:
                yield f"{name} has another image than its recipe gives."
            elif not np.array_equal(wanted, image):
                if table.made_on == maker.made_on or _far(wanted, image):
                    yield f"{name} has another image than its recipe gives."
                else:
                    self.close += 1


def _far(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether images differ by more than rounding on another device does: a hundredth of their range on average."""
    difference = np.abs(one.astype(np.float64) - other)
    return bool(difference.mean() > 0.01 * max(float(np.ptp(one)), 1.0))
