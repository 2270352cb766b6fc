"""The colours of napari's theme."""

from __future__ import annotations

import pytest
from napari.utils.theme import get_theme
from qtpy.QtWidgets import QLabel

from napari_synth.ui.napari_bridge.theme import follow_theme, theme_colours


class Coloured(QLabel):
    def __init__(self, viewer):
        super().__init__()
        self.shown = []
        self.viewer = viewer

    def show_colours(self):
        self.shown.append(theme_colours(self.viewer))


@pytest.mark.parametrize("name", ["dark", "light"])
def test_colours_are_those_of_the_theme(viewer, name):
    viewer.theme = name
    theme = get_theme(name)
    wanted = [tuple(colour.as_rgb_tuple(alpha=False)) for colour in (theme.text, theme.background)]
    assert [tuple(bytes.fromhex(colour[1:])) for colour in theme_colours(viewer)] == wanted


def test_a_widget_follows_the_theme_while_it_lives(viewer, qtbot):
    widget = Coloured(viewer)
    viewer.theme = "dark"
    before = len(viewer.events.theme.callbacks)
    follow_theme(viewer, widget, widget.show_colours)
    assert len(widget.shown) == 1, "at once"
    viewer.theme = "light"
    assert widget.shown[1:] == [theme_colours(viewer)]
    shown = widget.shown
    with qtbot.waitSignal(widget.destroyed):
        widget.deleteLater()
    viewer.theme = "dark"
    assert len(shown) == 2
    assert len(viewer.events.theme.callbacks) == before
