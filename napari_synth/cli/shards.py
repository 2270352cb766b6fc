"""What ``napari-synth export`` does in shards: options, the run, ``finish`` and ``verify``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from napari_synth.cli.console import err, out, watched, were_there
from napari_synth.core.errors import Cancelled, InputError, WorkError
from napari_synth.core.quantities import duration_text, size_text
from napari_synth.exporting.shard_plan import SHARDS

if TYPE_CHECKING:
    from napari_synth.core.recipe import Recipe
    from napari_synth.exporting.sharded import ShardedResult

SHOWN = 10

Processes = Annotated[
    int | None, typer.Option("--workers", min=1, help="Processes on this machine, with one thread each.")
]
Scheduler = Annotated[str, typer.Option(metavar="ADDRESS", help="A dask scheduler, such as tcp://host:8786.")]
SchedulerFile = Annotated[Path | None, typer.Option(help="The file in which a dask scheduler says its address.")]
Cluster = Annotated[
    Path | None, typer.Option(metavar="FILE.yaml", help="Workers in jobs of a queue (SLURM, PBS, LSF …).")
]
Part = Annotated[
    str, typer.Option("--shard", metavar="K/N", help="Make part K (from 0) of N, without a scheduler; then: finish.")
]
ShardSize = Annotated[int, typer.Option(min=1, max=1_000_000, help="Pairs of a shard.")]
Endpoint = Annotated[str, typer.Option(metavar="URL", help="Server that speaks S3 and is not Amazon's.")]


def parse_part(text: str) -> tuple[int, int]:
    """``2/10`` as (2, 10); all of it for an empty text."""
    if not text:
        return 0, 1
    part, slash, of = text.partition("/")
    if not slash or not part.isdecimal() or not of.isdecimal() or not int(part) < int(of):
        raise InputError(
            f"The part {text!r} of the shards is not understood.", "Write K/N with K from 0 to N-1, such as 0/8."
        )
    return int(part), int(of)


def check_goes_in_shards(format: str, overwrite: bool, with_real: Path | None) -> None:
    """Raise `InputError` for what shards have not."""
    if format != SHARDS:
        raise InputError(
            f"The format {format} has files for every pair; several processes, parts and addresses are for shards.",
            f"Add --format {SHARDS}, or export to a folder by one process.",
        )
    if with_real is not None:
        raise InputError("Shards hold synthetic pairs alone.", "Leave --with-real out, and validate on the real pairs.")
    if overwrite:
        raise InputError("An export in shards replaces no other.", "Leave --overwrite out, or choose another place.")


def estimate_to(recipe: Recipe, target: str, shard_size: int, **settings: Any) -> None:
    """Say what an export would make."""
    from napari_synth.exporting.in_shards import estimate_shards

    settings.pop("compile")
    found = estimate_shards(recipe, shard_size=shard_size, **settings)
    out.print(f"{found.pairs} pairs in {found.shards} shards would be written to {target}")
    out.print(f"{size_text(found.bytes)}, about {duration_text(found.seconds)} by one process on this machine")


def export_shards_to(recipe: Recipe, target: str, shard: str, endpoint: str, **settings: Any) -> None:
    """Export in shards with a progress bar, finish where all is there, and say what became of it."""
    from napari_synth.evaluation.pair_check import spoiling
    from napari_synth.exporting.in_shards import export_shards

    part, of = parse_part(shard)
    with watched("Exporting") as (on_progress, cancel):
        result = export_shards(
            recipe,
            target,
            part=part,
            of=of,
            endpoint=endpoint,
            look=spoiling,
            on_progress=on_progress,
            cancel=cancel,
            **settings,
        )
    _say(result)
    if of > 1:
        out.print(f"{result.pairs} pairs of part {part} of {of} in {result.place}{were_there(result.kept)}")
        out.print(f"When all parts are there: napari-synth export finish {target}")
    else:
        finish(target, endpoint)
        if result.kept:
            out.print(f"{result.kept} of the pairs were there already")


def _say(result: ShardedResult) -> None:
    """Raise unless every pair is there; list the shards that failed."""
    for failed in result.failed[:SHOWN]:
        err.print(f"Shard {failed.shard}: {failed.problem}")
    if result.failed:
        raise WorkError(
            f"{len(result.failed)} shards failed; {result.made + result.kept} of {result.pairs} pairs are in "
            f"{result.place}.",
            "Start the same command again: it makes those that are missing.",
        )
    if not result.complete:
        raise Cancelled(
            f"The export was stopped with {result.made + result.kept} of {result.pairs} pairs in {result.place}.",
            "Start the same command again to go on.",
        )


Target = Annotated[str, typer.Argument(metavar="OUT", help="Folder or address of an export in shards.")]


def finish(out_dir: Target, endpoint: Endpoint = "") -> None:
    """Merge the tables of all shards and mark the set as complete; after --shard. May run again."""
    from napari_synth.exporting.finish import finish_export

    found = finish_export(out_dir, endpoint)
    roles = ", ".join(f"{count} {role}" for role, count in found.roles.items() if role)
    size = size_text(found.bytes)
    out.print(f"{found.pairs} pairs{f' ({roles})' if roles else ''} in {found.shards} shards, {size}: {found.place}")
    out.print(f"How to train on them: {found.place}/TRAIN.md")


def verify(
    out_dir: Target,
    endpoint: Endpoint = "",
    sample: Annotated[float, typer.Option(min=0, max=1, help="Part of the pairs that are made again; 0: none.")] = 0.01,
    device: Annotated[str, typer.Option(help="auto, cuda, mps or cpu.")] = "auto",
) -> None:
    """Compare all shards with their hashes, look that no mask has two roles, and make some pairs again."""
    from napari_synth.exporting.verify import verify_export

    with watched("Verifying") as (on_progress, cancel):
        found = verify_export(out_dir, endpoint, share=sample, device=device, on_progress=on_progress, cancel=cancel)
    for fault in found.faults[:SHOWN]:
        err.print(fault)
    if found.faults:
        raise WorkError(
            f"{len(found.faults)} faults in {found.place}.",
            "Start the same export again: it makes the shards anew that are not whole.",
        )
    close = f", {found.close} of them but for rounding" if found.close else ""
    out.print(f"{found.pairs} pairs in {found.shards} shards are whole; {found.again} were made again{close}")
