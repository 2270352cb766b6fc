"""Mix sets of images into one folder, find looks in it, and print how well they agree with the sets.

python docs/scripts/measure_looks.py IMAGES_DIR IMAGES_DIR...

Each folder holds one set; the adjusted Rand index is 1 where looks and sets are the same, and 0 by chance.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np
from sklearn.metrics import adjusted_rand_score

from napari_synth.datasets.modalities import find_looks, image_files


def main(*folders: str) -> None:
    """Print the tables."""
    with tempfile.TemporaryDirectory() as place:
        sets = {}
        for number, folder in enumerate(folders):
            for file in image_files(folder):
                mixed = Path(place) / f"{file.stem}-{number}{file.suffix}"
                mixed.symlink_to(file.resolve())
                sets[mixed] = number
        print("| looks asked for | found | silhouette | " + " | ".join(["all sets", *map(_one, folders)]) + " |")
        print("|---" * (4 + len(folders)) + "|")
        for k in (None, len(folders)):
            found = find_looks(sorted(sets), k)
            true = np.array([sets[file] for file in found.files])
            scores = [adjusted_rand_score(true, found.numbers)]
            for number in range(len(folders)):  # the best look, or looks, for this set against the rest
                mostly = [(true[found.numbers == look] == number).mean() > 0.5 for look in range(len(found.names))]
                scores.append(adjusted_rand_score(true == number, np.array(mostly)[found.numbers]))
            cells = " | ".join(f"{score:.3f}" for score in scores)
            print(f"| {k or 'auto'} | {len(found.names)} | {found.silhouette:.2f} | {cells} |", flush=True)
            for look, name in enumerate(found.names):
                inside = ", ".join(f"{(true[found.numbers == look] == n).sum()}" for n in range(len(folders)))
                print(f"<!-- {name}: {inside} -->")


def _one(folder: str) -> str:
    path = Path(folder)
    return f"{(path.parent if path.name == 'images' else path).name} / rest"


if __name__ == "__main__":
    main(*sys.argv[1:])
