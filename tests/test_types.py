"""Types: every floor is checked, those below the window strictly."""

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import napari_synth

ROOT = Path(__file__).parents[1]


@pytest.mark.slow  # a minute and a half on a clean checkout; `make lint` does the same
def test_the_types_are_right():
    """In a process of its own: what mypy leaves in memory would slow down the tests after it."""
    command = [sys.executable, "-m", "mypy", "--no-error-summary"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr + done.stdout


def test_programs_that_use_the_package_see_its_types():
    assert (ROOT / "napari_synth" / "py.typed").exists()


def test_a_type_checker_sees_every_public_name():
    tree = ast.parse((ROOT / "napari_synth" / "__init__.py").read_text(encoding="utf-8"))
    (checked,) = (node for node in tree.body if isinstance(node, ast.If))
    assert ast.unparse(checked.test) == "TYPE_CHECKING"
    origins = {alias.name: imported.module for imported in checked.body for alias in imported.names}
    assert set(origins) | {"__version__"} == set(napari_synth.__all__)
    for name, module in origins.items():
        assert getattr(napari_synth, name) is getattr(import_module(module), name)


def test_no_package_takes_the_place_of_a_public_name():
    folders = {path.parent.name for path in (ROOT / "napari_synth").glob("*/__init__.py")}
    assert not folders & set(napari_synth.__all__), "importing it would hide the public name"
