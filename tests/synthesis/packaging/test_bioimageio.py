"""Models as BioImage.IO packages: valid by the library of BioImage.IO, the same bytes, and back again."""

import hashlib
import io
import subprocess
import sys
import zipfile

import numpy as np
import pytest
import torch
import yaml

from napari_synth import api
from napari_synth.core.errors import InputError
from napari_synth.models.importers.base import Wishes
from napari_synth.models.registry import bundled_cards
from napari_synth.synthesis.importing import import_checkpoint
from napari_synth.synthesis.packaging.bioimageio import export_package
from napari_synth.synthesis.packaging.programs import Fixed
from tests.helpers import nuclei, small_metgan, small_styled

pytestmark = [
    # torch says that tracing fixes sizes: those of tables, which no input changes.
    pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning"),
    pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning"),
    pytest.mark.usefixtures("garbage_collected"),
]
PACKAGED = [name for name, card in bundled_cards().items() if card.architecture != "pbam"]


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A model with random weights and a package of its second option, which is grey."""
    folder = tmp_path_factory.mktemp("package")
    model = small_styled(folder / "small.safetensors")
    return api.load_model(model, "cpu"), export_package(str(model), folder / "small.zip", Fixed(option="grey"))


def validated(package):
    spec = pytest.importorskip("bioimageio.spec")
    summary = spec.load_description_and_validate_format_only(package)
    assert summary.status == "valid-format", summary.display() or summary.details
    return yaml.safe_load(files_of(package)["rdf.yaml"])


def files_of(package):
    with zipfile.ZipFile(package) as source:
        return {name: source.read(name) for name in source.namelist()}


def run(package, *arrays):
    program = torch.jit.load(io.BytesIO(files_of(package)["weights.pt"]))
    given = program(*(torch.from_numpy(array) for array in arrays))
    return [part.numpy() for part in (given if isinstance(given, tuple) else (given,))]


def back(package, folder):
    out = folder / "back.safetensors"
    import_checkpoint(package, "bioimageio", out, Wishes("back"))
    return api.load_model(out, "cpu")


def apart(one, other):
    return int(np.abs(one.astype(int) - other.astype(int)).max())


def test_a_package_is_valid_and_says_what_it_holds(small):
    described = validated(small[1])
    assert described["weights"]["torchscript"]["source"] == "weights.pt"
    assert described["config"]["napari-synth"]["option"] == "grey"
    assert described["config"]["napari-synth"]["sha256"] == small[0].sha256
    assert described["config"]["napari-synth"]["mask_meaning"] == "foreground-gap"


@pytest.mark.parametrize("shape", [(64, 64), (48, 80)])
def test_it_comes_back_within_a_grey_level(small, shape, tmp_path):
    """For masks whose nuclei touch, and of other sizes than that it was recorded with."""
    model, package = small
    labels = nuclei(shape, 6)
    labels[20:30, 10:20], labels[20:30, 20:30] = 8, 9
    original = model.render(labels, option="grey", seed=1).image
    assert apart(back(package, tmp_path).render(labels).image, original) <= 1


@pytest.mark.slow
def test_the_same_model_gives_the_same_bytes(small, tmp_path):
    """Written by two processes, as torch numbers the classes of one."""
    command = "from napari_synth.cli.main import run; run()"
    hashes = set()
    for number in (1, 2):
        out = tmp_path / f"{number}.zip"
        arguments = ["models", "export", str(small[0].path), "--bioimageio", str(out)]
        subprocess.run([sys.executable, "-W", "ignore", "-c", command, *arguments], check=True, capture_output=True)
        hashes.add(hashlib.sha256(out.read_bytes()).hexdigest())
    assert len(hashes) == 1


@pytest.mark.slow
def test_an_image_beside_the_mask_is_a_second_input(tmp_path):
    model = small_metgan(tmp_path / "brain.safetensors")
    package = export_package(str(model), tmp_path / "brain.zip")
    assert [port["id"] for port in validated(package)["inputs"]] == ["mask", "anatomy"]
    labels = nuclei((128, 64), 4)
    anatomy = np.linspace(50, 700, labels.size).reshape(labels.shape).astype(np.uint16)
    [signal] = run(package, (labels > 0).astype(np.float32)[None, None], anatomy.astype(np.float32)[None, None])
    expected = api.load_model(model, "cpu").render(labels, condition=anatomy, seed=1).image
    assert apart(signal[0, 0].round(), expected) <= 1
    with pytest.raises(InputError, match="reads 2 images"):
        back(package, tmp_path)


def test_what_cannot_be_packaged_is_refused(small, tmp_path):
    with pytest.raises(InputError, match="pbam-axons has no network"):
        export_package("pbam-axons", tmp_path / "no.zip")
    with pytest.raises(InputError, match="no option called 'he-light'"):
        export_package(str(small[0].path), tmp_path / "no.zip", Fixed(option="he-light"))
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
@pytest.mark.parametrize("name", PACKAGED)
def test_every_bundled_network_runs_without_this_program(name, tmp_path):
    package = export_package(name, tmp_path / "package.zip")
    described = validated(package)
    with zipfile.ZipFile(package) as source:
        source.extractall(tmp_path)
    inputs, outputs = ([port["id"] for port in described[what]] for what in ("inputs", "outputs"))
    script = (
        "import sys; sys.modules['napari_synth'] = None\n"
        "import numpy as np, torch\n"
        f"given = torch.jit.load('weights.pt')(*(torch.from_numpy(np.load(n + '.npy')) for n in {inputs}))\n"
        "given = given if isinstance(given, tuple) else (given,)\n"
        f"for n, t in zip({outputs}, given, strict=True):\n"
        "    np.testing.assert_allclose(t, np.load(n + '.npy'), atol=1e-3)\n"
    )
    subprocess.run([sys.executable, "-W", "ignore", "-c", script], check=True, cwd=tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "option"), [("optional-pix2pix-nuclei", "he"), ("capspix2pix-axons", None)])
def test_bundled_looks_come_back_within_a_grey_level(name, option, tmp_path):
    package = export_package(name, tmp_path / "package.zip", Fixed(option=option, seed=3))
    labels = nuclei((256, 256), 12)
    original = api.load_model(name, "cpu").render(labels, option=option, seed=3).image
    assert apart(back(package, tmp_path).render(labels).image, original) <= 1
