"""Make every case and write, or check, ``hashes.yaml``.

python -m tests.golden.make              # write hashes.yaml
python -m tests.golden.make --check      # compare bit for bit; status 1 where a part differs
python -m tests.golden.make --check "render axons" masks    # only cases whose names begin so
python -m tests.golden.make masks        # write those anew and leave the others
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.golden.cases import CASES
from tests.golden.record import describe, difference, machine
from tests.golden.registry import made

HASHES = Path(__file__).parent / "hashes.yaml"


@cache
def _file() -> dict[str, Any]:
    return yaml.load(HASHES.read_text(encoding="utf-8"), getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def kept_cases() -> dict[str, dict[str, Any]]:
    """What is kept, by case and part."""
    return _file()["cases"]


@cache
def on_same_machine() -> bool:
    """Whether bits can be compared: the libraries and the processor are those of ``hashes.yaml``."""
    return _file()["made_with"] == machine()


def differences(name: str, folder: Path, same_machine: bool) -> dict[str, str]:
    """Parts of a case that are not as they were, and how."""
    kept, parts = kept_cases()[name], made(name, folder)
    found = {part: "is gone" for part in kept if part not in parts}
    found |= {part: "is new" for part in parts if part not in kept}
    compared = {part: difference(kept[part], value, same_machine) for part, value in parts.items() if part in kept}
    return found | {part: words for part, words in compared.items() if words}


def write(names: list[str]) -> None:
    """Make cases and keep what comes out."""
    kept = kept_cases() if HASHES.is_file() else {}
    for name in names:
        with _timed(name) as folder:
            kept[name] = {part: describe(value) for part, value in made(name, folder).items()}
    lines = ["made_with:", *(f"  {key}: {_line(value)}" for key, value in machine().items()), "cases:"]
    for name in (name for name in CASES if name in kept):
        lines += [f"  {name}:", *(f"    {_line(part)}: {_line(record)}" for part, record in kept[name].items())]
    HASHES.write_text("\n".join(lines) + "\n", encoding="utf-8")


def check(names: list[str]) -> int:
    """Make cases and print what is not the same bit for bit; the number of parts that are not."""
    if not on_same_machine():
        print(f"hashes.yaml was made with {_file()['made_with']}, this is {machine()}: bits may differ.")
    total = count = rounded = 0
    for name in names:
        with _timed(name) as folder:
            before, parts = kept_cases().get(name, {}), made(name, folder)
            found = {part: "is gone" for part in before if part not in parts}
            for part, value in parts.items():
                kept = before.get(part)
                found[part] = "is new" if kept is None else difference(kept, value, same_machine=True)
                same_bits = kept is not None and kept.get("sha256") == describe(value).get("sha256")
                rounded += not found[part] and not same_bits
            different = {part: words for part, words in found.items() if words}
            count += len(different)
            for part, words in different.items():
                print(f"DIFFERENT {name} / {part}: {words}")
            total += len(found)
    print(f"{total} parts of {len(names)} cases: {count} different, {rounded} floats the same but for rounding")
    return count


@contextmanager
def _timed(name: str) -> Iterator[Path]:
    """An empty folder for a case; says how long it took."""
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)
    print(f"{time.perf_counter() - start:6.2f} s  {name}", flush=True)


def _line(value: Any) -> str:
    """YAML on one line."""
    text = yaml.safe_dump(value, default_flow_style=True, width=float("inf"), sort_keys=False)
    return text.removesuffix("\n").removesuffix("...").strip()


def main() -> int:
    """Write, or check with ``--check``."""
    parser = argparse.ArgumentParser(prog="python -m tests.golden.make")
    parser.add_argument("--check", action="store_true", help="compare with hashes.yaml and change nothing")
    parser.add_argument("begin", nargs="*", help="only cases whose names begin so")
    given = parser.parse_args()
    names = [name for name in CASES if not given.begin or name.startswith(tuple(given.begin))]
    if given.check:
        return int(check(names) > 0)
    write(names)
    return 0


if __name__ == "__main__":
    sys.exit(main())
