"""Who owns what magicgui made."""

from __future__ import annotations

import pytest
from magicgui.widgets import create_widget
from qtpy.QtCore import QObject

from napari_synth.ui.napari_bridge.magicgui_widgets import own_helpers


@pytest.mark.parametrize("kind", [int, float, str, bool])
def test_the_control_owns_every_qt_object_of_its_widget(qtbot, kind):
    widget = create_widget(name="number", annotation=kind)
    control = widget.native
    qtbot.addWidget(control)
    own_helpers(widget, control)
    made = [value for value in vars(widget._widget).values() if isinstance(value, QObject) and value is not control]
    assert all(helper.parent() is not None for helper in made)
    assert control.parent() is None
