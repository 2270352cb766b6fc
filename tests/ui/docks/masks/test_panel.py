"""The Mask section, used with mouse and keyboard."""

from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFileDialog, QInputDialog, QMessageBox
from skimage.measure import regionprops

from napari_synth.masks.presets import preset
from napari_synth.ui.docks.masks.actions import MaskActions
from tests.helpers import nuclei
from tests.ui.conftest import painted
from tests.ui.hands import choose, click, controls, entries

NARROW = 340


@pytest.fixture
def masks(panel):
    return panel("masks")


@pytest.fixture
def jobs(session):
    return session.actions(MaskActions).jobs


@pytest.fixture
def answer(monkeypatch):
    """What the user answers when asked; the questions."""
    asked = []

    def set_answer(yes):
        button = QMessageBox.StandardButton.Yes if yes else QMessageBox.StandardButton.No
        monkeypatch.setattr(QMessageBox, "question", lambda *given: asked.append(given[2]) or button)
        return asked

    return set_answer


def test_combo_follows_the_layer_list(masks, session, viewer):
    assert entries(masks.mask) == ["no mask yet"]
    assert not masks.mask.isEnabled()
    first = viewer.add_labels(painted(), name="first")
    viewer.add_labels(painted(), name="second")
    assert entries(masks.mask) == ["second", "first"]
    assert masks.mask.currentText() == "second"
    first.name = "renamed"
    assert entries(masks.mask) == ["second", "renamed"]
    viewer.layers.selection.active = first
    assert masks.mask.currentText() == "renamed"
    masks.mask.activated.emit(0)
    assert session.context.masks.current.name == "second"
    assert viewer.layers.selection.active.name == "second", "it is what the brush paints on"
    viewer.layers.remove("second")
    assert entries(masks.mask) == ["renamed"]


@pytest.mark.parametrize("card", ["paint", "sample", "data", "noise"])
def test_each_card_is_a_click_away_and_fits_the_column(masks, qtbot, card):
    masks.resize(NARROW, 600)
    masks.show()
    click(qtbot, masks.cards.tabs[card])
    shown = {key for key, one in masks.cards.cards.items() if one.isVisible()}
    assert shown == {card}
    for fold in (masks.sampling.more, masks.sampling.fit):
        click(qtbot, fold.head)
    assert masks.minimumSizeHint().width() <= NARROW
    for control in (one for one in controls(masks.cards.cards[card]) if one.isVisible()):
        left = control.mapTo(masks, control.rect().topLeft()).x()
        assert left >= 0
        assert left + control.width() <= NARROW, f"{control.accessibleName()} is cut off"


def test_cards_are_reached_by_the_keyboard(masks, qtbot):
    masks.show()
    masks.cards.tabs["paint"].setFocus()
    qtbot.keyClick(masks.cards.tabs["paint"], Qt.Key.Key_Space)
    assert masks.paint.isVisible()


def test_size_boxes_follow_the_selected_image_and_the_chosen_mask(masks, viewer, qtbot):
    size = masks.sampling.size
    assert (size.width_box.value(), size.height_box.value()) == (256, 256)
    image = viewer.add_image(np.random.default_rng(0).random((100, 120)))
    assert (size.width_box.value(), size.height_box.value()) == (120, 100)
    click(qtbot, masks.paint.new)
    assert viewer.layers[-1].data.shape == (100, 120)
    viewer.add_labels(painted(), name="other")
    assert (size.width_box.value(), size.height_box.value()) == (48, 64)
    assert (masks.paint.size.width_box.value(), masks.paint.size.height_box.value()) == (48, 64)
    viewer.layers.selection.active = image
    assert (size.width_box.value(), size.height_box.value()) == (120, 100)


def test_a_new_mask_is_seen_over_the_old_image(masks, session, viewer, qtbot, jobs, finish, fake):
    old = viewer.add_labels(painted(), name="old")
    photo = viewer.add_image(np.random.default_rng(0).random((64, 48)), name="photo")
    viewer.layers.selection.active = old
    session.docks["synthesize"].render()
    finish(session.docks["synthesize"].jobs)
    (image,) = session.context.results.of(old).values()
    assert image.visible
    click(qtbot, masks.paint.new)
    new = viewer.layers.selection.active
    assert new is viewer.layers[-1]
    assert new.mode == "paint", "the brush is at hand"
    assert (new.visible, old.visible, image.visible, photo.visible) == (True, False, False, True)
    masks.mask.activated.emit(entries(masks.mask).index("old"))
    assert (new.visible, old.visible, image.visible) == (False, True, True), "and back, with its image"


def test_sampling_makes_a_new_mask_and_leaves_the_painted_one(masks, viewer, qtbot, jobs, finish, answer):
    asked = answer(False)
    mine = viewer.add_labels(painted((128, 160)), name="mine", scale=(0.5, 0.5), units=("um", "um"))
    before = mine.data.copy()
    click(qtbot, masks.sampling.sample)
    finish(jobs)
    np.testing.assert_array_equal(mine.data, before)
    assert not asked
    new = viewer.layers[-1]
    assert len(viewer.layers) == 2
    assert new.data.shape == (128, 160)
    assert new.data.any()
    assert tuple(new.scale) == (0.5, 0.5), "it lies where the chosen one lies"
    assert new.visible
    assert not mine.visible
    assert viewer.layers.selection.active is new
    click(qtbot, masks.sampling.sample)
    finish(jobs)
    assert len(viewer.layers) == 3


def test_an_empty_mask_is_filled(masks, viewer, qtbot, jobs, finish):
    click(qtbot, masks.paint.new)
    click(qtbot, masks.sampling.sample)
    finish(jobs)
    (layer,) = viewer.layers
    assert layer.data.any()


@pytest.mark.parametrize("yes", [True, False])
def test_replacing_asks_first_and_can_be_undone(masks, session, viewer, qtbot, jobs, finish, answer, yes):
    asked = answer(yes)
    assert not masks.sampling.replace.isEnabled(), "nothing to replace yet"
    mine = viewer.add_labels(painted((128, 160)), name="mine")
    before = mine.data.copy()
    qtbot.waitUntil(lambda: session.actions(MaskActions).objects.up_to_date)
    click(qtbot, masks.sampling.replace)
    finish(jobs)
    assert asked == ["Replace 2 nuclei in 'mine'?"]
    assert viewer.layers[:] == [mine]
    assert np.array_equal(mine.data, before) == (not yes)
    mine.undo()
    np.testing.assert_array_equal(mine.data, before)


def test_replacing_asks_without_a_number_where_nothing_is_counted_yet(masks, viewer, qtbot, answer, session):
    asked, objects = answer(False), session.actions(MaskActions).objects
    empty = viewer.add_labels(np.zeros((64, 64), np.uint8), name="mine")
    qtbot.waitUntil(lambda: objects.up_to_date)
    empty.paint((30, 30), 1)
    click(qtbot, masks.sampling.replace)
    assert asked == ["Replace the nuclei in 'mine'?"], "there were none a moment ago"
    qtbot.waitUntil(lambda: objects.up_to_date)
    click(qtbot, masks.sampling.replace)
    assert asked[1:] == ["Replace 1 nucleus in 'mine'?"]


def test_the_dice_shows_another_field(masks, viewer, qtbot, jobs, finish):
    click(qtbot, masks.sampling.sample)
    finish(jobs)
    first = viewer.layers[0].data.copy()
    click(qtbot, masks.sampling.seed.dice)
    finish(jobs)
    (layer,) = viewer.layers
    assert not np.array_equal(layer.data, first)
    assert layer.name == f"nuclei, seed {masks.sampling.seed.value.value()}"
    layer.data_setitem((np.array([5]), np.array([5])), [99])
    mine = layer.data.copy()
    click(qtbot, masks.sampling.seed.dice)
    finish(jobs)
    assert len(viewer.layers) == 2
    np.testing.assert_array_equal(layer.data, mine, err_msg="what was painted on is kept")


def test_painting_the_next_nucleus(masks, viewer, qtbot):
    click(qtbot, masks.paint.next)
    assert "New mask" in masks.foot.status.text.text()
    layer = viewer.add_labels(painted())
    viewer.add_image(np.random.default_rng(0).random((9, 9)))
    click(qtbot, masks.paint.next)
    assert viewer.layers.selection.active is layer
    assert (layer.selected_label, layer.mode) == (3, "paint")


def test_sampling_from_the_panel(masks, session, viewer, qtbot, jobs, finish):
    form = masks.sampling.form
    form.box("count_mean").setValue(6)
    form.box("count_sd").setValue(0)
    masks.sampling.seed.value.setValue(4)
    choose(form.combo("spacing"), "apart")
    field = session.context.field
    assert (field.count_mean, field.seed, field.spacing) == (6, 4, "apart")
    assert not form.box("touching_fraction").isEnabled()
    click(qtbot, masks.sampling.sample)
    assert not masks.foot.job.isHidden()
    finish(jobs)
    assert masks.foot.job.isHidden()
    assert viewer.layers[0].data.max() == 6
    assert "Placed 6 of 6" in masks.foot.status.text.text()
    assert masks.foot.status.text.text().startswith("✓ Done")
    click(qtbot, masks.paint.clear)
    assert not viewer.layers[0].data.any()


def test_areas_are_in_the_units_of_the_mask(masks, session, viewer):
    area, field = masks.sampling.area, session.context.field
    assert area.label.text() == "Area (px²)"
    assert area.mean.value() == field.area_mean == 700
    layer = viewer.add_labels(painted(), scale=(0.5, 0.5), units=("um", "um"))
    assert area.label.text() == "Area (µm²)"
    assert (area.mean.value(), area.spread.value()) == (175, 62.5)
    area.mean.setValue(100)
    assert field.area_mean == 400, "square pixels, as the recipe has them"
    assert area.mean.value() == 100
    layer.scale = (0.25, 0.25)
    assert area.mean.value() == 25
    viewer.layers.clear()
    assert area.label.text() == "Area (px²)"
    assert area.mean.value() == 400


def test_law_of_the_number_and_direction(masks, session, viewer, qtbot, jobs, finish):
    assert not masks.sampling.form.box("angle").isEnabled()
    assert masks.sampling.form.combo("count_law").findData("measured") < 0
    choose(masks.sampling.form.combo("count_law"), "fixed")
    assert not masks.sampling.form.box("count_sd").isEnabled()
    choose(masks.sampling.form.combo("orientation"), "preferred")
    masks.sampling.form.box("angle").setValue(30)
    masks.sampling.form.box("angle_sd").setValue(0)
    masks.sampling.form.box("count_mean").setValue(12)
    seen = []
    for seed in range(4):
        masks.sampling.seed.value.setValue(seed)
        click(qtbot, masks.sampling.sample)
        finish(jobs, 60_000)
        labels = viewer.layers[-1].data
        seen.append(labels.max())
        for row in regionprops(labels):
            y, x = np.array(row.coords).mean(0)
            if row.eccentricity > 0.85 and 40 < y < 216 and 40 < x < 216:
                off = (np.rad2deg(row.orientation) + 90 - 30 + 90) % 180 - 90
                assert abs(off) < 12, "the long axis lies as asked"
    assert seen == [12] * 4
    choose(masks.sampling.form.combo("count_law"), "poisson")
    assert session.context.field.settings(64, 64).count_law == "poisson"


def test_numbers_of_a_paper(masks, session):
    like, area = masks.sampling.fit.like, masks.sampling.area
    assert not any("thesis" in text for text in entries(like)), "no word of ours"
    start = session.context.field.settings(350, 350)
    choose(like, "thesis")
    assert session.context.field.settings(350, 350) == preset("thesis", 350, 350), "as on the command line"
    assert "side" in masks.foot.status.text.text()
    assert masks.sampling.form.combo("orientation").currentData() == "none"
    assert area.mean.text() == "64² shapes"
    area.mean.setValue(400)
    changed = session.context.field.settings(350, 350)
    assert (changed.area_law, changed.area_mean, changed.count_scaling) == ("normal", 400, "length")
    assert area.mean.text() == "400"
    choose(like, "")
    assert session.context.field.settings(350, 350) == start


def test_masks_of_real_ones(masks, session, viewer, jobs, finish, tmp_path, monkeypatch):
    np.savez(tmp_path / "maps.npz", labels=np.stack([nuclei((80, 80), seed=s) for s in range(3)]))
    monkeypatch.setattr(QFileDialog, "getOpenFileNames", lambda *_: ([str(tmp_path / "maps.npz")], ""))
    masks.paint.size.width_box.setValue(96)
    masks.paint.size.height_box.setValue(64)
    monkeypatch.setattr(QInputDialog, "getInt", lambda *_: (3, False))
    masks.data.mix.click()
    assert not jobs.lane.state.running, "the question was cancelled"
    monkeypatch.setattr(QInputDialog, "getInt", lambda *_: (3, True))
    masks.data.mix.click()
    finish(jobs)
    assert [layer.name for layer in viewer.layers] == ["mixed mask 1", "mixed mask 2", "mixed mask 3"]
    assert [layer.visible for layer in viewer.layers] == [False, False, True]
    assert all(layer.data.shape == (64, 96) and layer.data.any() for layer in viewer.layers)
    assert len({layer.data.tobytes() for layer in viewer.layers}) == 3
    layer = viewer.layers[-1]
    layer.undo()
    assert not layer.data.any()
    monkeypatch.setattr(QFileDialog, "getOpenFileNames", lambda *_: ([str(tmp_path / "none.npz")], ""))
    masks.data.mix.click()
    finish(jobs)
    assert session.context.notes["masks"].kind == "problem"
