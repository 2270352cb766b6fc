"""Text and records from files that anybody may have written: YAML, and what pydantic says of it."""

from __future__ import annotations

from typing import Any

import yaml
from pydantic import ValidationError
from yaml.scanner import ScannerError

from napari_synth.core.errors import InputError, brief

MAX_TEXT = 64 * 2**20
"""Characters of a YAML file."""
MAX_NODES = 2_000_000
"""Values in a YAML file, those that an alias repeats counted each time."""
MAX_DEPTH = 100
"""Brackets in brackets of a YAML file."""


def first_problem(error: ValidationError, whole: str) -> tuple[str, str]:
    """Where a record is wrong and why; ``whole`` is the place of what concerns all of it.

    The record itself is not written out: one of a few bytes can stand for gigabytes.
    """
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    place = ".".join(str(part) for part in first["loc"]) or whole
    return brief(place), brief(first["msg"].removeprefix("Value error, "))


class _Loader(yaml.SafeLoader):
    """Gives up on brackets in brackets in brackets, each of which takes longer than the one before."""

    def fetch_flow_collection_start(self, TokenClass: Any) -> None:
        if self.flow_level == MAX_DEPTH:
            raise ScannerError(problem="it is nested too deeply")
        super().fetch_flow_collection_start(TokenClass)


def load_yaml(text: str, what: str, action: str) -> Any:
    """The one document of a YAML text; nothing but numbers, words, lists and tables can come of it.

    Parameters
    ----------
    text : str
    what : str
        What the text is, for the sentence when it is no such thing.
    action : str
        What to do then.

    Raises
    ------
    InputError
        If it is not valid YAML, holds objects or several documents, or is larger than anything we write.
    """
    if len(text) > MAX_TEXT:
        raise InputError(f"{what} is not valid YAML: it is too long.", action)
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        if node is None:
            return None
        if _count(node, {}) > MAX_NODES:
            raise InputError(f"{what} is not valid YAML: it repeats itself too often.", action)
        return loader.construct_document(node)
    except InputError:
        raise
    except Exception as error:  # beside YAMLError the constructors of dates, numbers and tables raise anything
        reason = getattr(error, "problem", None) or type(error).__name__
        raise InputError(f"{what} is not valid YAML ({brief(reason)}).", action) from error


def _count(node: yaml.Node, known: dict[int, int]) -> int:
    """How many values a node stands for; infinitely many where it holds itself."""
    if id(node) not in known:
        known[id(node)] = MAX_NODES + 1
        parts: list[yaml.Node] = []
        if isinstance(node, yaml.SequenceNode):
            parts = node.value
        elif isinstance(node, yaml.MappingNode):
            parts = [part for pair in node.value for part in pair]
        known[id(node)] = min(1 + sum(_count(part, known) for part in parts), MAX_NODES + 1)
    return known[id(node)]
