"""The last step of an export in shards: what is about the whole set, once all of it is there."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, astuple, dataclass

from napari_synth.core.errors import WorkError, one_line
from napari_synth.exporting.shard_plan import ShardPlan
from napari_synth.exporting.shard_table import ShardTable, tables_of
from napari_synth.exporting.sharded import read_plan
from napari_synth.exporting.stores import Store, open_store
from napari_synth.exporting.tables import COLUMNS, PAIRS_NAME, SPLIT_NAME
from napari_synth.exporting.train_md import SYNTHETIC, TRAIN_NAME

DATASET_NAME = "dataset.json"
COMPLETE_NAME = "COMPLETE.json"
SHOWN = 10
"""Shards that an error names."""


@dataclass(frozen=True)
class Finished:
    """A set that is complete.

    Attributes
    ----------
    place : str
    pairs, shards, bytes : int
    roles : dict of str to int
        Pairs of each role; the role of a set that is not split is empty.
    nuclei : int
    machines : tuple of str
        Kinds of devices that images were made on; with several, their last bits may differ.
    """

    place: str
    pairs: int
    shards: int
    bytes: int
    roles: dict[str, int]
    nuclei: int
    machines: tuple[str, ...]


def finish_export(target: str, endpoint: str = "") -> Finished:
    """Merge the manifests of all shards and say that the set is complete; may run again.

    Writes ``manifest.csv``, ``dataset.json``, ``TRAIN.md``, for few groups ``split.csv``, and last ``COMPLETE.json``.

    Raises
    ------
    InputError
        If there is no export in shards.
    WorkError
        If shards are missing, or the target cannot be written.
    """
    store = open_store(target, endpoint)
    plan = read_plan(store, endpoint=endpoint)
    summary = _Summary(plan)
    with store.writing(PAIRS_NAME) as path:
        with path.open("w", encoding="utf-8", newline="") as file:
            rows = csv.writer(file, lineterminator="\n")
            rows.writerow(COLUMNS)
            for table in _complete(store, plan):
                summary.add(table)
                rows.writerows(map(astuple, table.rows))
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if plan.roles:
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([("group", "role"), *sorted(plan.roles.items())])
        store.write(SPLIT_NAME, text.getvalue().encode())
    finished = summary.finished(store.place)
    store.write(DATASET_NAME, _json({"files": summary.files} | {"summary": asdict(finished) | {"place": ""}}))
    store.write(TRAIN_NAME, guide(store, summary, finished).encode())
    store.write(
        COMPLETE_NAME,
        _json({"pairs": plan.pairs, "recipe_sha256": plan.recipe_sha256, "manifest_sha256": digest}),
    )
    return finished


def _complete(store: Store, plan: ShardPlan) -> Iterator[ShardTable]:
    """The manifests of all shards in their order; `WorkError` at the end where some are missing."""
    missing = []
    for shard in range(plan.shards):
        tables = tables_of(store, plan, shard)
        if tables is None:
            missing.append(shard)
        elif not missing:
            yield from tables
    if missing:
        names = ", ".join(map(str, missing[:SHOWN])) + (" …" if len(missing) > SHOWN else "")
        raise WorkError(
            f"{len(missing)} of {plan.shards} shards are missing in {store.place}: {names}.",
            "Start the same export again: it makes those that are missing.",
        )


class _Summary:
    """What is counted while manifests go by."""

    def __init__(self, plan: ShardPlan) -> None:
        self.plan = plan
        self.files: dict[str, list[dict[str, object]]] = {}
        self.roles: Counter[str] = Counter()
        self.nuclei = self.bytes = 0
        self.machines: set[str] = set()

    def add(self, table: ShardTable) -> None:
        """Count one manifest."""
        self.roles[table.role] += len(table.rows)
        self.nuclei += sum(row.n_nuclei for row in table.rows)
        self.machines.add(", ".join(table.made_on.values()))
        for file in table.files:
            self.bytes += file.bytes
            entry = asdict(file) | {"pairs": len(table.rows)}
            self.files.setdefault(table.role or "train", []).append(entry)

    def finished(self, place: str) -> Finished:
        """The counts."""
        plan, machines = self.plan, tuple(sorted(self.machines))
        return Finished(place, plan.pairs, plan.shards, self.bytes, dict(self.roles), self.nuclei, machines)


def _json(record: object) -> bytes:
    return (json.dumps(record, indent=1) + "\n").encode()


def guide(store: Store, summary: _Summary, finished: Finished) -> str:
    """``TRAIN.md``: how a program reads the shards."""
    counts = ", ".join(f"{count} {role}" for role, count in finished.roles.items() if role)
    lines = [
        "# Train on these shards",
        "",
        f"{SYNTHETIC} They were made by napari-synth from masks; there are {finished.pairs} of them"
        f"{f' ({counts})' if counts else ''} with {finished.nuclei} nuclei, in {finished.bytes / 1e9:.3g} GB.",
        "",
        "```python",
        reader_of(store.place),
        "```",
        "",
        f"- Names, sizes and hashes of the files are in `{DATASET_NAME}`; `{PAIRS_NAME}` has a row per pair.",
        "- In an object store, `pipe:aws s3 cp s3://… -` before each name lets WebDataset read it.",
        "- Masks are instance labels, 0 is background.",
    ]
    if any(role in finished.roles for role in ("val", "test")):
        lines.append(
            "- Validation and test images are synthetic too: a good result on them says nothing about real images."
        )
    if len(finished.machines) > 1:
        lines.append(
            f"- Images were made on {len(finished.machines)} kinds of devices ({'; '.join(finished.machines)}): "
            "masks are the same everywhere, images differ in their last bits."
        )
    return "\n".join(lines) + "\n"


def reader_of(place: str) -> str:
    """The lines of Python that read the shards of a set."""
    return "\n".join(
        (
            "import io, json, tifffile",
            "import webdataset as wds",
            "",
            f"root = {one_line(place)!r}",
            f'files = json.load(open(root + "/{DATASET_NAME}"))["files"]["train"]',
            'urls = [root + "/" + file["name"] for file in files]',
            "read = lambda data: tifffile.imread(io.BytesIO(data))",
            "pairs = wds.WebDataset(urls, shardshuffle=100).shuffle(1000)"
            '.decode(wds.handle_extension("image.tif masks.tif", read)).to_tuple("image.tif", "masks.tif")',
        )
    )
