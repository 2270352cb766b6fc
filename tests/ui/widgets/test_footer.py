from __future__ import annotations

import threading

import pytest
from qtpy.QtWidgets import QPushButton

from napari_synth.core.progress import Progress
from napari_synth.ui.context.notes import Note
from napari_synth.ui.docks.export.actions import ExportActions
from napari_synth.ui.docks.registry import DOCKS
from napari_synth.ui.jobs.lanes import JobState
from napari_synth.ui.widgets.panel import WIDTH
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


@pytest.mark.parametrize("key", DOCKS)
def test_no_button_moves_as_the_message_grows(key, panel, session, qtbot):
    panel = panel(key)
    panel.resize(WIDTH, 700)
    panel.show()

    def places():
        return {button: button.mapTo(panel, button.rect().topLeft()).y() for button in panel.findChildren(QPushButton)}

    panel.dock.say(Note("hint", "Go on."))
    qtbot.waitUntil(lambda: panel.foot.status.text.text().endswith("Go on."))
    qtbot.wait(20)
    before = places()
    sentence = "One of the many layers that were chosen has another size than all of the others. "
    panel.dock.say(Note("problem", 5 * sentence, "Choose another one."))
    qtbot.wait(20)
    after = places()
    copy = panel.foot.status.copy
    assert {button: y for button, y in after.items() if button is not copy} == {
        button: y for button, y in before.items() if button is not copy
    }
    panel.dock.jobs.lane.state.running = True
    qtbot.wait(20)
    assert {button: y for button, y in places().items() if not panel.foot.isAncestorOf(button)} == {
        button: y for button, y in before.items() if not panel.foot.isAncestorOf(button)
    }
    panel.dock.jobs.lane.state.running = False


@pytest.mark.parametrize(("seconds", "expected"), [(0.001, "500 of 1000 steps"), (100, "500 of 1000 steps · 5.0/s")])
def test_a_rate_that_nobody_can_count_along_is_not_told(panel, session, qtbot, seconds, expected):
    export = panel("export")
    bar = export.foot.job
    bar.show_state(JobState(running=True, title="Sampling", progress=Progress(500, 1000, "Placing", seconds)))
    assert bar.bar.format() == expected
