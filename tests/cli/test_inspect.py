import imageio.v3 as iio
import numpy as np
import pytest
import tifffile

from napari_synth import api
from tests.cli.test_commands import cli  # noqa: F401
from tests.helpers import nuclei, small_capsules

MASK = nuclei((40, 48), 2)


@pytest.fixture
def model(tmp_path):
    return small_capsules(tmp_path / "caps.safetensors")


@pytest.fixture
def mask(tmp_path):
    tifffile.imwrite(tmp_path / "mask.tif", MASK.astype(np.uint16))
    return tmp_path / "mask.tif"


def test_activations_are_those_of_the_python_call(cli, model, mask, tmp_path):  # noqa: F811
    arguments = ("activations", mask, "--model", model, "--layer", "caps4", "--seed", 3)
    assert cli(*arguments, "--out", "a.tif")[0] == 0
    rendering = api.load_model(model).render(MASK, seed=3, capture=["caps4"], routing=["caps4"])
    assert (tifffile.imread("a.tif") == rendering.activations["caps4"]).all()
    assert cli(*arguments, "--what", "length", "--out", "l.tif")[0] == 0
    assert tifffile.imread("l.tif").shape == (8, 10, 12)
    assert cli(*arguments, "--what", "routing", "--out", "r.tif")[0] == 0
    assert (tifffile.imread("r.tif") == rendering.routing["caps4"]).all()
    status, _, err = cli(*arguments, "--out", "a.tif")
    assert status == 2
    assert "already exists" in err
    assert cli("replay", "a.tif", "--out", "again")[0] == 0
    assert (tifffile.imread("again/images/0001.tif") == rendering.image).all()


def test_a_walk_begins_and_ends_at_its_seeds(cli, model, mask, tmp_path):  # noqa: F811
    arguments = ("walk", mask, "--model", model, "--from-seed", 4, "--to-seed", 5, "--steps", 3)
    assert cli(*arguments, "--out", "w.tif", "--activations", "--layer", "convcaps3")[0] == 0
    frames = tifffile.imread("w.tif")
    assert frames.shape == (3, 40, 48)
    loaded = api.load_model(model)
    assert (frames[0] == loaded.render(MASK, seed=4).image).all()
    assert (frames[2] == loaded.render(MASK, seed=5).image).all()
    assert tifffile.imread("w_convcaps3.tif").shape == (3, 4, 32, 10, 12)
    assert cli(*arguments, "--out", "w.gif", "--path", "linear", "--set", "convcaps10,0,5=0")[0] == 0
    assert iio.imread("w.gif").shape[0] == 3


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["walk", "--steps", "1", "--out", "w.gif"], "at least 2 steps"),
        (["walk", "--out", "w.avi"], "no movie format"),
        (["walk", "--out", "w.gif", "--set", "convcaps3=0"], "not understood"),
        (["walk", "--out", "w.gif", "--set", "convcaps3,9=0"], "there is no capsule 9"),
        (["activations", "--layer", "convcaps7", "--out", "a.tif"], "no layer called"),
        (["activations", "--layer", "conv1", "--what", "routing", "--out", "a.tif"], "routes nothing"),
    ],
)
def test_bad_input_ends_with_status_2_and_no_file(cli, model, mask, tmp_path, arguments, words):  # noqa: F811
    status, _, err = cli(arguments[0], mask, "--model", model, *arguments[1:])
    assert status == 2
    assert words in err
    assert not list(tmp_path.glob("*.gif")) + list(tmp_path.glob("a.tif"))


def test_a_z_file_is_used_and_a_wrong_one_refused(cli, model, mask, tmp_path):  # noqa: F811
    z = np.random.default_rng(0).normal(size=100).astype(np.float32)
    np.save(tmp_path / "z.npy", z)
    np.savetxt(tmp_path / "short.txt", z[:7])
    (tmp_path / "words.txt").write_text("not numbers")
    assert cli("synthesize", mask, "--model", model, "--z", "z.npy", "--out", "s")[0] == 0
    assert (tifffile.imread("s/mask.tif") == api.load_model(model).render(MASK, z=z).image).all()
    assert cli("replay", "s/mask.tif", "--out", "r")[0] == 0
    assert (tifffile.imread("r/images/0001.tif") == tifffile.imread("s/mask.tif")).all()
    for name, words in (
        ("short.txt", "Give 100 numbers"),
        ("words.txt", "no list of numbers"),
        ("none.npy", "none.npy"),
    ):
        status, _, err = cli("synthesize", mask, "--model", model, "--z", name, "--out", "t")
        assert status == 2
        assert words in err
