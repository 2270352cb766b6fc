from __future__ import annotations

import numpy as np
import pytest

from napari_synth import api
from napari_synth.core.recipe import mask_hash
from napari_synth.exporting.exported import open_exported
from napari_synth.models.checkpoint import file_hash
from napari_synth.models.registry import bundled_paths
from napari_synth.ui import samples
from napari_synth.ui.napari_bridge.window import PLUGIN
from tests.ui.conftest import painted


@pytest.mark.parametrize(("function", "side"), [(samples.nuclei_256, 256), (samples.nuclei_512, 512)])
def test_samples_are_instance_masks(function, side):
    ((labels, settings, kind),) = function()
    assert kind == "labels"
    assert labels.shape == (side, side)
    assert labels.max() > 5
    assert settings["name"] == function.__name__
    assert np.issubdtype(labels.dtype, np.unsignedinteger)


def test_the_two_channel_sample(viewer):
    for data, settings, kind in samples.brain_256():
        getattr(viewer, f"add_{kind}")(data, **settings)
    image, signal, labels = viewer.layers
    assert image.data.dtype == signal.data.dtype == np.uint16
    assert image.data.shape == signal.data.shape == labels.data.shape == (256, 256)
    assert signal.data[labels.data > 0].mean() > 2 * signal.data[labels.data == 0].mean()
    assert PLUGIN == "napari-synth"


@pytest.mark.usefixtures("plugins")
def test_a_sample_that_is_opened_becomes_a_picture(session, viewer, fake, qtbot):
    viewer.open_sample(PLUGIN, "nuclei_256")
    qtbot.waitUntil(lambda: "nuclei_256 · he" in viewer.layers)
    viewer.add_labels(np.eye(64, dtype=int), name="mine")
    qtbot.wait(100)
    assert fake.calls == 1, "masks of the user wait for Render"


@pytest.mark.parametrize(
    ("sample", "structure"), [("nuclei_256", "nucleus"), ("axons_256", "axon"), ("brain_256", "neuron")]
)
@pytest.mark.usefixtures("plugins")
def test_a_sample_brings_a_model_of_what_it_shows(session, viewer, fake, sample, structure):
    session.context.choose_model("metgan-brain" if structure != "neuron" else "capspix2pix-axons")
    viewer.add_labels(painted(), name="mine")
    viewer.open_sample(PLUGIN, sample)
    card = session.context.catalogue.card(session.context.look.model)
    assert card.structure == structure


@pytest.mark.parametrize(
    "path", sorted((samples.sample_folder() / "finished" / "images").iterdir()), ids=lambda p: p.stem
)
def test_finished_pairs_are_whole_and_of_the_weights_of_today(path):
    exported = open_exported(path, api.mask_reader())
    recipe = exported.recipe
    assert exported.image.shape[:2] == exported.labels.shape
    assert recipe.masks[0].sha256 == mask_hash(exported.labels)
    assert recipe.model_sha256 == file_hash(bundled_paths()[recipe.model])
    assert hasattr(samples, path.stem)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["tissue_he", "crowded_cells", "axons_two_photon", "neurons_in_brain"])
def test_finished_pairs_are_what_their_recipes_make(name):
    exported = open_exported(samples.sample_folder() / "finished" / "images" / f"{name}.tif", api.mask_reader())
    recipe = exported.recipe
    model = api.load_model(recipe.model, "cpu")
    option = next(iter(recipe.options), None)
    again = model.render(exported.labels, option, recipe.seed, style=recipe.style, condition=exported.condition)
    assert np.abs(again.image.astype(int) - exported.image.astype(int)).max() <= 1


@pytest.mark.usefixtures("plugins")
def test_a_finished_sample_brings_back_its_choices(session, viewer, fake, qtbot, monkeypatch):
    monkeypatch.setattr("napari.current_viewer", lambda: viewer)
    viewer.open_sample(PLUGIN, "crowded_cells")
    qtbot.waitUntil(lambda: "crowded_cells · mask" in viewer.layers)
    qtbot.waitUntil(lambda: session.context.look.option == "fluorescence")
    shown = [layer.name for layer in viewer.layers if layer.visible]
    assert "crowded_cells" not in shown, "the same image is shown once"
    assert fake.calls == 0, "the image is that of the file"
