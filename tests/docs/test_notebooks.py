"""Notebooks are made of the pages, and run in the kernel that a reader has."""

import json
import os
import runpy
import sys
from pathlib import Path

import pytest

from tests.docs.markdown import ROOT

TUTORIALS = ROOT / "docs" / "tutorials"
NOTEBOOKS = sorted(path.stem for path in TUTORIALS.glob("*.ipynb"))


def cells_of(name):
    notebook = json.loads((TUTORIALS / f"{name}.ipynb").read_text(encoding="utf-8"))
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    assert len({cell["id"] for cell in notebook["cells"]}) == len(notebook["cells"])
    return ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]


def test_notebooks_say_what_their_pages_say():
    script = runpy.run_path(str(ROOT / "docs" / "scripts" / "make_notebooks.py"))
    assert sorted(script["NAMES"]) == NOTEBOOKS
    for name in NOTEBOOKS:
        page = (TUTORIALS / f"{name}.md").read_text(encoding="utf-8")
        written = (TUTORIALS / f"{name}.ipynb").read_text(encoding="utf-8")
        assert written == script["notebook"](page), "run docs/scripts/make_notebooks.py"
        assert len(cells_of(name)) == page.count("\n```\n")


@pytest.mark.slow
@pytest.mark.parametrize("name", NOTEBOOKS)
def test_every_cell_runs(name, tmp_path):
    manager = pytest.importorskip("jupyter_client.manager", reason="napari's console brings it")
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    kernel, client = manager.start_new_kernel(cwd=tmp_path, env={**os.environ, "PATH": path})
    try:
        for cell in cells_of(name):
            said = []
            reply = client.execute_interactive(cell, timeout=300, allow_stdin=False, output_hook=said.append)
            content = reply["content"]
            assert content["status"] == "ok", f"{cell}\n{content.get('evalue')}"
            if cell.startswith("!"):
                check = client.execute_interactive("assert _exit_code == 0", timeout=60, output_hook=said.append)
                assert check["content"]["status"] == "ok", f"{cell}\n{said}"
    finally:
        client.stop_channels()
        kernel.shutdown_kernel(now=True)
