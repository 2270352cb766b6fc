"""How many inputs are tried, and what became of them."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hypothesis import HealthCheck, settings

from napari_synth.core.errors import SynthError

INPUTS = int(os.environ.get("FUZZ_INPUTS", "0"))
"""All together; 0 in the default run, which takes `FEW` of each kind, and every input that was trouble."""
FEW = 30
LONGEST_SENTENCE = 700
LONGEST_SECONDS = 2.0
"""Processor time of one input; compared in a run of many alone."""


@dataclass
class Tally:
    """One line of the table."""

    tried: int = 0
    refused: int = 0
    failed: int = 0
    longest: float = 0.0


tallies: dict[str, Tally] = {}


def effort(share: float) -> Any:
    """Hypothesis settings for a test that gets a share of all inputs."""
    return settings(
        max_examples=max(1, round(share * INPUTS)) if INPUTS else FEW,
        derandomize=not INPUTS,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


def survives(kind: str, call: Callable[[], Any]) -> Any:
    """The result of a call, or None where it refused its input in two short sentences.

    Anything else that is raised is a failure.
    """
    tally = tallies.setdefault(kind, Tally())
    tally.tried += 1
    began = time.process_time()
    try:
        return call()
    except SynthError as error:
        tally.refused += 1
        for sentence in (error.problem, error.action):
            assert 0 < len(sentence) <= LONGEST_SENTENCE, sentence[:1000]
            assert "Traceback" not in sentence
        return None
    except BaseException:
        tally.failed += 1
        raise
    finally:
        spent = time.process_time() - began
        tally.longest = max(tally.longest, spent)
        if INPUTS:
            assert spent < LONGEST_SECONDS, f"{spent:.1f} s"
