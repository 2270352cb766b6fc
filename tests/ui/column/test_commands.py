"""One registry of commands: keys, palette and cheat-sheet say the same."""

from __future__ import annotations

from pathlib import Path

import pytest
from npe2 import PluginManifest
from qtpy.QtWidgets import QLabel

import napari_synth
from napari_synth.core.errors import InputError
from napari_synth.core.recipe import METADATA_KEY, Recipe, parse_recipe
from napari_synth.ui import commands as functions
from napari_synth.ui.column.cheat_sheet import CheatSheet
from napari_synth.ui.column.column import Column
from napari_synth.ui.column.commands import commands, run_command
from napari_synth.ui.column.recipe_box import layer_with_recipe, recipe_box
from napari_synth.ui.docks.synthesize.actions import SynthesizeActions
from napari_synth.ui.napari_bridge.keys import key_words, taken_keys
from tests.ui.conftest import painted

SHORTCUTS = {key: entry.command.shortcut for key, entry in commands().items() if entry.command.shortcut}


def test_no_key_does_two_things_and_none_is_napari_s():
    assert len(set(SHORTCUTS.values())) == len(SHORTCUTS)
    ours = {shortcut.replace("Return", "Enter").lower() for shortcut in SHORTCUTS.values()}
    assert not ours & {key.lower() for key in taken_keys()}
    assert {"ctrl+c", "v", "2"} <= {key.lower() for key in taken_keys()}, "napari's keys are known"


def test_what_a_person_does_most_has_a_key():
    assert {"render", "sample", "export", "dice", "next_mask", "live", "keys"} <= set(SHORTCUTS)


def test_the_palette_has_every_command():
    manifest = PluginManifest.from_file(Path(napari_synth.__file__).parent / "napari.yaml")
    listed = {command.python_name: command.title for command in manifest.contributions.commands}
    here = {name.partition(":")[2]: title for name, title in listed.items() if name.startswith(functions.__name__)}
    assert here == {key: entry.command.title for key, entry in commands().items()}


def test_a_key_of_the_canvas_does_what_the_registry_says(viewer, session, qtbot):
    column = Column(viewer)
    qtbot.addWidget(column)
    viewer.add_labels(painted(), name="one")
    viewer.add_labels(painted(), name="two")
    before = session.context.look.seed
    bound = {str(key): call for key, call in viewer.keymap.items()}
    bound["G"](viewer)
    assert session.context.look.seed != before
    bound["N"](viewer)
    assert session.context.masks.current is viewer.layers["one"]
    assert all(call.__name__ for call in bound.values()), "napari asks for it"
    assert len(bound) == sum(shortcut[-1].isalnum() for shortcut in SHORTCUTS.values())


def test_keys_are_given_back_with_the_column_and_never_taken_from_the_user(viewer, session, qtbot, qapp):
    def mine(viewer):
        """The user's own."""

    viewer.bind_key("G", mine)
    column = Column(viewer)
    column.deleteLater()
    with qtbot.waitSignal(column.destroyed):
        pass
    assert {str(key): call for key, call in viewer.keymap.items()} == {"G": mine}


def test_the_cheat_sheet_lists_every_key(qtbot):
    keys = [(entry.group, entry.command.shortcut, entry.command.title) for entry in commands().values()]
    sheet = CheatSheet(None, [key for key in keys if key[1]])
    qtbot.addWidget(sheet)
    shown = {label.text() for label in sheet.findChildren(QLabel)}
    for key, shortcut in SHORTCUTS.items():
        assert key_words(shortcut) in shown
        assert commands()[key].command.title in shown


def test_tooltips_name_the_keys(panel):
    assert key_words("Ctrl+Return") in panel("synthesize").render_button.toolTip()
    assert key_words("Shift+S") in panel("masks").sampling.sample.toolTip()
    assert key_words("Alt+S") in panel("export").export_button.toolTip()


def test_a_command_runs_from_the_palette(viewer, session, fake, finish):
    viewer.add_labels(painted(), name="mask")
    functions.render(viewer)
    finish(session.actions(SynthesizeActions).jobs)
    assert "mask · he" in viewer.layers
    functions.open_inspect(viewer)
    assert session.context.column.tab == "inspect"
    with pytest.raises(InputError, match="render"):
        run_command("rendr", session)
    assert not hasattr(functions, "rendr")


def test_the_recipe_of_an_image_can_be_read_and_copied(viewer, session, fake, finish, qapp, qtbot):
    functions.recipe(viewer)
    assert session.context.notes["synthesize"].action == "Press Render."
    mask = viewer.add_labels(painted(), name="mask")
    session.context.look.seed = 4711
    session.actions(SynthesizeActions).render()
    finish(session.actions(SynthesizeActions).jobs)
    box = recipe_box(None, layer_with_recipe(session.context))
    qtbot.addWidget(box)
    assert "Recipe of mask · he" in box.windowTitle()
    box.copy.click()
    copied = parse_recipe(qapp.clipboard().text(), "the clipboard")
    (image,) = session.context.results.of(mask).values()
    assert copied == Recipe.model_validate(image.metadata[METADATA_KEY])
    assert copied.seed == 4711
