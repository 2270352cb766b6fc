"""Tasks for many processes through dask.distributed: a window of them at a time, so that nothing piles up."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from functools import lru_cache
from typing import Any, Generic, TypeVar

from napari_synth.core.errors import WorkError, brief
from napari_synth.core.progress import CancelToken
from napari_synth.exporting.clusters import ALLOWED_FAILURES, extra, give_up
from napari_synth.exporting.shard_plan import ShardPlan
from napari_synth.exporting.sharded import read_plan
from napari_synth.exporting.shards import Look, ShardResult, make_shard
from napari_synth.exporting.stores import open_store

AHEAD = 4
"""Tasks for each worker that are with the scheduler."""
SECONDS = 0.5
"""Between two looks whether the user stops."""

Task = TypeVar("Task", bound=Hashable)


class Pool(Generic[Task]):
    """The workers of a dask client.

    Parameters
    ----------
    client : distributed.Client
    """

    def __init__(self, client: Any):
        self._client = client

    @property
    def workers(self) -> int:
        """How many there are now."""
        return len(self._client.nthreads())

    def results(
        self,
        function: Callable[..., Any],
        tasks: Sequence[Task],
        key: Callable[[Task], str],
        arguments: Callable[[Task], tuple[Any, ...]],
        cancel: CancelToken,
        tick: Callable[[], None],
    ) -> Iterator[tuple[Task, Any]]:
        """Each task with its result, or with the exception in its place, as they come; ends early when cancelled.

        A task is taken by another worker when its own is lost.
        """
        distributed = extra("distributed", "Exporting with other processes")
        waiting, under_way = iter(tasks), dict[Any, Task]()
        while True:
            room = AHEAD * max(self.workers, 1) - len(under_way)
            for task in (task for _, task in zip(range(room), waiting, strict=False)):
                future = self._client.submit(function, *arguments(task), key=key(task), pure=False)
                under_way[future] = task
            if not under_way:
                return
            if cancel.cancelled:
                give_up(self._client, list(under_way))
                return
            try:
                with self._client.as_current():
                    done = distributed.wait(list(under_way), timeout=SECONDS, return_when="FIRST_COMPLETED").done
            except TimeoutError:
                done = ()
            for future in done:
                task = under_way.pop(future)
                yield task, future.result() if future.status == "finished" else future.exception()
                future.release()
            tick()


class Dask:
    """The engine that hands shards to the workers of a dask client."""

    def __init__(self, client: Any):
        self._pool: Pool[int] = Pool(client)

    def __call__(
        self,
        plan: ShardPlan,
        shards: Sequence[int],
        look: Look | None,
        cancel: CancelToken,
        tick: Callable[[int], None],
    ) -> Iterator[ShardResult]:
        told = (plan.target, plan.endpoint, plan.device, plan.key)
        made = self._pool.results(
            shard_task,
            shards,
            lambda shard: f"shard-{plan.key[:16]}-{shard}",
            lambda shard: (*told, shard, look),
            cancel,
            lambda: tick(0),
        )
        for shard, result in made:
            yield result if isinstance(result, ShardResult) else ShardResult(shard, 0, problem=lost(result))

    def describe(self) -> str:
        workers = self._pool.workers
        return f"{workers} worker{'' if workers == 1 else 's'}" if workers else "waiting for workers"


def lost(error: BaseException) -> str:
    """Why a task has no result."""
    if type(error).__name__ == "KilledWorker":
        return f"{ALLOWED_FAILURES} workers died over it: they may lack memory."
    return f"{type(error).__name__}: {brief(error)}"


def shard_task(target: str, endpoint: str, device: str, key: str, shard: int, look: Look | None = None) -> ShardResult:
    """Make a shard in a worker, which reads the plan from the store."""
    use_one_thread()
    choose_card(device)
    return make_shard(_plan(target, endpoint, device, key), shard, look=look)


@lru_cache(maxsize=2)
def _plan(target: str, endpoint: str, device: str, key: str) -> ShardPlan:
    plan = read_plan(open_store(target, endpoint), device, endpoint)
    if plan.key != key:
        raise WorkError(f"{target} holds something else for this worker.", "Give a place that all workers see alike.")
    return plan


def use_one_thread() -> None:
    """Let a network compute in one thread: processes do more than threads."""
    import torch

    torch.set_num_threads(1)


def choose_card(device: str) -> None:
    """Let the workers of one machine take turns with its GPUs, unless their environment says which to take."""
    import os

    import torch
    from distributed import get_worker

    number = str(get_worker().name)
    if device == "cpu" or "CUDA_VISIBLE_DEVICES" in os.environ or torch.cuda.is_initialized() or not number.isdecimal():
        return
    cards = torch.cuda.device_count()
    if cards > 1:
        os.environ["CUDA_VISIBLE_DEVICES"] = str(int(number) % cards)
