"""A dock, a sampler and a format of somebody else are found where users look."""

from __future__ import annotations

import inspect
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
from npe2 import PluginManifest

import napari_synth
from napari_synth.exporting.formats import FORMATS
from napari_synth.masks.samplers import SAMPLERS, Draw, Sampler
from napari_synth.ui.column.column import Column
from napari_synth.ui.docks.dock import Dock
from napari_synth.ui.docks.registry import DOCKS
from tests.ui.hands import choose, entries

PACKAGE = Path(napari_synth.__file__).parent
GREETING = """
from qtpy.QtWidgets import QPushButton

from napari_synth.ui.context.notes import Note
from napari_synth.ui.docks.dock import DockActions
from napari_synth.ui.widgets.footer import Foot
from napari_synth.ui.widgets.panel import Panel


class GreetingActions(DockActions):
    key = "greeting"
    hint = Note("hint", "Nobody was greeted.", "Press the button.")

    def greet(self):
        masks = ", ".join(layer.name for layer in self.context.masks.layers)
        self.say(Note("done", f"Hello {masks}.", "Paint."))


class GreetingPanel(Panel):
    def __init__(self, dock):
        super().__init__(dock.context)
        self.button = QPushButton("Greet")
        self.button.clicked.connect(dock.greet)
        self.buttons.addWidget(self.button)
        self.set_foot(Foot(dock.jobs.lane))
"""


@pytest.fixture
def greeting(tmp_path, monkeypatch):
    """The module of a dock that is not ours, and its line in the registry."""
    package = tmp_path / "somebody_else"
    package.mkdir()
    (package / "__init__.py").write_text("", encoding="utf-8")
    (package / "greeting.py").write_text(GREETING, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    place = "somebody_else.greeting"
    dock = Dock("greeting", "Greeting", "tab", "Say hello", f"{place}:GreetingActions", f"{place}:GreetingPanel")
    monkeypatch.setitem(DOCKS, "greeting", dock)
    yield
    for name in (place, "somebody_else"):
        sys.modules.pop(name, None)


@pytest.fixture
def greeted(greeting, opened, viewer, qtbot):
    """Presses the button of a panel and gives the last message of its dock."""
    session = opened(viewer)
    viewer.add_labels(np.zeros((16, 16), np.int32), name="cells")

    def press(panel):
        qtbot.addWidget(panel)
        assert session.context.notes["greeting"].text == "Nobody was greeted."
        panel.button.click()
        return session.context.notes["greeting"].text

    press.session = session
    return press


def test_the_session_opens_a_dock_that_was_added(greeted):
    assert greeted(greeted.session.panel("greeting")) == "Hello cells."


def test_a_dock_that_was_added_is_opened_from_the_menu_of_the_column(greeted, viewer, qtbot):
    column = Column(viewer)
    qtbot.addWidget(column)
    (entry,) = [action for action in column.menu.actions() if "say hello" in action.text()]
    entry.trigger()
    assert column.tabs.tabText(column.tabs.currentIndex()) == "Greeting"
    assert greeted(column.opened["greeting"]) == "Hello cells."


def test_a_sampler_that_was_added_can_be_chosen(panel, context, monkeypatch):
    class First(Sampler):
        title = "first: always the first shape"

        def draw(self, rng, count):
            return Draw(np.repeat(self.latents.codes[:1], count, 0), np.zeros(count, np.int64))

    monkeypatch.setitem(SAMPLERS, "first", First)
    masks, nuclei = panel("masks"), panel("nuclei")
    choose(masks.sampling.form.combo("sampler"), "first")
    assert context.field.sampler == "first"
    assert First.title in entries(masks.sampling.form.combo("sampler"))
    assert First.title in entries(nuclei.sampler)


def test_a_format_that_was_added_can_be_chosen(panel, context, monkeypatch):
    class Arrays:
        title = "NumPy arrays"

    monkeypatch.setitem(FORMATS, "npy", Arrays())
    export = panel("export")
    choose(export.form.combo("format"), "npy")
    assert Arrays.title in entries(export.form.combo("format"))
    assert context.export.format == "npy"


def test_what_napari_opens_is_the_column():
    contributions = PluginManifest.from_file(PACKAGE / "napari.yaml").contributions
    (widget,) = contributions.widgets
    (name,) = [command.python_name for command in contributions.commands if command.id == widget.command]
    assert name == f"{Column.__module__}:{Column.__name__}"
    assert "napari_viewer" in inspect.signature(Column.__init__).parameters, "where napari looks for it"


def test_the_docks_are_known_by_their_keys():
    assert all(key == dock.key for key, dock in DOCKS.items())


def test_the_rule_that_no_dock_knows_another_names_every_dock():
    settings = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text(encoding="utf-8"))
    (rule,) = [one for one in settings["tool"]["importlinter"]["contracts"] if one["type"] == "independence"]
    assert set(rule["modules"]) == {dock.panel.partition(":")[0].rpartition(".")[0] for dock in DOCKS.values()}
