"""The command line among odd names, signals, terminals and machines."""

import os
import signal
import sys

import numpy as np
import pytest
import tifffile
import torch

from napari_synth.cli import door, main
from napari_synth.cli.console import watched
from napari_synth.cli.signals import STOP_SIGNALS, Stopped, stoppable
from napari_synth.core.display import display_answers
from napari_synth.core.files import writing
from napari_synth.core.user_settings import settings_path, state_folder
from napari_synth.nets import capsule, native_loops, routing_cpu, winograd_cpu
from tests.helpers import nuclei, small_generator


@pytest.fixture
def cli(monkeypatch, capsys, tmp_path):
    """Run the program in this process in an empty folder: (exit status, stdout, stderr)."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["napari-synth", *(str(argument) for argument in arguments)])
        status = 0
        try:
            main.run()
        except SystemExit as stop:
            status = stop.code or 0
        return status, *capsys.readouterr()

    return call


@pytest.fixture
def mask(tmp_path):
    tifffile.imwrite(tmp_path / "mask.tif", nuclei().astype(np.uint16))
    return tmp_path / "mask.tif"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("masks", "--out", ""), "An argument is empty"),
        (("masks", "--out="), "An argument is empty"),
        (("masks", "--out", "~nosuchuser/x"), "no home folder"),
        (("masks", "--out", "a\udcffb"), "not text in UTF-8"),
        (("masks", "--out", "o", "--size", "²"), "is not understood"),
        (("train", "dvae", ".", "--out", "t.safetensors", "--latent-sizes", "²"), "are not understood"),
        (("models", "show", "~nosuchuser/x"), "no home folder"),
        (("models", "show", "x" * 300 + ".safetensors"), "too long"),
        (("walk", "mask.tif", "--out", "."), "no movie format"),
        (("walk", "mask.tif", "--out", "w.gif", "--layer", "a/b"), "no layer called 'a/b'"),
        (("library", "none", "--out", "x" * 256 + ".npz"), "too long"),
    ],
)
def test_names_that_cannot_be_are_told_in_two_sentences(cli, mask, arguments, words):
    status, _, err = cli(*arguments)
    assert status == 2
    assert words in err
    assert err.count("\n") == 2
    assert os.listdir() == ["mask.tif"]


def test_names_that_look_like_markup_are_names(cli):
    status, out, err = cli("masks", "--size", 32, "--out", "o[/b][red]:smile:")
    assert (status, err) == (0, "")
    assert "o[/b][red]:smile:" in out
    assert len(os.listdir("o[/b][red]:smile:")) == 3


def test_two_masks_of_one_name_and_images_over_masks_are_refused(cli, mask, tmp_path):
    model = small_generator(tmp_path / "m.safetensors", options=())
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "mask.tif").write_bytes(mask.read_bytes())
    status, _, err = cli("synthesize", mask, "b/mask.tif", "--model", model, "--out", "s")
    assert (status, "would both be" in err) == (2, True)
    status, _, err = cli("synthesize", mask, "--model", model, "--out", ".", "--overwrite")
    assert (status, "would replace the mask" in err) == (2, True)
    assert (tifffile.imread(mask) == nuclei()).all()


@pytest.mark.parametrize("encoding", ["cp1252", "ascii"])
def test_a_terminal_that_knows_few_letters_is_written_to(cli, monkeypatch, tmp_path, encoding):
    with (tmp_path / "out.txt").open("w", encoding=encoding) as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        assert cli("models", "list")[0] == 0
    assert "mask ? image" in (tmp_path / "out.txt").read_text(encoding)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(5, "Input/output error", "/mnt/x.tif"), "/mnt/x.tif cannot be used"),
        (MemoryError(), "not enough memory"),
    ],
)
def test_what_a_machine_refuses_is_two_sentences(cli, monkeypatch, error, words):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr("napari_synth.models.registry.bundled_cards", fail)
    status, _, err = cli("models", "list")
    assert (status, words in err, "Traceback" in err) == (1, True, False)


@pytest.mark.parametrize("number", STOP_SIGNALS)
def test_every_signal_to_end_stops_after_the_step(number, capsys):
    before = signal.getsignal(number)
    with watched("Working") as (_, cancel):
        signal.raise_signal(number)
        assert cancel.cancelled
    assert signal.getsignal(number) is before
    assert "Stopping after this step" in capsys.readouterr().err


@pytest.mark.parametrize("number", STOP_SIGNALS)
def test_a_signal_outside_of_steps_leaves_nothing_behind(number, tmp_path):
    with pytest.raises(Stopped), stoppable(), writing(tmp_path / "a.txt") as temporary:
        temporary.write_text("half")
        signal.raise_signal(number)
    assert os.listdir(tmp_path) == []


def test_the_program_says_that_it_was_stopped(cli, monkeypatch):
    monkeypatch.setattr("napari_synth.models.registry.bundled_cards", lambda: signal.raise_signal(signal.SIGTERM))
    status, _, err = cli("models", "list")
    assert (status, err) == (1, "Stopped.\nWhat was finished is kept.\n")


def test_a_stopped_walk_does_not_say_that_it_kept_something(cli, monkeypatch, mask):
    from napari_synth.exporting import movie

    monkeypatch.setattr(movie._Tiff, "add", lambda *_: signal.raise_signal(signal.SIGTERM))
    model = "capspix2pix-axons"
    status, _, err = cli("walk", mask, "--model", model, "--steps", 3, "--out", "w.tif", "--device", "cpu")
    assert status == 1
    assert "w.tif was not written" in err
    assert "kept" not in err
    assert os.listdir() == ["mask.tif"]


def test_ignored_signals_stay_ignored():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with watched("Working") as (_, cancel):
            signal.raise_signal(signal.SIGHUP)
            assert not cancel.cancelled
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_display_that_does_not_answer_is_none(monkeypatch, tmp_path):
    for name in ("QT_QPA_PLATFORM", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("DISPLAY", ":9797")
    assert not display_answers()
    monkeypatch.delenv("DISPLAY")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-9797")
    assert not display_answers()


def test_without_a_home_nothing_is_put_into_the_current_folder(monkeypatch, tmp_path):
    for name in ("NAPARI_SYNTH_SETTINGS", "NAPARI_SYNTH_STATE", "XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", "nowhere")
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)
    monkeypatch.setitem(sys.modules, "pwd", None)
    monkeypatch.chdir(tmp_path)
    assert settings_path().is_absolute()
    assert state_folder().is_absolute()


def votes():
    return torch.randn(2, 3, 70, 4, 5, generator=torch.Generator().manual_seed(1))


def test_loops_are_compiled_without_a_place_to_keep_them(monkeypatch, tmp_path):
    def nowhere(*, cache=False, **options):
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return lambda function: ("compiled", function)

    monkeypatch.setattr(native_loops, "njit", nowhere)
    monkeypatch.setattr(native_loops.tempfile, "gettempdir", lambda: str(tmp_path))
    native_loops.temporary_cache.cache_clear()
    native_loops.remark.cache_clear()
    with pytest.warns(UserWarning, match="no place to keep compiled loops"):
        assert native_loops.native(len) == ("compiled", len)
    (folder,) = tmp_path.iterdir()
    assert folder.stat().st_mode & 0o077 == 0
    folder.chmod(0o777)
    native_loops.temporary_cache.cache_clear()
    assert native_loops.temporary_cache() is None, "others could put programs there"
    native_loops.temporary_cache.cache_clear()


def test_torch_routes_where_loops_cannot_be_compiled(monkeypatch):
    expected, _ = capsule.route(votes())

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(routing_cpu, "route_tiles", fail)
    routing_cpu.works.cache_clear()
    with pytest.warns(UserWarning, match="could not be compiled"):
        got, _ = capsule.route(votes())
    routing_cpu.works.cache_clear()
    torch.testing.assert_close(got, expected)


def test_torch_convolves_where_loops_cannot_be_compiled(monkeypatch):
    layer, x = capsule.CapsuleLayer(16, 2, 16, 5, 1, 2).eval(), torch.randn(1, 2, 16, 9, 6)
    with torch.inference_mode():
        expected = layer(x)

        def fail(*_):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(winograd_cpu, "route_strips", fail)
        winograd_cpu.works.cache_clear()
        with pytest.warns(UserWarning, match="could not be compiled"):
            got = layer(x)
    winograd_cpu.works.cache_clear()
    torch.testing.assert_close(got, expected, atol=1e-5, rtol=0)


def test_every_command_takes_its_paths_through_the_door():
    def names(app):
        yield from (command.callback for command in app.registered_commands)
        for group in app.registered_groups:
            yield from names(group.typer_instance)

    commands = list(names(main.app))
    assert len(commands) > 10
    assert all(hasattr(command, "__wrapped__") for command in commands)
    seen = []
    door.with_paths(lambda **values: seen.append(values))(name="~nosuchuser", number=3)
    assert seen == [{"name": "~nosuchuser", "number": 3}]
