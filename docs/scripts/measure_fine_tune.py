"""How many pairs does a look of one's own need? Prints the table of docs/my-look.md.

python docs/scripts/measure_fine_tune.py quarter FOLDER SET LAST
python docs/scripts/measure_fine_tune.py run START SET WORK PAIRS [--minutes 15] [--segmentor FILE]
python docs/scripts/measure_fine_tune.py agree SET WORK SEGMENTOR
python docs/scripts/measure_fine_tune.py table WORK

SET holds images/ and masks/; tested on is what its dataset.yaml holds out, else the fifth, tenth, … pair by name, and
the pairs to train on are drawn from the others. START should know nothing of SET: train it on other looks.
``quarter`` makes a set of a few large images: each is cut in four, and the LAST ones by name are held out. A run that
was stopped goes on where it was, and the same command does nothing once it is measured. The agreement is that of a
segmenter trained on real images of SET where one is given, then or later with ``agree``, else that of nuclei found by
their colours.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
import yaml
from measure_help import quarters, write_pair  # a module beside this script

import napari_synth as ns
from napari_synth.core.files import copy_whole, writing
from napari_synth.core.seeds import derived_seed, numpy_rng
from napari_synth.datasets.image_files import open_mask, read_image
from napari_synth.datasets.pairs import LoadedPair, Pair, find_pairs, is_held_out, load_pair
from napari_synth.evaluation.fine_tuning.judge import judge
from napari_synth.evaluation.metrics import METRICS
from napari_synth.evaluation.segmentor import Segmentor
from napari_synth.evaluation.usefulness.roles import hold_out_rule
from napari_synth.models.checkpoint import read_card
from napari_synth.models.registry import load_trained

RULE = "every:5"
LOOK = "measured"

app = typer.Typer(add_completion=False)


def divided(folder: Path) -> tuple[list[Pair], list[Pair]]:
    """The pairs of a set to train and to test on."""
    train, test, rule = [], [], hold_out_rule(folder) or RULE
    for index, pair in enumerate(find_pairs(folder)):
        (test if is_held_out(index, pair.stem, rule) else train).append(pair)
    return train, test


def agreement(generator: ns.Generator, option: str, pairs: list[LoadedPair], segmentor: Segmentor) -> float:
    """Dice of masks and segmented renderings, over that of the real images."""
    dice = METRICS["dice"].function
    scores: list[list[float]] = [[], []]
    for number, pair in enumerate(pairs):
        made = generator.render(pair.labels, option, derived_seed(1, "agreement", number)).image
        for row, image in zip(scores, (made, pair.image), strict=True):
            row.append(dice(pair.labels, segmentor.foreground(image)))
    return float(np.mean(scores[0]) / np.mean(scores[1]))


@app.command()
def quarter(folder: Path, to: Path, last: int) -> None:
    """Make a set of the quarters of images, the last ones held out."""
    found = find_pairs(folder)
    for number, pair in enumerate(found):
        kind = "test" if number >= len(found) - last else "train"
        whole = read_image(pair.image), open_mask(pair.mask, repair=True).pixels
        for part, (image, labels) in enumerate(zip(*map(quarters, whole), strict=True)):
            if labels.any():
                write_pair(to, f"{kind}_{pair.stem}_{part}", image, labels)
    (to / "dataset.yaml").write_text(yaml.safe_dump({"options": [{"name": to.name, "hold_out": "test_*"}]}))


@app.command()
def run(
    start: str,
    data: Path,
    work: Path,
    pairs: int,
    minutes: Annotated[float, typer.Option()] = 15.0,
    segmentor: Annotated[Path | None, typer.Option()] = None,
    seed: Annotated[int, typer.Option()] = 1,
    device: Annotated[str, typer.Option()] = "auto",
) -> None:
    """Fine-tune on so many pairs and measure on what is tested on."""
    name = f"{data.name}-{pairs}-{seed}"
    result, out, chosen = work / f"{name}.json", work / f"{name}.safetensors", work / f"{name}-pairs"
    if result.is_file():
        typer.echo(f"{result} is there.")
        return
    train, test = divided(data)
    for index in numpy_rng(seed, "pairs").permutation(len(train))[:pairs]:
        copy_whole(train[index].image, chosen / "images" / train[index].image.name)
        copy_whole(train[index].mask, chosen / "masks" / train[index].mask.name)
    resume = out.with_suffix(".ckpt").is_file()
    done = ns.fine_tune(
        start, chosen, out, look=LOOK, minutes=minutes, judge=False, resume=resume, seed=seed, device=device
    )
    held_out = [pair for pair in map(load_pair, test) if pair.labels.any()]
    before, now = (ns.Generator(load_trained(path, device)) for path in (start, done.path))
    begun = done.plan.looks[0].start
    verdict = judge(LOOK, begun, held_out, before, now, seed)
    agrees = verdict.agreement
    if segmentor is not None:
        agrees = agreement(now, LOOK, held_out, Segmentor(load_trained(segmentor, device)))
    training = read_card(done.path).training
    record: dict[str, Any] = verdict.as_record() | {
        "set": data.name, "pairs": pairs, "from": begun, "steps": done.steps, "agreement": agrees,
        "minutes": round(60 * (training.hours if training else 0), 1), "tested": len(held_out),
        "segmentor": segmentor is not None,
    }  # fmt: skip
    with writing(result) as temporary:
        temporary.write_text(json.dumps(record, indent=1))
    typer.echo(verdict.sentence)


@app.command()
def agree(data: Path, work: Path, segmentor: Path, device: Annotated[str, typer.Option()] = "auto") -> None:
    """Measure the agreement of all that was made of a set with a segmenter."""
    judging = Segmentor(load_trained(segmentor, device))
    held_out = [pair for pair in map(load_pair, divided(data)[1]) if pair.labels.any()]
    for result in sorted(work.glob(f"{data.name}-*.json")):
        made = ns.Generator(load_trained(result.with_suffix(".safetensors"), device))
        record = json.loads(result.read_text())
        record |= {"agreement": agreement(made, LOOK, held_out, judging), "segmentor": True}
        with writing(result) as temporary:
            temporary.write_text(json.dumps(record, indent=1))
        typer.echo(f"{result.stem}: {record['agreement']:.2f}")


@app.command()
def table(work: Path) -> None:
    """Print what was measured as Markdown."""
    records = [json.loads(path.read_text()) for path in work.glob("*.json")]
    measures = [f"{title} {when}" for title in ("KID", "18 features") for when in ("before", "now", "floor")]
    typer.echo(f"| {' | '.join(['set', 'pairs', 'from', 'steps, minutes', *measures, 'agreement'])} |")
    typer.echo("|---|---|---|---|---|---|---|---|---|---|---|")
    for one in sorted(records, key=lambda record: (record["set"], record["pairs"])):
        changes = {change["name"]: change for change in one["changes"]}
        cells = [one["set"], one["pairs"], one["from"], f"{one['steps']}, {one['minutes']}"]
        for name in ("kid", "features"):
            change = changes.get(name)
            if change is None:
                cells += ["", "", ""]
            else:
                floor = f"{change['floor']:.3f} ± {change['spread']:.3f}"
                cells += [f"{change['before']:.3f}", f"{change['now']:.3f}", floor]
        cells.append(f"{one['agreement']:.2f}")
        typer.echo(f"| {' | '.join(map(str, cells))} |")


if __name__ == "__main__":
    app()
