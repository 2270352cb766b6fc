"""``TRAIN.md``: how to train on an export, and what it is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from napari_synth.core.files import writing
from napari_synth.exporting.formats.base import Advice, Guide, Survey, Writer

TRAIN_NAME = "TRAIN.md"
SYNTHETIC = "These images are synthetic."


def save_guide(folder: Path, out: Writer, guide: Guide, survey: Survey, advice: Sequence[Advice]) -> Path:
    """Write ``TRAIN.md`` into the folder of an export."""
    path = folder / TRAIN_NAME
    with writing(path) as temporary:
        temporary.write_text(guide_text(out, guide, survey, advice), encoding="utf-8")
    return path


def guide_text(out: Writer, guide: Guide, survey: Survey, advice: Sequence[Advice]) -> str:
    """The text of ``TRAIN.md``."""
    language = "python" if guide.command.startswith(("from ", "import ")) else "bash"
    lines = [
        f"# Train {out.trains} on this folder" if out.trains else "# Train on this folder",
        "",
        what_it_is(survey),
        "",
        f"```{language}",
        guide.command,
        "```",
        "",
        f"Such folders were read back with {guide.proved}.",
        "",
        *(f"- {note}" for note in guide.notes),
        *(f"- {sentence}" for sentence in expectations(survey)),
    ]
    if advice:
        lines += ["", "## What to know of these masks", "", *(f"- {entry.text}" for entry in advice)]
    lines += [
        "",
        "`manifest.csv` lists every pair with its role, group, option, seed and hashes, `split.csv`, where the set is",
        "split, the groups and their roles; `recipe.yaml` makes the images again.",
    ]
    return "\n".join(lines) + "\n"


def what_it_is(survey: Survey) -> str:
    """One paragraph: synthetic or not, how many of each role."""
    made, real = sum(survey.roles.values()), sum(survey.real.values())
    roles = [role for role in ("train", "val", "test") if survey.has(role)]
    counts = ", ".join(f"{survey.count(role)} {role}" for role in roles)
    text = f"{SYNTHETIC} They were made by napari-synth from masks; there are {made} of them"
    if real:
        text += f", all for training, beside {real} real ones"
    return f"{text} ({counts})." if roles else f"{text}."


def expectations(survey: Survey) -> list[str]:
    """What to expect of a network trained on synthetic images, one sentence each."""
    found = []
    if not survey.real and (survey.has("val") or survey.has("test")):
        found.append(
            "Validation and test images are synthetic too: a good result on them says nothing about real images. "
            "`--with-real DIR` takes real pairs for them."
        )
    if not survey.roles.get("val") and not survey.real.get("val"):
        found.append(
            "There are no images to validate on: *Split* in the window, or `--split 0.8/0.1/0.1`, keeps some masks "
            "apart, with all their images."
        )
    if not survey.real:
        found.append("Expect less than from as many real images; a few real pairs beside these usually help most.")
    return found
