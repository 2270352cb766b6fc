"""``python -OO``: no assert and no docstring is relied on, and what a library needs of them is said."""

import subprocess
import sys

import numpy as np
import pytest
import tifffile

from napari_synth.cli import main
from tests.helpers import nuclei, pair_folder, small_capsules, small_generator

RUN = """
import sys
from napari_synth.cli.main import run
assert False, "asserts are left out"
for words in COMMANDS:
    sys.argv = ["napari-synth", *words]
    try:
        run()
    except SystemExit as stop:
        if stop.code:
            print("STOPPED", words[0], file=sys.stderr)
"""
NEED_DOCSTRINGS = {"recombine", "library", "check", "train"}
"""Commands that need ``skimage.transform``, which reads docstrings while it loads (scikit-image 0.26)."""
COMMANDS = (
    "--help",
    "masks --n 2 --size 64 --nuclei 200 --out masks",
    "library pairs --min-box 20 --out shapes.npz",
    "recombine pairs/masks --n 1 --out recombined",
    "synthesize mask.tif --model cells.safetensors --out images",
    "walk mask.tif --model axons.safetensors --steps 2 --out walk.tif",
    "activations mask.tif --model axons.safetensors --layer convcaps1 --out a.tif",
    "check pairs",
    "looks pairs/images --k 1 --out looks",
    "convert field --out converted",
    "train unet pairs --out checked.safetensors --steps 1 --device cpu --set width=2 --set crop=32",
    "train unet pairs --no-check --out m.safetensors --steps 1 --device cpu --set width=2 --set crop=32",
    "export masks/recipe.yaml --option he --device cpu --out exported",
    "replay exported/recipe.yaml --out again",
    "models list",
    "models show m.safetensors",
)


def every_command():
    """Those above, and the help of all others."""
    apps = [*main.app.registered_commands, *main.app.registered_groups]
    tried = {line.split()[0] for line in COMMANDS}
    return [*map(str.split, COMMANDS), *([one.name, "--help"] for one in apps if one.name not in tried)]


@pytest.mark.slow
def test_every_command_runs_optimised_or_says_why_not(tmp_path):
    tifffile.imwrite(tmp_path / "mask.tif", nuclei().astype(np.uint16))
    pair_folder(tmp_path / "pairs", 8)
    pair_folder(tmp_path / "field", 1)
    small_generator(tmp_path / "cells.safetensors")
    small_capsules(tmp_path / "axons.safetensors")
    program = [sys.executable, "-OO", "-c", f"COMMANDS = {every_command()!r}\n{RUN}"]
    done = subprocess.run(program, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    stopped = {line.split()[1] for line in done.stderr.splitlines() if line.startswith("STOPPED")}
    assert stopped <= NEED_DOCSTRINGS, done.stderr
    assert done.stderr.count("does not load without docstrings") == len(stopped)
