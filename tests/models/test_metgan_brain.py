"""The bundled two-channel model, on what the program brings along."""

import numpy as np
import pytest

from napari_synth import api
from napari_synth.evaluation.metrics.masks import dice
from napari_synth.evaluation.segmentor import Segmentor
from napari_synth.models.defaults import DEFAULT_TWO_CHANNEL
from napari_synth.models.registry import bundled_paths, load_trained, model_card
from napari_synth.ui.samples import brain_256

SEGMENTOR = f"{DEFAULT_TWO_CHANNEL}-segmentor"
LIMIT = 13_000_000


@pytest.fixture(scope="module")
def sample():
    (anatomy, *_), (signal, *_), (labels, *_) = brain_256()
    return anatomy, signal, labels


@pytest.fixture(scope="module")
def model():
    return api.load_model(DEFAULT_TWO_CHANNEL, "cpu")


def test_it_is_small_and_says_where_it_comes_from():
    paths = bundled_paths()
    assert sum(paths[name].stat().st_size for name in (DEFAULT_TWO_CHANNEL, SEGMENTOR)) <= LIMIT
    for name in (DEFAULT_TWO_CHANNEL, SEGMENTOR):
        card = model_card(name)
        assert card.licence == "BSD-3-Clause"
        assert "cellfinder" in card.training.data[0].attribution
        assert (card.training.data[0].files, card.training.data[0].held_out) == (12, 3)
    card = model_card(DEFAULT_TWO_CHANNEL)
    assert card.segmentor == SEGMENTOR
    assert "computed" in card.notes
    assert card.figures["planes"] == 3


def test_objects_are_where_they_are_asked(model, sample):
    anatomy, _, labels = sample
    segmentor = Segmentor(load_trained(SEGMENTOR, "cpu"))
    for asked in (labels, labels[::-1, ::-1]):
        made = model.render(asked, condition=anatomy).image
        assert made.dtype == np.uint16
        assert dice(segmentor.foreground(made), asked) > 0.6
    empty = model.render(np.zeros_like(labels), condition=anatomy).image
    assert segmentor.probability(empty).mean() < 0.01


def test_the_tissue_is_that_of_the_anatomy(model, sample):
    anatomy, _, labels = sample
    empty = np.zeros_like(labels)
    made, mirrored = (model.render(empty, condition=a).image for a in (anatomy, anatomy[:, ::-1]))
    inside, outside = anatomy > 250, anatomy < 30
    assert made[inside].mean() > 1.5 * made[outside].mean()
    assert np.corrcoef(made.ravel(), mirrored[:, ::-1].ravel())[0, 1] > 0.8
