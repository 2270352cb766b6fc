"""Where the processes of an export run: on this machine, under a scheduler, or in the jobs of a cluster's queue.

The packages for this are extras and are imported when they are asked for.
"""

from __future__ import annotations

import importlib
import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from napari_synth.core.errors import InputError, WorkError, brief
from napari_synth.core.recipe.strict import Strict
from napari_synth.core.registry import Registry
from napari_synth.core.untrusted import first_problem, load_yaml

EXTRA = "napari-synth[cluster]"
ALLOWED_FAILURES = 10
"""Workers that may die over one shard before it counts as failed."""
MARGIN = 0.1
"""Of the wall time of a job, before whose end its workers leave by themselves."""
ANY_PORT = "127.0.0.1:0"
"""Where a scheduler tells of itself in pages that nobody asked for."""
PATIENCE = 30
"""Seconds until a scheduler that does not answer is given up."""

KINDS: Registry[str] = Registry(
    "kind of queue",
    {
        "slurm": "SLURMCluster",
        "pbs": "PBSCluster",
        "lsf": "LSFCluster",
        "sge": "SGECluster",
        "oar": "OARCluster",
        "moab": "MoabCluster",
        "htcondor": "HTCondorCluster",
    },
)
"""Queues of clusters and the class of dask-jobqueue for each."""


@dataclass(frozen=True)
class Workers:
    """Who makes the pairs; with nothing given, the process that was started.

    Attributes
    ----------
    processes : int
        On this machine, with one thread each.
    scheduler : str
        Address of a dask scheduler, such as ``tcp://host:8786``.
    scheduler_file : Path, optional
        The file in which a dask scheduler says its address.
    cluster : Path, optional
        A YAML file with the settings of `JobQueue`.
    """

    processes: int = 0
    scheduler: str = ""
    scheduler_file: Path | None = None
    cluster: Path | None = None

    def __post_init__(self) -> None:
        given = [bool(self.processes), bool(self.scheduler), self.scheduler_file is not None, self.cluster is not None]
        if sum(given) > 1:
            raise InputError(
                "Several kinds of workers are asked for at once.",
                "Give one of --workers, --scheduler, --scheduler-file and --cluster.",
            )

    def __bool__(self) -> bool:
        return bool(self.processes or self.scheduler or self.scheduler_file or self.cluster)


class Jobs(Strict):
    """How many jobs are in the queue at once: ``minimum`` from the start, ``maximum`` while there is work."""

    minimum: int = Field(0, ge=0)
    maximum: int = Field(1, ge=1)


class JobQueue(Strict):
    """The jobs of a cluster in which workers run, as ``cluster.yaml`` has them.

    Attributes
    ----------
    kind : str
        A key of `KINDS`.
    queue, account : str
        Names that the cluster knows; empty: its defaults.
    cores : int
        Of a job.
    processes : int
        Workers in a job, with one thread each; 0 is one for each core. For a job with a GPU, 1 or 2.
    memory : str
        Of a job, such as ``8GB``.
    walltime : str
        Such as ``02:00:00``; workers leave shortly before.
    jobs : Jobs
    directives : list of str
        More lines for the head of the job script, such as ``--gres=gpu:1``.
    prologue : list of str
        Lines of the job script before the worker begins, such as ``module load cuda``.
    interface : str
        Network interface by which workers and scheduler speak, such as ``ib0``; empty: any.
    log_directory : str
    """

    kind: str = "slurm"
    queue: str = ""
    account: str = ""
    cores: int = Field(1, ge=1)
    processes: int = Field(0, ge=0)
    memory: str = "8GB"
    walltime: str = "01:00:00"
    jobs: Jobs = Field(default_factory=Jobs)
    directives: list[str] = Field(default_factory=list)
    prologue: list[str] = Field(default_factory=list)
    interface: str = ""
    log_directory: str = ""

    @property
    def lifetime(self) -> list[str]:
        """Arguments with which workers leave before the job is ended."""
        seconds = walltime_seconds(self.walltime)
        if not seconds:
            return []
        margin = max(round(seconds * MARGIN), 1)
        return ["--lifetime", f"{seconds - margin}s", "--lifetime-stagger", f"{max(margin // 2, 1)}s"]


def walltime_seconds(text: str) -> int:
    """Seconds of ``D-HH:MM:SS``, ``HH:MM:SS`` or ``MM:SS``; 0 where it is written otherwise."""
    days, _, clock = text.rpartition("-")
    parts = clock.split(":")
    if not 2 <= len(parts) <= 3 or not all(part.isdecimal() for part in [*parts, days or "0"]):
        return 0
    seconds = 0
    for part in parts:
        seconds = 60 * seconds + int(part)
    return seconds + 86400 * int(days or 0)


def read_job_queue(path: Path) -> JobQueue:
    """The settings in a YAML file.

    Raises
    ------
    InputError
        If it cannot be read or is not valid.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"The cluster settings {path} cannot be read.", "Check the path.") from error
    action = "See docs/cluster.md for an example."
    try:
        found = JobQueue.model_validate(load_yaml(text, path.name, action) or {})
    except ValidationError as error:
        raise InputError(f"{path.name} is not valid: {': '.join(first_problem(error, 'it'))}.", action) from error
    KINDS[found.kind]
    return found


def extra(module: str, needs: str) -> Any:
    """A module of the extra ``cluster``.

    Raises
    ------
    InputError
        If it is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise InputError(
            f"{needs} needs {module.replace('_', '-')}, which is not installed.", f"Install it: pip install '{EXTRA}'."
        ) from error


@contextmanager
def connected(workers: Workers) -> Iterator[Any]:
    """A dask client with workers, which are ended afterwards unless they were there before.

    Raises
    ------
    InputError
        If a package is missing or the settings are not valid.
    WorkError
        If the scheduler does not answer, or the queue takes no job.
    """
    distributed = extra("distributed", "Exporting with other processes")
    with ExitStack() as stack:
        stack.enter_context(importlib.import_module("dask.config").set(_CONFIG))
        if workers.cluster is not None:
            where: Any = stack.enter_context(_jobs(read_job_queue(workers.cluster)))
        elif workers.processes:
            where = stack.enter_context(_local(distributed, workers.processes))
        elif workers.scheduler_file is not None:
            where = None
        else:
            where = workers.scheduler
        file = None if workers.scheduler_file is None else str(workers.scheduler_file)
        try:
            client = distributed.Client(where, scheduler_file=file, timeout=PATIENCE, set_as_default=False)
        except (OSError, ValueError, TimeoutError) as error:
            raise WorkError(
                f"The scheduler {file or where} does not answer ({brief(error)}).", "Check that it runs there."
            ) from error
        with client:
            yield client


_CONFIG = {
    "distributed.scheduler.allowed-failures": ALLOWED_FAILURES,
    "distributed.scheduler.active-memory-manager.start": False,
    "distributed.admin.log-format": "%(message)s",
    "distributed.worker.profile.enabled": False,
}
"""A worker that profiles itself keeps for hours what it saw: 530 MB after 37 000 tiny pairs, 368 without."""
NO_PROFILE = "export DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED=False"
"""The same for the jobs of a queue, which do not hear of `_CONFIG`."""


@contextmanager
def _local(distributed: Any, processes: int) -> Iterator[Any]:
    cluster = distributed.LocalCluster(
        n_workers=processes,
        threads_per_worker=1,
        processes=True,
        dashboard_address=ANY_PORT,
        silence_logs=logging.CRITICAL,
        memory_limit=0,
    )
    with cluster:
        yield cluster


@contextmanager
def _jobs(queue: JobQueue) -> Iterator[Any]:
    jobqueue = extra("dask_jobqueue", "Exporting with the jobs of a cluster")
    try:
        with job_cluster(jobqueue, queue) as cluster:
            cluster.adapt(minimum_jobs=queue.jobs.minimum, maximum_jobs=queue.jobs.maximum)
            yield cluster
    except (RuntimeError, FileNotFoundError, ValueError, TypeError) as error:
        raise WorkError(
            f"The queue {queue.kind} takes no job ({brief(error)}).",
            "Check the settings, and that jobs can be sent from this machine.",
        ) from error


def job_cluster(jobqueue: Any, queue: JobQueue) -> Any:
    """The cluster of dask-jobqueue for the settings of a queue, without a job yet."""
    given: dict[str, Any] = {
        "cores": queue.cores,
        "processes": queue.processes or queue.cores,
        "memory": queue.memory,
        "job_extra_directives": queue.directives,
        "job_script_prologue": [NO_PROFILE, *queue.prologue],
        "worker_extra_args": queue.lifetime,
        "scheduler_options": {"dashboard": False, "dashboard_address": ANY_PORT},
    }
    optional = {name: getattr(queue, name) for name in ("queue", "account", "walltime", "interface", "log_directory")}
    given |= {name: value for name, value in optional.items() if value}
    if queue.kind == "htcondor":
        given |= {"disk": queue.memory}
        given.pop("walltime", None)
    return getattr(jobqueue, KINDS[queue.kind])(**given)


def give_up(client: Any, futures: list[Any]) -> None:
    """Take back what no worker has begun."""
    with suppress(Exception):  # a scheduler that is gone has nothing to take back
        client.cancel(futures)
