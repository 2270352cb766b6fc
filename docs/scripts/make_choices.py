"""Write docs/choices.md: everything that is chosen by name, from the registries.

python docs/scripts/make_choices.py
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from napari_synth.evaluation.metrics import METRICS
from napari_synth.exporting.formats import FORMATS
from napari_synth.masks.presets import PRESETS
from napari_synth.masks.samplers import SAMPLERS
from napari_synth.masks.spacing import SPACINGS
from napari_synth.models.importers import IMPORTERS
from napari_synth.training.objectives import OBJECTIVES

PAGE = Path(__file__).parents[1] / "choices.md"


def page() -> str:
    """The page as Markdown."""
    sections = {
        "Samplers of shapes (`masks --sampler`)": table(("name", "draws"), titled(SAMPLERS)),
        "Spacings (`masks --spacing`)": table(("name", "means"), titled(SPACINGS)),
        "Presets of fields (`masks --preset`)": table(("name",), ((f"`{name}`",) for name in PRESETS)),
        "Export formats (`export --format`)": table(("name", "writes"), titled(FORMATS)),
        "Architectures to train (`train ARCH`)": table(("name",), ((f"`{name}`",) for name in OBJECTIVES)),
        "Checkpoints of other programs (`models import --from`)": table(("name", "made by"), titled(IMPORTERS)),
        "Metrics": table(
            ("name", "is", "compares", "better"),
            ((f"`{name}`", metric.title, metric.takes, metric.better) for name, metric in METRICS.items()),
        ),
    }
    return "# What is chosen by name\n" + "".join(f"\n## {title}\n\n{rows}" for title, rows in sections.items())


def titled(registry: dict[str, object]) -> Iterable[tuple[str, str]]:
    """Names and titles; a title that begins with its name for a menu does without it here."""
    return ((f"`{name}`", entry.title.removeprefix(f"{name}: ")) for name, entry in registry.items())


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """A table in Markdown."""
    lines = [head, ("---",) * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
