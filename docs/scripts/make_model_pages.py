"""Write docs/models/: a page for each bundled model, made from its card, and a table of all.

python docs/scripts/make_model_pages.py
"""

from __future__ import annotations

from collections.abc import Iterable
from math import prod
from pathlib import Path

from napari_synth.core.meanings import MASK_MEANINGS
from napari_synth.models.card import ModelCard, Training
from napari_synth.models.checkpoint import file_hash, stored_shapes
from napari_synth.models.registry import bundled_cards, bundled_paths

FOLDER = Path(__file__).parents[1] / "models"
HEAD = """# Models

These come with the program. Each page is made by `docs/scripts/make_model_pages.py` from the card in the header of the
weights file; `napari-synth models show ID` prints a card, also that of a file of your own. How they were made is in
[Training](../training.md), how to add one of another program in [its page](../import.md).

"""
DOES = {
    "generator": "mask → image",
    "shapes": "latent vector → shape of a nucleus",
    "segmentor": "image → mask",
    "pairs": "noise → image and mask",
}
HOW = {
    "capspix2pix": "capspix2pix.md",
    "pbam": "capspix2pix.md",
    "optional-pix2pix": "optional-pix2pix.md",
    "dvae": "optional-pix2pix.md",
    "metgan": "metgan.md",
    "signal-unet": "metgan.md",
    "ising-gan": "ising-gan.md",
}
"""Page of How it works by architecture."""
PICTURES: dict[str, list[tuple[str, str]]] = {
    "optional-pix2pix-nuclei": [
        ("styles.jpg", "One mask; rows: looks; columns: mask, styles 0, 9, 19, 29 and 39 of the bank, the same seed."),
        ("beside_he.jpg", "`he`, held-out files, evenly by number: mask, real image, seeds 1, 2 and 3."),
        ("beside_he-dark.jpg", "`he-dark`, the same."),
        ("beside_purple.jpg", "`purple`, the same."),
        ("beside_fluorescence.jpg", "`fluorescence`, the same."),
    ],
    "capspix2pix-axons": [
        ("capsules_seeds.png", "The sample mask and seeds 1 to 5."),
        (
            "capsules_switched_off.png",
            "Image; lengths of one capsule of convcaps4; the image without it; the difference.",
        ),
    ],
    "metgan-brain": [
        (
            "metgan.png",
            "Two held-out planes, with their own labels and with those of other planes: anatomy, label, seeds 1 and 2, "
            "real signal.",
        ),
    ],
    "metgan-brain-segmentor": [
        (
            "model_metgan-brain-segmentor.png",
            "The signal of the sample brain, its labels, and what is found in it: a little too large, Dice 0.68.",
        ),
    ],
    "ising-nuclei": [
        (
            "ising-pairs.jpg",
            "The seeds 1 to 12 of fluorescence (above) and of purple, not chosen: images, and their labels below.",
        ),
    ],
    "nucleus-dvae": [("model_nucleus-dvae.png", "Shapes of its library decoded: rows walk from one to another.")],
    "pbam-axons": [("model_pbam-axons.png", "The sample mask and seeds 1 to 4.")],
}
"""Pictures and captions by model."""
FAULTS = {
    "nucleus-dvae": "Decoded shapes are smoother than real ones, see [Samplers](../training.md#samplers). Samples of "
    "fields are therefore drawn from its library of real shapes unless told otherwise.",
    "metgan-brain-segmentor": "Judges and trains `metgan-brain`, and knows small neurons only: it found 1 % of a "
    "large, evenly bright object.",
}
"""Of files whose card says none; recipes name their hashes, so they stay as they are."""
TITLES = {"metgan-brain-segmentor": "Neurons in a brain, segmentor"}
"""Of files whose card has none."""
FIGURES = {
    "files": "held-out files measured",
    "planes": "held-out planes measured",
    "mae": "mean absolute difference from the real image of the mask, as a part of the range; 0 is out of reach, as a "
    "mask does not say which texture lies in it",
    "msd": "mean squared difference from it, of images in [-1, 1]",
    "ssim": "structural similarity to it; 1: equal",
    "dice_pairs": "Dice of the mask and what a U-Net trained on real images finds in the image beside it",
    "dice_synthetic": "Dice of the mask and what a U-Net trained on real images finds in the synthetic image",
    "dice_real": "the same on the real images: the floor of the line above",
    "agreement": "the first of these divided by the second; 1: as good to segment as real images",
    "auc_synthetic": "ROC AUC of brightness against the mask",
    "auc_real": "the same of the real images: what the line above should be",
    "grid": "largest peak of the spectrum at 2, 4 or 8 pixels, divided by that of real images: 1 is the floor",
    "look.grid": "largest peak of the spectrum at 2, 4 or 8 pixels",
    "real_grid": "the same of the real signal: what the line above should be",
    "grain": "mean difference of the logarithms (base 10) of the spectra of the synthetic and the real signal",
    "real_grain": "the same of the real signal and that of the training planes: what the line above should be",
    "objects": "spread of the mean brightness of objects, divided by that of real ones; 1: as different",
    "variety": "mean difference of two seeds, divided by that of two real planes; 0: seeds change nothing",
    "grid_synthetic": "largest peak of the spectrum at 2, 4 or 8 pixels",
    "grid_real": "the same of the real images: what the line above should be",
    "std_inside": "grey levels by which a pixel inside the mask varies over 20 latent vectors",
    "std_outside": "the same outside",
    "pix2pix_std_inside": "the same inside, of a pix2pix whose noise is dropout",
    "pix2pix_std_outside": "the same outside, of that pix2pix",
    "dice_original": "Dice of the label and what the segmentor finds in the synthetic signal",
    "dice_moved": "the same with the label of another plane",
    "dice_other": "the same with labels of tumours in another tissue",
    "empty": "part of the pixels found as objects where the label is empty; 0: none",
    "wrong_px_held_out": "pixels of 4096 that a held-out shape loses or gains when encoded and decoded",
    "wrong_px_training": "the same of the shapes trained on: if this is much smaller, shapes were learned by heart",
}
"""What a figure of a card says, by its last name, or by all of it where the last name says something else."""


def pages() -> dict[str, str]:
    """File name to text of each page."""
    cards = bundled_cards()
    return {"index.md": overview(cards), **{f"{name}.md": model_page(name, card) for name, card in cards.items()}}


def overview(cards: dict[str, ModelCard]) -> str:
    """The table of all models."""
    rows = [
        (
            f"[{_title(name, card)}]({name}.md)",
            f"`{name}`",
            DOES[card.role],
            card.structures,
            ", ".join(card.options) or "–",
            card.licence,
        )
        for name, card in cards.items()
    ]
    return HEAD + table(("model", "id", "does", "of", "looks", "licence of the weights"), rows)


def model_page(name: str, card: ModelCard) -> str:
    """Everything the card says, in sentences and tables."""
    sections = [
        ("Pictures", _pictures(name)),
        ("How good", _figures(card)),
        ("Notes, and what is wrong with it", card.notes or FAULTS.get(name, "")),
        ("Trained on", _data(card.training) if card.training else ""),
        ("How it was trained", _training(card.training) if card.training else ""),
    ]
    shown = "".join(f"\n## {title}\n\n{text.strip()}\n" for title, text in sections if text)
    return f"# {_title(name, card)}\n\n`{name}`\n\n{table(('', ''), _facts(name, card))}{shown}"


def _title(name: str, card: ModelCard) -> str:
    return card.title or TITLES[name]


def _facts(name: str, card: ModelCard) -> Iterable[tuple[str, str]]:
    path = bundled_paths()[name]
    yield "does", DOES[card.role] if card.role == "shapes" else f"{DOES[card.role]}, of {card.structures}"
    architecture = f"`{card.architecture}`"
    page = HOW.get(card.architecture)
    yield "architecture", f"[{architecture}](../how/{page})" if page else architecture
    meaning = MASK_MEANINGS[card.mask_meaning].replace("nuclei", card.structures) if card.mask_meaning else ""
    beside = ", ".join(card.condition_channels)
    if card.role in ("segmentor", "pairs"):
        told = (("reads", beside), ("gives as the mask", meaning))
    else:
        told = (("reads of the mask", meaning), ("reads beside it", beside))
    yield from ((what, text) for what, text in told if text)
    if card.looks:
        yield "looks", "; ".join(f"`{look.name}`: {look.title or look.name}" for look in card.looks)
    if card.styles:
        yield "styles", f"{card.styles} of each look, codes of {card.style_size} numbers"
    if card.latent_size:
        yield "latent vector", f"{card.latent_size} numbers"
    multiple = card.tile_multiple
    if card.role == "pairs":
        yield "makes", f"{card.hyper['size']}×{card.hyper['size']} pixels"
    elif card.role != "shapes":
        yield "sides", f"multiples of {multiple}; others are filled up and cut" if multiple > 1 else "any"
    yield "numbers in the file", f"{sum(prod(shape) for shape in stored_shapes(path).values()):,}"
    yield "file", f"{path.stat().st_size / 1000:,.0f} kB, SHA-256 `{file_hash(path)[:16]}…`"
    yield "licence of the weights", card.licence


def _pictures(name: str) -> str:
    return "\n\n".join(f"![{caption}](../pictures/{file})\n\n*{caption}*" for file, caption in PICTURES.get(name, []))


def _figures(card: ModelCard) -> str:
    """One row for each kind of figure, one column for each thing it was measured on."""
    measured: dict[str, dict[str, float]] = {}
    columns: dict[str, None] = {}
    for key, value in card.figures.items():
        of, _, kind = key.rpartition(".")
        measured.setdefault(kind, {})[of] = value
        columns[of] = None
    heads = ["all" if not of else f"`{of}`" for of in columns]
    rows = [
        (f"`{kind}`", _said(kind, values), *(f"{values[of]:g}" if of in values else "" for of in columns))
        for kind, values in measured.items()
    ]
    return table(("figure", "is", *heads), rows) if rows else ""


def _said(kind: str, measured_on: Iterable[str]) -> str:
    names = (*(f"{of}.{kind}" for of in measured_on), kind)
    return next((FIGURES[name] for name in names if name in FIGURES), "")


def _data(training: Training) -> str:
    head = ("data", "from", "files", "of these held out", "licence", "by")
    return table(
        head,
        (
            (entry.name, entry.source, str(entry.files), str(entry.held_out), entry.licence, entry.attribution)
            for entry in training.data
        ),
    )


def _training(training: Training) -> str:
    begun = f" Begun from {training.init}." if training.init else ""
    shown = {name: f"{value:g}" if isinstance(value, float) else value for name, value in training.settings.items()}
    settings = ", ".join(f"`{name}={value}`" for name, value in shown.items())
    return (
        f"{training.steps} of {training.planned_steps} steps planned, batches of {training.batch_size}, "
        f"seed {training.seed}, {training.precision} on {training.device}, {training.hours:g} hours.{begun} "
        f"[Training](../training.md) has the command.\n\nSettings: {settings}."
    )


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """A table in Markdown."""
    lines = [head, ("---",) * len(head), *rows]
    return "".join(
        "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in line) + " |\n" for line in lines
    )


def main() -> None:
    """Write the pages, and remove those of models that are gone."""
    FOLDER.mkdir(exist_ok=True)
    written = pages()
    for path in FOLDER.glob("*.md"):
        if path.name not in written:
            path.unlink()
    for name, text in written.items():
        (FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
