"""A dock, a sampler and a format of somebody else are found where users look."""

from __future__ import annotations

import inspect
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
from npe2 import PluginManifest
from npe2.manifest.contributions import CommandContribution, ContributionPoints, WidgetContribution

import napari_synth
from napari_synth.exporting.formats import FORMATS
from napari_synth.masks.samplers import SAMPLERS, Draw, Sampler
from napari_synth.ui import panels
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
        super().__init__(dock.context, steps=(1,))
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
    monkeypatch.setitem(
        DOCKS, "greeting", Dock("greeting", "Greeting", f"{place}:GreetingActions", f"{place}:GreetingPanel")
    )
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


def test_napari_opens_a_dock_that_was_added_by_its_name(greeted, viewer):
    opener = panels.greeting
    assert "napari_viewer" in inspect.signature(opener.__init__).parameters, "where napari looks for it"
    assert greeted(opener(napari_viewer=viewer)) == "Hello cells."


def test_a_dock_that_was_added_is_among_the_widgets_of_its_manifest(greeted, viewer, npe2pm):
    manifest = PluginManifest(
        name="somebody-else",
        contributions=ContributionPoints(
            commands=[
                CommandContribution(
                    id="somebody-else.greeting",
                    title="Open the Greeting panel",
                    python_name="napari_synth.ui.panels:greeting",
                )
            ],
            widgets=[WidgetContribution(command="somebody-else.greeting", display_name="Greeting")],
        ),
    )
    with npe2pm.tmp_plugin(manifest=manifest):
        (widget,) = npe2pm.iter_widgets()
        assert (widget.plugin_name, widget.display_name) == ("somebody-else", DOCKS["greeting"].title)
        assert greeted(widget.get_callable()(napari_viewer=viewer)) == "Hello cells."


def test_nothing_opens_by_a_name_that_no_dock_has():
    assert not hasattr(panels, "greeting")


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


def test_the_widgets_of_the_manifest_are_the_docks():
    contributions = PluginManifest.from_file(PACKAGE / "napari.yaml").contributions
    named = {command.id: command.python_name for command in contributions.commands}
    shown = {named[widget.command]: widget.display_name for widget in contributions.widgets}
    assert len(shown) == len(contributions.widgets)
    assert shown == {f"{panels.__name__}:{key}": dock.title for key, dock in DOCKS.items()}
    assert list(shown.values()) == [dock.title for dock in DOCKS.values()], "in the same order"
    assert all(key == dock.key for key, dock in DOCKS.items())


def test_the_rule_that_no_dock_knows_another_names_every_dock():
    settings = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text(encoding="utf-8"))
    (rule,) = [one for one in settings["tool"]["importlinter"]["contracts"] if one["type"] == "independence"]
    assert set(rule["modules"]) == {dock.panel.partition(":")[0].rpartition(".")[0] for dock in DOCKS.values()}
