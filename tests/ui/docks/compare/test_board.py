"""The comparison board: what is rendered first, stars, what is exported, and that choosing one sets every control."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile
from napari.layers import Image, Labels, Points
from qtpy.QtWidgets import QFileDialog

import napari_synth as ns
from napari_synth.ui.docks.compare.actions import CompareActions
from napari_synth.ui.docks.compare.choices import Variation, variations
from napari_synth.ui.docks.synthesize.actions import SynthesizeActions
from tests.ui.conftest import painted
from tests.ui.hands import click

MODEL = "optional-pix2pix-nuclei"


@pytest.fixture
def dock(session):
    return session.actions(CompareActions)


@pytest.fixture
def compare(panel, fake):
    return panel("compare")


def shown(viewer, kind):
    return [layer for layer in viewer.layers if isinstance(layer, kind) and layer.visible]


def text_of(points):
    return [str(string) for string in points.features["name"]]


def test_the_nearest_to_the_present_choice_comes_first():
    now = Variation("a", "he", None, 1)
    styles = {"a": [None, 3], "b": [None]}
    board = variations(now, [("b", ""), ("a", "dark"), ("a", "he")], styles, [1, 2])
    assert board[0] == now
    assert [tile.model for tile in board] == ["a"] * 8 + ["b"] * 2, "another model must be loaded first"
    differences = [sum((tile.option != "he", tile.style is not None, tile.seed != 1)) for tile in board[:8]]
    assert differences == sorted(differences)


def test_looks_times_styles_times_seeds_on_one_board(compare, dock, session, viewer, fake, qtbot, finish):
    viewer.add_labels(painted(), name="mask")
    assert compare.count.text() == "4 images"
    compare.styles.setValue(3)
    compare.seeds.setValue(2)
    assert compare.count.text() == "24 images"
    compare.seeds.setValue(3)
    assert "at most 24" in compare.count.text()
    assert not compare.compare.isEnabled()
    compare.seeds.setValue(2)
    click(qtbot, compare.compare)
    finish(dock.jobs)
    assert len(dock.images) == len(dock.board.tiles) == compare.tiles.count() == 24
    (board,) = shown(viewer, Image)
    (names,) = shown(viewer, Points)
    assert not shown(viewer, Labels)
    assert text_of(names) == [str(number) for number in range(1, 25)], "there is no room for more"
    assert compare.tiles.item(0).text() == "1 H&E, light stain, seed 1"
    first = board.data[8 : 8 + 64, :48]
    np.testing.assert_array_equal(first, dock.images[dock.board.tiles[0]])
    assert "24 images of 'mask'" in compare.foot.status.text.text()


def test_stars_by_list_and_under_the_cursor(compare, dock, viewer, qtbot, finish):
    viewer.add_labels(painted(), name="mask")
    click(qtbot, compare.compare)
    finish(dock.jobs)
    compare.tiles.setCurrentRow(2)
    click(qtbot, compare.star)
    (names,) = shown(viewer, Points)
    assert text_of(names) == ["1 H&E, light stain", "2 H&E, dark stain", "★ 3 Purple stain", "4 Fluorescence"]
    assert compare.tiles.item(2).text().startswith("★")
    viewer.cursor.position = (15, 5)
    dock.star_under_cursor()
    assert dock.board.stars == {dock.board.tiles[0], dock.board.tiles[2]}
    dock.star_under_cursor()
    assert dock.board.stars == {dock.board.tiles[2]}
    for beside in ((-3, 5), (3, 5), (10_000, 5), (15, 50)):  # above, in a name, below, in the gap
        viewer.cursor.position = beside
        dock.star_under_cursor()
        assert "no image of the board under the cursor" in dock.note.text
    assert dock.board.stars == {dock.board.tiles[2]}


def test_use_this_sets_every_control_and_the_board_goes(compare, dock, session, viewer, qtbot, finish):
    mask = viewer.add_labels(painted(), name="mask")
    photo = viewer.add_image(np.zeros((8, 8)), name="photo", visible=False)
    viewer.layers.selection.active = mask
    compare.styles.setValue(2)
    compare.seeds.setValue(2)
    click(qtbot, compare.compare)
    finish(dock.jobs)
    place = next(
        n
        for n, tile in enumerate(dock.board.tiles)
        if (tile.option, tile.seed) == ("purple", dock.board.tiles[-1].seed) and tile.style is not None
    )
    tile = dock.board.tiles[place]
    compare.tiles.setCurrentRow(place)
    click(qtbot, compare.use)
    look = session.context.look
    assert (look.model, look.option, look.style, look.seed) == (MODEL, "purple", tile.style, tile.seed)
    assert [layer.name for layer in viewer.layers] == ["mask", "photo"]
    assert mask.visible
    assert not photo.visible, "as it was before"


def begin_with_two_images(compare, dock, viewer, fake, qtbot):
    """A board whose third image is waited for."""
    viewer.add_labels(painted(), name="mask")
    fake.wait_from = 3
    fake.gate.clear()
    click(qtbot, compare.compare)
    qtbot.waitUntil(lambda: len(dock.images) == 2, timeout=10_000)


def test_cancelling_keeps_what_is_there(compare, dock, viewer, fake, qtbot, finish):
    begin_with_two_images(compare, dock, viewer, fake, qtbot)
    dock.jobs.lane.cancel()
    finish(dock.jobs)
    fake.gate.set()
    assert "2 of 4 images are there" in dock.note.text
    assert len(dock.images) == 2
    assert shown(viewer, Image)


def test_the_look_section_asks_for_four(compare, dock, session, viewer, finish):
    viewer.add_labels(painted(), name="mask")
    look = session.actions(SynthesizeActions)
    session.context.look.option = "purple"
    look.compare_looks()
    finish(dock.jobs)
    assert dock.board.tiles[0].option == "purple"
    assert {tile.option for tile in dock.board.tiles} == {"he", "he-dark", "purple", "fluorescence"}
    look.compare_styles()
    finish(dock.jobs)
    assert {tile.option for tile in dock.board.tiles} == {"purple"}
    assert len({tile.style for tile in dock.board.tiles}) == 4
    assert len(shown(viewer, Image)) == 1, "one board at a time"
    look.render()
    finish(look.jobs)
    assert [layer.name for layer in shown(viewer, Image)] == ["mask · purple"], "what is rendered is seen"


@pytest.mark.parametrize(
    ("data", "words"),
    [(None, "There is no mask layer"), (np.zeros((9, 9), int), "is empty"), (np.ones((3, 9, 9), int), "is a stack")],
)
def test_what_cannot_be_compared_is_said(compare, dock, viewer, fake, qtbot, data, words):
    if data is not None:
        viewer.add_labels(data)
    click(qtbot, compare.compare)
    assert words in dock.note.text
    assert not fake.calls


def test_exported_stars_are_what_python_renders(dock, panel, session, viewer, qtbot, finish, monkeypatch, tmp_path):
    session.context.look.device = "cpu"
    viewer.add_labels(painted(), name="mask")
    compare = panel("compare")
    compare.styles.setValue(2)
    click(qtbot, compare.compare)
    finish(dock.jobs, 60_000)
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *given: str(tmp_path / "stars"))
    click(qtbot, compare.stars)
    assert "No image has a star" in dock.note.text
    stars = [tile for tile in dock.board.tiles if tile.style is not None][:2]
    for tile in stars:
        dock.toggle_star(tile)
    click(qtbot, compare.stars)
    finish(dock.jobs, 60_000)
    folders = sorted((tmp_path / "stars").iterdir())
    assert len(folders) == 2
    model = ns.load_model(MODEL, "cpu")
    for tile, folder in zip(stars, folders, strict=True):
        assert f"style-{tile.style}" in folder.name
        recipe = ns.recipe_of(folder / "recipe.yaml")
        assert (recipe.options, recipe.style, recipe.seed) == ([tile.option], tile.style, tile.seed)
        (image,) = (folder / "images").iterdir()
        expected = model.render(painted(), tile.option, tile.seed, style=tile.style).image
        np.testing.assert_array_equal(tifffile.imread(image), expected)


def test_the_board_goes_with_its_mask(compare, dock, viewer, qtbot, finish):
    mask = viewer.add_labels(painted(), name="mask")
    click(qtbot, compare.compare)
    finish(dock.jobs)
    dock.toggle_star(dock.board.tiles[0])
    mask.name = "renamed"
    assert compare.whose.text() == "Images of renamed:"
    other = viewer.add_labels(painted(), name="other")
    viewer.layers.selection.active = other
    assert compare.whose.text() == "Images of renamed (another mask is chosen now):"
    assert dock.board.stars
    viewer.layers.remove(mask)
    assert not dock.board.tiles
    assert compare.tiles.count() == 0
    assert not compare.stars.isEnabled()
    assert [layer.name for layer in viewer.layers] == ["other"]


def test_a_board_that_is_closed_leaves_no_images_of_its_mask(compare, dock, viewer, fake, qtbot, finish):
    begin_with_two_images(compare, dock, viewer, fake, qtbot)
    click(qtbot, compare.away)
    fake.gate.set()
    finish(dock.jobs)
    assert not dock.images
    assert compare.tiles.count() == 0
    assert compare.whose.isHidden()
    assert [layer.name for layer in viewer.layers] == ["mask"]
    click(qtbot, compare.compare)
    finish(dock.jobs)
    assert compare.tiles.count() == 4
