from __future__ import annotations

import threading

from napari_synth.core.progress import Progress
from napari_synth.ui.docks.export.actions import ExportActions
from tests.ui.hands import click


def test_job_bar_counts_and_cancels(panel, session, qtbot):
    export = panel("export")
    reported, seen = threading.Event(), []

    def work(on_progress, cancel):
        on_progress(Progress(3, 12, "pair 3 of 12", 1.5))
        reported.set()
        while not cancel.cancelled:
            pass

    lane, job = session.actions(ExportActions).jobs.lane, export.foot.job
    lane.submit("Exporting", work, seen.append, total=12, unit="pairs")
    qtbot.waitUntil(lambda: job.bar.value() == 3)
    assert job.bar.format() == "3 of 12 pairs · 2.0/s"
    assert job.title.text() == "Exporting: pair 3 of 12"
    click(qtbot, job.cancel)
    assert "Stopping" in job.title.text()
    assert not job.cancel.isEnabled()
    qtbot.waitUntil(lambda: bool(seen))
    assert job.isHidden()
    assert job.cancel.isEnabled()
