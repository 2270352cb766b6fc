"""Types: every floor is checked, the lower ones strictly."""

import os
from pathlib import Path

from mypy import api

ROOT = Path(__file__).parents[1]
UNFINISHED = ("napari_synth/ui/", "napari_synth/synthesis/")


def test_the_types_are_right(tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    report, trouble, status = api.run(["--cache-dir", str(tmp_path), "--no-error-summary"])
    assert status < 2, trouble + report
    errors = [line for line in report.splitlines() if ": error:" in line]
    finished = [line for line in errors if not line.replace(os.sep, "/").startswith(UNFINISHED)]
    assert not finished, "\n".join(finished)


def test_programs_that_use_the_package_see_its_types():
    assert (ROOT / "napari_synth" / "py.typed").exists()
