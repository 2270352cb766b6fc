"""Everything is made as it was: see ``tests/golden/__init__.py``."""

import pytest

from tests.golden.cases import CASES
from tests.golden.make import differences, kept_cases, on_same_machine


def test_every_case_is_kept():
    assert set(kept_cases()) == set(CASES)


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if case.slow else ()) for name, case in CASES.items()]
)
def test_is_made_as_it_was(name, tmp_path):
    assert differences(name, tmp_path, on_same_machine()) == {}
