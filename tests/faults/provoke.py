"""Provoke the faults of a machine and print what was tried, what failed and what was lost: ``make faults``.

Every line starts the program as a user does. *Failed* counts runs that did not end as promised: with a
traceback, with a wrong exit status, or with pairs other than those of an undisturbed run. *Lost* counts
finished files that were gone or changed afterwards. A disk of 5 MB needs the right to mount one.
"""

from __future__ import annotations

import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import tifffile

from tests.helpers import nuclei, pair_folder

PROGRAM = [sys.executable, "-m", "napari_synth"]
TINY = ["--set", "width=2", "--set", "crop=32", "--set", "batch_size=1", "--device", "cpu"]
KILLS = 5
PAIRS = 40


@dataclass
class Line:
    """One kind of fault."""

    what: str
    tried: int = 0
    failed: int = 0
    lost: int = 0
    skipped: str = ""
    remarks: list[str] = field(default_factory=list)

    def expect(self, good: bool, remark: str) -> None:
        self.failed += not good
        self.remarks += [] if good else [remark]


def program(*arguments: object, **options: object) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    command = [*PROGRAM, *(str(argument) for argument in arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, **options)  # type: ignore[call-overload,no-any-return]


def start(*arguments: object) -> subprocess.Popen[str]:
    """Start a command."""
    command = [*PROGRAM, *(str(argument) for argument in arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def contents(folder: Path) -> dict[str, bytes]:
    """Every file in a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def wait_for(path: Path, seconds: float = 60) -> None:
    """Wait until a file is there."""
    end = time.monotonic() + seconds
    while not path.exists() and time.monotonic() < end:
        time.sleep(0.005)


def told(run: subprocess.CompletedProcess[str], status: int, words: str = "") -> bool:
    """Whether a run ended with this status, and in words rather than a traceback."""
    text = run.stdout + run.stderr
    return run.returncode == status and "Traceback" not in text and words in text


def left_over(folder: Path) -> list[str]:
    """Half-written files and locks."""
    return [name for name in contents(folder) if ".partial" in name or name.endswith(".lock")]


def prepare(root: Path) -> None:
    """A recipe, a mask, pairs, and an export that nothing disturbs."""
    tifffile.imwrite(root / "m.tif", nuclei().astype(np.uint16))
    pair_folder(root / "P", 2)
    for seed, name in ((3, "A"), (4, "B")):
        program("masks", "--n", 2, "--size", 64, "--nuclei", 200, "--seed", seed, "--out", root / name)
    program("export", root / "A" / "recipe.yaml", "--option", "he", "--n", PAIRS, "--out", root / "whole")


def killed_exports(root: Path, number: int, what: str) -> Line:
    """End exports at random moments and let each go on."""
    line, whole = Line(what), contents(root / "whole")
    for attempt in range(KILLS):
        line.tried += 1
        out = root / f"{what.split()[0]}{attempt}"
        command = ("export", root / "A" / "recipe.yaml", "--option", "he", "--n", PAIRS, "--out", out)
        process = start(*command)
        wait_for(out / "images" / f"{1 + attempt * 2:04d}_he.tif")
        time.sleep(random.Random(attempt).uniform(0, 0.05))
        process.send_signal(number)
        text = process.communicate()[0]
        if number == signal.SIGTERM and "pairs in" not in text.splitlines()[-1]:
            line.expect(process.returncode == 1 and "Start the same command again" in text, text[-300:])
            line.expect(not left_over(out), f"left: {left_over(out)}")
        before = {name: data for name, data in contents(out).items() if name.endswith(".tif")}
        line.lost += sum(whole.get(name) != data for name, data in before.items() if ".partial" not in name)
        again = program(*command)
        line.expect(told(again, 0), again.stderr[-300:])
        line.expect(contents(out) == whole, "other pairs than in a run without a fault")
    return line


def terminated_trainings(root: Path) -> Line:
    """SIGTERM keeps the state, and the run goes on from it."""
    line = Line("SIGTERM while training")
    for attempt in range(2):
        line.tried += 1
        out = root / f"t{attempt}.safetensors"
        process = start("train", "unet", root / "P", "--steps", 200_000, *TINY, "--out", out)
        wait_for(root / f".t{attempt}.safetensors.lock")
        time.sleep(5 + attempt)
        process.send_signal(signal.SIGTERM)
        text = process.communicate()[0]
        line.expect(process.returncode == 1 and "Go on with: --resume" in text, text[-300:])
        line.lost += not out.with_suffix(".ckpt").is_file()
        again = program("train", "unet", root / "P", "--steps", 1, *TINY, "--out", out)
        line.expect(told(again, 2, "already exists"), again.stderr[-300:])
    return line


@contextmanager
def small_disk(root: Path, size: str) -> Iterator[Path]:
    """A disk of its own in memory."""
    folder = Path(tempfile.mkdtemp(dir=root))
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], check=True, capture_output=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


def full_disks(root: Path) -> Line:
    """Every writer on a disk that is too small for it."""
    line = Line("disk full (5 MB and less)")
    recipe = root / "A" / "recipe.yaml"
    writers: list[tuple[str, Callable[[Path], tuple[object, ...]]]] = [
        ("5m", lambda disk: ("export", recipe, "--option", "he", "--n", 400, "--out", disk / "e")),
        ("200k", lambda disk: ("masks", "--n", 40, "--size", 256, "--out", disk / "m")),
        ("100k", lambda disk: ("walk", root / "m.tif", "--steps", 80, "--out", disk / "w.tif")),
        ("16k", lambda disk: ("walk", root / "m.tif", "--steps", 40, "--out", disk / "w.gif")),
        ("8k", lambda disk: ("walk", root / "m.tif", "--steps", 40, "--out", disk / "w.mp4")),
        ("100k", lambda disk: ("activations", root / "m.tif", "--layer", "convcaps4", "--out", disk / "a.tif")),
        ("4k", lambda disk: ("synthesize", root / "m.tif", "--model", "pbam-axons", "--out", disk / "s")),
        ("100k", lambda disk: ("train", "unet", root / "P", "--steps", 1, *TINY, "--out", disk / "t.safetensors")),
        ("2m", lambda disk: ("train", "unet", root / "P", "--steps", 2, "--set", "width=8", *TINY[2:], "--out",
                             disk / "t.safetensors")),
    ]  # fmt: skip
    for size, command in writers:
        try:
            with small_disk(root, size) as disk:
                line.tried += 1
                run = program(*command(disk))
                line.expect(told(run, 1, "The disk is full"), f"{command(disk)[0]}: {(run.stdout + run.stderr)[-300:]}")
                line.expect(not left_over(disk), f"left: {left_over(disk)}")
                for path in disk.rglob("*.tif"):
                    line.lost += not _reads(path)
        except subprocess.CalledProcessError:
            line.skipped = "no right to mount"
            return line
    return line


def _reads(path: Path) -> bool:
    try:
        tifffile.imread(path)
    except Exception:
        return False
    return True


def two_at_once(root: Path) -> Line:
    """A second export and a second training into the same place."""
    line = Line("two runs into one folder")
    line.tried += 1
    out = root / "two"
    first = start("export", root / "A" / "recipe.yaml", "--option", "he", "--n", PAIRS, "--out", out)
    wait_for(out / "images" / "0003_he.tif")
    second = program("export", root / "B" / "recipe.yaml", "--option", "he", "--n", PAIRS, "--out", out, "--overwrite")
    ended = first.poll() is not None
    line.expect(ended or told(second, 1, "in use"), second.stderr[-300:])
    first.communicate()
    if not ended:
        line.expect(contents(out) == contents(root / "whole"), "pairs of both")
    line.tried += 1
    model = root / "both.safetensors"
    first = start("train", "unet", root / "P", "--steps", 200_000, *TINY, "--out", model)
    wait_for(root / ".both.safetensors.lock")
    second = program("train", "unet", root / "P", "--steps", 1, *TINY, "--out", model)
    line.expect(told(second, 1, "in use"), second.stderr[-300:])
    first.terminate()
    first.communicate()
    return line


def little_memory(root: Path) -> Line:
    """Less address space than a render of a large mask needs."""
    line = Line("little memory")
    large = np.zeros((1024, 1024), np.uint16)
    large[100:200, 100:200] = 1
    tifffile.imwrite(root / "large.tif", large)
    for megabytes in (300, 500, 1000):
        line.tried += 1

        def limit(size: int = megabytes) -> None:
            resource.setrlimit(resource.RLIMIT_AS, (size << 20, size << 20))

        run = program("synthesize", root / "large.tif", "--device", "cpu", "--out", root / f"l{megabytes}",
                      preexec_fn=limit, env=os.environ | {"OMP_NUM_THREADS": "1"})  # fmt: skip
        text = run.stdout + run.stderr
        line.expect(run.returncode in (0, 1) and "Traceback" not in text, f"{megabytes} MB: {text[-300:]}")
        line.expect(not left_over(root / f"l{megabytes}") if (root / f"l{megabytes}").is_dir() else True, "left over")
    return line


KINDS: dict[str, Callable[[Path], Line]] = {
    "kill": lambda root: killed_exports(root, signal.SIGKILL, "kill -9 while exporting"),
    "term": lambda root: killed_exports(root, signal.SIGTERM, "SIGTERM while exporting"),
    "training": terminated_trainings,
    "disk": full_disks,
    "two": two_at_once,
    "memory": little_memory,
}


def main(kinds: list[str]) -> int:
    """Print the table of these kinds, or of all; the exit status is 1 when a line is not all zeros."""
    bad = False
    with tempfile.TemporaryDirectory() as folder:
        prepare(Path(folder))
        print("| what | tried | failed | lost |\n|---|---:|---:|---:|")
        for kind in kinds or KINDS:
            line = KINDS[kind](Path(folder))
            print(f"| {line.what} | {line.skipped or line.tried} | {line.failed} | {line.lost} |", flush=True)
            for remark in line.remarks:
                print(f"    {line.what}: {remark}", file=sys.stderr, flush=True)
            bad = bad or bool(line.failed or line.lost)
    return int(bad)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
