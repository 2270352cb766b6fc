"""A person's way through the microscope, in a real viewer."""

from __future__ import annotations

import imageio.v3 as iio
import numpy as np
import pytest
from qtpy.QtWidgets import QFileDialog

import napari_synth as ns
from napari_synth.core.recipe import METADATA_KEY, Recipe
from napari_synth.synthesis.latents.paths import latent_path
from napari_synth.synthesis.latents.sources import Drawn
from napari_synth.synthesis.recipes import request_of
from napari_synth.ui.docks.inspect.actions import InspectActions
from napari_synth.ui.docks.synthesize.actions import SynthesizeActions
from napari_synth.ui.napari_bridge.window import PLUGIN
from napari_synth.ui.session import session_for
from tests.e2e.hands import click, click_on_canvas, idle, steps, tab
from tests.helpers import small_capsules

LAYER = "convcaps4"


def fit(viewer, qtbot):
    """Fit the layers to the canvas, once the docks have left it its size."""
    zooms = [0.0, 0.0]

    def steady():
        viewer.fit_to_view()
        zooms.append(viewer.scene.camera.zoom)
        return zooms[-1] == zooms[-2] == zooms[-3]

    qtbot.waitUntil(steady)


def axon_pixel(labels):
    """A pixel well inside an axon."""
    inside = labels > 0
    for axis in (0, 1):
        for shift in (-1, 1):
            inside &= np.roll(labels, shift, axis) == labels
    rows, columns = np.nonzero(inside)
    return int(rows[len(rows) // 2]), int(columns[len(rows) // 2])


@pytest.mark.slow
def test_from_axons_to_a_movie(viewer, qtbot, tmp_path, monkeypatch):
    path = small_capsules(tmp_path / "axon-test.safetensors", gain=12)
    viewer.open_sample(PLUGIN, "axons_256")
    (mask,) = viewer.layers
    mask.data = mask.data[:128, :128]
    _, synthesize, _ = steps(viewer)
    panel = tab(viewer, "inspect")
    session = session_for(viewer)
    session.context.look.device = "cpu"
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *a: (str(path), ""))
    click(qtbot, panel.open_model)
    model = ns.load_model(path, "cpu")

    click(qtbot, synthesize.render_button)
    idle(qtbot, session.actions(SynthesizeActions).jobs)
    image = viewer.layers["axons_256 · axon-test"]
    before = image.data.copy()
    np.testing.assert_array_equal(before, model.render(mask.data, seed=session.context.look.seed).image)

    click(qtbot, panel.map.boxes[LAYER])
    click(qtbot, panel.views["capsules"])
    idle(qtbot, session.actions(InspectActions).jobs)
    capsules = viewer.layers[f"axons_256 · {LAYER} capsules"]
    assert capsules.data.shape == (8, 32, 32, 32)
    assert viewer.dims.axis_labels == ("capsule", "pose", "y", "x")

    fit(viewer, qtbot)
    viewer.layers.selection.active = mask
    mask.mode = "paint"
    painted = mask.data.copy()
    click(qtbot, panel.ranks.pick)
    click_on_canvas(viewer, qtbot, mask, axon_pixel(mask.data))
    idle(qtbot, session.actions(InspectActions).ranking.jobs)
    assert not session.actions(InspectActions).ranking.picker.waiting
    np.testing.assert_array_equal(mask.data, painted, "a pick paints nothing")
    assert mask.mode == "paint"
    table = panel.ranks.table
    assert table.rowCount() == 200
    assert table.item(0, 0).text() in ("axon-like", "unspecific")
    assert not session.actions(InspectActions).ranking.last.background

    table.selectRow(0)
    click(qtbot, panel.changes.off)
    idle(qtbot, session.actions(InspectActions).jobs)
    layer, capsule, channel = table.unit(0)
    key = (layer, capsule) if channel is None else (layer, capsule, channel)
    expected = model.render(mask.data, seed=session.context.look.seed, scale={key: 0}).image
    np.testing.assert_array_equal(image.data, expected)
    difference = viewer.layers["axons_256 · difference"]
    assert difference.data.any()
    np.testing.assert_array_equal(difference.data, expected.astype(int) - before)
    canvas = viewer.screenshot(canvas_only=True, flash=False)
    assert canvas[..., :3].std() > 1
    click(qtbot, panel.changes.reset_all)
    idle(qtbot, session.actions(InspectActions).jobs)
    np.testing.assert_array_equal(image.data, before)

    panel.tabs.setCurrentWidget(panel.latents)
    panel.latents.steps.setValue(3)
    click(qtbot, panel.latents.walk)
    idle(qtbot, session.actions(InspectActions).walks.jobs)
    walk = viewer.layers["axons_256 · walk"]
    assert viewer.dims.axis_labels == ("alpha", "capsule", "pose", "y", "x")
    z = latent_path(Drawn(1).vector(100), Drawn(2).vector(100), 3)
    np.testing.assert_array_equal(np.asarray(walk.data[1, 0, 0]), model.render(mask.data, z=z[1]).image)
    recipe = Recipe.model_validate(walk.metadata[METADATA_KEY])
    np.testing.assert_array_equal(model.run(request_of(recipe, mask.data)).image, np.asarray(walk.data[0, 0, 0]))

    movie = tmp_path / "walk.gif"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *a: (str(movie), "GIF (*.gif)"))
    click(qtbot, panel.latents.save)
    idle(qtbot, session.actions(InspectActions).walks.jobs)
    assert iio.imread(movie).shape[:3] == (3, 128, 128)
