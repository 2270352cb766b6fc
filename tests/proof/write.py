"""Write 15 fields in every format, and what they are.

python -m tests.proof.write FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from napari_synth.exporting.formats import FORMATS
from tests.exporting.fields import FIELDS, pairs

LIMITED = {"dsb2018": 1000, "huggingface": 65535}
"""Most nuclei of a mask in a format that has a file for each, or 16 bits."""


def main(folder: Path) -> None:
    """Write all formats and ``truth/STEM.npz``."""
    (folder / "truth").mkdir(parents=True, exist_ok=True)
    for pair in pairs():
        np.savez(folder / "truth" / f"{pair.item.stem}.npz", labels=pair.labels, image=pair.image, role=pair.item.role)
    for name, out in FORMATS.items():
        most = LIMITED.get(name, 10**6)
        written = [pair for pair in pairs() if len(np.unique(pair.labels)) <= most]
        for pair in written:
            out.write(folder / name, pair)
        out.finish(folder / name, [pair.item for pair in written])
        print(f"{name}: {len(written)} of {len(FIELDS)} fields")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
