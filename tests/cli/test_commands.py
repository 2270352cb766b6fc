import io
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import tifffile
import torch
from typer.testing import CliRunner

from napari_synth import api
from napari_synth.cli import console
from napari_synth.cli.main import app, run
from napari_synth.core.errors import InputError
from napari_synth.core.progress import Progress
from napari_synth.core.recipe import read_recipe
from napari_synth.models.checkpoint import read_card
from tests.helpers import nuclei, pair_folder, small_generator, small_pairs
from tests.reference.published import NestedGenerator


@pytest.fixture
def cli(monkeypatch, capsys, tmp_path):
    """Run the program in this process in an empty folder: (exit status, stdout, stderr)."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["napari-synth", *(str(argument) for argument in arguments)])
        status = 0
        try:
            run()
        except SystemExit as stop:
            status = stop.code or 0
        return status, *capsys.readouterr()

    return call


@pytest.fixture
def model(tmp_path):
    return small_generator(tmp_path / "small.safetensors")


@pytest.fixture
def mask(tmp_path):
    tifffile.imwrite(tmp_path / "mask.tif", nuclei().astype(np.uint16))
    return tmp_path / "mask.tif"


def test_masks_are_composed_with_a_recipe_to_export_from(cli, model, tmp_path):
    status, out, _ = cli("masks", "--n", 3, "--size", "96x64", "--seed", 5, "--out", "m")
    assert status == 0
    assert "3 masks" in out
    labels = tifffile.imread("m/mask_0001.tif")
    assert labels.shape == (64, 96)
    assert labels.dtype == np.uint16
    assert labels.max() > 0
    assert len(read_recipe(tmp_path / "m" / "recipe.yaml").masks) == 3
    status, _, err = cli("masks", "--out", "m")
    assert status == 2
    assert "already holds other masks" in err
    assert cli("masks", "--n", 3, "--size", "96x64", "--seed", 5, "--out", "again")[0] == 0
    assert (tifffile.imread("again/mask_0003.tif") == tifffile.imread("m/mask_0003.tif")).all()


def test_synthesize_equals_the_python_call_and_replays(cli, model, mask):
    status, out, _ = cli(
        "synthesize", mask, "--model", model, "--option", "he", "--option", "grey", "--seed", 7, "--out", "s"
    )
    assert status == 0
    assert "ms" in out
    expected = api.load_model(model).render(nuclei(), "he", 7).image
    assert (tifffile.imread("s/mask_he.tif") == expected).all()
    assert cli("replay", "s/mask_he.tif", "--out", "r")[0] == 0
    assert (tifffile.imread("r/images/0001_he.tif") == expected).all()
    assert (tifffile.imread("r/masks/0001_he.tif") == nuclei()).all()


def test_without_noise(cli, model, mask):
    assert cli("synthesize", mask, "--model", model, "--no-noise", "--out", "s")[0] == 0
    assert (tifffile.imread("s/mask_he.tif") == api.load_model(model).render(nuclei(), "he", None).image).all()


def test_export_resumes_and_refuses_other_pairs(cli, model, mask):
    cli("synthesize", mask, "--model", model, "--out", "s")
    status, out, _ = cli("export", "s/mask_he.tif", "--n", 3, "--option", "he", "--out", "e")
    assert (status, out.strip()) == (0, "3 pairs in e")
    assert (
        cli("export", "s/mask_he.tif", "--n", 3, "--option", "he", "--out", "e")[1]
        .strip()
        .endswith("(3 were there already)")
    )
    assert "4 pairs in e (3 were there already)" in cli("export", "s/mask_he.tif", "--n", 4, "--out", "e")[1]
    status, _, err = cli("export", "s/mask_he.tif", "--n", 4, "--variants", 2, "--out", "e")
    assert status == 2
    assert "already holds other pairs" in err
    assert cli("export", "s/mask_he.tif", "--n", 4, "--variants", 2, "--out", "e", "--overwrite")[0] == 0
    assert len(os.listdir("e/images")) == 4
    assert cli("replay", "e/recipe.yaml", "--out", "e2")[0] == 0
    for name in os.listdir("e/images"):
        assert (tifffile.imread(f"e/images/{name}") == tifffile.imread(f"e2/images/{name}")).all()


def test_an_export_of_a_mask_that_would_spoil_a_training_says_so_and_goes_on(cli, model, mask):
    tifffile.imwrite("turned.tif", (nuclei() == 0).astype(np.uint16))
    for name in ("mask", "turned"):
        cli("synthesize", f"{name}.tif", "--model", model, "--out", "s")
    status, out, err = cli("export", "s/turned_he.tif", "--out", "e")
    assert (status, out.strip()) == (0, "1 pairs in e")
    said, cure, *_ = err.splitlines()
    assert said == "The mask turned.tif labels the background instead of nuclei."
    assert f"napari-synth check {mask.parent} --repair COPY" in cure
    assert "napari-synth check" not in cli("export", "s/mask_he.tif", "--out", "e2")[2]


def test_export_can_compile_the_network(cli, model, mask, monkeypatch):
    compiled = []

    def compile_one(trained):
        compiled.append(trained.card.id)
        return trained

    cli("synthesize", mask, "--model", model, "--out", "s")
    monkeypatch.setattr("napari_synth.synthesis.compiling.check_compiler", lambda device: None)
    monkeypatch.setattr("napari_synth.synthesis.compiling.compiled", compile_one)
    assert cli("export", "s/mask_he.tif", "--n", 3, "--compile", "--out", "e")[0] == 0
    assert compiled == ["small"], "once, for all pairs"
    assert cli("export", "s/mask_he.tif", "--n", 3, "--out", "e2")[0] == 0
    assert compiled == ["small"]

    def refuse(device):
        raise InputError("Networks cannot be compiled on this machine: no g++.", "Install one.")

    monkeypatch.setattr("napari_synth.synthesis.compiling.check_compiler", refuse)
    status, _, err = cli("export", "s/mask_he.tif", "--n", 3, "--compile", "--out", "e3")
    assert status == 2
    assert "no g++" in err


def test_models_list_and_show(cli):
    status, out, _ = cli("models", "list")
    assert status == 0
    assert "optional-pix2pix-nuclei" in out
    assert "nucleus-dvae" in out
    status, out, _ = cli("models", "show", "nucleus-dvae")
    assert status == 0
    assert "architecture: dvae" in out
    assert "attribution" in out


def test_models_import(cli, mask, tmp_path):
    torch.save(NestedGenerator(1, 1, levels=5, ngf=4, norm=torch.nn.BatchNorm2d).state_dict(), tmp_path / "theirs.pth")
    arguments = ("models", "import", "theirs.pth", "--from", "pix2pix", "--out", "ours.safetensors")
    status, out, _ = cli(*arguments)
    assert status == 0
    assert "ours.safetensors: pix2pix" in out
    assert cli("synthesize", mask, "--model", "ours.safetensors", "--out", "s")[0] == 0
    assert tifffile.imread("s/mask.tif").shape == (64, 64)
    status, _, err = cli(*arguments)
    assert status == 2
    assert "already exists" in err


def test_models_import_in_the_modes_of_the_program(cli, mask):
    network = NestedGenerator(1, 1, levels=5, ngf=4, norm=torch.nn.BatchNorm2d).train()
    for _ in range(3):
        network(torch.rand(1, 1, 64, 64))
    torch.save({"netG_A": network.state_dict(), "netG_B": network.state_dict()}, "theirs.pth")
    arguments = ("models", "import", "theirs.pth", "--from", "pix2pix", "--out")
    status, _, err = cli(*arguments, "m.safetensors")
    assert status == 2
    assert "netG_A, netG_B" in err
    for mode in ("test", "eval"):
        assert cli(*arguments, f"{mode}.safetensors", "--as", mode, "--part", "netG_A")[0] == 0
        assert cli("synthesize", mask, "--model", f"{mode}.safetensors", "--no-noise", "--out", mode)[0] == 0
    assert (tifffile.imread("test/mask.tif") != tifffile.imread("eval/mask.tif")).any()
    for wrong, words in (("train", "no way to import a checkpoint"), ("eval", "--as has no meaning")):
        source = "pix2pix" if wrong == "train" else "dvae"
        status, _, err = cli(
            "models", "import", "theirs.pth", "--from", source, "--out", "n.safetensors", "--as", wrong
        )
        assert status == 2
        assert words in err


def test_models_import_of_a_program(cli, mask):
    class Shade(torch.nn.Module):
        def forward(self, x):
            return 0.3 + 0.5 * torch.nn.functional.avg_pool2d(x, 3, 1, 1)

    torch.jit.script(Shade()).save("shade.pt")
    arguments = ("models", "import", "shade.pt", "--from", "torchscript", "--out", "m.safetensors")
    status, _, err = cli(*arguments)
    assert status == 2
    assert "--gives" in err
    for pair in ("1", "1,1", "a,b", "nan,1"):
        status, _, err = cli(*arguments, "--gives", pair)
        assert status == 2
        assert "two different numbers" in err
    assert cli(*arguments, "--gives", "0,1", "--reads", "-1,1", "--multiple", 8)[0] == 0
    assert cli("synthesize", mask, "--model", "m.safetensors", "--out", "s")[0] == 0
    assert tifffile.imread("s/mask.tif").max() == round(255 * 0.8)


def test_train_makes_a_model_that_renders(cli, tmp_path, mask):
    pair_folder(tmp_path / "data" / "a")
    pair_folder(tmp_path / "data" / "b", grey=True)
    small = ["--set", "crop=32", "--set", "ngf=4", "--set", "ndf=4", "--set", "levels=3", "--set", "batch_size=2"]
    status, out, err = cli(
        "train", "pix2pix", "data", "--out", "m.safetensors", "--steps", 3, "--device", "cpu", *small
    )
    assert status == 0, err
    assert "after 3 steps" in out
    assert cli("synthesize", mask, "--model", "m.safetensors", "--option", "b", "--out", "s")[0] == 0
    assert tifffile.imread("s/mask_b.tif").shape == (64, 64)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["synthesize", "none.tif", "--out", "s"], "does not exist"),
        (["synthesize", "mask.tif", "--option", "hex", "--out", "s"], "no option called 'hex'"),
        (["synthesize", "mask.tif", "--model", "nope", "--out", "s"], "no model called 'nope'"),
        (["synthesize", "mask.tif", "--model", "w.pth", "--out", "s"], "pickle"),
        (["synthesize", "empty.tif", "--model", "small.safetensors", "--out", "s"], "empty.tif is empty"),
        (["synthesize", "stack.tif", "--model", "small.safetensors", "--out", "s"], "stack of 5 planes"),
        (["synthesize", "nan.tif", "--model", "small.safetensors", "--out", "s"], "NaN"),
        (
            ["synthesize", "mask.tif", "--model", "small.safetensors", "--device", "tpu", "--out", "s"],
            "no device called",
        ),
        (["export", "none.yaml", "--out", "e"], "cannot be read"),
        (["export", "mask.tif", "--out", "e"], "carries no recipe"),
        (["replay", "mask.tif", "--out", "e"], "carries no recipe"),
        (["train", "gpt", ".", "--out", "m.safetensors"], "no architecture to train"),
        (["train", "dvae", "nowhere", "--out", "m.safetensors"], "does not exist"),
        (["train", "dvae", ".", "--out", "m.safetensors", "--set", "steps"], "not understood"),
        (["masks", "--size", "big", "--out", "m"], "not understood"),
        (["masks", "--size", "9", "--out", "m"], "out of range"),
        (["masks", "--sampler", "magic", "--out", "m"], "no sampler called"),
        (["masks", "--spacing", "magic", "--out", "m"], "no spacing called"),
        (["masks", "--preset", "magic", "--out", "m"], "no preset called"),
        (["masks", "--count-law", "magic", "--out", "m"], "count_law is not valid"),
        (["masks", "--fit-from", "nowhere", "--out", "m"], "does not exist"),
        (["library", "nowhere", "--out", "l.npz"], "does not exist"),
        (["library", ".", "--out", "l.zip"], "not an .npz file"),
        (["models", "show", "nope"], "no model called"),
        (["models", "import", "mask.tif", "--from", "dvae", "--out", "m.safetensors"], "holds more than weights"),
        (["models", "import", "mask.tif", "--from", "dvae", "--out", "m.pth"], "not a .safetensors file"),
        (["bogus"], "No such command"),
        (["masks"], "Missing option"),
    ],
)
def test_wrong_input_is_status_2_and_a_sentence(cli, model, mask, tmp_path, arguments, words):
    tifffile.imwrite(tmp_path / "empty.tif", np.zeros((32, 32), np.uint16))
    tifffile.imwrite(tmp_path / "stack.tif", np.ones((5, 32, 32), np.uint16), photometric="minisblack")
    tifffile.imwrite(tmp_path / "nan.tif", np.full((32, 32), np.nan, np.float32))
    status, _, err = cli(*arguments)
    assert status == 2, err
    assert words in err
    assert "Traceback" not in err
    assert not {"s", "e", "m", "m.safetensors"} & set(os.listdir("."))


def test_a_target_that_is_a_file_is_status_1(cli, model, mask, tmp_path):
    (tmp_path / "s").write_text("")
    status, _, err = cli("synthesize", mask, "--model", model, "--out", "s")
    assert status == 1
    assert "not a folder" in err


def test_without_a_display_the_same_job_runs_into_a_folder(cli, monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    status, out, err = cli()
    assert status == 0
    assert "no display" in err
    assert "4 pairs in run_output" in out
    about = ["TRAIN.md", "export.json", "manifest.csv", "manifest.sha256", "recipe.yaml"]
    assert sorted(os.listdir("run_output")) == sorted(["images", "masks", *about])
    assert cli()[0] == 0


def test_help_names_every_command():
    out = CliRunner().invoke(app, ["--help"]).output
    for command in ("masks", "synthesize", "train", "export", "replay", "models"):
        assert command in out


@pytest.mark.slow
def test_ctrl_c_keeps_the_model_and_says_how_to_go_on(tmp_path):
    pair_folder(tmp_path / "data")
    command = [
        sys.executable,
        "-m",
        "napari_synth",
        "train",
        "unet",
        "data",
        "--out",
        "m.safetensors",
        "--steps",
        "100000",
    ]
    command += ["--device", "cpu", "--set", "crop=32", "--set", "width=4", "--checkpoint-minutes", "0"]
    process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 120
    while not (tmp_path / "m.preview.png").exists():
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "the model so far is kept" in err
    assert "--resume m.ckpt" in err
    assert read_card(tmp_path / "m.safetensors").training.steps > 0


def test_python_surface():
    import napari_synth as ns

    assert set(ns.__all__) <= set(dir(ns))
    for name in ns.__all__:
        assert getattr(ns, name) is not None
    with pytest.raises(AttributeError):
        _ = ns.nothing
    with pytest.raises(InputError):
        ns.load_model("nope")


def test_output_to_a_file_has_a_line_now_and_then(monkeypatch):
    monkeypatch.setattr(console, "err", console.Console(file=io.StringIO(), width=200))
    monkeypatch.setattr("sys.stderr", io.StringIO())
    with console.watched("Training") as (show, _):
        for seconds in (1.0, 31.0, 32.0, 62.0):
            show(Progress(int(seconds), 100, "loss 1", seconds))
    lines = console.err.file.getvalue().splitlines()
    assert [line.split()[1] for line in lines] == ["31/100", "62/100"]
    assert "loss 1" in lines[0]


def test_masks_with_every_choice(cli, tmp_path):
    status, _, err = cli(
        "masks", "--size", "128x96", "--sampler", "knn", "--spread", 0.5, "--spacing", "clusters", "--cluster-size", 4,
        "--cluster-radius", 12, "--nuclei", 30, "--count-law", "poisson", "--area", 200, "--area-sd", 50, "--angle", 20,
        "--angle-sd", 5, "--out", "m",
    )  # fmt: skip
    assert (status, err) == (0, "")
    settings = read_recipe(tmp_path / "m" / "recipe.yaml").masks[0].settings
    assert (settings.sampler, settings.spacing, settings.orientation) == ("knn", "clusters", "preferred")
    assert (settings.count_law, settings.cluster_radius, settings.area_mean) == ("poisson", 12, 200)
    assert cli("masks", "--preset", "thesis", "--size", 350, "--out", "t")[1].count("side of the mask") == 1


def test_masks_follow_real_ones_and_carry_their_nuclei(cli, tmp_path):
    from napari_synth.exporting.formats.tiff import embedded_nuclei

    pair_folder(tmp_path / "real", size=(96, 96))
    status, out, _ = cli("masks", "--fit-from", "real", "--size", 96, "--n", 2, "--out", "m")
    assert status == 0
    assert "KS distance" in out
    assert "area" in out
    table = embedded_nuclei(tmp_path / "m" / "mask_0001.tif")
    labels = tifffile.imread("m/mask_0001.tif")
    assert table["index"].tolist() == list(range(1, labels.max() + 1))
    assert {"z0", "z9", "angle", "scale", "y", "x"} <= set(table)
    status, out, _ = cli("replay", tmp_path / "m" / "recipe.yaml", "--out", "again")
    assert status == 0


def test_a_library_of_ones_own(cli, tmp_path):
    labels = np.zeros((2, 128, 128), np.uint16)
    labels[:, 20:60, 30:62], labels[:, 80:100, 20:70], labels[:, 0:20, 90:120] = 1, 2, 3
    (tmp_path / "masks").mkdir()
    for number, mask in enumerate(labels):
        tifffile.imwrite(tmp_path / "masks" / f"{number}.tif", mask)
    status, out, _ = cli("library", "masks", "--out", "lib.npz")
    assert status == 0
    assert "4 nuclei; left out: 2 touch the border" in out
    assert cli("library", "masks", "--out", "lib.npz")[0] == 2
    for source in ("lib.npz", "masks"):
        assert cli("masks", "--library", source, "--sampler", "library", "--out", f"from-{source}")[0] == 0
    recipe = read_recipe(tmp_path / "from-lib.npz" / "recipe.yaml")
    assert recipe.masks[0].settings.library == str(tmp_path / "lib.npz")
    status, _, err = cli("masks", "--library", "none.npz", "--out", "x")
    assert (status, "no shape library" in err) == (2, True)


def test_a_full_mask_says_how_many_found_no_place(cli):
    _, out, _ = cli("masks", "--size", 64, "--nuclei", 2000, "--spacing", "apart", "--out", "m")
    assert "more nuclei found no place" in out


def test_a_study_of_latent_sizes_prints_its_table(cli, tmp_path):
    shapes = np.stack([nuclei((64, 64), 1, seed=seed) > 0 for seed in range(40)]).astype(np.uint8)
    np.savez(tmp_path / "discs.npz", shapes=shapes)
    study = ("train", "dvae", tmp_path / "discs.npz", "--out", "study.safetensors", "--latent-sizes", "2,3")
    status, out, _ = cli(*study, "--steps", 3, "--set", "batch_size=4", "--device", "cpu")
    assert status == 0
    rows = [line for line in out.splitlines() if "discs" in line]
    assert len(rows) == 2
    assert [read_card(tmp_path / f"study-{size}.safetensors").latent_size for size in (2, 3)] == [2, 3]
    latents = api.load_shapes(tmp_path / "study-3.safetensors", "cpu").latents()
    assert latents.codes.shape[1] == 3
    assert 30 <= len(latents.codes) <= 36, "its library lies beside it, without the held-out and cut-off shapes"
    status, again, _ = cli(*study, "--steps", 3, "--set", "batch_size=4", "--device", "cpu")
    assert again == out, "finished sizes are not trained again"
    assert cli(*study[:-1], "8,x")[0] == 2
    assert cli("train", "unet", tmp_path, "--out", "u.safetensors", "--latent-sizes", "8")[0] == 2


def test_pairs_are_made_from_noise_and_replayed(cli, tmp_path):
    small_pairs(tmp_path / "noise.safetensors")
    asked = ("pairs", "noise.safetensors", "--n", 3, "--option", "he", "--option", "grey", "--seed", 4)
    status, out, err = cli(*asked, "--out", "made", "--device", "cpu")
    assert status == 0, err
    assert "3 pairs in" in out
    first = api.load_model("noise.safetensors", "cpu").sample(4, "he")
    np.testing.assert_array_equal(tifffile.imread("made/images/0001_he.tif"), first.image)
    np.testing.assert_array_equal(tifffile.imread("made/masks/0001_he.tif"), first.labels)
    assert cli("replay", "made/images/0002_grey.tif", "--out", "again", "--device", "cpu")[0] == 0
    np.testing.assert_array_equal(
        tifffile.imread("again/images/0001_grey.tif"), tifffile.imread("made/images/0002_grey.tif")
    )
    assert "3 pairs" in cli(*asked, "--out", "coco", "--format", "coco", "--device", "cpu")[1]
    for model, words in (("optional-pix2pix-nuclei", "does not make pairs"), ("nothing", "no model called 'nothing'")):
        status, _, err = cli("pairs", model, "--out", "x")
        assert (status, words in err, len(err.splitlines())) == (2, True, 2)
    (tmp_path / "broken.safetensors").write_bytes(b"no weights")
    assert cli("pairs", "broken.safetensors", "--out", "x")[0] == 2
    status, _, err = cli("synthesize", "made/masks/0001_he.tif", "--model", "noise.safetensors", "--out", "x")
    assert (status, "renders no others" in err) == (2, True)
