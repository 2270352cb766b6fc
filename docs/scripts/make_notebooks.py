"""Make notebooks of the tutorials for Python and clusters: a cell for each block of code, one for the text before it.

python docs/scripts/make_notebooks.py
"""

from __future__ import annotations

import json
import re
from pathlib import Path

TUTORIALS = Path(__file__).parents[1] / "tutorials"
NAMES = ("python", "cluster")
SITE = "https://napari-synth.github.io/napari-synth"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```\n", re.MULTILINE | re.DOTALL)
MARK = re.compile(r"^<!--.*?-->\n", re.MULTILINE)
SELF = re.compile(r" \[This page as a notebook\]\(\w+\.ipynb\)\.")


def notebook(page: str) -> str:
    """The notebook of a page in Markdown, as it is stored."""
    parts = BLOCK.split(MARK.sub("", SELF.sub("", page)))
    cells = []
    for text, language, code in zip(parts[::3], [*parts[1::3], ""], [*parts[2::3], ""], strict=True):
        if text.strip():
            cells.append(_cell(len(cells), "markdown", _with_addresses(text)))
        if code:
            lines = "".join(f"!{line}\n" for line in code.splitlines()) if language == "bash" else code
            cells.append(_cell(len(cells), "code", lines))
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    whole = {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"


def _cell(number: int, kind: str, text: str) -> dict[str, object]:
    cell: dict[str, object] = {"cell_type": kind, "id": f"cell-{number}", "metadata": {}}
    cell["source"] = text.strip().splitlines(keepends=True)
    return cell | ({"execution_count": None, "outputs": []} if kind == "code" else {})


def _with_addresses(text: str) -> str:
    """Links to other pages as addresses of the site: a notebook is read anywhere."""
    text = re.sub(r"\]\(\.\./([\w/-]+)\.md", rf"]({SITE}/\1/", text)
    return re.sub(r"\]\(([\w-]+)\.md", rf"]({SITE}/tutorials/\1/", text)


def main() -> None:
    """Write them beside the pages."""
    for name in NAMES:
        page = (TUTORIALS / f"{name}.md").read_text(encoding="utf-8")
        (TUTORIALS / f"{name}.ipynb").write_text(notebook(page), encoding="utf-8")


if __name__ == "__main__":
    main()
