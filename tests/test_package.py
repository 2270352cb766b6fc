"""The house: floors, lazy torch, manifest, and what an installed wheel holds."""

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from graphlib import TopologicalSorter
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parents[1]


def python(*arguments, executable=sys.executable, **options):
    return subprocess.run([str(executable), *arguments], capture_output=True, text=True, check=True, **options).stdout


def test_import_contract():
    result = subprocess.run(
        ["lint-imports"], cwd=ROOT, capture_output=True, text=True, env=os.environ | {"PATH": path()}
    )
    assert result.returncode == 0, result.stdout
    assert " 0 broken" in result.stdout


def test_no_module_waits_for_one_that_waits_for_it():
    graph = grimp.build_graph("napari_synth", exclude_type_checking_imports=True, cache_dir=None)
    modules = set(graph.modules)
    TopologicalSorter({name: graph.find_modules_directly_imported_by(name) & modules for name in modules}).prepare()


def test_no_module_is_too_long():
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in ROOT.glob("napari_synth/**/*.py")}
    assert not {str(path): length for path, length in lengths.items() if length > 400}


def path():
    return f"{sysconfig.get_path('scripts')}{os.pathsep}{os.environ['PATH']}"


def test_style():
    for arguments in (["check", "."], ["format", "--check", "."]):
        result = subprocess.run(
            ["ruff", *arguments], cwd=ROOT, capture_output=True, text=True, env=os.environ | {"PATH": path()}
        )
        assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(
    "statement",
    [
        "import napari_synth",
        "import napari_synth.cli.main",
        "import napari_synth.api",
        "from napari_synth.models.registry import bundled_cards; assert bundled_cards()",
    ],
)
def test_starting_does_not_import_torch(statement):
    python("-c", f"{statement}\nimport sys; assert 'torch' not in sys.modules")


def test_the_manifest_is_valid():
    assert "valid" in python("-m", "npe2", "validate", "napari-synth").lower()


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A Python whose only napari-synth is an installed wheel; the libraries are those of this environment."""
    folder = tmp_path_factory.mktemp("wheel")
    python("-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(ROOT))
    (wheel,) = folder.glob("*.whl")
    venv.create(folder / "venv", with_pip=False)
    executable = folder / "venv" / "bin" / "python"
    site = Path(python("-c", "import sysconfig; print(sysconfig.get_path('purelib'))", executable=executable).strip())
    python("-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(site), str(wheel))
    (site / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return wheel, executable, folder


def test_the_wheel_is_complete_and_light(installed):
    wheel, _, _ = installed
    names = zipfile.ZipFile(wheel).namelist()
    for name in ("napari.yaml", "py.typed", "sample_data/nuclei_256.tif", "models/weights/nucleus-dvae.safetensors"):
        assert f"napari_synth/{name}" in names
    weights = [info for info in zipfile.ZipFile(wheel).infolist() if info.filename.endswith(".safetensors")]
    assert sum(info.file_size for info in weights) < 90e6


@pytest.mark.slow
def test_an_installed_wheel_shows_its_commands_and_finds_weights_and_samples(installed):
    _, executable, folder = installed
    program = """
import napari_synth
assert "site-packages" in napari_synth.__file__, napari_synth.__file__
from npe2 import PluginManager
manager = PluginManager.instance()
manager.discover()
manifest = manager.get_manifest("napari-synth")
for command in manifest.contributions.commands:
    print(command.id)
    manager.commands.get(command.id)
for sample in manifest.contributions.sample_data:
    data = sample.open()
    assert data and data[0][0].any(), sample.key
    print("sample", sample.key)
from napari_synth.models.registry import bundled_cards
print("models", *bundled_cards())
"""
    out = python("-c", program, executable=executable, cwd=folder)
    for words in ("napari-synth.", "sample ", "optional-pix2pix-nuclei", "nucleus-dvae"):
        assert words in out
