from __future__ import annotations

import numpy as np
import pytest

from napari_synth.core.recipe import METADATA_KEY, image_hash, mask_hash
from napari_synth.synthesis.recipes import load_generator
from napari_synth.ui.docks.synthesize.actions import SynthesizeActions
from napari_synth.ui.napari_bridge.preferences import Preferences
from tests.helpers import set_whole_pixels, small_capsules, small_metgan
from tests.ui.conftest import anatomy, painted


@pytest.fixture
def layer(viewer):
    layer = viewer.add_labels(painted(), name="mask")
    layer.brush_size = 6
    return layer


@pytest.fixture
def dock(session):
    return session.actions(SynthesizeActions)


@pytest.fixture
def following(dock):
    return dock.following


@pytest.fixture
def capsules(models, preferences, tmp_path, dock):
    generator = models.stand_in = load_generator(small_capsules(tmp_path / "axons.safetensors"), "cpu")
    preferences.now = Preferences(60_000)
    dock.open_model(tmp_path / "axons.safetensors")
    return generator


def image_of(viewer):
    return next(one for one in viewer.layers if one.__class__.__name__ == "Image")


def settled(session, viewer, layer):
    """Whether the image has the recipe of the mask as it is now."""
    recipe = image_of(viewer).metadata.get(METADATA_KEY) if len(viewer.layers) > 1 else None
    return recipe is not None and recipe["masks"][0]["sha256"] == mask_hash(layer.data)


def test_the_image_follows_strokes_and_undo_inside_their_boxes(
    session, viewer, layer, capsules, qtbot, dock, following
):
    following.switch(True)
    qtbot.waitUntil(lambda: settled(session, viewer, layer), timeout=60_000)
    image = image_of(viewer)
    np.testing.assert_array_equal(image.data, capsules.render(layer.data, seed=session.context.look.seed).image)
    assert ", full" in following.state.text
    assert session.context.notes["synthesize"].text == f"The image follows {layer.name!r}."
    image.contrast_limits = (3, 200)
    with layer.block_history():
        for column in (10, 14, 18):
            layer.paint((50, column), 5)
        qtbot.waitUntil(lambda: ", partial" in following.state.text, timeout=60_000)
        assert following.milliseconds
    qtbot.waitUntil(lambda: settled(session, viewer, layer), timeout=60_000)
    layer.undo()
    qtbot.waitUntil(lambda: settled(session, viewer, layer), timeout=60_000)
    session.context.look.seed = 9
    qtbot.waitUntil(lambda: image.metadata[METADATA_KEY]["seed"] == 9, timeout=60_000)
    difference = np.abs(image.data.astype(int) - capsules.render(layer.data, seed=9).image)
    assert difference.max() <= 1
    assert image_of(viewer) is image
    assert tuple(image.contrast_limits) == (3, 200)
    assert not dock.jobs.lane.state.running


def test_far_from_the_brush_the_image_follows_when_it_rests(session, viewer, capsules, qtbot, following):
    layer = viewer.add_labels(painted((96, 160)), name="wide")
    layer.brush_size = 8
    following.switch(True)
    qtbot.waitUntil(lambda: settled(session, viewer, layer), timeout=60_000)
    image, told = image_of(viewer), []
    before = image.data.copy()
    following.state.events.text.connect(lambda text: told.append((text, image.data.copy())))
    with layer.block_history():
        layer.paint((48, 20), 5)
        qtbot.waitUntil(lambda: bool(told), timeout=60_000)
        qtbot.waitUntil(lambda: settled(session, viewer, layer), timeout=60_000)
    (near, first), *_, (last, _) = told
    assert near.endswith(", near the brush")
    assert last.endswith(", partial")
    exact = capsules.render(layer.data, seed=session.context.look.seed).image
    differs = np.abs(first.astype(int) - exact)
    assert differs[24:72, :44].max() <= 1
    assert (first[24:72, :44] != before[24:72, :44]).any()
    assert np.abs(image.data.astype(int) - exact).max() <= 1


def test_render_and_live_do_not_mix_their_images(session, viewer, layer, capsules, qtbot, finish, dock, following):
    following.switch(True)
    qtbot.waitUntil(lambda: settled(session, viewer, layer), timeout=60_000)
    image = image_of(viewer)
    image.data = np.zeros_like(image.data)
    dock.render()
    finish(dock.jobs, 60_000)
    layer.paint((50, 10), 5)
    qtbot.waitUntil(lambda: settled(session, viewer, layer), timeout=60_000)
    difference = np.abs(image.data.astype(int) - capsules.render(layer.data, seed=session.context.look.seed).image)
    assert difference.max() <= 1


def test_a_missed_budget_waits_for_the_end_of_the_stroke(
    session, viewer, layer, fake, qtbot, preferences, panel, following
):
    preferences.now = Preferences(0)
    panel = panel("synthesize")
    panel.live.setChecked(True)
    qtbot.waitUntil(lambda: settled(session, viewer, layer))
    with layer.block_history():
        for column in range(5, 40, 5):
            done = len(following.milliseconds)
            layer.paint((50, column), 5)
            if following.state.on_release:
                break
            qtbot.waitUntil(lambda done=done: len(following.milliseconds) > done)
        assert len(following.milliseconds) == 3
        assert "3 times" in session.context.notes["synthesize"].text
        calls = fake.calls
        layer.paint((5, 40), 5)
        qtbot.wait(50)
        assert fake.calls == calls, "nothing during the stroke"
    qtbot.waitUntil(lambda: settled(session, viewer, layer))
    assert "on release" in panel.live_text.text()
    panel.live.setChecked(False)
    assert panel.live_text.isHidden()
    panel.live.setChecked(True)
    assert not following.state.on_release


def test_live_outlives_what_users_do(session, viewer, layer, fake, qtbot, finish, dock, following):
    following.switch(True)
    fake.gate.clear()
    qtbot.waitUntil(fake.entered.is_set)
    layer.paint((50, 10), 5)
    viewer.layers.remove(layer)
    fake.gate.set()
    finish(dock.jobs)
    assert len(viewer.layers) == 0
    assert "waiting for a mask" in following.state.text
    other = viewer.add_labels(painted((30, 30)), name="other")
    qtbot.waitUntil(lambda: settled(session, viewer, other))
    other.data = painted((44, 60))
    qtbot.waitUntil(lambda: settled(session, viewer, other))
    assert image_of(viewer).data.shape[:2] == (44, 60)
    fake.failure = RuntimeError("lost the device")
    other.paint((20, 20), 6)
    qtbot.waitUntil(lambda: session.context.notes["synthesize"].kind == "problem")
    fake.failure = None
    other.paint((25, 25), 6)
    qtbot.waitUntil(lambda: settled(session, viewer, other))
    viewer.layers.remove(image_of(viewer))
    other.paint((25, 30), 6)
    qtbot.waitUntil(lambda: len(viewer.layers) == 2 and settled(session, viewer, other))
    following.switch(False)
    following.switch(True)
    qtbot.waitUntil(lambda: ", full" in following.state.text)
    following.switch(False)
    calls = fake.calls
    other.paint((5, 5), 6)
    qtbot.wait(50)
    assert fake.calls == calls
    session.close()


def test_a_mask_too_large_to_keep_is_rendered_whole_and_says_so(
    session, viewer, layer, capsules, qtbot, preferences, following
):
    preferences.now = Preferences(60_000, 0.001)
    following.switch(True)
    qtbot.waitUntil(lambda: settled(session, viewer, layer), timeout=60_000)
    assert "over the limit" in session.context.notes["synthesize"].text
    assert following.state.on_release
    assert "full, on release" in following.state.text


def test_a_large_image_fills_from_the_view_on_and_cancel_keeps_its_tiles(
    session, viewer, capsules, qtbot, finish, monkeypatch, dock
):
    set_whole_pixels(monkeypatch, "capspix2pix", 0)
    mask = viewer.add_labels(painted((48, 1100)), name="large")
    viewer.scene.camera.center = (0, 24, 1000)
    seen = []

    def stop_after_the_first(progress):
        seen.append(progress)
        if progress.total == 3 and progress.done == 1:
            dock.jobs.lane.cancel()

    dock.jobs.lane.state.events.progress.connect(stop_after_the_first)
    dock.render()
    finish(dock.jobs, 120_000)
    image = image_of(viewer)
    assert image.data.shape == mask.data.shape
    assert image.data[:, 1024:].any(), "the part in view came first"
    assert not image.data[:, :512].any()
    assert METADATA_KEY not in image.metadata
    assert "1 of 3 tiles are done and kept" in session.context.notes["synthesize"].text


def test_a_signal_follows_the_brush_over_its_anatomy(
    session, viewer, layer, qtbot, monkeypatch, tmp_path, models, preferences, panel, dock, following
):
    generator = models.stand_in = load_generator(small_metgan(tmp_path / "brain.safetensors"), "cpu")
    preferences.now = Preferences(60_000)
    network, encoded = generator.network_for("exact").network, []
    encode = network.encode
    monkeypatch.setattr(network, "encode", lambda *given: encoded.append(1) or encode(*given))
    dock.open_model(tmp_path / "brain.safetensors")
    panel = panel("synthesize")
    panel.live.setChecked(True)
    qtbot.waitUntil(lambda: "waiting for an image of the anatomy" in panel.live_text.text())
    below = viewer.add_image(anatomy(), name="anatomy")
    shown = f"{layer.name} · signal"

    def follows(pixels):
        recipe = viewer.layers[shown].metadata.get(METADATA_KEY) if shown in viewer.layers else None
        if recipe is None or recipe["masks"][0]["sha256"] != mask_hash(layer.data):
            return False
        (condition,) = recipe["conditions"]
        return (condition["name"], condition["sha256"]) == ("anatomy", image_hash(pixels))

    def assert_exact(pixels):
        qtbot.waitUntil(lambda: follows(pixels), timeout=60_000)
        expected = generator.render(layer.data, condition=pixels).image
        assert np.abs(viewer.layers[shown].data.astype(int) - expected).max() <= 1
        return expected

    assert_exact(anatomy())
    signal = viewer.layers[shown]
    assert (signal.data.dtype, signal.blending, signal.colormap.name) == (np.uint16, "additive", "green")
    assert viewer.layers.index(signal) > viewer.layers.index(below)
    signal.contrast_limits = (120, 300)
    with layer.block_history():
        for column in (10, 14, 18):
            layer.paint((50, column), 5)
        qtbot.waitUntil(lambda: bool(following.milliseconds), timeout=60_000)
    painted_over = assert_exact(anatomy())
    assert ", full" in panel.live_text.text()
    layer.undo()
    assert (assert_exact(anatomy()) != painted_over).any()
    layer.data = np.zeros_like(layer.data)
    assert_exact(anatomy())
    assert len(encoded) == 1, "the anatomy went through the network once"
    below.data = anatomy(1)
    assert_exact(anatomy(1))
    assert len(encoded) == 2
    assert tuple(signal.contrast_limits) == (120, 300)
    dock.render()
    qtbot.waitUntil(lambda: not dock.jobs.lane.state.running, timeout=60_000)
    assert [one.name for one in viewer.layers] == [layer.name, "anatomy", shown], "Render and Live share the layer"
    viewer.layers.remove(below)
    layer.paint((50, 10), 5)
    qtbot.waitUntil(lambda: "waiting for an image" in panel.live_text.text())
    viewer.add_image(anatomy(shape=(30, 30)), name="small")
    qtbot.waitUntil(lambda: session.context.notes["synthesize"].kind == "problem")
    assert "30×30 pixels but the mask is 48×64" in session.context.notes["synthesize"].text
