"""The lines of a run as a Markdown table."""

from __future__ import annotations

import json
from pathlib import Path

COLUMNS = ("what", "this program", "plain arrangement", "ratio", "machine's limit", "more")
UNITS = {"ms": "ms", "seconds": "s", "pairs_per_second": "pairs/s", "gigabytes": "GB"}
TAKEN = {*UNITS, "name", "plain_ms", "speedup", "limit_ms", "slow_host"}


def number(value: float | str) -> str:
    """Three significant digits; whole numbers as they are."""
    if not isinstance(value, float):
        return str(value)
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def row(figures: dict[str, float | str]) -> list[str]:
    """One line of the table."""
    measured = next((f"{number(figures[key])} {unit}" for key, unit in UNITS.items() if key in figures), "")
    plain, limit = (f"{number(figures[key])} ms" if key in figures else "" for key in ("plain_ms", "limit_ms"))
    ratio = f"{figures['speedup']:.2f}×" if "speedup" in figures else ""
    more = [
        f"{key.replace('_', ' ')} {number(value)}"
        for key, value in figures.items()
        if key not in TAKEN and value is not None
    ]
    if "slow_host" in figures:
        more.append("slow host")
    return [str(figures["name"]), measured, plain, ratio, limit, ", ".join(more)]


def table(path: Path) -> str:
    """The table of a file of JSON lines; lines that are none are left out."""
    rows = [row(json.loads(text)) for text in path.read_text().splitlines() if text.startswith("{")]
    lines = [COLUMNS, ["---"] * len(COLUMNS), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
