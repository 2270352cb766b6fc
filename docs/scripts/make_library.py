"""Make the library of real shapes that belongs to a shape model, from the shapes it was trained on.

python docs/scripts/make_library.py MODEL.safetensors DATA_DIR
"""

from __future__ import annotations

import sys
from pathlib import Path

from napari_synth.api import load_shapes
from napari_synth.datasets.shape_library import common_side, model_library
from napari_synth.models.checkpoint import load_weights, read_card, save_model


def main(model: str, data: str) -> None:
    """Write MODEL's library beside it, and the size of its shapes into its card; training does both by itself."""
    library = model_library(Path(data))
    card = read_card(model).model_copy(update={"shape_side": common_side(library.shapes)})
    save_model(model, card, load_weights(model))
    shapes = load_shapes(model, "cpu")
    shapes.coded(library).save(shapes.library_path)
    print(f"{shapes.library_path}: {library.summary} {shapes.library_path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main(*sys.argv[1:])
