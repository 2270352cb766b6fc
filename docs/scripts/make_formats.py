"""Write docs/formats.md: what is read and with what meaning, each row tried on a file written here.

Run from the root of the repository: python docs/scripts/make_formats.py
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from napari_synth.core.errors import SynthError  # noqa: E402
from napari_synth.datasets.foreign_masks import FOREIGN_MASKS, read_foreign  # noqa: E402
from napari_synth.datasets.image_files import open_image, open_mask  # noqa: E402
from napari_synth.evaluation.pair_check import FAULTS  # noqa: E402
from napari_synth.exporting.formats import FORMATS  # noqa: E402
from napari_synth.exporting.shard_plan import SHARDS, SHARDS_TITLE  # noqa: E402
from tests.datasets import test_foreign_masks as foreign  # noqa: E402
from tests.datasets.kinds_of_files import KINDS, Kind, binary, grey, labels, rgb  # noqa: E402

PAGE = ROOT / "docs" / "formats.md"
PROOFS = ROOT / "docs" / "scripts" / "proofs.json"
WRITTEN = """## Files that are written

`napari-synth export RECIPE --format NAME --out DIR`. `make prove-formats` writes 15 fields in each format (no nucleus,
one, 300 that touch, numbers with gaps and more than 65535 nuclei among them) and reads them back with the programs that
train on them; this is what they said. Where a reader goes over the pixels of each nucleus, that with 66049 is only
counted. Training itself was not run.
"""
MEANINGS = {labels: "labels", binary: "foreground", rgb: "RGB image", grey: "grey image"}
HEAD = """# Files that are read

This page is made by `docs/scripts/make_formats.py`, which writes a file for each row, reads it and compares.
Every door reads alike: `synthesize`, `train`, `library`, `masks --fit-from`, `recombine`, `check` and Python.
A file is known by what it begins with, not by its suffix. What was done to read it is said.

Stacks have several planes: `--plane N` names one, `napari-synth check DIR --repair COPY` splits a folder of them.
Numbers of a mask that cannot be labels (JPEG noise, interpolation, colours, fractions) are named; a mask of two levels
is thresholded, others are cured with `--repair`.
"""


def tried(kind: Kind, folder: Path) -> str:
    """What a file of a kind is read as, or that it is not."""
    path = folder / f"a{kind.suffix}"
    kind.write(path)
    try:
        pixels = (open_mask if kind.is_mask else open_image)(path).pixels
    except SynthError as error:
        return f"refused: {error.problem}"
    wanted = kind.meaning()
    pixels = (
        pixels > 0
        if kind.meaning is binary
        else pixels // 257
        if pixels.ndim == 3 and pixels.dtype == np.uint16
        else pixels
    )
    same = pixels.shape == wanted.shape and np.abs(pixels.astype(float) - wanted).mean() <= kind.tolerance
    return MEANINGS[kind.meaning] if same else "another meaning"


def tried_foreign(name: str, folder: Path) -> str:
    """The same for a file of another program."""
    form, write = foreign.WRITTEN[name]
    (mask,) = [mask for mask in read_foreign(write(folder), form) if mask.stem == "f"]
    return "labels" if (mask.labels == foreign.labels()).all() else "another meaning"


def page() -> str:
    """The whole page."""
    lines = [HEAD]
    for group in dict.fromkeys(kind.group for kind in KINDS):
        lines += [f"## {group}", "", "| file | read as |", "| --- | --- |"]
        for kind in (kind for kind in KINDS if kind.group == group):
            with tempfile.TemporaryDirectory() as folder:
                lines.append(f"| {kind.name} | {tried(kind, Path(folder))} |")
        lines.append("")
    lines += [
        "## Masks of other programs", "",
        "`napari-synth convert SOURCE --out DIR` turns them into `images/` and `masks/`; `synthesize` reads the files.",
        "A Cellpose `_seg.npy` is a pickle: arrays are taken out, and one that would run anything is refused.", "",
        "| format | tried | read as |", "| --- | --- | --- |",
    ]  # fmt: skip
    for name, (form, _) in foreign.WRITTEN.items():
        with tempfile.TemporaryDirectory() as folder:
            lines.append(f"| {FOREIGN_MASKS[form].title} | {name} | {tried_foreign(name, Path(folder))} |")
    lines += [
        "",
        "## What `napari-synth check` finds",
        "",
        "| fault | the sentence | in a copy |",
        "| --- | --- | --- |",
    ]
    for name, fault in FAULTS.items():
        lines.append(f"| {name}{'' if fault.serious else ' (hint)'} | … {fault.one} | {fault.advice} |")
    lines += ["", WRITTEN, "| format | read back with | found | date |", "| --- | --- | --- | --- |"]
    proofs = json.loads(PROOFS.read_text(encoding="utf-8"))
    titles = {name: out.title for name, out in FORMATS.items()} | {SHARDS: SHARDS_TITLE}
    for name, title in titles.items():
        proof = proofs.get(name, {"versions": {}, "found": "not proved by another program", "date": ""})
        versions = ", ".join(f"{package} {number}" for package, number in proof["versions"].items())
        own = proofs.get(f"{name}-own", {}).get("found", "")
        found = f"{proof['found']}; masks of four sets of real images: {own}" if own else proof["found"]
        lines.append(f"| `{name}`: {title} | {versions} | {found} | {proof['date']} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
