"""Which captions of the window a picture shows, and which of them the window no longer has."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).parents[2] / "napari_synth"
TABLE = "captions.json"
"""Name of the table, which lies beside the pictures."""


def captions_in(window: Any) -> set[str]:
    """Texts of buttons and labels that are to be seen and stand in the program as they are."""
    from qtpy.QtWidgets import QAbstractButton, QLabel

    parts = [*window.findChildren(QAbstractButton), *window.findChildren(QLabel)]
    texts = {part.text() for part in parts if part.isVisible() and not part.visibleRegion().isEmpty()}
    return {text for text in texts if text.strip() and _stands_in_program(text)}


def keep_captions(picture: Path, captions: Iterable[str]) -> None:
    """Enter the captions that a picture shows into the table beside it."""
    path = picture.parent / TABLE
    kept = captions_of_pictures(picture.parent) | {picture.name: sorted(captions)}
    path.write_text(json.dumps(dict(sorted(kept.items())), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def captions_of_pictures(folder: Path) -> dict[str, list[str]]:
    """Captions by name of the picture."""
    path = folder / TABLE
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else {}


def gone(captions: Iterable[str]) -> list[str]:
    """Those captions that the program no longer has."""
    return [caption for caption in captions if not _stands_in_program(caption)]


def _stands_in_program(caption: str) -> bool:
    return json.dumps(caption, ensure_ascii=False) in _program()


@cache
def _program() -> str:
    """The text of the package; captions from elsewhere, such as napari's own, do not count."""
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted(PACKAGE.rglob("*.py")))
