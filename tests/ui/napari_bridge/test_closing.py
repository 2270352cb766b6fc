"""The question before a window closes."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from qtpy.QtGui import QCloseEvent
from qtpy.QtWidgets import QApplication, QMainWindow

from napari_synth.ui.napari_bridge.closing import ask_before_close


class CloseByHand(QCloseEvent):
    """What the system sends when the user closes a window."""

    def spontaneous(self) -> bool:
        return True


@pytest.mark.parametrize("answer", [True, False])
def test_the_user_is_asked_and_a_program_is_not(qtbot, answer):
    window, asked = QMainWindow(), []
    qtbot.addWidget(window)

    def may_close():
        asked.append(1)
        return answer

    ask_before_close(SimpleNamespace(window=SimpleNamespace(_qt_window=window)), may_close)
    window.show()
    event = CloseByHand()
    QApplication.sendEvent(window, event)
    assert len(asked) == 1
    assert event.isAccepted() == answer
    window.close()
    assert len(asked) == 1
    assert not window.isVisible()


def test_a_viewer_without_a_window_is_never_asked(viewer):
    ask_before_close(viewer, lambda: False)
