"""The label doctor behind the button *Check…*."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile
from qtpy.QtWidgets import QFileDialog, QPushButton
from scipy import ndimage

from napari_synth.datasets.image_files import read_labels
from napari_synth.ui.docks.masks.actions import MaskActions
from tests.helpers import nuclei
from tests.ui.conftest import painted
from tests.ui.hands import click

MASK = nuclei((90, 110), seed=2).astype(np.uint16)


def scattered() -> np.ndarray:
    """Labels that were enlarged as if they were a picture."""
    return ndimage.zoom(MASK * 20.0, 3, order=1).astype(np.uint16)


FAULTS = {
    "binary": ((MASK > 0).astype(np.uint16), "has one number for all nuclei"),
    "gaps": (MASK * 3, "numbers out"),
    "empty": (np.zeros_like(MASK), "is empty"),
    "specks": (np.where(np.arange(MASK.size).reshape(MASK.shape) == 5, MASK.max(), MASK), "stray pixels"),
    "scattered": (scattered(), "scattered along edges"),
}


@pytest.fixture
def masks(panel):
    return panel("masks")


@pytest.fixture
def check(masks, session, finish):
    def run(words):
        masks.check_menu.aboutToShow.emit()
        next(action for action in masks.check_menu.actions() if words in action.text()).trigger()
        finish(session.actions(MaskActions).jobs, 60_000)

    return run


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_one_sentence_and_cured_in_a_copy(masks, viewer, session, check, qtbot, finish, name):
    data, said = FAULTS[name]
    layer = viewer.add_labels(data.copy(), name="my/mask")
    check("This mask")
    (sentence, *_) = masks.found.sentences()
    assert said in sentence
    assert "The mask my" in sentence
    assert not masks.found.isHidden()
    cures = [button for button in masks.found.findChildren(QPushButton) if button.property("cures")]
    if name == "empty":
        assert not cures
        return
    click(qtbot, cures[0])
    finish(session.actions(MaskActions).jobs, 60_000)
    copy = session.context.masks.current
    assert copy is not layer
    assert copy.name == "my/mask, cured"
    np.testing.assert_array_equal(layer.data, data, err_msg="the original stays")
    check("This mask")
    assert not any(said in sentence for sentence in masks.found.sentences()), "the copy no longer has the fault"


def test_all_masks_at_once_and_closing_the_list(masks, viewer, session, check, qtbot):
    viewer.add_labels(MASK, name="good")
    viewer.add_labels(MASK * 2, name="gaps")
    check("All 2 masks")
    text = "\n".join(masks.found.sentences())
    assert "The mask gaps leaves" in text
    assert "good" not in text
    close = next(b for b in masks.found.findChildren(QPushButton) if b.text() == "Close the list")
    click(qtbot, close)
    assert masks.found.isHidden()


def test_a_good_mask_is_said_to_be_good(masks, viewer, session, check):
    viewer.add_labels(painted(), name="mine")
    check("This mask")
    assert "Nothing is wrong with 'mine'." in masks.foot.status.text.text()
    assert masks.found.isHidden()


def test_a_folder_is_checked_and_cured_in_a_copy(masks, session, check, qtbot, finish, tmp_path, monkeypatch):
    data = tmp_path / "set"
    for name in ("images", "masks"):
        (data / name).mkdir(parents=True)
    for number in range(3):
        mask = nuclei((90, 110), seed=number)
        tifffile.imwrite(data / "images" / f"{number}.tif", ((mask > 0) * 150 + 20).astype(np.uint8))
        tifffile.imwrite(data / "masks" / f"{number}.tif", (mask * (5 if number == 1 else 1)).astype(np.uint16))
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(data))
    check("A folder")
    assert "The mask 1.tif leaves" in masks.found.sentences()[0]
    assert "3 pairs in 'set'" in masks.foot.status.text.text()
    (tmp_path / "there").mkdir()
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path / "there"))
    (cure,) = [button for button in masks.found.findChildren(QPushButton) if button.property("cures")]
    click(qtbot, cure)
    finish(session.actions(MaskActions).jobs)
    labels = read_labels(tmp_path / "there" / "set-cured" / "masks" / "1.tif")
    np.testing.assert_array_equal(labels, nuclei((90, 110), seed=1))
    np.testing.assert_array_equal(read_labels(data / "masks" / "1.tif"), 5 * labels, err_msg="the original stays")


def test_without_masks_a_folder_can_be_checked(masks):
    masks.check_menu.aboutToShow.emit()
    assert [action.text() for action in masks.check_menu.actions()] == ["A folder of pairs or masks…"]
