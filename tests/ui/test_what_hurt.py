"""What hurt people in earlier windows and has no better place among the tests."""

from __future__ import annotations

import numpy as np
from qtpy.QtCore import Qt

from napari_synth.core.recipe import METADATA_KEY
from napari_synth.ui.docks.export.actions import ExportActions
from napari_synth.ui.widgets.panel import WIDTH
from tests.ui.conftest import painted


def test_names_of_exported_files_tell_mask_look_and_seed(session, fake, viewer, finish, tmp_path):
    viewer.add_labels(painted(), name="My cells")
    look, export = session.context.look, session.context.export
    look.seed, export.options, export.folder = 42, ("he", "purple"), str(tmp_path / "pairs")
    session.actions(ExportActions).export()
    finish(session.actions(ExportActions).jobs)
    for folder in ("images", "masks"):
        names = sorted(path.stem.lower() for path in (tmp_path / "pairs" / folder).iterdir())
        assert len(names) == 2
        for name, option in zip(names, ("he", "purple"), strict=True):
            assert "my-cells" in name
            assert option in name.split("_")
            assert "s42" in name.split("_")


def test_a_rendered_layer_says_what_it_is_of(session, fake, viewer, finish):
    from napari_synth.ui.docks.synthesize.actions import SynthesizeActions

    viewer.add_labels(painted(), name="cells")
    session.context.look.option = "purple"
    session.actions(SynthesizeActions).render()
    finish(session.actions(SynthesizeActions).jobs)
    image = next(layer for layer in viewer.layers if METADATA_KEY in layer.metadata)
    assert "cells" in image.name
    assert "purple" in image.name


def test_the_header_of_export_follows_what_is_painted(session, viewer, qtbot):
    export = session.actions(ExportActions)
    mask = viewer.add_labels(np.zeros((64, 64), np.uint16), name="mine")
    session.context.export.options = ("he",)
    assert export.headline == "nothing chosen yet"
    heard = []
    export.headline_changed.connect(lambda: heard.append(export.headline))
    mask.paint((20, 20), 1)
    qtbot.waitUntil(lambda: heard[-1:] == ["1 pair ready"], timeout=5000)


def test_the_look_above_a_tick_is_the_one_that_is_exported(session, panel, viewer):
    viewer.add_labels(painted(), name="cells")
    shown = panel("export")
    table = shown.table
    card = session.context.catalogue.card(session.context.look.model)
    assert table.horizontalHeaderItem(0).text() == "Mask"
    for column, look in enumerate(card.looks, 1):
        assert table.horizontalHeaderItem(column).text().replace("\n", ", ") == look.title
        for other in range(1, table.columnCount()):
            table.item(0, other).setCheckState(Qt.CheckState.Checked if other == column else Qt.CheckState.Unchecked)
        assert session.context.export.options == (look.name,)


def test_a_split_in_words_does_not_push_controls_out_of_the_column(session, panel, viewer):
    viewer.add_labels(painted(), name="cells")
    shown = panel("export")
    session.context.export.kept_apart = (80, 90)
    assert "10 % test" in shown.split_words.text()
    assert shown.minimumSizeHint().width() <= WIDTH - 4
