"""How far each look is from real held-out images, beside how far real halves are from each other.

python docs/scripts/measure_realism.py DATA_DIR WORK MODEL [MODEL ...]

Every held-out mask is rendered with its own option by each MODEL (an id or a file), so that only the look can differ.
DATA_DIR is what training reads. A row that was measured before is read from WORK. Takes minutes per model and option.
"""

from __future__ import annotations

import sys
from pathlib import Path

import yaml
from measure_help import quarters, write_pair

from napari_synth.core.progress import CancelToken
from napari_synth.core.seeds import derived_seed
from napari_synth.datasets.pairs import LoadedPair, find_options, load_pair
from napari_synth.evaluation.realism.battery import Samples, battery, line
from napari_synth.evaluation.realism.classifier import classified
from napari_synth.evaluation.realism.deep import KID, imagenet_features
from napari_synth.evaluation.realism.distances import features
from napari_synth.evaluation.realism.sets import cut, read_both, side_for
from napari_synth.models.checkpoint import file_hash, read_card
from napari_synth.models.registry import resolve_model
from napari_synth.synthesis.generator import Generator
from napari_synth.synthesis.recipes import load_generator

SEED = 1
FEW = 8
"""Fewer images are cut into quarters, which speak of these images and not of others."""
SHOWN = ("kid", "features", "spectrum")


def measured(work: Path, generator: Generator, option: str, pairs: list[LoadedPair]) -> dict:
    """Distances of the renderings of an option's held-out masks from the real images."""
    few = len(pairs) < FEW
    for number, pair in enumerate(pairs):
        made = generator.render(pair.labels, option, derived_seed(SEED, option, number)).image
        real = pair.image if made.ndim == 3 else pair.image[..., 0]
        for folder, image in (("real", real), ("synthetic", made)):
            parts = zip(quarters(image), quarters(pair.labels), strict=True) if few else [(image, pair.labels)]
            for part, (pixels, labels) in enumerate(parts):
                write_pair(work / folder, f"{number:03d}_{part}", pixels, labels)
    cancel = CancelToken()
    real, synthetic, _ = read_both(work / "real", work / "synthetic", None, cancel)
    side = side_for([*real, *synthetic])
    patches = cut(real, side, SEED), cut(synthetic, side, SEED)
    groups = patches[0].groups, patches[1].groups
    samples: Samples = {}
    lines = list(battery(*patches, SEED, cancel, samples))
    deep = [imagenet_features(one, cancel) for one in patches]
    lines.append(line("kid", KID, *deep, *groups, SEED))
    told = classified(*samples[features], *groups, SEED, cancel)
    found = {one.name: {"value": one.value, "floor": one.floor, "spread": one.spread} for one in lines}
    return {"files": len(pairs), "lines": found, "auc": float(told.auc)}


def main(data: str, work: str, *models: str) -> None:
    """Print a Markdown table."""
    print("Distances, in brackets those of two halves of the real images; KID times 1000.\n")
    print("| option | files | model | KID | 18 features | spectrum | AUC of 18 features |")
    print("|---|---|---|---|---|---|---|")
    for option in find_options(Path(data)):
        name = option.source.name
        pairs = [pair for pair in map(load_pair, option.held_out) if pair.labels.any()]
        for model in models:
            path = resolve_model(model)
            if name not in [look.name for look in read_card(path).looks]:
                continue
            place = Path(work) / f"{name}-{file_hash(path)[:12]}"
            if not (place / "found.yaml").is_file():
                found = measured(place, load_generator(model, "cpu"), name, pairs)
                (place / "found.yaml").write_text(yaml.safe_dump(found))
            row = yaml.safe_load((place / "found.yaml").read_text())
            shown = [text(row["lines"][key], 1000 if key == "kid" else 1) for key in SHOWN]
            print(
                f"| {name} | {row['files']} | {Path(model).stem} | {' | '.join(shown)} | {row['auc']:.2f} |", flush=True
            )


def text(found: dict, times: float) -> str:
    """Such as ``12.3 (1.1 ± 0.6)``."""
    return f"{times * found['value']:.3g} ({times * found['floor']:.2g} ± {times * found['spread']:.2g})"


if __name__ == "__main__":
    main(*sys.argv[1:])
