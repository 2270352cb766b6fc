"""Registries: what is added is found, in the sentences and in the help texts."""

import runpy
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from napari_synth.cli.main import app
from napari_synth.core.errors import InputError
from napari_synth.core.registry import Registry
from napari_synth.exporting.formats import FORMATS as KNOWN

SCRIPTS = Path(__file__).parents[2] / "docs" / "scripts"
PLUGIN = """
from napari_synth.exporting.formats import FORMATS
from napari_synth.evaluation.metrics import METRICS
from napari_synth.masks.samplers import SAMPLERS

from extra.formats import ArrayWriter
from extra.metrics import LARGEST
from extra.samplers import First

FORMATS.register("npy", ArrayWriter())
METRICS.register("largest", LARGEST)
SAMPLERS.register("first", First)
"""
FORMAT = """
import numpy as np
from napari_synth.exporting.formats.base import Writer


class ArrayWriter(Writer):
    title = "NumPy arrays"

    def files(self, folder, item):
        return folder / f"{item.stem}.image.npy", folder / f"{item.stem}.mask.npy"

    def write(self, folder, pair):
        folder.mkdir(parents=True, exist_ok=True)
        for path, array in zip(self.files(folder, pair.item), (pair.image, pair.labels)):
            np.save(path, array)
"""
METRIC = """
import numpy as np
from napari_synth.evaluation.metrics.base import Metric

LARGEST = Metric("largest difference", "two images", "lower", lambda a, b: float(np.abs(a - b).max()))
"""
SAMPLER = """
import numpy as np
from napari_synth.masks.samplers import Draw, Sampler


class First(Sampler):
    title = "first: always the first shape"

    def draw(self, rng, count):
        return Draw(np.repeat(self.latents.codes[:1], count, 0), np.zeros(count, np.int64))
"""


@pytest.fixture
def extra(tmp_path):
    """Folder of a package with a format, a metric and a sampler, each one file."""
    package = tmp_path / "extra"
    package.mkdir()
    for name, text in (("__init__", PLUGIN), ("formats", FORMAT), ("metrics", METRIC), ("samplers", SAMPLER)):
        (package / f"{name}.py").write_text(text, encoding="utf-8")
    return tmp_path


RUN = """
from napari_synth.cli.main import run
for words in COMMANDS:
    sys.argv = ["napari-synth", *words]
    try:
        run()
    except SystemExit as stop:
        assert not stop.code, words
"""


def run(folder: Path, *commands: list[str], before: str = "import extra", after: str = "") -> str:
    """What several command lines print in one process, with single spaces; it finds packages in a folder."""
    start = f"import sys; sys.path.insert(0, {str(folder)!r})\n{before}\nCOMMANDS = {commands!r}"
    done = subprocess.run([sys.executable, "-c", start + RUN + after], capture_output=True, text=True, check=True)
    return " ".join(done.stdout.split())


@pytest.mark.slow
def test_what_is_added_is_in_the_help_and_the_page_of_all_choices_and_works(extra):
    masks, pairs = str(extra / "masks"), str(extra / "pairs")
    shown = run(
        extra,
        ["masks", "--help"],
        ["export", "--help"],
        ["masks", "--sampler", "first", "--size", "64", "--out", masks],
        ["export", f"{masks}/recipe.yaml", "--format", "npy", "--device", "cpu", "--option", "he", "--out", pairs],
        after=f"sys.path.insert(0, {str(SCRIPTS)!r})\nimport make_choices\nprint(make_choices.page())",
    )
    assert "library, jitter, knn, manifold, prior or first. [library]" in shown
    assert "or npy." in shown
    assert len(list((extra / "pairs").glob("*.npy"))) == 2
    assert "| `first` | always the first shape |" in shown
    assert "| `npy` | NumPy arrays |" in shown
    assert "| `largest` | largest difference | two images | lower |" in shown


def test_the_page_of_all_choices_is_up_to_date():
    page = runpy.run_path(str(SCRIPTS / "make_choices.py"))["page"]()
    assert (SCRIPTS.parent / "choices.md").read_text(encoding="utf-8") == page, "run docs/scripts/make_choices.py"


def test_help_texts_list_exactly_the_registries():
    def shown(*words):
        return " ".join(CliRunner().invoke(app, [*words, "--help"]).output.split())

    assert "library, jitter, knn, manifold or prior. [library]" in shown("masks")
    assert f" {KNOWN.choices}. " in shown("export")
    programs = " capspix2pix, optional-pix2pix, pix2pix, metgan, dvae, torchscript or bioimageio. "
    assert programs in shown("models", "import")


def test_an_unknown_name_is_answered_with_all_known_ones():
    fruit = Registry("fruit", {"apple": 1})
    assert fruit.choices == "apple"
    fruit.register("pear", 2)
    fruit.register("plum", 3)
    assert fruit.choices == "apple, pear or plum"
    assert fruit["pear"] == 2
    with pytest.raises(InputError, match=r"There is no fruit called 'nut'. Choose one of: apple, pear, plum."):
        fruit["nut"]
    with pytest.raises(ValueError, match="a fruit called 'pear' already"):
        fruit.register("pear", 4)
    assert Registry("fruit", {}).choices == "none"
