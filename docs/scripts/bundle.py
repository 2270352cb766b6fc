"""Give a bundled model the weights of a trained file; those of before go to weights/earlier, where recipes find them.

python docs/scripts/bundle.py ID TRAINED.safetensors NOTES.txt

Title, looks, data and licence stay; training, figures and hyperparameters are those of the trained file, into which
measure_generator.py and the like have written; NOTES.txt says how it was made and what is weak. Afterwards the hash of
before belongs into tests/models/test_earlier.py; sample data, golden and other pictures and model pages are made anew.
"""

from __future__ import annotations

import sys
from pathlib import Path

from napari_synth.core.files import copy_whole
from napari_synth.models.card import ModelCard
from napari_synth.models.checkpoint import SUFFIX, file_hash, load_weights, read_card, save_model
from napari_synth.models.registry import EARLIER_FOLDER, bundled_paths, earlier_file

SAME = ("architecture", "role", "structure", "mask_meaning", "condition_channels", "output_channel", "value_range")


def card_for(bundled: ModelCard, trained: ModelCard, before: str, notes: str) -> ModelCard:
    """The card of a bundled model with the training, figures and hyperparameters of a trained one.

    Parameters
    ----------
    bundled, trained : ModelCard
    before : str
        Start of the hash of the bundled file, with which the trained one may have begun.
    notes : str

    Raises
    ------
    ValueError
        If they render something else, or one of them says nothing of its training.
    """
    for name in SAME:
        if getattr(bundled, name) != getattr(trained, name):
            raise ValueError(f"{name} is {getattr(trained, name)!r}, that of {bundled.id} {getattr(bundled, name)!r}.")
    if [(look.name, look.rgb) for look in bundled.looks] != [(look.name, look.rgb) for look in trained.looks]:
        raise ValueError(f"The looks are others than those of {bundled.id}, or in another order.")
    if bundled.training is None or trained.training is None:
        raise ValueError("A card does not say how the model was trained.")
    init = trained.training.init
    if init == bundled.id:
        init = f"its weights of before ({before})"
    training = trained.training.model_copy(update={"data": bundled.training.data, "init": init})
    changes = {"training": training, "figures": trained.figures, "hyper": trained.hyper, "notes": notes}
    return bundled.model_copy(update=changes)


def put_aside(path: Path, sha256: str) -> Path:
    """Copy a bundled file to the earlier ones, with the next number, unless it lies there already."""
    if earlier := earlier_file(path.stem, sha256):
        return earlier
    number = 1 + sum(1 for _ in EARLIER_FOLDER.glob(f"{path.stem}.*"))
    target = EARLIER_FOLDER / f"{path.stem}.{number}{SUFFIX}"
    copy_whole(path, target)
    return target


def main(model_id: str, trained_file: str, notes: str) -> None:
    """Write the bundled file anew and print the hashes of now and before."""
    path = bundled_paths()[model_id]
    before = file_hash(path)
    card = card_for(read_card(path), read_card(trained_file), before[:12], Path(notes).read_text().strip())
    earlier = put_aside(path, before)
    save_model(path, card, load_weights(trained_file))
    print(f"{path}: {file_hash(path)}\nbefore, {earlier}: {before}")


if __name__ == "__main__":
    main(*sys.argv[1:])
