"""magicgui's private parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QObject

if TYPE_CHECKING:
    from magicgui.widgets import Widget
    from qtpy.QtWidgets import QWidget


def own_helpers(widget: Widget, control: QWidget) -> None:
    """Let a Qt control own the Qt objects that magicgui made for it.

    magicgui leaves its event filter to Python's garbage collector. That may run in the thread of a job, and Qt
    crashes where a thread deletes what another one is using.
    """
    for helper in vars(widget._widget).values():
        if isinstance(helper, QObject) and helper is not control and helper.parent() is None:
            helper.setParent(control)
