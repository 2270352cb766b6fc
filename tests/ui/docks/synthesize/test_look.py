"""The Look section: what is clicked is rendered and seen, styles, thumbnails of the own mask, the model of the mask."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from qtpy.QtWidgets import QMenu

import napari_synth as ns
from napari_synth.core.boxes import fullest_part
from napari_synth.core.recipe import METADATA_KEY
from napari_synth.datasets.image_files import read_labels
from napari_synth.models.checkpoint import load_weights
from napari_synth.models.registry import bundled_paths
from napari_synth.ui.docks.synthesize.actions import SynthesizeActions
from napari_synth.ui.samples import sample_folder
from tests.helpers import nuclei, small_metgan, small_styled
from tests.ui.conftest import anatomy, painted
from tests.ui.hands import choose, click

MODEL = "optional-pix2pix-nuclei"


@pytest.fixture
def dock(session):
    return session.actions(SynthesizeActions)


@pytest.fixture
def section(panel, qtbot, fake):
    shown = panel("synthesize")
    shown.resize(340, 700)
    shown.show()
    return shown


@pytest.fixture
def settled(dock, qtbot):
    """Wait until everything is rendered, thumbnails too."""

    def wait():
        qtbot.waitUntil(lambda: not dock.jobs.lane.state.running and not dock.thumbnails.busy, timeout=30_000)

    return wait


def pixel(item, at=20):
    return item.icon().pixmap(64, 64).toImage().pixelColor(at, at).getRgb()[:3]


def test_a_click_on_a_look_renders_and_shows_it_alone(section, dock, viewer, settled):
    mask = viewer.add_labels(painted(), name="mask")
    photo = viewer.add_image(np.zeros((8, 8)), name="photo")
    viewer.layers.selection.active = mask
    section.looks.setCurrentRow(1)
    settled()
    section.looks.setCurrentRow(0)
    settled()
    assert viewer.layers["mask · he"].visible
    assert not viewer.layers["mask · he-dark"].visible
    assert photo.visible, "what the user opened stays as it is"
    other = viewer.add_labels(painted(), name="other")
    dock.render()
    settled()
    assert [layer.name for layer in viewer.layers if layer.visible and layer.name.endswith("he")] == ["other · he"]
    viewer.layers.selection.active = mask
    dock.render()
    settled()
    assert viewer.layers["mask · he"].visible
    assert not viewer.layers["other · he"].visible
    assert other.visible


def test_both_dice_render_at_once(section, session, viewer, qtbot, settled):
    viewer.add_labels(painted(), name="mask")
    click(qtbot, section.seed.dice)
    settled()
    recipe = viewer.layers["mask · he"].metadata[METADATA_KEY]
    assert recipe["seed"] == session.context.look.seed
    click(qtbot, section.styles.dice)
    settled()
    assert session.context.look.style in range(40)
    assert f"style {session.context.look.style}" in section.styles.title.text()
    assert section.styles.tiles.chosen == session.context.look.style, "it is among those shown"
    assert viewer.layers["mask · he"].metadata[METADATA_KEY]["style"] == session.context.look.style


def test_dice_without_a_mask_say_nothing_wrong(section, session, qtbot, settled):
    click(qtbot, section.seed.dice)
    click(qtbot, section.styles.dice)
    settled()
    assert session.context.notes["synthesize"].kind == "hint"


def test_thumbnails_are_the_own_mask(session, dock, panel, viewer, qtbot):
    """As Python renders the fullest part of it."""
    labels = nuclei((300, 200), 9)
    session.context.look.device = "cpu"
    viewer.add_labels(labels, name="mask")
    section = panel("synthesize")
    assert not dock.thumbnails.busy, "nothing is rendered for a section that is closed"
    section.show()
    qtbot.waitUntil(lambda: len(dock.thumbnails.pictures) >= 7, timeout=60_000)
    part = labels[fullest_part(labels, 128)]
    model = ns.load_model(MODEL, "cpu")
    for option in ("he", "fluorescence"):
        np.testing.assert_array_equal(dock.thumbnails.pictures[option, None], model.render(part, option, 1).image)
    member = section.styles.tiles.item(1).data(256)
    np.testing.assert_array_equal(
        dock.thumbnails.pictures["he", member], model.render(part, "he", 1, style=member).image
    )


def test_thumbnails_follow_the_mask_and_the_seed(section, session, fake, viewer, qtbot, settled):
    layer = viewer.add_labels(painted(), name="mask")
    settled()
    before = pixel(section.looks.item(0))
    calls = fake.calls
    layer.data = np.full_like(layer.data, 9)
    qtbot.waitUntil(lambda: fake.calls > calls, timeout=10_000)
    settled()
    changed = pixel(section.looks.item(0))
    assert changed != before
    session.context.look.seed = 40
    settled()
    assert pixel(section.looks.item(0)) != changed
    section.hide()
    calls = fake.calls
    session.context.look.seed = 50
    settled()
    assert fake.calls == calls, "nobody sees them"


def test_stale_thumbnails_are_given_up(section, session, dock, fake, viewer, qtbot, settled):
    settled()
    calls = fake.calls
    fake.gate.clear()
    layer = viewer.add_labels(painted(), name="mask")
    qtbot.waitUntil(lambda: fake.calls == calls + 1, timeout=10_000)
    layer.paint((50, 10), 7)
    fake.gate.set()
    qtbot.waitUntil(lambda: fake.calls > calls + 1, timeout=10_000)
    settled()
    seeds = 3
    assert fake.calls <= calls + 1 + len(dock.thumbnails.pictures) + seeds, "of the first mask one picture was begun"


def test_an_image_older_than_its_mask_says_so(section, dock, viewer, qtbot, settled):
    layer = viewer.add_labels(painted(), name="mask")
    layer.paint((50, 10), 7)
    settled()
    assert section.older.isHidden(), "there is no image yet"
    dock.render()
    settled()
    layer.contour = 0
    assert section.older.isHidden()
    layer.paint((5, 5), 8)
    qtbot.waitUntil(lambda: not section.older.isHidden(), timeout=5000)
    assert "older than the mask" in section.older.text()
    other = viewer.add_labels(painted(), name="other")
    assert section.older.isHidden(), "it is about the chosen mask"
    viewer.layers.selection.active = layer
    assert not section.older.isHidden()
    click(qtbot, section.render_button)
    settled()
    assert section.older.isHidden()
    assert other in viewer.layers


def test_painting_while_it_renders_leaves_an_older_image(section, dock, fake, viewer, qtbot, settled):
    layer = viewer.add_labels(painted(), name="mask")
    settled()
    fake.gate.clear()
    dock.render()
    layer.paint((5, 5), 8)
    qtbot.wait(400)  # the brush rests
    fake.gate.set()
    settled()
    assert not section.older.isHidden()


def test_the_slider_goes_from_one_style_to_the_other(section, session, dock, viewer, qtbot, settled):
    viewer.add_labels(painted(), name="mask")
    assert section.styles.slider.isHidden()
    dock.styles.choose(3)
    dock.styles.choose(20)
    settled()
    assert not section.styles.slider.isHidden()
    section.styles.slider.setValue(25)
    qtbot.waitUntil(lambda: isinstance(session.context.look.style, tuple))
    settled()
    bank = load_weights(bundled_paths()[MODEL])["bank"].float().numpy()[0]
    assert session.context.look.style == pytest.approx(0.75 * bank[3] + 0.25 * bank[20], abs=1e-6)
    recipe = viewer.layers["mask · he"].metadata[METADATA_KEY]
    assert recipe["style"] == pytest.approx(list(session.context.look.style))
    assert "25 % style 20" in section.styles.title.text()
    section.looks.setCurrentRow(2)
    settled()
    assert session.context.look.style is None, "a style belongs to a look"
    assert section.styles.slider.isHidden()


def test_the_style_of_an_image_of_ones_own(session, dock, panel, viewer, qtbot, finish, tmp_path):
    session.context.open_model(small_styled(tmp_path / "small.safetensors"))
    session.context.look.device = "cpu"
    rng = np.random.default_rng(0)
    labels = nuclei((128, 128), 12)
    viewer.add_labels(labels, name="nuclei")
    section = panel("synthesize")
    menu = section.styles.menu
    menu.aboutToShow.emit()
    assert [action.isEnabled() for action in menu.actions()] == [False], "there is no image yet"
    photo = rng.integers(0, 255, (128, 128, 3)).astype(np.uint8)
    viewer.add_image(photo, name="photo", rgb=True)
    viewer.add_image(rng.integers(0, 255, (4, 90, 90)).astype(np.uint8), name="stack")
    assert isinstance(menu, QMenu)
    menu.aboutToShow.emit()
    assert [action.text() for action in menu.actions()] == ["photo", "photo, whose nuclei are in nuclei", "stack"]
    menu.actions()[1].trigger()
    finish(dock.jobs)
    qtbot.waitUntil(lambda: not dock.jobs.lane.state.running and "nuclei · he" in viewer.layers, timeout=20_000)
    with pytest.warns(UserWarning, match="unlike"):
        code = ns.style_of(ns.load_model(session.context.look.model, "cpu"), photo, "he", labels)
    assert session.context.look.style == code
    assert viewer.layers["nuclei · he"].metadata[METADATA_KEY]["style"] == list(code)
    assert "of 'photo'" in section.styles.title.text()
    assert f"style={code!r}" in dock.as_python()


def test_an_image_without_nuclei_is_said_and_the_style_stays(session, dock, viewer, finish):
    viewer.add_labels(painted(), name="mask")
    black = viewer.add_image(np.zeros((100, 100), np.uint8), name="black")
    dock.styles.take(black)
    finish(dock.jobs)
    assert "has one colour" in session.context.notes["synthesize"].text
    assert session.context.look.style is None


def test_axons_are_not_rendered_in_h_and_e(section, session, dock, viewer, settled):
    for name in ("nuclei_256", "axons_256"):
        viewer.add_labels(read_labels(sample_folder() / f"{name}.tif").astype(np.uint16), name=name)
    assert session.context.look.model == "capspix2pix-axons"
    note = session.context.notes["synthesize"]
    assert note.text == "'axons_256' holds axons, so the model is now Two-photon axons, capsules."
    assert section.looks.isHidden()
    viewer.layers.selection.active = viewer.layers["nuclei_256"]
    assert session.context.look.model == MODEL
    viewer.layers.selection.active = viewer.layers["axons_256"]
    choose(section.model, "pbam-axons")
    viewer.layers.selection.active = viewer.layers["nuclei_256"]
    viewer.layers.selection.active = viewer.layers["axons_256"]
    assert session.context.look.model == "pbam-axons", "what the user chose for a mask stays"
    choose(section.model, MODEL)
    viewer.layers.selection.active = viewer.layers["nuclei_256"]
    viewer.layers.selection.active = viewer.layers["axons_256"]
    assert session.context.look.model == MODEL, "even H&E for axons"


def test_what_a_mask_says_of_itself_counts_more_than_its_shapes(session, viewer):
    viewer.add_labels(painted(), name="round", metadata={"structure": "axon"})
    assert session.context.look.model == "capspix2pix-axons"


def test_round_labels_may_be_what_the_model_is_for(session, viewer, tmp_path):
    session.context.open_model(small_metgan(tmp_path / "brain.safetensors"))
    chosen = session.context.look.model
    viewer.add_image(anatomy(), name="anatomy")
    viewer.add_labels(painted(), name="neurons")
    assert session.context.look.model == chosen


def test_no_control_is_wider_than_the_column(section, viewer, settled):
    viewer.add_labels(painted(), name="a mask with a name that is far longer than the column of panels is wide")
    section.dock.styles.choose(3)
    section.dock.styles.choose(20)
    settled()
    assert section.minimumSizeHint().width() <= 340


def test_seeds_that_change_nothing_are_said(section, session, dock, fake, viewer, settled):
    assert section.alike.isHidden()
    viewer.add_labels(painted(), name="mask")
    settled()
    assert section.alike.isHidden(), "the stand-in renders other greys for other seeds"
    run = fake.run
    fake.run = lambda request, steering=None: run(replace(request, seed=1), steering)
    session.context.look.option = "purple"
    settled()
    assert not section.alike.isHidden()
    assert "nearly alike: more masks" in section.alike.text()
    session.context.look.noise = False
    settled()
    assert section.alike.isHidden(), "without a seed there is nothing to say"
