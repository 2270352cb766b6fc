"""Write 15 fields in every format, and what they are; and masks of one's own for nnU-Net, which knows no instances.

python -m tests.proof.write FOLDER [FOLDER_OF_MASKS ...]
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from napari_synth.datasets.image_files import open_mask
from napari_synth.datasets.listing import mask_files
from napari_synth.evaluation.pair_check.cures import parts_numbered
from napari_synth.exporting.formats import FORMATS
from napari_synth.exporting.formats.base import Item, PairToWrite
from napari_synth.exporting.shard_plan import SHARDS
from napari_synth.exporting.tars import add_pair, tar_writer
from tests.exporting.fields import FIELDS, pairs

LIMITED = {"dsb2018": 1000, "huggingface": 65535}
"""Most nuclei of a mask in a format that has a file for each, or 16 bits."""


def main(folder: Path, own: list[Path]) -> None:
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
    write_shard(folder)
    if own:
        write_own(folder, own)


def write_shard(folder: Path) -> None:
    """The fields as one shard."""
    (folder / SHARDS).mkdir()
    with tar_writer(folder / SHARDS / "all-000000.tar") as tar:
        for pair in pairs():
            add_pair(tar, replace(pair, recipe_yaml="{}"), {"stem": pair.item.stem})
    print(f"{SHARDS}: {len(FIELDS)} of {len(FIELDS)} fields")


def write_own(folder: Path, places: list[Path]) -> None:
    """Masks of one's own as nnU-Net gets them; the parts of a binary one are numbered."""
    out, items = FORMATS["nnunet"], []
    for number, path in enumerate(file for place in places for file in mask_files(place)):
        labels = open_mask(path, repair=True).pixels
        if len(np.unique(labels)) == 2:
            labels = parts_numbered(labels)
        image = np.repeat((labels > 0)[..., None].astype(np.uint8) * 200, 3, 2)
        item = Item(f"own-{number:04d}", "train", number)
        out.write(folder / "nnunet-own", PairToWrite(item, image, labels))
        np.savez(folder / "truth" / f"{item.stem}.npz", labels=labels, image=image, role=item.role)
        items.append(item)
    out.finish(folder / "nnunet-own", items)
    print(f"nnunet-own: {len(items)} masks")


if __name__ == "__main__":
    main(Path(sys.argv[1]), [Path(place) for place in sys.argv[2:]])
