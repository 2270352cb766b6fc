"""Masks of the user's own data, from the card *From my data* and by dropping files."""

from __future__ import annotations

import json

import numpy as np
import pytest
import tifffile
from PIL import Image
from qtpy.QtCore import QMimeData, QPointF, Qt, QUrl
from qtpy.QtGui import QDropEvent
from qtpy.QtWidgets import QFileDialog, QPushButton

from napari_synth.ui.docks.masks.actions import MaskActions
from napari_synth.ui.napari_bridge.mask_files import OPENED_KEY
from tests.datasets.test_foreign_masks import WRITTEN, labels
from tests.helpers import nuclei
from tests.ui.conftest import painted
from tests.ui.hands import click

MASK = nuclei((90, 110), seed=2)


@pytest.fixture
def masks(panel):
    return panel("masks")


@pytest.fixture
def press(masks, session, qtbot, finish):
    """Presses a button of a candidate, by its words, as they are on the card now."""

    def press_one(words, layer):
        buttons = [
            button
            for button in masks.data.findChildren(QPushButton)
            if button.accessibleName() == f"{words}: {layer.name}" and not button.isHidden()
        ]
        click(qtbot, buttons[-1])
        finish(session.actions(MaskActions).jobs, 60_000)

    return press_one


def offered(masks):
    return {
        tuple(button.accessibleName().split(": ", 1))
        for button in masks.data.findChildren(QPushButton)
        if ": " in button.accessibleName() and button.parentWidget().isVisibleTo(masks.data)
    }


@pytest.fixture
def drop(masks, session, finish):
    """Drops files on the card."""

    def drop_paths(*paths):
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
        event = QDropEvent(
            QPointF(5, 5), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
        )
        masks.data.dropEvent(event)
        finish(session.actions(MaskActions).jobs, 60_000)

    return drop_paths


def test_labels_opened_as_an_image_are_found(masks, viewer, session, press):
    old = viewer.add_labels(painted(), name="old")
    session.context.column.open_section("export")
    image = viewer.add_image(
        MASK.astype(np.uint16), name="cells", scale=(0.5, 0.5), translate=(3, 4), units=("um", "um")
    )
    note = masks.foot.status.text.text()
    assert "'cells' is an Image layer: looks like labels" in note
    assert "Use as mask" in note
    assert "convert" in note
    assert not masks.data.isHidden(), "the card with the button is open"
    assert session.context.column.section == "masks", "and so is its step"
    press("Use as mask", image)
    mask = session.context.masks.current
    np.testing.assert_array_equal(mask.data, MASK)
    np.testing.assert_array_equal(mask.scale, image.scale)
    np.testing.assert_array_equal(mask.translate, image.translate)
    assert mask.units == image.units
    assert (mask.visible, old.visible, image.visible) == (True, False, False)
    assert viewer.layers[-1] is mask
    assert f"{MASK.max()} nuclei" in masks.foot.status.text.text()
    assert not offered(masks), "once is enough"
    viewer.layers.remove(mask)
    assert offered(masks) == {("Use as mask", "cells")}


def test_an_offer_that_was_used_is_gone_until_its_mask_is(viewer, session, press, masks, fake, finish):
    def offers():
        return [words for words, *of in offered(masks) if of == ["cells"]]

    image = viewer.add_image(MASK.astype(np.uint16), name="cells")
    assert offers() == ["Use as mask"]
    press("Use as mask", image)
    assert offers() == []
    mask = session.context.masks.current
    viewer.layers.selection.active = image
    look = session.docks["synthesize"]
    look.render()
    finish(look.jobs)
    assert fake.calls == 1, "the mask of the image is meant"
    viewer.layers.remove(mask)
    assert offers() == ["Use as mask"]
    press("Use as mask", image)
    image.data = MASK[::-1].astype(np.uint16)
    assert offers() == ["Use as mask"], "another image"


@pytest.mark.parametrize(
    ("layer", "mask"),
    [("cells", "cells mask"), ("real_mask", "real mask"), ("a_cp_masks", "a mask"), ("labels", "mask")],
)
def test_a_mask_is_called_so_once(viewer, session, press, masks, layer, mask):
    press("Use as mask", viewer.add_image(MASK.astype(np.uint16), name=layer))
    assert session.context.masks.current.name == mask


def test_the_other_way_of_a_binary_image_stays_on_offer(viewer, press, masks):
    image = viewer.add_image((MASK > 0).astype(np.uint8) * 255, name="cells")
    press("Split touching nuclei", image)
    assert ("Number the parts", "cells") in offered(masks)
    assert ("Split touching nuclei", "cells") not in offered(masks)


def test_a_new_layer_is_seen_whole(masks, viewer):
    def seen(layer):
        reach = np.array(viewer.canvas.size) / 2 / viewer.scene.camera.zoom
        away = np.abs(layer.extent.world - np.array(viewer.scene.camera.center)[-2:])
        return bool((away <= reach).all())

    viewer.add_labels(painted(), name="old")
    viewer.fit_to_view()
    large = viewer.add_image(np.kron(MASK, np.ones((8, 8), int)).astype(np.uint16), name="cells")
    assert seen(large), "dropped on the canvas"
    viewer.scene.camera.zoom *= 9
    again = viewer.add_image(np.kron(MASK, np.ones((8, 8), int)).astype(np.uint16), name="next")
    assert not seen(again), "who looks at a part of such an image goes on looking at that part"
    larger = viewer.add_labels(np.kron(MASK, np.ones((16, 16), int)), name="opened")
    assert seen(larger)


def test_nothing_is_rendered_while_a_lookalike_is_selected(viewer, session, fake, finish):
    viewer.add_labels(painted(), name="old")
    image = viewer.add_image(MASK.astype(np.uint16), name="cells")
    look = session.docks["synthesize"]
    look.render()
    finish(look.jobs)
    assert fake.calls == 0, "the old mask is not rendered instead"
    assert look.note.kind == "problem"
    assert "'cells'" in look.note.text
    assert "Use as mask" in look.note.action
    viewer.layers.selection.active = viewer.layers["old"]
    look.render()
    finish(look.jobs)
    assert fake.calls == 1
    assert image in viewer.layers


@pytest.mark.parametrize(
    ("pixels", "words", "count"),
    [
        ((MASK > 0).astype(np.uint8) * 255, "Split touching nuclei", None),
        ((MASK > 0).astype(np.uint8) * 255, "Number the parts", None),
        (np.stack([MASK * 9 % 251, MASK * 5 % 241, MASK % 250], -1).astype(np.uint8), "A nucleus per colour", None),
        (MASK.astype(np.float32), "Use as mask", int(MASK.max())),
    ],
    ids=["split", "parts", "colours", "floats"],
)
def test_other_kinds_of_masks(viewer, session, press, masks, pixels, words, count):
    image = viewer.add_image(pixels, name="image")
    press(words, image)
    mask = session.context.masks.current
    assert ((mask.data > 0) == (MASK > 0)).mean() > 0.98
    found = len(np.unique(mask.data)) - 1
    assert found == count or (count is None and 0.5 * MASK.max() < found < 1.5 * MASK.max())


def test_a_photograph_is_not_offered(masks, viewer):
    viewer.add_image(np.random.default_rng(0).random((64, 48)), name="photo")
    assert offered(masks) == set()


@pytest.mark.parametrize("kind", ["labels", "image"])
def test_of_a_stack_the_plane_shown_becomes_the_mask(masks, viewer, session, press, kind):
    stack = np.stack([np.zeros_like(MASK), MASK, MASK[::-1]]).astype(np.uint16)
    layer = getattr(viewer, f"add_{kind}")(stack, name="stack", axis_labels=("z", "y", "x"))
    viewer.dims.set_point(0, 2)
    press("Use the plane shown", layer)
    mask = session.context.masks.current
    np.testing.assert_array_equal(mask.data, MASK[::-1])
    assert mask.name == "stack, z 2"
    assert mask.visible
    mask.paint((5, 5), 77)
    assert 77 not in layer.data, "the stack stays as it is"


def test_several_resolutions_are_worked_on_in_a_copy(masks, viewer, session, press):
    layer = viewer.add_labels([MASK, MASK[::2, ::2]], multiscale=True, name="pyramid")
    press("Work on a copy", layer)
    np.testing.assert_array_equal(session.context.masks.current.data, MASK)


def test_a_binary_labels_layer_is_split(masks, viewer, session, press):
    layer = viewer.add_labels((MASK > 0).astype(int), name="binary")
    press("Split touching nuclei", layer)
    assert session.context.masks.current.data.max() > 3


def test_outlines_become_nuclei(masks, viewer, session, press):
    viewer.add_image(np.random.default_rng(0).random((60, 80)), scale=(0.5, 0.5), translate=(10, 0))
    box = np.array([[2, 3], [2, 12], [20, 12], [20, 3]]) * 0.5 + (10, 0)
    ellipse = np.array([[30, 40], [30, 60], [50, 60], [50, 40]]) * 0.5 + (10, 0)
    shapes = viewer.add_shapes([box, ellipse], shape_type=["polygon", "ellipse"], name="drawn")
    viewer.add_shapes([[0, 0], [5, 5]], shape_type="line", name="a line")
    assert {name for _, name in offered(masks)} == {"drawn"}
    press("A nucleus per outline", shapes)
    mask = session.context.masks.current
    assert mask.data.shape == (60, 80)
    np.testing.assert_array_equal(np.unique(mask.data), [0, 1, 2])
    rows, columns = np.nonzero(mask.data == 1)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (2, 20, 3, 12)
    assert abs((mask.data == 2).sum() / (np.pi * 100) - 1) < 0.05


def test_outlines_without_an_image_say_what_is_missing(masks, viewer, press, session):
    shapes = viewer.add_shapes([[[0, 0], [0, 9], [9, 9]]], shape_type="polygon", name="drawn")
    press("A nucleus per outline", shapes)
    assert "lie on no image" in session.context.notes["masks"].text
    assert "Open the image" in session.context.notes["masks"].action


@pytest.mark.parametrize("name", WRITTEN)
def test_what_other_programs_made_can_be_dropped(masks, viewer, session, drop, tmp_path, name):
    _, write = WRITTEN[name]
    old = viewer.add_labels(painted(), name="old")
    drop(write(tmp_path))
    mask = next(layer for layer in viewer.layers if layer.name == "f")
    np.testing.assert_array_equal(mask.data, labels())
    assert not old.visible
    assert viewer.layers[-1].visible


def test_a_mask_that_napari_opened_is_what_is_seen(masks, viewer, session):
    """As from File ▸ Open, whose reader leaves its mark."""
    old = viewer.add_labels(painted(), name="old")
    mask = viewer.add_labels(MASK, name="mine", metadata={OPENED_KEY: {"path": "mine.png", "remarks": []}})
    assert (mask.visible, old.visible) == (True, False)
    assert session.context.masks.current is mask
    assert f"Opened the mask 'mine': {MASK.max()} nuclei." in masks.foot.status.text.text()


def test_files_and_folders_are_opened(masks, viewer, session, qtbot, finish, tmp_path, monkeypatch):
    Image.fromarray(MASK.astype(np.uint8)).save(tmp_path / "a.png")
    tifffile.imwrite(tmp_path / "b.tif", np.stack([MASK, MASK]).astype(np.uint16))
    (tmp_path / "._a.png").write_bytes(b"junk")
    monkeypatch.setattr(QFileDialog, "getOpenFileNames", lambda *_: ([str(tmp_path / "a.png")], ""))
    jobs = session.actions(MaskActions).jobs
    click(qtbot, masks.data.file)
    finish(jobs)
    np.testing.assert_array_equal(viewer.layers["a"].data, MASK)
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path))
    click(qtbot, masks.data.folder)
    finish(jobs)
    assert len(viewer.layers) == 3
    assert ("Use the plane shown", "b") in offered(masks)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.json", "{}", "a.json holds no masks that this program knows."),
        ("a.geojson", json.dumps({"features": []}), "without the size of their image"),
        ("a.png", "junk", "a.png holds no masks"),
    ],
)
def test_what_cannot_be_opened_is_named(masks, viewer, session, drop, tmp_path, name, content, said):
    (tmp_path / name).write_text(content)
    drop(tmp_path / name)
    note = session.context.notes["masks"]
    assert note.kind == "problem"
    assert said in note.text
    assert note.action
    assert not viewer.layers


def test_of_a_stack_nothing_is_rendered_but_the_way_is_said(viewer, session, fake, finish):
    viewer.add_labels(np.stack([MASK, MASK]), name="stack")
    look = session.docks["synthesize"]
    look.render()
    finish(look.jobs)
    assert fake.calls == 0
    assert "'stack' is no single mask: a stack" in look.note.text
    assert "Use the plane shown under Mask ▸ From my data" in look.note.action


def test_a_folder_of_many_masks_shows_one_after_the_other_and_loses_no_work(
    masks, viewer, session, drop, qtbot, finish, tmp_path
):
    for number in range(15):
        tifffile.imwrite(tmp_path / f"m{number:02d}.tif", np.where(number % 3 + 1 == MASK, MASK, 0).astype(np.uint16))
    drop(tmp_path)
    jobs = session.actions(MaskActions).jobs
    assert [layer.name for layer in viewer.layers] == ["m00"]
    assert "15 masks" in session.context.notes["masks"].text

    def press_row(words):
        click(qtbot, _buttons(masks, f"{words}: {tmp_path.name}")[-1])
        finish(jobs)

    press_row("Next")
    assert [layer.name for layer in viewer.layers] == ["m01"], "nobody touched the first"
    np.testing.assert_array_equal(viewer.layers["m01"].data, np.where(MASK == 2, MASK, 0))
    viewer.layers["m01"].paint((5, 5), 9)
    press_row("Next")
    assert [layer.name for layer in viewer.layers] == ["m01", "m02"], "what was painted stays"
    assert session.context.masks.current.name == "m02"
    press_row("Previous")
    assert session.context.masks.current.data[5, 5] == 9, "the painted one comes back"
    press_row("Previous")
    press_row("Previous")
    assert session.context.masks.current.name == "m14", "before the first is the last"
    session.actions(MaskActions).next_mask()
    finish(jobs)
    assert session.context.masks.current.name == "m00", "the key goes through the folder"
    press_row("Close")
    assert not _buttons(masks, f"Next: {tmp_path.name}")
    assert [layer.name for layer in viewer.layers] == ["m01", "m00"]


def _buttons(masks, name):
    return [
        button
        for button in masks.data.findChildren(QPushButton)
        if button.accessibleName() == name and button.parentWidget().isVisibleTo(masks.data)
    ]
