"""A library of one's own in the window: made of masks or a file, used by every tool, kept in one file."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile
from qtpy.QtWidgets import QFileDialog, QInputDialog

import napari_synth as ns
from napari_synth.core.errors import InputError
from napari_synth.datasets.shape_library import read_shapes
from napari_synth.masks.samplers import SAMPLERS
from napari_synth.ui.docks.masks.actions import MaskActions
from napari_synth.ui.docks.nuclei import jobs as nucleus_jobs
from napari_synth.ui.docks.nuclei.actions import NucleusActions
from napari_synth.ui.napari_bridge.mask_layers import add_mask

SIDES = ((40, 30), (60, 24), (36, 36), (50, 44), (30, 56), (44, 28))
"""Heights and widths of the rectangles in `stained`: no two shapes alike."""


def stained() -> np.ndarray:
    """Six nuclei to keep, one on the border, one too small and one in two parts."""
    labels = np.zeros((256, 256), np.uint16)
    for number, (height, width) in enumerate(SIDES):
        top, left = 10 + 80 * (number // 3), 10 + 80 * (number % 3)
        labels[top : top + height, left : left + width] = number + 1
    labels[240:256, 100:160] = 7
    labels[200:210, 10:20] = 8
    labels[190:220, 40:60] = 9
    labels[190:220, 70:90] = 9
    return labels


@pytest.fixture
def dock(session, viewer, finish):
    """A dock beside a mask with real nuclei and one to work on, its model in memory."""
    add_mask(viewer, (256, 256), "canvas")
    viewer.add_labels(stained(), name="real")
    dock = session.actions(NucleusActions)
    dock.shapes.show_thumbnails()
    dock.loader.load()
    finish(dock.jobs, 60_000)
    return dock


@pytest.fixture
def own(dock, context, viewer, finish):
    """The dock with the library of the real nuclei, and the empty mask as the chosen one."""
    dock.libraries.make_of_mask()
    finish(dock.jobs, 60_000)
    assert dock.note.kind == "done"
    viewer.layers.selection.active = viewer.layers["canvas"]
    context.masks.current = viewer.layers["canvas"]
    return dock


def choose_size(dock, area):
    """Choose the thumbnail of the real nucleus with this area."""
    areas = dock.libraries.latents.area_px[dock.shapes.thumbnails.members]
    dock.shapes.choose(int(np.flatnonzero(areas == area)[0]))


def sampled(session, finish) -> np.ndarray:
    masks = session.actions(MaskActions)
    masks.sample(256, 256)
    finish(masks.jobs, 60_000)
    assert masks.note.text.startswith("Placed"), masks.note
    return masks.context.masks.current.data.copy()


def test_the_nuclei_of_a_mask_become_the_shapes_to_stamp(own):
    assert own.libraries.summary == (
        "Library 'real': 6 nuclei; left out: 1 touch the border, 1 are too small, 1 have several parts."
    )
    assert own.choices.sampler == "library"
    assert len(own.shapes.thumbnails.pictures) == 6, "each once"
    assert sorted(own.libraries.latents.area_px) == sorted(height * width for height, width in SIDES)
    assert own.shapes.chosen >= 0, "one of them is chosen"


def test_a_smaller_bounding_box_lets_small_nuclei_in(own, context, viewer, finish):
    context.masks.current = viewer.layers["real"]
    own.libraries.make_of_mask(min_box=50)
    finish(own.jobs)
    assert "7 nuclei" in own.note.text
    assert own.libraries.min_box == 50, "asked for next time"


def test_a_stamp_is_a_nucleus_of_the_mask_at_its_true_size(own, viewer):
    own.choices.turn_random, own.choices.angle = False, 0.0
    choose_size(own, 60 * 24)
    own.use_tool("stamp")
    own.click((128, 128))
    layer = viewer.layers["canvas"]
    rows, columns = np.nonzero(layer.data)
    assert np.ptp(rows) + 1 == pytest.approx(60, abs=2)
    assert np.ptp(columns) + 1 == pytest.approx(24, abs=2)
    member = layer.features["member"].iloc[-1]
    assert own.libraries.latents.area_px[member] == 60 * 24
    own.choices.true_size = own.choices.size_random = False
    own.choices.area = 300.0
    own.click((40, 40))
    assert np.count_nonzero(layer.data == 2) == pytest.approx(300, rel=0.1)


@pytest.mark.parametrize("sampler", list(SAMPLERS))
def test_fields_of_every_sampler_are_of_the_library_in_use(own, session, context, viewer, finish, sampler):
    layer = viewer.layers["canvas"]
    context.field.sampler = sampler
    mine = sampled(session, finish)
    assert mine.any()
    assert ("shapes of 'real'" in context.notes["masks"].text) == SAMPLERS[sampler].needs_library
    members = layer.features["member"][1:]
    if sampler == "library":
        assert members.between(0, 5).all()
    own.libraries.use(None)
    bundled = sampled(session, finish)
    assert (mine != bundled).any() == SAMPLERS[sampler].needs_library
    assert "shapes of" not in context.notes["masks"].text
    own.libraries.use(own.libraries.made[0])
    np.testing.assert_array_equal(sampled(session, finish), mine)


def test_grown_nuclei_are_of_the_library_in_use(own, context, viewer, finish):
    context.field.area_mean, context.field.area_sd, context.field.count_mean = 80, 10, 60
    own.use_tool("grow")
    own.draw_box((60, 60), (200, 200))
    finish(own.jobs, 60_000)
    members = viewer.layers["canvas"].features["member"][1:]
    assert len(members) > 3
    assert members.between(0, 5).all()


def test_a_field_is_the_same_from_memory_from_the_saved_file_and_in_python(own, session, context, finish, tmp_path):
    context.field.sampler = "knn"
    before = sampled(session, finish)
    assert context.field.settings(256, 256).library.startswith("held:")
    with pytest.raises(InputError, match="never saved to a file"):
        list(ns.compose_masks(context.field.settings(256, 256), 1))
    own.libraries.save(tmp_path / "mine")
    assert "Saved mine.npz with 6 nuclei" in own.note.text
    settings = context.field.settings(256, 256)
    assert settings.library == str(tmp_path / "mine.npz")
    np.testing.assert_array_equal(sampled(session, finish), before)
    ((_, field),) = ns.compose_masks(settings, 1, seed=context.field.seed)
    np.testing.assert_array_equal(field.labels, before)
    assert (read_shapes(tmp_path / "mine.npz").shapes == ns.shape_library(stained()).shapes).all()
    own.libraries.use(None)
    own.libraries.open(tmp_path / "mine.npz")
    finish(own.jobs)
    assert context.field.library_title == "mine"
    np.testing.assert_array_equal(sampled(session, finish), before)
    assert len(own.libraries.made) == 1, "the same library is offered once"


def test_a_folder_of_masks(dock, finish, tmp_path):
    (tmp_path / "set" / "masks").mkdir(parents=True)
    for number in range(3):
        tifffile.imwrite(tmp_path / "set" / "masks" / f"{number}.tif", stained())
    seen = []
    dock.jobs.lane.state.events.progress.connect(lambda progress: seen.append((progress.done, progress.total)))
    dock.libraries.make_of_folder(tmp_path / "set")
    assert dock.libraries.making
    finish(dock.jobs)
    assert "Library 'set': 18 nuclei" in dock.note.text
    assert {total for _, total in seen} == {13}, "the end is known from the first moment"
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_presets_and_fits_leave_the_library_in_use(own, session, context, finish):
    masks, chosen = session.actions(MaskActions), context.field.library
    masks.use_preset("thesis")
    assert context.field.settings(256, 256).library == chosen
    masks.use_preset("")
    assert context.field.settings(256, 256).library == chosen
    context.masks.current = context.viewer.layers["real"]
    masks.fit()
    own.libraries.use(None)
    finish(masks.jobs, 60_000)
    assert context.notes["masks"].kind == "done"
    assert context.field.settings(256, 256).library == "", "what was chosen last wins over the fit"


def test_a_nucleus_keeps_its_shape_when_another_library_is_in_use(own, viewer):
    layer = viewer.layers["canvas"]
    own.choices.turn_random, own.choices.angle = False, 0.0
    choose_size(own, 50 * 44)
    own.use_tool("stamp")
    own.click((128, 128))
    stamped = layer.data.copy()
    own.libraries.use(None)
    own.use_tool("edit")
    own.click((128, 128))
    assert own.choices.selected == 1
    own.choices.area = own.choices.area / 2
    own.reshaping.apply()
    rows, columns = np.nonzero(layer.data == 1)
    assert (np.ptp(rows) + 1) / (np.ptp(columns) + 1) == pytest.approx(50 / 44, rel=0.06)
    assert rows.size / ((np.ptp(rows) + 1) * (np.ptp(columns) + 1)) > 0.93, "still the rectangle it was"
    layer.undo()
    np.testing.assert_array_equal(layer.data, stamped)


def bad_masks():
    one, small = np.zeros((100, 100), int), np.zeros((100, 100), int)
    one[20:60, 20:60] = 1
    small[20:30, 20:30], small[50:60, 50:60] = 1, 2
    huge = one.astype(np.int64) * 2**31
    return {
        "empty": (one * 0, "There is no nucleus in the mask 'bad'.", "Use other masks."),
        "one": (one, "'bad' has only one usable nucleus, but a library needs 2.", "Use masks with more nuclei."),
        "small": (
            small,
            "All 2 nuclei in the mask 'bad' were left out: 2 are too small.",
            "Allow a smaller bounding box, or use other masks.",
        ),
        "over 2³¹": (huge, "The mask 'bad' contains labels over 2147483647.", "Renumber the labels from 1."),
        "stack": (
            np.zeros((3, 20, 20), int),
            "There is no 2-D mask to make a library of.",
            "Choose a mask, or a folder of masks.",
        ),
    }


@pytest.mark.parametrize("kind", list(bad_masks()))
def test_a_mask_that_gives_no_library_leaves_the_former_one(own, context, viewer, finish, kind):
    data, problem, action = bad_masks()[kind]
    former, field = own.libraries.own, context.field.library
    pictures = own.shapes.thumbnails.pictures
    context.masks.current = viewer.add_labels(data, name="bad")
    own.libraries.make_of_mask()
    finish(own.jobs)
    assert (own.note.kind, own.note.text, own.note.action) == ("problem", problem, action)
    assert own.libraries.own is former
    assert context.field.library == field
    assert own.shapes.thumbnails.pictures is pictures


@pytest.mark.parametrize("damage", ["gone", "text", "half", "flipped", "other"])
def test_a_damaged_file_leaves_the_former_library(own, finish, tmp_path, damage):
    path = tmp_path / "bad.npz"
    own.libraries.own.shapes.save(path)
    whole = path.read_bytes()
    if damage == "gone":
        path.unlink()
    elif damage == "text":
        path.write_text("no library")
    elif damage == "half":
        path.write_bytes(whole[: len(whole) // 2])
    elif damage == "flipped":
        middle = whole.index(b"packed.npy") + 60
        path.write_bytes(
            whole[:middle] + bytes(255 - value for value in whole[middle : middle + 40]) + whole[middle + 40 :]
        )
    else:
        np.savez(path, cells=np.ones(3))
    former = own.libraries.own
    own.libraries.open(path)
    finish(own.jobs)
    assert own.note.kind == "problem"
    assert "bad.npz is not a shape library" in own.note.text
    assert own.note.action == "Use an .npz file with an array 'shapes'."
    assert own.libraries.own is former


def test_an_empty_folder_and_a_place_that_cannot_be_written(own, finish, tmp_path, context):
    (tmp_path / "nothing").mkdir()
    own.libraries.make_of_folder(tmp_path / "nothing")
    finish(own.jobs)
    assert "holds no PNG" in own.note.text
    (tmp_path / "file").write_text("")
    own.libraries.save(tmp_path / "file" / "mine.npz")
    assert (own.note.kind, own.note.action) == ("problem", "Choose another folder.")
    assert context.field.library_title == "real"
    own.libraries.use(None)
    own.libraries.save(tmp_path / "none.npz")
    assert own.note.kind == "problem"
    assert not (tmp_path / "none.npz").exists()


def test_making_can_be_cancelled_and_nothing_else_ends_it(own, context, viewer, finish, monkeypatch, qtbot):
    import threading

    gate, cut = threading.Event(), nucleus_jobs.library_from_labels

    def waiting(masks, min_box):
        assert gate.wait(20)
        return cut(masks, min_box)

    monkeypatch.setattr(nucleus_jobs, "library_from_labels", waiting)
    former = own.libraries.own
    context.masks.current = viewer.layers["real"]
    own.libraries.make_of_mask(50)
    own.grow((0, 0, 100, 100))
    assert (own.note.text, own.note.action) == ("A library is being made.", "Wait for it, or press Cancel.")
    assert own.libraries.making
    own.jobs.lane.cancel()
    finish(own.jobs)
    gate.set()
    assert own.note.kind == "stopped"
    assert own.libraries.own is former
    own.libraries.make_of_mask(50)
    finish(own.jobs)
    assert "7 nuclei" in own.note.text


def test_a_library_can_be_the_first_thing_asked_for(session, viewer, finish):
    viewer.add_labels(stained(), name="real")
    dock = session.actions(NucleusActions)
    dock.libraries.make_of_mask()
    finish(dock.jobs, 60_000)
    assert "6 nuclei" in dock.note.text
    assert dock.shapes.ends is not None, "the sliders show what they do"


def action(button, text):
    button.fill()
    return next(action for action in button.choices.actions() if action.text() == text)


def test_the_dock_makes_shows_and_saves_it(dock, session, context, viewer, qtbot, finish, monkeypatch, tmp_path):
    panel, fields = session.panel("nuclei"), session.panel("masks")
    qtbot.addWidget(panel)
    qtbot.addWidget(fields)
    button = panel.library
    assert action(button, "Bundled library").isChecked()
    assert not action(button, "Save library…").isEnabled()
    assert "2400 nuclei" in button.toolTip()
    context.masks.current = viewer.layers["real"]
    monkeypatch.setattr(QInputDialog, "getInt", lambda *args: (args[3], False))
    action(button, "Of the chosen mask…").trigger()
    assert not dock.jobs.lane.state.running, "the question was cancelled"
    monkeypatch.setattr(QInputDialog, "getInt", lambda *args: (args[3], True))
    action(button, "Of the chosen mask…").trigger()
    assert panel.foot.currentWidget() is panel.foot.job
    finish(dock.jobs, 60_000)
    assert panel.shapes.count() == 6
    assert panel.shapes.currentRow() == 0
    assert len(panel.map.dots.data) == 6
    assert button.text() == "Own library"
    assert "6 nuclei; left out" in panel.foot.status.text.text()
    assert action(button, "real (6 nuclei)").isChecked()
    assert not action(button, "Bundled library").isChecked()
    assert "'real'" in fields.sampling.form.combo("sampler").toolTip()
    assert panel.true_size.isChecked()
    assert panel.area.value() == dock.choices.true_area > 0
    assert not panel.area.isEnabled()
    panel.true_size.click()
    panel.size_random.click()
    assert panel.area.isEnabled()
    assert panel.area.value() == 700, "the area that was set before"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *args: (str(tmp_path / "my.npz"), ""))
    action(button, "Save library…").trigger()
    assert len(read_shapes(tmp_path / "my.npz")) == 6
    action(button, "Bundled library").trigger()
    assert (panel.shapes.count(), button.text()) == (24, "Library…")
    assert len(panel.map.dots.data) > 1000
    assert not panel.true_size.isChecked()
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *args: (str(tmp_path / "my.npz"), ""))
    action(button, "Of a library file…").trigger()
    finish(dock.jobs, 60_000)
    assert panel.shapes.count() == 6
    viewer.layers.clear()
    assert not action(button, "Of the chosen mask…").isEnabled()
