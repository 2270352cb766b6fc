"""napari's window; most of it is seen in `docks.test_plugging_in` and in the tests from end to end."""

from __future__ import annotations

import gc

from napari.components import ViewerModel
from napari.utils._proxies import PublicOnlyProxy

from napari_synth.ui.napari_bridge.window import on_close, open_column, unwrapped


def test_the_viewer_itself_is_found_behind_the_proxy_that_napari_hands_out(viewer):
    assert unwrapped(PublicOnlyProxy(viewer)) is viewer
    assert unwrapped(viewer) is viewer


def test_close_is_called_once_when_a_viewer_without_a_window_is_gone(qapp):
    viewer, closed = ViewerModel(), []
    on_close(viewer, lambda: closed.append(True))
    assert closed == []
    del viewer
    gc.collect()
    assert closed == [True]
    qapp.aboutToQuit.emit()
    assert closed == [True]


def test_close_is_called_once_when_the_program_ends(viewer, qapp):
    closed = []
    on_close(viewer, lambda: closed.append(True))
    qapp.aboutToQuit.emit()
    qapp.aboutToQuit.emit()
    assert closed == [True]


def test_without_a_window_no_column_is_opened(viewer):
    assert open_column(viewer) is None
