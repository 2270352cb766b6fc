"""What a model's card, a layer or a library calls itself is text, never markup."""

from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QComboBox, QLabel, QListWidget, QWidget

from napari_synth.models.card import Look
from napari_synth.models.checkpoint import load_weights, read_card, save_model
from napari_synth.ui.docks.registry import DOCKS
from tests.helpers import small_capsules, small_generator, small_metgan
from tests.ui.conftest import painted

MARK = '<img src="http://stranger/x.png"><b>bold</b>'


def dressed(path):
    """A model whose card says as much as it can in markup."""
    card = read_card(path)
    looks = [Look(name=look.name, title=f"{MARK} {look.name}") for look in card.looks]
    words = {name: MARK for name in ("description", "attribution", "licence", "source") if hasattr(card, name)}
    save_model(path, card.model_copy(update={"title": MARK, "looks": looks, **words}), load_weights(path))
    return path


@pytest.mark.parametrize("make", [small_generator, small_capsules, small_metgan])
def test_markup_is_shown_as_it_is_written(session, panel, viewer, tmp_path, make):
    panels = [panel(key) for key in DOCKS]
    viewer.add_labels(painted((64, 64)), name=MARK)
    viewer.add_image(np.zeros((64, 64), np.uint16), name=f"{MARK} beside")
    session.context.open_model(dressed(make(tmp_path / "m.safetensors")))
    seen = [text for panel in panels for text in texts(panel)]
    assert any("<img" in text for text, _ in seen), "the title is somewhere"
    for text, as_markup in seen:
        assert not (as_markup and "<img" in text), text


def texts(panel):
    """All that is shown in a panel, and whether Qt takes it for markup."""
    for widget in [panel, *panel.findChildren(QWidget)]:
        yield widget.toolTip(), Qt.mightBeRichText(widget.toolTip())
        if isinstance(widget, QLabel):
            rich = widget.textFormat() == Qt.TextFormat.AutoText and Qt.mightBeRichText(widget.text())
            yield widget.text(), rich or widget.textFormat() == Qt.TextFormat.RichText
        if isinstance(widget, QListWidget):
            for number in range(widget.count()):
                tip = widget.item(number).toolTip()
                yield tip, Qt.mightBeRichText(tip)
                yield widget.item(number).text(), False
        if isinstance(widget, QComboBox):
            for number in range(widget.count()):
                tip = widget.itemData(number, Qt.ItemDataRole.ToolTipRole) or ""
                yield tip, Qt.mightBeRichText(tip)
                yield widget.itemText(number), False
