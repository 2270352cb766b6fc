"""The column in a real window: it leaves the canvas its width, cuts nothing off and never moves."""

from __future__ import annotations

import numpy as np
import pytest
from napari._qt.utils import str_to_qbytearray
from napari.settings import get_settings
from qtpy.QtCore import QEvent, Qt
from qtpy.QtGui import QFontMetrics
from qtpy.QtWidgets import (
    QAbstractSpinBox,
    QApplication,
    QCheckBox,
    QComboBox,
    QDockWidget,
    QLabel,
    QLineEdit,
    QListWidget,
    QPushButton,
    QScrollArea,
    QShortcut,
    QStyleOptionComboBox,
    QTableWidget,
    QTabWidget,
    QWidget,
)

from napari_synth.core.recipe import METADATA_KEY
from napari_synth.ui.column.accordion import Header
from napari_synth.ui.column.cheat_sheet import CheatSheet
from napari_synth.ui.docks.registry import DOCKS
from napari_synth.ui.docks.synthesize.actions import SynthesizeActions
from napari_synth.ui.napari_bridge.window import PLUGIN, canvas_widget, main_window, open_column
from napari_synth.ui.session import session_for
from napari_synth.ui.widgets.cards import Cards, Fold
from napari_synth.ui.widgets.name_combo import NameCombo
from napari_synth.ui.widgets.panel import WIDTH
from tests.e2e.hands import idle, reveal, settle, tab
from tests.ui.hands import controls, in_a_menu

LAPTOP, DESK = (1280, 800), (1600, 1000)
CANVAS = 700


@pytest.fixture
def window(viewer, qtbot):
    """A window of a laptop with the column open and a mask in it."""
    main_window(viewer).resize(*LAPTOP)
    viewer.open_sample(PLUGIN, "nuclei_256")
    open_column(viewer)
    settle(qtbot, viewer)
    return viewer


def layout(viewer):
    """Where the canvas, the column and napari's own docks lie."""
    window = main_window(viewer)
    docks = [dock for dock in window.findChildren(QDockWidget) if not dock.visibleRegion().isEmpty()]
    places = {dock.objectName(): dock.geometry() for dock in docks}
    return {"canvas": canvas_widget(viewer).width(), "column": open_column(viewer).geometry(), **places}


def cut_off(panel):
    """Controls that reach beyond the right edge of what is seen of their panel."""
    found = [control for control in controls(panel) if control.isVisible()]
    assert found
    cut = []
    for one in found:
        areas = [area for area in panel.findChildren(QScrollArea) if area.isAncestorOf(one)]
        for seen in [panel, *(area.viewport() for area in areas)]:
            right = one.mapTo(seen, one.rect().topRight()).x()
            if right >= seen.width():
                cut.append(f"{one.accessibleName()}: {right} of {seen.width()}")
    return cut


def cut_words(panel):
    """Texts that have less room than they need."""
    seen = [widget for widget in panel.findChildren(QWidget) if widget.isVisible() and not in_a_menu(widget)]
    return [words for widget in seen for words, needed, room in texts(widget) if needed > room]


def texts(widget):
    """What a widget says, how many pixels that needs, and how many it has."""
    metrics = widget.fontMetrics()
    advance = metrics.horizontalAdvance
    if isinstance(widget, QLabel) and not widget.wordWrap():
        plain = widget.text().removeprefix("<b>").removesuffix("</b>")
        return [(line, advance(line), widget.width()) for line in plain.splitlines()]
    if isinstance(widget, QCheckBox):
        return [(widget.text(), widget.sizeHint().width(), widget.width())]
    if isinstance(widget, QPushButton) and not isinstance(widget, Header):  # a header tells the rest in its tooltip
        return [(line, advance(line), widget.width()) for line in widget.text().replace("&&", "&").splitlines()]
    if isinstance(widget, NameCombo):
        return [size for place in range(widget.count()) for size in name_sizes(widget, place)]
    if isinstance(widget, QComboBox):
        room = closed_field(widget).width()
        return [(words, advance(words), room) for words in map(widget.itemText, range(widget.count()))]
    if isinstance(widget, QLineEdit):
        words = widget.placeholderText() if not widget.text() else ""
        return [(words, advance(words), widget.width() - 4)]
    if isinstance(widget, QAbstractSpinBox):
        return [(widget.text(), advance(widget.text()), widget.lineEdit().width() - 4)]
    if isinstance(widget, QTableWidget):
        header = widget.horizontalHeader()
        return [
            (word, header.fontMetrics().horizontalAdvance(word), header.sectionSize(column) - 4)
            for column in range(widget.columnCount())
            for word in widget.horizontalHeaderItem(column).text().split()
            if not widget.isColumnHidden(column)
        ]
    if isinstance(widget, QListWidget) and widget.viewMode() == QListWidget.ViewMode.IconMode:
        titles = [title for place in range(widget.count()) if (title := widget.item(place).text())]
        return [line for title in titles for line in tile_texts(widget, title)]
    return []


def closed_field(combo):
    """Where a closed list shows its chosen entry."""
    style, option = combo.style(), QStyleOptionComboBox()
    option.initFrom(combo)
    field = style.SubControl.SC_ComboBoxEditField
    return style.subControlRect(style.ComplexControl.CC_ComboBox, option, field, combo)


def name_sizes(combo, place):
    """Width and height that a name needs in a closed list that grows with it, and what it has once it is chosen."""
    before = combo.currentIndex()
    combo.setCurrentIndex(place)
    QApplication.processEvents()
    field, name = closed_field(combo), combo.currentText()
    wrapped = combo.fontMetrics().boundingRect(0, 0, field.width(), 999, int(Qt.TextFlag.TextWordWrap), name)
    combo.setCurrentIndex(before)
    QApplication.processEvents()
    return [(name, wrapped.width(), field.width()), (name, wrapped.height(), field.height())]


def tile_texts(tiles, text):
    """The words of a thumbnail beside each other, and its lines below each other."""
    cell, metrics = tiles.gridSize(), QFontMetrics(tiles.itemDelegate().font)
    wrapped = metrics.boundingRect(0, 0, cell.width() - 6, 999, int(Qt.TextFlag.TextWordWrap), text)
    words = [(word, metrics.horizontalAdvance(word), cell.width() - 6) for word in text.split()]
    return [*words, (text, wrapped.height(), cell.height() - tiles.iconSize().height())]


def pages(panel):
    """Show each page of a panel: its cards and tabs, one after the other, with all folds open."""
    for fold in panel.findChildren(Fold):
        fold.unfold(True)
    yield ""
    for cards in panel.findChildren(Cards):
        for key in cards.tabs:
            cards.open(key)
            yield key
    for tabs in panel.findChildren(QTabWidget):
        for place in range(tabs.count()):
            tabs.setCurrentIndex(place)
            yield tabs.tabText(place)


@pytest.mark.parametrize(
    ("size", "theme"),
    [
        (LAPTOP, "dark"),
        pytest.param(LAPTOP, "light", marks=pytest.mark.slow),
        pytest.param(DESK, "dark", marks=pytest.mark.slow),
        pytest.param(DESK, "light", marks=pytest.mark.slow),
    ],
)
def test_the_canvas_keeps_its_width_and_nothing_is_cut_off(window, qtbot, size, theme):
    window.theme = theme
    main_window(window).resize(*size)
    cut = {}
    for key, dock in DOCKS.items():
        if key == "inspect":
            session_for(window).context.choose_model("capspix2pix-axons")  # else there is nothing to look into
        column = open_column(window)
        panel = column.steps.panels[key] if dock.area == "section" else tab(window, key)
        reveal(controls(panel)[0])
        settle(qtbot, window)
        assert canvas_widget(window).width() >= CANVAS
        assert column.width() == WIDTH
        for page in pages(panel):
            QApplication.processEvents()
            cut[key, page] = cut_off(panel) + cut_words(panel)
    assert not {place: words for place, words in cut.items() if words}


def test_nothing_moves_when_docks_come_and_go(window, qtbot):
    before = layout(window)
    context = session_for(window).context
    for key in ("nuclei", "inspect"):
        context.column.open_tab(key)
        settle(qtbot, window)
        assert layout(window) == before
    for key in ("nuclei", "inspect"):
        context.column.close_tab(key)
    settle(qtbot, window)
    assert layout(window) == before
    window.window._qt_viewer.toggle_console_visibility()
    settle(qtbot, window)
    assert canvas_widget(window).width() == before["canvas"]
    assert open_column(window).width() == WIDTH
    window.window._qt_viewer.toggle_console_visibility()
    settle(qtbot, window)
    assert layout(window) == before


def test_the_column_closed_leaves_no_trace_and_comes_back_as_it_was(viewer, qtbot):
    main_window(viewer).resize(*LAPTOP)
    settle(qtbot, viewer)
    napari_window = viewer.window._qt_viewer
    bare = {name: getattr(napari_window, name).geometry() for name in ("dockLayerControls", "dockLayerList")}
    canvas = canvas_widget(viewer).width()
    open_column(viewer)
    settle(qtbot, viewer)
    opened = layout(viewer)
    for _ in range(2):
        dock, _ = viewer.window.add_plugin_dock_widget(PLUGIN)
        dock.destroyOnClose()  # what the ✕ of the dock calls
        del dock
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
        settle(qtbot, viewer)
        assert canvas_widget(viewer).width() == canvas
        after = {name: getattr(napari_window, name).geometry() for name in bare}
        assert {name: place.width() for name, place in after.items()} == {
            name: place.width() for name, place in bare.items()
        }
        assert after["dockLayerControls"].top() < after["dockLayerList"].top()
        open_column(viewer)
        settle(qtbot, viewer)
        assert layout(viewer) == opened


def test_a_stored_layout_of_napari_squeezes_nothing(make_napari_viewer, qtbot):
    first = make_napari_viewer(show=True)
    window = main_window(first)
    window.resize(*DESK)
    open_column(first)
    settle(qtbot, first)
    docks = window.findChildren(QDockWidget)
    window.resizeDocks(docks, [120] * len(docks), Qt.Orientation.Horizontal)
    stored = window.saveState()
    first.close()
    second = make_napari_viewer(show=True)
    window = main_window(second)
    window.resize(*LAPTOP)
    window.restoreState(stored)
    open_column(second)
    settle(qtbot, second)
    assert open_column(second).width() == WIDTH
    assert canvas_widget(second).width() >= CANVAS
    assert second.window._qt_viewer.dockLayerList.isVisible()


@pytest.mark.slow
def test_what_was_open_and_chosen_comes_back_with_a_stored_layout_of_napari(make_napari_viewer, qtbot):
    first = make_napari_viewer(show=True)
    main_window(first).resize(*LAPTOP)
    first.open_sample(PLUGIN, "nuclei_256")
    column = open_column(first)
    settle(qtbot, first)
    choices, look = session_for(first).context.column, session_for(first).context.look
    choices.tour = -1
    tab(first, "inspect")
    tab(first, "compare")
    choices.open_section("synthesize")
    look.option, look.style, look.seed = "purple", 12, 5
    settle(qtbot, first)
    before = layout(first)
    shown = {key: panel.isVisible() for key, panel in column.steps.panels.items()}
    get_settings().application.save_window_state = True
    first.close()
    stored = str_to_qbytearray(get_settings().application.window_state)
    assert not stored.isEmpty(), "napari keeps its layout"
    second = make_napari_viewer(show=True)
    window = main_window(second)
    window.resize(*LAPTOP)
    window.restoreState(stored)
    second.open_sample(PLUGIN, "nuclei_256")
    column = open_column(second)
    settle(qtbot, second)
    assert {key: panel.isVisible() for key, panel in column.steps.panels.items()} == shown
    assert [column.tabs.tabText(place) for place in range(column.tabs.count())] == ["Make", "Inspect", "Compare"]
    assert column.tabs.currentWidget() is column.steps
    again = session_for(second).context.look
    assert (again.option, again.style, again.seed) == ("purple", 12, 5)
    assert "style 12" in column.steps.panels["synthesize"].styles.title.text()
    after = layout(second)
    assert (after["canvas"], after["column"].width()) == (before["canvas"], before["column"].width())
    assert column.tour.isHidden()


def test_the_picture_does_not_move_when_sliders_appear(window, qtbot):
    mask = window.layers[0]
    window.fit_to_view()
    settle(qtbot, window)

    def places():
        native, camera = canvas_widget(window), window.scene.camera
        middle = np.array(camera.center)[-2:]
        return [
            (np.array(mask.data_to_world(corner))[-2:] - middle) * camera.zoom
            + (native.height() / 2, native.width() / 2)
            for corner in ((0, 0), (255, 255))
        ]

    before, height = places(), canvas_widget(window).height()
    stack = window.add_image(np.zeros((3, 4, 256, 256)), visible=False)
    settle(qtbot, window)
    assert canvas_widget(window).height() < height, "the sliders are there"
    np.testing.assert_allclose(places(), before, atol=1.5)
    window.layers.remove(stack)
    settle(qtbot, window)
    assert canvas_widget(window).height() == height
    np.testing.assert_allclose(places(), before, atol=1.5)


def test_keys_work_on_the_canvas_and_in_the_column(window, qtbot):
    session = session_for(window)
    jobs = session.actions(SynthesizeActions).jobs
    session.context.look.device = "cpu"
    mask = session.context.masks.current
    control = Qt.KeyboardModifier.ControlModifier
    for widget in (canvas_widget(window), open_column(window).steps.headers["masks"]):
        seed = session.context.look.seed
        qtbot.keyClick(widget, Qt.Key.Key_G)
        assert session.context.look.seed != seed
        qtbot.keyClick(widget, Qt.Key.Key_Return, control)
        assert jobs.lane.state.running
    idle(qtbot, jobs)
    (image,) = session.context.results.of(mask).values()
    assert image.metadata[METADATA_KEY]["seed"] == session.context.look.seed
    (sheet,) = [one for one in main_window(window).findChildren(QShortcut) if one.key().toString() == "?"]
    sheet.activated.emit()
    assert main_window(window).findChild(CheatSheet).isVisible()
    main_window(window).findChild(CheatSheet).close()


def test_help_has_the_tour_and_the_keys(window, qtbot):
    column = open_column(window)
    column.tour.skip.click()
    (menu,) = [action.menu() for action in window.window.help_menu.actions() if action.text() == "napari-synth"]
    entries = {action.text().partition("\t")[0]: action for action in menu.actions()}
    assert set(entries) == {"Tour", "Show all keys"}
    entries["Tour"].trigger()
    assert column.tour.isVisible()
