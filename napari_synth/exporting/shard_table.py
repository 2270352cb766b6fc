"""The manifest of a shard: what its file holds, written after it, so that it counts from then on.

The first line is a comment with facts in JSON; then comes a table with a row per pair.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import asdict, astuple, dataclass, field, fields

from napari_synth.core.errors import WorkError
from napari_synth.exporting.shard_plan import ShardPlan, shard_name
from napari_synth.exporting.split import ROLES
from napari_synth.exporting.stores import Store
from napari_synth.exporting.tables import COLUMNS, PairRow

FOLDER = "manifests"


class DamagedTable(WorkError):
    """A manifest that cannot be read."""


@dataclass(frozen=True)
class ShardFile:
    """A file of a shard."""

    name: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class ShardTable:
    """What is known of the pairs of one role in one shard.

    Attributes
    ----------
    shard : int
    role : str
        Empty where nothing is split.
    roles : tuple of str
        All roles that this shard has pairs of; each has a manifest of its own.
    recipe_sha256 : str
    files : tuple of ShardFile
    made_on : dict of str to str
        Device, library and kind of processor: images made on another may differ in their last bits.
    rows : tuple of PairRow
    """

    shard: int
    role: str
    roles: tuple[str, ...]
    recipe_sha256: str
    files: tuple[ShardFile, ...]
    made_on: dict[str, str] = field(default_factory=dict)
    rows: tuple[PairRow, ...] = ()

    @property
    def name(self) -> str:
        """Name of its manifest in a store."""
        return table_name(self.role, self.shard)

    def to_bytes(self) -> bytes:
        """The manifest as it is stored."""
        facts = {
            "shard": self.shard,
            "role": self.role,
            "roles": list(self.roles),
            "recipe_sha256": self.recipe_sha256,
            "made_on": self.made_on,
            "files": [asdict(file) for file in self.files],
        }
        text = io.StringIO()
        text.write(f"# {json.dumps(facts)}\n")
        csv.writer(text, lineterminator="\n").writerows([COLUMNS, *map(astuple, self.rows)])
        return text.getvalue().encode()


def table_name(role: str, shard: int) -> str:
    """Name of a manifest in a store."""
    return f"{FOLDER}/{shard_name(role, shard)}.csv"


def parse_table(data: bytes, name: str) -> ShardTable:
    """A manifest from what is stored.

    Raises
    ------
    DamagedTable
        If it cannot be read.
    """
    try:
        first, _, rest = data.decode().partition("\n")
        facts = json.loads(first.removeprefix("# "))
        head, *lines = list(csv.reader(io.StringIO(rest)))
        if tuple(head) != COLUMNS:
            raise ValueError("other columns")
        return ShardTable(
            shard=int(facts["shard"]),
            role=str(facts["role"]),
            roles=tuple(map(str, facts["roles"])),
            recipe_sha256=str(facts["recipe_sha256"]),
            files=tuple(ShardFile(str(one["name"]), int(one["bytes"]), str(one["sha256"])) for one in facts["files"]),
            made_on={str(key): str(value) for key, value in facts["made_on"].items()},
            rows=tuple(map(_row, lines)),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DamagedTable(
            f"The manifest {name} is damaged.", "Start the same export again: its shard is made anew."
        ) from error


TYPES = {column.name: {"int": int, "float": float}.get(str(column.type), str) for column in fields(PairRow)}


def _row(line: list[str]) -> PairRow:
    values = zip(COLUMNS, line, strict=True)
    return PairRow(**{name: TYPES[name](value) for name, value in values})


def read_table(store: Store, name: str) -> ShardTable | None:
    """A manifest of a store; None where there is none."""
    data = store.read(name)
    return None if data is None else parse_table(data, name)


def tables_of(store: Store, plan: ShardPlan, shard: int) -> list[ShardTable] | None:
    """The manifests of a shard that is whole: all its roles, their files there in full size; else None."""
    roles = ROLES if plan.split is not None else ("",)
    try:
        first = next(filter(None, (read_table(store, table_name(role, shard)) for role in roles)), None)
        if first is None:
            return None
        others = [read_table(store, table_name(role, shard)) for role in first.roles if role != first.role]
    except DamagedTable:
        return None
    tables = [first, *filter(None, others)]
    whole = (
        len(tables) == len(first.roles)
        and all(table.recipe_sha256 == plan.recipe_sha256 for table in tables)
        and sum(len(table.rows) for table in tables) == plan.size_of(shard)
        and all(store.size(file.name) == file.bytes for table in tables for file in table.files)
    )
    return tables if whole else None


def all_tables(store: Store) -> Iterator[ShardTable]:
    """Every manifest of a store, one at a time, in the order of shards."""
    names = store.names(FOLDER)
    for name in sorted(names, key=lambda name: (name.rpartition("-")[2], name)):
        table = read_table(store, name)
        if table is not None:
            yield table
