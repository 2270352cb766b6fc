"""The parts, each in a process of its own with a limit of time."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from importlib import import_module
from pathlib import Path

from benchmarks.table import table

PARTS = {
    "networks": ("networks:variants", 100),
    "errors": ("networks:errors", 40),
    "routing": ("networks:routing", 60),
    "renders": ("renders:renders", 180),
    "strokes": ("renders:strokes", 60),
    "training": ("steps:training", 150),
    "export": ("steps:export", 60),
    "compiled": ("networks:compiled", 150),
    "kernels": ("profiles:kernels", 60),
    "steps": ("profiles:steps", 90),
}
"""Name to function and seconds that it may take."""
FEWEST_SECONDS = 15
SHORT_SECONDS = 200
"""Of all parts of the short form together; make's tests come before."""
SHORT = ("networks", "routing", "renders", "strokes", "training", "export")
CUDA_ONLY = ("networks", "errors", "compiled", "kernels", "steps")


def run_parts(device: str, parts: list[str], short: bool, out: Path) -> int:
    """Run parts one after the other and print their table; how many failed."""
    out.mkdir(parents=True, exist_ok=True)
    failed, end = 0, time.perf_counter() + (SHORT_SECONDS if short else float("inf"))
    for name in parts:
        path, limit = out / f"{name}.jsonl", min(PARTS[name][1], end - time.perf_counter())
        if limit < FEWEST_SECONDS:
            print(f"## {name}: left out, the time is up", flush=True)
            continue
        command = [sys.executable, "-m", "benchmarks.device.run", name, device, *(["--short"] if short else [])]
        start = time.perf_counter()
        with path.open("w") as lines, (out / f"{name}.log").open("w") as errors:
            try:
                code = subprocess.run(command, stdout=lines, stderr=errors, timeout=limit, check=False).returncode
            except subprocess.TimeoutExpired:
                code = 124
        seconds = time.perf_counter() - start
        print(f"## {name}: {seconds:.0f} s{'' if code == 0 else f', ended with {code}'}", flush=True)
        if code:
            failed += 1
            print("\n".join((out / f"{name}.log").read_text().splitlines()[-6:]))
        if path.read_text().lstrip().startswith("{"):
            print(table(path), flush=True)
    return failed


def main() -> None:
    """Run one part in this process."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.device.run")
    parser.add_argument("part", choices=list(PARTS))
    parser.add_argument("device")
    parser.add_argument("--short", action="store_true")
    asked = parser.parse_args()
    module, function = PARTS[asked.part][0].split(":")
    getattr(import_module(f"benchmarks.device.{module}"), function)(asked.device, asked.short)
    sys.stdout.flush()
    os._exit(0)  # without the seconds that CUDA takes to end


if __name__ == "__main__":
    main()
