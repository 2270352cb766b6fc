"""The bundled capsule model, on what the program brings along."""

import numpy as np
import pytest

from napari_synth import api
from napari_synth.evaluation.metrics.spectra import grid_peaks
from napari_synth.evaluation.ranking import roc_auc
from napari_synth.models.defaults import DEFAULT_CAPSULES
from napari_synth.models.registry import bundled_paths, model_card
from napari_synth.nets.capsule_stages import STAGES
from napari_synth.ui.samples import axons_256

LIMIT = 17_000_000


@pytest.fixture(scope="module")
def labels():
    ((labels, *_),) = axons_256()
    return labels


@pytest.fixture(scope="module")
def model():
    return api.load_model(DEFAULT_CAPSULES, "cpu")


@pytest.fixture(scope="module")
def image(model, labels):
    return model.render(labels, seed=1).image.astype(float)


def test_it_is_small_and_says_where_it_comes_from():
    assert bundled_paths()[DEFAULT_CAPSULES].stat().st_size <= LIMIT
    card = model_card(DEFAULT_CAPSULES)
    assert card.licence == "MIT"
    assert "De Paola" in card.training.data[0].attribution
    assert (card.training.data[0].files, card.training.data[0].held_out) == (14, 4)
    assert "ridge filter" in card.notes
    assert card.figures["std_inside"] > 5 * card.figures["pix2pix_std_inside"]


def test_axons_are_where_they_are_asked_without_a_grid(image, labels):
    inside = (labels > 0).ravel().astype(float)
    assert roc_auc(image.ravel(), inside, 1 - inside) > 0.9
    assert max(grid_peaks([image]).values()) < 3


def test_the_latent_vector_changes_axons_and_background(model, image, labels):
    change = np.abs(model.render(labels, seed=2).image - image)
    assert change[labels > 0].mean() > 5
    assert change[labels == 0].mean() > 5


@pytest.mark.slow
@pytest.mark.parametrize("stage", STAGES[1:-1], ids=lambda stage: stage.name)
def test_every_capsule_has_a_say_inside_an_axon(model, labels, stage):
    """What the microscope is for: switching one off changes the axon, not only its surroundings."""
    part = labels[64:192, 64:192]
    image = model.render(part, seed=1).image.astype(float)
    changes = []
    for capsule in range(stage.capsules):
        without = model.render(part, seed=1, set={(stage.name, capsule): 0.0}).image
        changes.append(np.abs(without - image)[part > 0].mean())
    assert min(changes) > 0.1
    assert max(changes) > 1
