"""Registries: what is added is found, in the sentences and in the help texts."""

import runpy
import subprocess
import sys
from pathlib import Path

import pytest

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


def run(folder: Path, *arguments: str, program: str = "import extra") -> str:
    """What the command line prints after ``extra`` was loaded."""
    return python(folder, f"{program}\nfrom napari_synth.cli.main import run\nrun()", *arguments)


def python(folder: Path, program: str, *arguments: str) -> str:
    """What a program that finds packages in a folder prints, with single spaces."""
    start = f"import sys; sys.path.insert(0, {str(folder)!r})\n"
    command = [sys.executable, "-c", start + program, *arguments]
    return " ".join(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())


def test_what_is_added_is_in_the_help_and_works(extra):
    assert "library, jitter, knn, manifold, prior or first. [library]" in run(extra, "masks", "--help")
    assert "or npy." in run(extra, "export", "--help")
    run(extra, "masks", "--sampler", "first", "--size", "64", "--out", str(extra / "masks"))
    run(extra, "export", str(extra / "masks" / "recipe.yaml"), "--format", "npy", "--device", "cpu",
        "--option", "he", "--out", str(extra / "pairs"))  # fmt: skip
    assert len(list((extra / "pairs").glob("*.npy"))) == 2


def test_what_is_added_is_in_the_page_of_all_choices(extra):
    show = f"import extra\nsys.path.insert(0, {str(SCRIPTS)!r})\nimport make_choices\nprint(make_choices.page())"
    shown = python(extra, show)
    assert "| `first` | always the first shape |" in shown
    assert "| `npy` | NumPy arrays |" in shown
    assert "| `largest` | largest difference | two images | lower |" in shown


def test_the_page_of_all_choices_is_up_to_date():
    page = runpy.run_path(str(SCRIPTS / "make_choices.py"))["page"]()
    assert (SCRIPTS.parent / "choices.md").read_text(encoding="utf-8") == page, "run docs/scripts/make_choices.py"


def test_help_texts_list_exactly_the_registries(tmp_path):
    plain = "pass"
    assert "library, jitter, knn, manifold or prior. [library]" in run(tmp_path, "masks", "--help", program=plain)
    assert f" {KNOWN.choices}. " in run(tmp_path, "export", "--help", program=plain)
    assert " capspix2pix, optional-pix2pix, pix2pix, metgan, dvae, torchscript or bioimageio. " in run(
        tmp_path, "models", "import", "--help", program=plain
    )


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
