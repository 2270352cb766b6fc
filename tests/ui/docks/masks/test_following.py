"""Fields that follow real masks, and nuclei that follow a layer, as the Masks dock shows them."""

from __future__ import annotations

import numpy as np
import pytest

from napari_synth.ui.docks.masks.actions import MaskActions
from napari_synth.ui.napari_bridge.mask_layers import add_mask
from tests.ui.conftest import painted
from tests.ui.hands import entries


@pytest.mark.slow
def test_fitting_fills_the_boxes_and_shows_real_beside_composed(session, context, viewer, finish, qtbot, tmp_path):
    masks = session.actions(MaskActions)
    viewer.add_labels(painted((128, 160)), name="real")
    panel = session.panel("masks")
    qtbot.addWidget(panel)
    assert panel.sampling.fit.statistics.isHidden()
    masks.fit()
    finish(masks.jobs, 60_000)
    assert context.notes["masks"].kind == "done"
    assert context.field.area_mean == 300
    assert context.field.base.area_law == "measured"
    assert panel.sampling.area.mean.value() == 300
    table = panel.sampling.fit.statistics.texts()
    assert table[0][1:] == ["real", "sampled", "apart"]
    assert [line[:3] for line in table[1:3]] == [["per 256²", "6.4", "–"], ["area px²", "300 ± 100", "–"]]
    masks.sample(128, 160)
    finish(masks.jobs)
    composed = masks.composed
    area = panel.sampling.fit.statistics.texts()[2]
    assert area[2].startswith(f"{composed.areas.mean():.0f}")
    assert 0 <= float(area[3]) <= 1
    panel.sampling.area.mean.setValue(500)
    settings = context.field.settings(64, 64)
    assert (settings.area_law, settings.area_mean) == ("normal", 500), "by hand wins"
    assert settings.eccentricity_quantiles, "what was not touched stays fitted"
    masks.forget_fit()
    assert panel.sampling.fit.statistics.isHidden()
    assert context.field.settings(64, 64).eccentricity_quantiles == ()
    masks.fit(tmp_path / "nowhere")
    finish(masks.jobs)
    assert "does not exist" in context.notes["masks"].text


def test_nuclei_follow_a_painted_layer(session, context, viewer, finish, qtbot):
    masks = session.actions(MaskActions)
    where = np.zeros((128, 160), np.uint8)
    where[:, 120:] = 1
    painted_layer = viewer.add_labels(where, name="where")
    viewer.add_image(np.zeros((20, 20)), name="other size")
    add_mask(viewer, (128, 160), "mine")
    panel = session.panel("masks")
    qtbot.addWidget(panel)
    painted_layer.visible = False
    combo = panel.sampling.density
    texts = entries(combo)
    assert "bright in where" in texts
    assert "bright in other size" not in texts
    combo.setCurrentIndex(texts.index("bright in where"))
    combo.activated.emit(combo.currentIndex())
    assert context.density.layer is painted_layer
    context.field.area_mean, context.field.area_sd = 60, 5
    masks.sample(128, 160)
    finish(masks.jobs, 60_000)
    features = viewer.layers["mine"].features
    assert len(features) > 3
    assert (features["x"][1:] >= 120).all()
    assert (painted_layer.data == where).all()
    combo.activated.emit(0)
    assert context.density.layer is None
