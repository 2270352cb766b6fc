"""What happens before anything is computed: manifest, samples, no torch, no display."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib import import_module

import pytest
from npe2 import PluginManifest

from napari_synth.core.errors import WorkError
from napari_synth.ui import app
from napari_synth.ui.commands import new_mask

OPEN_EVERYTHING = """
import json, sys
from qtpy.QtWidgets import QApplication
app = QApplication([])
from napari.components import ViewerModel
from npe2 import PluginManager
PluginManager.instance().discover()
manifest = PluginManager.instance().get_manifest("napari-synth")
viewer = ViewerModel()
for contribution in manifest.contributions.sample_data:
    for data, settings, kind in contribution.open():
        getattr(viewer, f"add_{kind}")(data, **settings)
(column,) = [widget.get_callable()(napari_viewer=viewer) for widget in manifest.contributions.widgets]
for action in column.menu.actions():
    action.trigger()
app.processEvents()
panels = len(column.steps.panels) + len(column.opened)
found = {"layers": len(viewer.layers), "panels": panels, "looks": column.steps.panels["synthesize"].looks.count()}
print(json.dumps(found | {"torch": "torch" in sys.modules}))
"""


def run_python(script: str, tmp_path, **environment) -> dict:
    env = os.environ | {
        "QT_QPA_PLATFORM": "offscreen",
        "NAPARI_SYNTH_SETTINGS": str(tmp_path / "settings.json"),
        "NAPARI_SYNTH_STATE": str(tmp_path / "state"),
        "OMP_NUM_THREADS": "1",
    }
    done = subprocess.run(
        [sys.executable, "-c", script], env=env | environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_samples_and_panels_open_without_torch(tmp_path):
    found = run_python(OPEN_EVERYTHING, tmp_path)
    assert found == {"layers": 15, "panels": 8, "looks": 4, "torch": False}


def test_manifest_names_what_exists():
    manifest = PluginManifest.from_distribution("napari-synth")
    names = [widget.display_name for widget in manifest.contributions.widgets]
    assert names == ["Images from masks"]
    for command in manifest.contributions.commands:
        module, name = command.python_name.split(":")
        assert callable(getattr(import_module(module), name))


def test_new_mask_command(viewer, session):
    new_mask(viewer)
    assert viewer.layers[0].data.shape == (256, 256)


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, False),
        ({"DISPLAY": ":0"}, True),
        ({"WAYLAND_DISPLAY": "wayland-0"}, True),
    ],
)
def test_has_display(monkeypatch, environment, expected):
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "platform", "linux")
    assert app.has_display() is expected


def test_launch_without_a_display_says_so(monkeypatch):
    monkeypatch.setattr(app, "has_display", lambda: False)
    with pytest.raises(WorkError, match="no display"):
        app.launch()


HEARTBEAT = """
import json, sys, time
import numpy as np
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QApplication
app = QApplication([])
from napari.components import ViewerModel
from napari_synth.ui.docks.synthesize.actions import SynthesizeActions
from napari_synth.ui.session import session_for
viewer = ViewerModel()
labels = np.zeros((256, 256), np.uint16)
labels[50:90, 60:100] = 1
viewer.add_labels(labels, name="mask")
session = session_for(viewer)
assert "torch" not in sys.modules
beats = [time.perf_counter()]
timer = QTimer()
timer.timeout.connect(lambda: beats.append(time.perf_counter()))
timer.start(5)
state = session.actions(SynthesizeActions).jobs.lane.state
state.events.running.connect(lambda on: None if on else QTimer.singleShot(0, app.quit))
session.actions(SynthesizeActions).render()
returned = time.perf_counter() - beats[0]
QTimer.singleShot(100_000, app.quit)
app.exec()
gaps = np.diff(beats)
assert "torch" in sys.modules and len(viewer.layers) == 2, session.context.notes["synthesize"]
print(json.dumps({"longest": gaps.max(), "beats": len(beats), "seconds": beats[-1] - beats[0], "returned": returned}))
"""


@pytest.mark.timing
def test_window_stays_alive_while_torch_loads_and_renders(tmp_path):
    found = run_python(HEARTBEAT, tmp_path)
    assert found["returned"] < 0.5, "pressing Render returns at once"
    assert found["longest"] < 1.0
    assert found["beats"] > 20
