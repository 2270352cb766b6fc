from __future__ import annotations

import errno
import tarfile

import numpy as np
import pytest
import tifffile

import napari_synth as ns
from napari_synth.exporting.formats.tiff import embedded_recipe
from napari_synth.exporting.split import ROLES
from napari_synth.ui.docks.export.actions import ExportActions
from napari_synth.ui.docks.masks.actions import MaskActions
from tests.helpers import pair_folder, small_generator, small_metgan
from tests.ui.conftest import anatomy, painted


@pytest.fixture
def ready(session, viewer, tmp_path):
    """A session with one mask and a folder chosen."""
    viewer.add_labels(painted(), name="mask", scale=(0.5, 0.5), units=("um", "um"))
    session.context.export.folder = str(tmp_path / "pairs")
    session.context.look.device = "cpu"
    return session


def files(folder, kind):
    return sorted(path.name for path in (folder / kind).glob("*.tif"))


def test_pairs_are_those_of_the_python_call(ready, finish, tmp_path):
    ready.context.look.seed = 5
    assert ready.actions(ExportActions).plan() == "4 pairs"
    ready.actions(ExportActions).export()
    assert ready.actions(ExportActions).jobs.lane.state.progress.total == 4
    assert ready.actions(ExportActions).jobs.lane.state.unit == "pairs"
    finish(ready.actions(ExportActions).jobs)
    folder = tmp_path / "pairs"
    assert files(folder, "images") == files(folder, "masks")
    assert len(files(folder, "images")) == 4
    model = ns.load_model("optional-pix2pix-nuclei", "cpu")
    for path in sorted((folder / "images").glob("*.tif")):
        recipe = embedded_recipe(path)
        expected = model.render(painted(), recipe.options[0], recipe.seed).image
        np.testing.assert_array_equal(tifffile.imread(path), expected)
        np.testing.assert_array_equal(tifffile.imread(folder / "masks" / path.name), painted())
    note = ready.context.notes["export"]
    assert note.kind == "done"
    assert "4 pairs" in note.text
    assert str(folder) in note.text


def test_pixel_size_goes_into_the_file(ready, fake, finish, tmp_path):
    ready.actions(ExportActions).export()
    finish(ready.actions(ExportActions).jobs)
    with tifffile.TiffFile(next((tmp_path / "pairs" / "images").glob("*.tif"))) as tif:
        assert tif.imagej_metadata["unit"] == "micron"
        assert tif.pages[0].tags["XResolution"].value == (2, 1)


def test_plan_counts_masks_looks_and_variants(ready, fake, viewer, finish):
    other = viewer.add_labels(painted(), name="other")
    ready.context.export.options, ready.context.export.variants = ("he", "purple"), 3
    assert ready.actions(ExportActions).plan() == "12 pairs"
    ready.actions(ExportActions).include(other, False)
    assert ready.actions(ExportActions).plan() == "6 pairs"
    ready.context.export.options, ready.context.export.variants = ("he",), 1
    assert ready.actions(ExportActions).plan() == "1 pair"
    ready.context.seconds_per_pixel = 80 / (64 * 48)
    assert ready.actions(ExportActions).plan() == "1 pair, about 80 s"


def test_only_ticked_masks_and_looks_are_written(ready, fake, viewer, finish, tmp_path):
    other = viewer.add_labels(painted((40, 40)), name="other")
    ready.actions(ExportActions).include(other, False)
    ready.context.export.options = ("purple",)
    ready.actions(ExportActions).export()
    finish(ready.actions(ExportActions).jobs)
    assert files(tmp_path / "pairs", "images") == ["0001_mask_purple_s1.tif"], "names tell mask, look and seed"
    assert tifffile.imread(tmp_path / "pairs" / "masks" / "0001_mask_purple_s1.tif").shape == (64, 48)


def test_cancelled_export_keeps_pairs_and_goes_on(ready, fake, finish, qtbot, tmp_path):
    folder = tmp_path / "pairs"
    ready.context.export.variants = 5
    fake.wait_from = 4
    fake.gate.clear()
    ready.actions(ExportActions).export()
    qtbot.waitUntil(lambda: fake.calls == 4)
    ready.actions(ExportActions).jobs.lane.cancel()
    assert ready.actions(ExportActions).jobs.lane.state.stopping
    fake.gate.set()
    finish(ready.actions(ExportActions).jobs)
    note = ready.context.notes["export"]
    assert note.kind == "stopped"
    assert "4 of 20 pairs" in note.text
    assert "go on" in note.action
    assert len(files(folder, "images")) == 4
    ready.actions(ExportActions).export()
    finish(ready.actions(ExportActions).jobs)
    assert len(files(folder, "images")) == len(files(folder, "masks")) == 20
    assert "were there before" in ready.context.notes["export"].text
    assert fake.calls == 20, "no pair is made twice"


def test_export_left_behind_says_what_is_kept(ready, fake, finish):
    fake.gate.clear()
    ready.actions(ExportActions).export()
    assert fake.entered.wait(10)
    ready.actions(ExportActions).jobs.lane.cancel()
    finish(ready.actions(ExportActions).jobs, timeout=2000)
    assert ready.context.notes["export"].kind == "stopped"
    assert "0 of 4 pairs" in ready.context.notes["export"].text
    fake.gate.set()
    ready.actions(ExportActions).export()
    finish(ready.actions(ExportActions).jobs)
    assert ready.context.notes["export"].kind == "done"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda s: setattr(s.context.export, "folder", " "), "No folder"),
        (lambda s: setattr(s.context.export, "options", ()), "No look"),
        (lambda s: s.actions(ExportActions).include(s.context.masks.current, False), "No mask is chosen"),
        (lambda s: s.context.viewer.layers.clear(), "There is no mask layer"),
        (lambda s: (setattr(s.context.look, "noise", False), setattr(s.context.export, "variants", 2)), "same image"),
        (lambda s: s.context.viewer.add_labels(painted(), scale=(2, 2)), "different pixel sizes"),
        (lambda s: setattr(s.context.look, "model", ""), "no model"),
    ],
)
def test_what_is_missing_is_said_before_anything_runs(ready, change, words):
    change(ready)
    ready.actions(ExportActions).export()
    assert not ready.actions(ExportActions).jobs.lane.state.running
    assert ready.context.notes["export"].kind == "problem"
    assert words in ready.context.notes["export"].text
    assert ready.context.notes["export"].action


def test_a_file_in_place_of_the_folder(ready, fake, finish, tmp_path):
    (tmp_path / "pairs").write_text("a file")
    ready.actions(ExportActions).export()
    finish(ready.actions(ExportActions).jobs)
    assert ready.context.notes["export"].kind == "problem"
    assert "folder" in ready.context.notes["export"].text
    assert "another folder" in ready.context.notes["export"].action


@pytest.mark.parametrize(("number", "words"), [(errno.ENOSPC, "disk is full"), (errno.EACCES, "cannot be written to")])
def test_disk_troubles_are_said(ready, fake, finish, monkeypatch, number, words):
    def fail(*args, **kwargs):
        raise OSError(number, "no")

    monkeypatch.setattr(tifffile, "imwrite", fail)
    ready.actions(ExportActions).export()
    finish(ready.actions(ExportActions).jobs)
    assert words in ready.context.notes["export"].text
    assert ready.context.notes["export"].action


def test_other_pairs_are_not_overwritten_by_themselves(ready, fake, finish, tmp_path):
    ready.actions(ExportActions).export()
    finish(ready.actions(ExportActions).jobs)
    ready.context.look.seed += 1
    ready.actions(ExportActions).export()
    finish(ready.actions(ExportActions).jobs)
    assert "already holds other pairs" in ready.context.notes["export"].text
    ready.context.export.overwrite = True
    ready.actions(ExportActions).export()
    finish(ready.actions(ExportActions).jobs)
    assert ready.context.notes["export"].kind == "done"


def test_mask_deleted_while_exporting_is_still_written(ready, fake, viewer, finish, tmp_path):
    fake.gate.clear()
    ready.actions(ExportActions).export()
    viewer.layers.clear()
    fake.gate.set()
    finish(ready.actions(ExportActions).jobs)
    assert len(files(tmp_path / "pairs", "images")) == 4


def test_empty_masks_and_stacks_are_named_and_left_out(ready, viewer, finish, tmp_path):
    dock = ready.actions(ExportActions)
    viewer.add_labels(np.zeros((16, 16), int), name="blank", scale=(0.5, 0.5), units=("um", "um"))
    viewer.add_labels(np.ones((3, 16, 16), int), name="stack")
    assert dock.plan() == "4 pairs"
    dock.export()
    finish(dock.jobs)
    assert dock.note.kind == "done"
    assert "'blank' is empty" in dock.note.text
    assert "'stack' is a stack of planes" in dock.note.text
    assert len(files(tmp_path / "pairs", "images")) == 4
    viewer.layers.remove("mask")
    dock.export()
    assert dock.note.kind == "problem"
    assert "'blank' is empty" in dock.note.text


def test_the_first_pair_is_the_image_that_is_seen(ready, viewer, finish, tmp_path):
    dock, context = ready.actions(ExportActions), ready.context
    second = viewer.add_labels(painted((40, 40)), name="second", scale=(0.5, 0.5), units=("um", "um"))
    context.masks.current = second
    context.look.option, context.look.seed = "purple", 7
    assert dock.first().startswith("First: 'second', ")
    assert dock.first().endswith("seed 7, as Render shows it.")
    dock.export()
    finish(dock.jobs)
    seen = ns.load_model("optional-pix2pix-nuclei", "cpu").render(painted((40, 40)), "purple", 7).image
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "pairs" / "images" / "0001_second_purple_s7.tif"), seen)
    context.export.options = ("he",)
    assert dock.first().endswith(" Purple stain, which you chose under Look, is not ticked.")


def test_many_variants_are_said_to_be_alike_and_masks_are_sampled_instead(ready, fake, finish, tmp_path):
    dock, choices = ready.actions(ExportActions), ready.context.export
    choices.options = ("he",)
    assert not dock.alike()
    choices.variants = 50
    assert "nuclei are the same" in dock.alike()
    dock.sample_instead()
    assert (dock.plan(), dock.alike()) == ("30 pairs", "")
    choices.format = "stardist"
    choices.kept_apart = (80, 90)
    dock.export()
    finish(dock.jobs)
    masks = {
        tifffile.imread(path).tobytes() for path in (tmp_path / "pairs").rglob("masks/*.tif") if "field" in path.name
    }
    assert len(masks) == 30, "each has nuclei of its own"
    counts = [len(list((tmp_path / "pairs" / role / "images").iterdir())) for role in ("train", "val", "test")]
    assert counts == [24, 3, 3]


def test_add_more_continues_the_set(ready, fake, finish, tmp_path):
    dock = ready.actions(ExportActions)
    ready.context.export.options = ("he",)
    dock.export()
    finish(dock.jobs)
    assert dock.finished is not None
    assert dock.finished.guide is not None
    (first,) = (tmp_path / "pairs" / "images").iterdir()
    kept = first.read_bytes()
    dock.add_more()
    finish(dock.jobs)
    assert len(files(tmp_path / "pairs", "images")) == 2
    assert first.read_bytes() == kept
    assert "1 of them were there before" in dock.note.text


def test_the_time_is_estimated_from_pixels(ready, viewer):
    dock, context = ready.actions(ExportActions), ready.context
    viewer.add_labels(painted((640, 480)), name="large", scale=(0.5, 0.5), units=("um", "um"))
    context.export.options, context.export.variants = ("he",), 5
    context.seconds_per_pixel = 1e-4
    small, large = 64 * 48, 640 * 480
    assert dock.seconds == pytest.approx(5 * (small + large) * 1e-4)


def test_export_writes_the_anatomy_beside_the_signal(session, viewer, finish, tmp_path):
    dock = session.actions(ExportActions)
    session.context.open_model(small_metgan(tmp_path / "session.safetensors"))
    session.context.look.device = "cpu"
    viewer.add_image(anatomy(), name="anatomy")
    viewer.add_labels(painted(), name="lesions")
    session.context.export.folder = str(tmp_path / "pairs")
    dock.export()
    finish(dock.jobs)
    assert dock.note.kind == "done"
    both = tifffile.imread(next((tmp_path / "pairs" / "images").glob("0001_lesions*.tif")))
    assert both.dtype == np.uint16
    np.testing.assert_array_equal(both[0], anatomy())
    np.testing.assert_array_equal(
        tifffile.imread(next((tmp_path / "pairs" / "masks").glob("0001_lesions*.tif"))), painted()
    )
    session.context.export.variants = 3
    dock.export()
    assert "no noise" in dock.note.text
    viewer.layers.remove("anatomy")
    session.context.export.variants = 1
    dock.export()
    assert "no image layer" in dock.note.text


def test_a_mask_that_would_spoil_a_training_is_named_once_and_exported_at_the_second_press(ready, fake, viewer, finish):
    turned = np.where(painted() > 0, 0, 1)
    viewer.add_labels(turned, name="turned", scale=(0.5, 0.5), units=("um", "um"))
    dock = ready.actions(ExportActions)
    dock.export()
    finish(dock.jobs)
    assert dock.note.kind == "problem"
    assert "turned labels the background instead of nuclei" in dock.note.text
    assert "Export again" in dock.note.action
    assert fake.calls == 0, "nothing was written before it was said"
    dock.export()
    finish(dock.jobs)
    assert dock.note.kind == "done"
    assert fake.calls == dock.count


def test_an_open_folder_is_exported_whole_with_the_mask_that_was_painted_on(ready, fake, viewer, finish, tmp_path):
    for number in range(14):
        labels = painted((40, 40)) * (number != 5)
        tifffile.imwrite(tmp_path / f"m{number:02d}.tif", np.where(labels, labels + number, 0).astype(np.uint16))
    viewer.layers.clear()
    masks, dock = ready.actions(MaskActions), ready.actions(ExportActions)
    masks.opening.open([tmp_path])
    finish(masks.jobs)
    ready.context.export.options = ("he",)
    assert [row.name for row in dock.rows.all()] == ["m00", f"13 more of {tmp_path.name}"]
    assert dock.plan() == "14 pairs"
    viewer.layers["m00"].paint((1, 38), 99)
    masks.next_mask()
    finish(masks.jobs)
    assert dock.plan() == "14 pairs"
    dock.export()
    finish(dock.jobs)
    assert dock.note.kind == "done"
    assert "'m05' is empty" in dock.note.text, "left out by name"
    found = {path.name.split("_")[1]: tifffile.imread(path) for path in (tmp_path / "pairs" / "masks").iterdir()}
    assert sorted(found) == [f"m{number:02d}" for number in range(14) if number != 5]
    assert (found["m00"] == 99).any()
    assert found["m13"].max() == painted().max() + 13


def open_masks(session, viewer, finish, folder):
    """Open a folder of so many masks that one layer shows them, one of which labels the background."""
    for number in range(14):
        labels = painted((40, 40)) if number != 11 else painted((40, 40)) == 0
        tifffile.imwrite(folder / f"m{number:02d}.tif", labels.astype(np.uint16))
    viewer.layers.clear()
    masks = session.actions(MaskActions)
    masks.opening.open([folder])
    finish(masks.jobs)
    session.context.export.options = ("he",)


def test_a_doubtful_mask_among_many_is_named_at_the_end(ready, fake, viewer, finish, tmp_path, monkeypatch):
    monkeypatch.setattr("napari_synth.evaluation.pair_check.before.AT_FIRST", 1)
    open_masks(ready, viewer, finish, tmp_path)
    dock = ready.actions(ExportActions)
    dock.export()
    finish(dock.jobs)
    assert dock.note.kind == "done", dock.note
    assert "m11.tif labels the background" in dock.note.text
    assert "Check…" in dock.note.text
    assert dock.finished.total == 14


def test_shards_look_at_each_mask_in_its_turn_too(ready, viewer, finish, tmp_path, monkeypatch):
    monkeypatch.setattr("napari_synth.evaluation.pair_check.before.AT_FIRST", 1)
    model = small_generator(tmp_path / "small.safetensors")
    (tmp_path / "masks").mkdir()
    open_masks(ready, viewer, finish, tmp_path / "masks")
    ready.context.open_model(model)
    dock, choices = ready.actions(ExportActions), ready.context.export
    choices.format, choices.options = "webdataset", ("he",)
    dock.export()
    finish(dock.jobs)
    assert dock.note.kind == "done", dock.note
    assert "m11.tif labels the background" in dock.note.text
    assert dock.finished.total == 14


def test_with_real_pairs_synthetic_ones_only_train(ready, fake, finish, tmp_path):
    pair_folder(tmp_path / "real", 6)
    dock, choices = ready.actions(ExportActions), ready.context.export
    choices.format, choices.real = "stardist", str(tmp_path / "real")
    dock.export()
    assert "all pairs train" in dock.note.text
    choices.kept_apart = (50, 80)
    assert dock.plan() == "4 pairs beside real ones"
    dock.export()
    finish(dock.jobs)
    assert dock.note.kind == "done", dock.note
    found = {role: sorted(p.name for p in (tmp_path / "pairs" / role / "images").iterdir()) for role in ROLES}
    assert all(name.startswith("real-") for role in ("val", "test") for name in found[role])
    assert found["val"]
    assert found["test"]
    assert sum(not name.startswith("real-") for name in found["train"]) == 4
    assert sum(map(len, found.values())) == 10


def test_masks_in_layers_become_shards_that_go_on_and_say_how_they_are_read(ready, finish, tmp_path):
    dock, choices = ready.actions(ExportActions), ready.context.export
    choices.format, choices.options, choices.variants = "webdataset", ("he",), 2
    dock.export()
    finish(dock.jobs, 60_000)
    assert dock.note.kind == "done", dock.note
    with tarfile.open(tmp_path / "pairs" / "shards" / "all-000000.tar") as tar:
        stems = sorted({name.split(".")[0] for name in tar.getnames()})
        masks = [tifffile.imread(tar.extractfile(f"{stem}.masks.tif")) for stem in stems]
    assert len(masks) == 2
    for mask in masks:
        np.testing.assert_array_equal(mask, painted())
    assert "wds.WebDataset" in dock.finished.guide.command
    dock.export()
    finish(dock.jobs, 60_000)
    assert "2 of them were there before" in dock.note.text
    choices.real = str(tmp_path)
    dock.export()
    assert "synthetic pairs alone" in dock.note.text
