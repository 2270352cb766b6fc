"""A person puts lesions into an anatomical image, in a real viewer."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile
from qtpy.QtCore import Qt

import napari_synth as ns
from napari_synth.exporting.formats.tiff import embedded_recipe
from napari_synth.models.defaults import DEFAULT_TWO_CHANNEL
from napari_synth.ui.docks.export.actions import ExportActions
from napari_synth.ui.docks.synthesize.actions import SynthesizeActions
from napari_synth.ui.napari_bridge.window import PLUGIN
from napari_synth.ui.session import session_for
from tests.e2e.hands import click, idle, settle, steps, stroke


def render(qtbot, panel, session):
    click(qtbot, panel.render_button)
    idle(qtbot, session.actions(SynthesizeActions).jobs)
    assert session.context.notes["synthesize"].kind == "done", session.context.notes["synthesize"]


def brightness(image, labels, number):
    """Mean of a lesion against the median of the image."""
    return image[labels == number].mean() / np.median(image)


@pytest.mark.slow
def test_from_the_two_channel_sample_to_a_training_pair(viewer, qtbot, tmp_path):
    viewer.open_sample(PLUGIN, "brain_256")
    masks, synthesize, export = steps(viewer)
    session = session_for(viewer)
    session.context.look.device = "cpu"
    synthesize.model.setCurrentIndex(synthesize.model.findData(DEFAULT_TWO_CHANNEL))
    synthesize.model.activated.emit(synthesize.model.currentIndex())
    assert not synthesize.image.isHidden()
    assert synthesize.image.currentText() == "anatomy"

    viewer.layers.selection.active = viewer.layers["anatomy"]
    click(qtbot, masks.cards.tabs["paint"])
    click(qtbot, masks.paint.new)
    mask = viewer.layers.selection.active
    assert mask.data.shape == (256, 256)
    settle(qtbot, viewer)
    viewer.fit_to_view()
    mask.brush_size = 9
    stroke(viewer, qtbot, (150, 90), (152, 93))
    mask.selected_label = 2
    stroke(viewer, qtbot, (190, 170), (192, 173))
    painted = mask.data.copy()
    assert set(np.unique(painted)) == {0, 1, 2}

    render(qtbot, synthesize, session)
    signal = viewer.layers[f"{mask.name} · signal"]
    anatomy = viewer.layers["anatomy"]
    assert signal.data.dtype == np.uint16
    assert (signal.blending, viewer.layers.index(signal) > viewer.layers.index(anatomy)) == ("additive", True)
    first = signal.data.copy()
    assert min(brightness(first, painted, number) for number in (1, 2)) > 1.5

    mask.mode, mask.selected_label = "fill", 0
    stroke(viewer, qtbot, (191, 171), (191, 171))
    assert not (mask.data == 2).any()
    mask.mode, mask.selected_label = "paint", 2
    stroke(viewer, qtbot, (120, 180), (122, 183))
    moved = mask.data.copy()
    render(qtbot, synthesize, session)
    second = signal.data
    assert brightness(second, moved, 2) > 1.5 > 1.2 > brightness(second, painted, 2), "the lesion moved along"

    for line in range(export.table.rowCount()):
        if export.table.item(line, 0).text() != mask.name:
            export.table.item(line, 0).setCheckState(Qt.CheckState.Unchecked)
    export.form.line("folder").setText(str(tmp_path / "pairs"))
    click(qtbot, export.export_button)
    idle(qtbot, session.actions(ExportActions).jobs)
    assert session.context.notes["export"].kind == "done", session.context.notes["export"]
    (path,) = (tmp_path / "pairs" / "images").iterdir()
    with tifffile.TiffFile(path) as tif:
        both, labels = tif.asarray(), tif.imagej_metadata["Labels"]
    assert both.dtype == np.uint16
    assert labels == ["anatomy", "signal"]
    np.testing.assert_array_equal(both[0], anatomy.data)
    np.testing.assert_array_equal(both[1], second)
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "pairs" / "masks" / path.name), moved)
    model = ns.load_model(embedded_recipe(path).model, "cpu")
    low, high = model.card.value_range
    assert low - 1 <= both[1].min() < both[1].max() <= high + 1
    ns.replay(path, tmp_path / "again", device="cpu")
    (again,) = (tmp_path / "again" / "images").iterdir()
    np.testing.assert_array_equal(tifffile.imread(again), both)
