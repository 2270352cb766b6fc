"""Measure Ising-GANs: what the Ising term does to masks, and whether pairs show what their masks say.

python docs/scripts/measure_ising.py terms DATA_DIR OUT_DIR [STEPS [WIDTH]]
python docs/scripts/measure_ising.py pairs MODEL.safetensors SEGMENTOR.safetensors DATA_DIR
python docs/scripts/measure_ising.py augment DATA_DIR OUT_DIR MODEL.safetensors ...

``terms`` trains a small model for each smoothness, with and without residual blocks, under three seeds, at 64x64 pixels
and prints a table of means and spreads. What OUT_DIR holds already is not made again, so that it can be stopped.
``pairs`` prints the agreement of pairs by number with a segmenter that was trained on real images, and stores it in
the card. ``augment`` trains U-Nets on a fifth and on all of the real images of the first look, without and with pairs
of each model, and prints their IoU on held-out images (the experiment of Dimitrakopoulos et al. 2020). It goes on
where it was stopped.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path

import numpy as np
from measure_help import write_pair  # a module beside this script
from scipy import ndimage
from skimage.measure import euler_number

from napari_synth.core.files import writing, writing_folder
from napari_synth.core.seeds import numpy_rng
from napari_synth.datasets.pairs import find_options, load_pair
from napari_synth.evaluation.metrics import METRICS
from napari_synth.evaluation.segmentor import Segmentor
from napari_synth.evaluation.usefulness import HelpRequest, does_it_help
from napari_synth.evaluation.usefulness.roles import real_pairs
from napari_synth.evaluation.usefulness.verdict import as_published
from napari_synth.masks.binary import CRUMB_PIXELS, EIGHT
from napari_synth.models.checkpoint import load_weights, read_card, save_model
from napari_synth.models.registry import load_trained
from napari_synth.synthesis.pairs import PairModel
from napari_synth.training.loop import train
from napari_synth.training.request import TrainRequest

SIDE, SEEDS, MASKS = 64, (1, 2, 3), 200
DECIDED = 0.9
"""Mask values nearer to 0 are grey."""
SMALL = {"size": SIDE, "batch_size": 8, "ndf": 8, "decisive": 0.0, "average": 0.99}
"""Beside the preset ``fast``. The published objective collapses at this size: all masks of the one model that
was tried were empty after 2000 steps."""
MEASURED = 60
ADDED = 200
"""Pairs from noise beside the real ones."""
FIGURES = {
    "crumbs": "components under 20 px",
    "holes": "holes",
    "euler": "Euler number",
    "grey": "grey share [%]",
    "laplacian": "mean Laplacian",
    "foreground": "foreground [%]",
}


def facts(values: np.ndarray) -> dict[str, float]:
    """What is counted on a mask (Y, X) of values in [-1, 1]."""
    mask = values > 0
    components, _ = ndimage.label(mask, EIGHT)
    holes = ndimage.label(ndimage.binary_fill_holes(mask) & ~mask)[1]
    kernel = np.array([[0, -1, 0], [-1, 4, -1], [0, -1, 0]])
    return {
        "crumbs": float((np.bincount(components.ravel())[1:] < CRUMB_PIXELS).sum()),
        "holes": float(holes),
        "euler": float(euler_number(mask, connectivity=2)),
        "grey": 100 * float((np.abs(values) < DECIDED).mean()),
        "laplacian": float(np.abs(ndimage.convolve(values, kernel, mode="nearest")).mean()),
        "foreground": 100 * float(mask.mean()),
    }


def mean_facts(masks: list[np.ndarray]) -> dict[str, float]:
    """Means over masks."""
    each = [facts(mask) for mask in masks]
    return {name: float(np.mean([one[name] for one in each])) for name in FIGURES}


def terms(data: str, out: str, steps: int = 800, width: int = 16) -> None:
    """Train what is missing, then print the table."""
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    rows = {}
    for residual in (True, False):
        for smoothness in ("laplacian", "tv", "none"):
            found = [_trained(Path(data), folder, smoothness, residual, seed, steps, width) for seed in SEEDS]
            rows["ResGAN" if residual else "GAN", smoothness] = found
    print(f"{steps} steps of {SMALL['batch_size']} crops of {SIDE}x{SIDE}, width {width}; {MASKS} masks of each model;")
    print(f"mean ± standard deviation of {len(SEEDS)} seeds.\n")
    print(f"| network | term | {' | '.join(FIGURES.values())} |")
    print("|---" * (len(FIGURES) + 2) + "|")
    for (network, smoothness), found in rows.items():
        cells = (f"{np.mean(v):.2f} ± {np.std(v, ddof=1):.2f}" for v in ([one[n] for one in found] for n in FIGURES))
        print(f"| {network} | {smoothness} | {' | '.join(cells)} |")
    real = mean_facts(list(_real_masks(Path(data))))
    print(f"| real | | {' | '.join(f'{real[name]:.2f}' for name in FIGURES)} |")


def _trained(
    data: Path, folder: Path, smoothness: str, residual: bool, seed: int, steps: int, width: int
) -> dict[str, float]:
    """The figures of one model, from its file where there is one."""
    name = f"{'residual' if residual else 'plain'}-{smoothness}-{seed}-{steps}-{width}"
    kept = folder / f"{name}.json"
    if not kept.is_file():
        settings = SMALL | {"steps": steps, "width": width, "smoothness": smoothness, "residual": residual}
        path = folder / f"{name}.safetensors"
        request = TrainRequest("ising-gan", data, path, preset="fast", settings=settings, seed=seed, overwrite=True)
        train(request)
        model = PairModel(load_trained(path, "cpu"))
        codes = numpy_rng(seed, "measured").uniform(-1, 1, (MASKS, model.card.latent_size)).astype(np.float32)
        found = mean_facts([model.decode(z)[1] for z in codes])
        with writing(kept) as temporary:
            temporary.write_text(json.dumps(found))
        print(name, found, flush=True)
    return dict(json.loads(kept.read_text()))


def augment(data: str, out: str, *models: str) -> None:
    """The IoU of U-Nets that are trained with and without pairs from noise."""
    option = find_options(Path(data))[0]
    folder = option.training[0].image.parent.parent
    trained_on = sum(one.role == "train" for one in real_pairs(folder))
    print("| real images | pairs from | without pairs | with pairs | difference [95 %] |")
    print("|---|---|---|---|---|")
    for images in (round(trained_on / 5), trained_on):
        for model in models:
            name = Path(model).stem
            made = Path(out) / name
            if not made.is_dir():
                with writing_folder(made) as temporary:
                    noise = PairModel(load_trained(model, "cpu"))
                    for seed in range(1, ADDED + 1):
                        pair = noise.sample(seed, option.source.name)
                        grey = pair.image if pair.image.ndim == 2 else pair.image.mean(-1).round().astype(np.uint8)
                        write_pair(temporary, f"{seed:03d}", grey, pair.labels)
            request = HelpRequest(
                folder,
                made,
                Path(out) / f"report-{name}-{images}",
                arms=("real", "pooled"),
                endpoint="pooled",
                metric="iou",
                crop=SIDE,
                images=images,
                device="cpu",
            )
            report = does_it_help(request)
            without, with_pairs = (as_published(report.scores, "iou", arm)[0] for arm in ("real", "pooled"))
            d = report.comparisons[0].difference
            difference = f"{d.mean:+.3f} [{d.low:+.3f}, {d.high:+.3f}]"
            print(f"| {images} | {name} | {without:.3f} | {with_pairs:.3f} | {difference} |", flush=True)


def _real_masks(data: Path) -> list[np.ndarray]:
    """Crops of real masks, -1 and 1."""
    rng, crops = numpy_rng(0, "real crops"), []
    pairs = [load_pair(pair) for option in find_options(data) for pair in option.training]
    for number in range(MASKS):
        labels = pairs[number % len(pairs)].labels
        y, x = (int(rng.integers(0, max(side - SIDE, 0) + 1)) for side in labels.shape)
        crops.append(np.where(labels[y : y + SIDE, x : x + SIDE] > 0, 1.0, -1.0))
    return crops


def pairs(model: str, segmentor: str, data: str) -> None:
    """The agreement of pairs with a segmenter of real images, look by look."""
    noise, judge = PairModel(load_trained(model, "cpu")), Segmentor(load_trained(segmentor, "cpu"))
    dice = METRICS["dice"].function
    held_out = {option.source.name: option.held_out for option in find_options(Path(data))}
    stored = dict[str, float]()
    print("| look | pairs | Dice, pairs from noise | Dice, real held-out | agreement | masks drawn again |")
    print("|---|---|---|---|---|---|")
    for look in noise.card.options:
        made = [noise.sample(seed, look) for seed in range(1, MEASURED + 1)]
        own = np.mean([dice(pair.labels, judge.foreground(pair.image)) for pair in made])
        real = [load_pair(pair) for pair in held_out[look]]
        theirs = np.mean([dice(pair.labels, judge.foreground(pair.image)) for pair in real if pair.labels.any()])
        again = sum((Counter(pair.rejected) for pair in made), Counter[str]())
        why = ", ".join(f"{count} {reason}" for reason, count in again.most_common()) or "none"
        print(f"| {look} | {len(made)} | {own:.3f} | {theirs:.3f} | {own / theirs:.3f} | {why} |", flush=True)
        stored |= {f"{look}.dice_pairs": own, f"{look}.dice_real": theirs, f"{look}.agreement": own / theirs}
    card = read_card(model)
    figures = card.figures | {name: round(float(value), 4) for name, value in stored.items()}
    save_model(Path(model), card.model_copy(update={"figures": figures}), load_weights(model))


if __name__ == "__main__":
    what, *words = sys.argv[1:]
    if what == "terms":
        terms(words[0], words[1], *(int(word) for word in words[2:]))
    elif what == "augment":
        augment(*words)
    else:
        pairs(*words)
