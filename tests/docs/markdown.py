"""What the Markdown files hold: code blocks with their markers, links, headings, names in backticks.

A comment right above a block says how it is tested: nothing, it is run; ``<!-- slow -->``, it is run by the slow tests;
``<!-- not run: why -->``, its command lines are only parsed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted(
    path
    for pattern in ("*.md", ".github/*.md", "docs/**/*.md", "sample_data/*.md", "benchmarks/*.md")
    for path in ROOT.glob(pattern)
)
NAMES = [str(path.relative_to(ROOT)) for path in DOCUMENTS]

MARKER = re.compile(r"<!--\s*(slow|not run):?\s*(.*?)\s*-->\s*$")
CODE_LANGUAGES = ("python", "bash")
OTHER_LANGUAGES = ("text", "yaml")


@dataclass(frozen=True)
class Block:
    """A fenced block of a document; ``mark`` is empty, ``slow`` or ``not run``."""

    document: str
    line: int
    language: str
    text: str
    mark: str
    reason: str

    @property
    def place(self) -> str:
        return f"{self.document}:{self.line}"


def tokens_of(document: str) -> list[Token]:
    return MarkdownIt("commonmark").enable("table").parse((ROOT / document).read_text(encoding="utf-8"))


def blocks_of(document: str) -> list[Block]:
    blocks = []
    before = None
    for token in tokens_of(document):
        if token.type in ("fence", "code_block"):
            mark = MARKER.match(before.content.strip()) if before and before.type == "html_block" else None
            kind, reason = mark.groups() if mark else ("", "")
            blocks.append(Block(document, token.map[0] + 1, token.info.strip(), token.content, kind, reason))
        before = token
    return blocks


def inline_of(document: str) -> Iterator[Token]:
    for token in tokens_of(document):
        yield from token.children or []


def links_of(document: str) -> list[str]:
    """Targets of links and pictures."""
    targets = (token.attrGet("href") or token.attrGet("src") for token in inline_of(document))
    return [str(target) for target in targets if target]


def spans_of(document: str) -> list[str]:
    """Texts in backticks."""
    return [token.content for token in inline_of(document) if token.type == "code_inline"]


def anchors_of(document: str) -> set[str]:
    """Anchors of the headings, as GitHub makes them."""
    anchors: set[str] = set()
    for heading, content in pairwise(tokens_of(document)):
        if heading.type != "heading_open":
            continue
        words = "".join(token.content for token in content.children or [])
        anchor = re.sub(r"[^\w\- ]", "", words.lower()).replace(" ", "-")
        number = sum(1 for other in anchors if re.fullmatch(rf"{re.escape(anchor)}(-\d+)?", other))
        anchors.add(f"{anchor}-{number}" if number else anchor)
    return anchors
