"""Everything is made as it was: see ``tests/golden/__init__.py``."""

import numpy as np
import pytest

from tests.golden.cases import CASES
from tests.golden.make import differences, kept_cases, on_same_machine
from tests.golden.record import describe, difference

LEVELS = np.arange(256, dtype=np.uint8).reshape(16, 16)
NUMBERS = np.linspace(-3, 3, 500, dtype=np.float32)
RECIPE = {"seed": 1, "masks": [{"path": "../a.tif", "scale": 0.5}], "versions": {"numpy": "1"}}


def test_every_case_is_kept():
    assert set(kept_cases()) == set(CASES)


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if case.slow else ()) for name, case in CASES.items()]
)
def test_is_made_as_it_was(name, tmp_path):
    assert differences(name, tmp_path, on_same_machine()) == {}


@pytest.mark.parametrize(
    ("was", "now", "here", "elsewhere"),
    [
        (LEVELS, LEVELS.copy(), True, True),
        (LEVELS, LEVELS + np.uint8(LEVELS == 7), False, True),
        (LEVELS, np.roll(LEVELS, 40), False, False),
        (LEVELS, LEVELS.astype(np.uint16), False, False),
        (LEVELS, LEVELS.reshape(8, 32), False, False),
        (NUMBERS, NUMBERS * np.float32(1.0001), True, True),
        (NUMBERS, NUMBERS * np.float32(1.01), False, False),
        (NUMBERS, NUMBERS[::-1], False, False),
        (b"abc", b"abc", True, True),
        (b"abc", b"abd", False, True),
        (b"abc", "abc", False, False),
        (RECIPE, RECIPE | {"style": None, "versions": {}}, True, True),
        (RECIPE, RECIPE | {"seed": 2}, False, False),
        (RECIPE, RECIPE | {"seed": None}, False, False),
        (RECIPE, RECIPE | {"masks": []}, False, False),
        (RECIPE, {"seed": 1}, False, False),
    ],
)
def test_a_change_is_seen(was, now, here, elsewhere):
    assert (difference(describe(was), now, same_machine=True) == "") is here
    assert (difference(describe(was), now, same_machine=False) == "") is elsewhere
