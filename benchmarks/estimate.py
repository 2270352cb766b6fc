"""What an export is said to take beside what it takes, for masks of several sizes."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from benchmarks.timing import line
from napari_synth import api
from napari_synth.core.recipe import FieldSettings, FieldSource
from napari_synth.exporting.batch import ExportRequest, export_pairs
from napari_synth.exporting.estimate import estimate_export
from napari_synth.models.defaults import DEFAULT_GENERATOR
from napari_synth.synthesis.recipes import altered, load_generator, masks_recipe

SIDES = (128, 256, 512)


def main(rounds: int = 3, variants: int = 4, sides: tuple[int, ...] = SIDES) -> None:
    """Masks of all sizes in one look, estimated and made, several times."""
    sources = [FieldSource(settings=FieldSettings(height=side, width=side), seed=side) for side in sides]
    recipe = altered(masks_recipe(DEFAULT_GENERATOR, [*sources], options=["he"]), variants=variants)
    generator = load_generator(DEFAULT_GENERATOR, "cpu")
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            request = ExportRequest(recipe, Path(folder) / "pairs")
            said = estimate_export(request, generator, api.mask_reader())
            start = time.perf_counter()
            export_pairs(request, generator, api.mask_reader())
            took = time.perf_counter() - start
            made = sum(path.stat().st_size for path in (Path(folder) / "pairs").rglob("*.tif"))
        line(
            f"estimate-{'-'.join(map(str, sides))}",
            pairs=said.pairs,
            said_seconds=said.seconds,
            took_seconds=took,
            took_over_said=took / said.seconds,
            bytes_over_said=made / said.bytes,
        )


if __name__ == "__main__":
    main()
