"""One HTML file that shows everything without anything beside it."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from html import escape
from pathlib import Path

from napari_synth.core.files import writing

STYLE = """
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222;background:#fff}
h1{font-size:1.6rem}h2{font-size:1.2rem;margin-top:2rem}
table{border-collapse:collapse;font-variant-numeric:tabular-nums}td,th{padding:.25rem .8rem;text-align:right}
td:first-child,th:first-child{text-align:left}tr+tr{border-top:1px solid #ddd}
.verdict{font-size:1.25rem;padding:.8rem 1rem;border-left:.4rem solid #888;background:#f4f4f4}
.good{border-color:#2a8}.bad{border-color:#c43}.note{color:#666}
figure{display:inline-block;margin:.5rem 1rem .5rem 0}figcaption{color:#666;font-size:.9rem}
img{image-rendering:pixelated;max-width:100%}
"""


class Page:
    """A page that grows from top to bottom.

    Parameters
    ----------
    title : str
    """

    def __init__(self, title: str):
        self._parts: list[str] = [f"<h1>{escape(title)}</h1>"]
        self._title = title

    def verdict(self, text: str, kind: str = "") -> None:
        """The sentence that matters; ``good``, ``bad`` or neither."""
        self._parts.append(f'<p class="verdict {escape(kind)}">{escape(text)}</p>')

    def heading(self, text: str) -> None:
        """Of a section."""
        self._parts.append(f"<h2>{escape(text)}</h2>")

    def text(self, text: str, note: bool = False) -> None:
        """A paragraph; a note is grey."""
        self._parts.append(f'<p class="{"note" if note else ""}">{escape(text)}</p>')

    def table(self, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Cells as text."""
        parts = ["<table><tr>", *(f"<th>{escape(cell)}</th>" for cell in head), "</tr>"]
        for row in rows:
            parts += ["<tr>", *(f"<td>{escape(cell)}</td>" for cell in row), "</tr>"]
        self._parts.append("".join([*parts, "</table>"]))

    def figure(self, svg: str, caption: str) -> None:
        """A plot of `plots`."""
        self._parts.append(f"<figure>{svg}<figcaption>{escape(caption)}</figcaption></figure>")

    def picture(self, png: bytes, caption: str) -> None:
        """A PNG inside the page."""
        data = base64.b64encode(png).decode()
        self.figure(f'<img alt="{escape(caption)}" src="data:image/png;base64,{data}">', caption)

    def save(self, path: Path) -> None:
        """Write it."""
        title = escape(self._title)
        head = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><style>{STYLE}</style>'
        with writing(path) as temporary:
            temporary.write_text("\n".join([head, *self._parts, "</html>"]), encoding="utf-8")
