"""What the docks of one viewer share, without docks."""

from __future__ import annotations

import gc
from pathlib import Path

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_synth.core.files import holds_other
from napari_synth.core.recipe import Intervention
from napari_synth.synthesis.latents.sources import Drawn
from napari_synth.synthesis.request import Rendering
from napari_synth.ui.context.context import Context
from napari_synth.ui.context.notes import Note
from napari_synth.ui.context.order import NO_IMAGE, NO_MASK, NO_MODEL
from tests.helpers import small_capsules, small_generator, small_metgan
from tests.ui.conftest import anatomy, painted

CHANGE = Intervention(layer="convcaps4", capsule=2, scale=0)


@pytest.fixture
def context(viewer, models, preferences):
    return Context(viewer, models, preferences)


@pytest.fixture
def opened(context, tmp_path):
    """Opens the file of a small model; returns its name."""

    def open_model(make):
        path = make(tmp_path / f"{make.__name__}.safetensors")
        assert context.open_model(path).kind == "done"
        return context.look.model

    return open_model


def test_an_order_is_what_is_chosen_now(context, viewer, opened):
    mask, model = viewer.add_labels(painted(), name="mask"), opened(small_capsules)
    context.look.seed, context.look.device, context.look.fast = 11, "cpu", True
    context.look.latent = Drawn(7)
    context.changes.put(model, CHANGE)
    context.changes.put("another", CHANGE)
    order = context.order(mask)
    assert (order.model, order.device, order.mask, order.option) == (model, "cpu", "mask", "")
    assert (order.seed, order.latent, order.precision) == (11, Drawn(7), "fast")
    assert (order.interventions, order.condition) == ((CHANGE,), None)
    context.look.noise = context.look.fast = False
    context.changes.clear(model)
    later = context.order(mask)
    assert (later.seed, later.precision, later.interventions) == (None, "exact", ())
    assert (order.seed, order.interventions) == (11, (CHANGE,)), "an order stays as it was given"


def test_an_order_holds_the_image_as_it_is_now(context, viewer, opened):
    opened(small_metgan)
    mask, image = viewer.add_labels(painted()), viewer.add_image(anatomy(), name="anatomy")
    context.look.latent = Drawn(7)
    order = context.order(mask)
    image.data[:] = 0
    assert (order.condition.name, order.beside) == ("anatomy", image)
    np.testing.assert_array_equal(order.condition.pixels, anatomy())
    assert order.latent is None, "the model has no latent vector"
    assert not context.order(mask).condition.pixels.any()


def test_what_is_missing_is_said(context, viewer, opened):
    assert context.order(None) == NO_MASK
    mask = viewer.add_labels(painted())
    opened(small_metgan)
    assert context.order(mask) == NO_IMAGE
    context.look.model = "nowhere"
    assert context.order(mask) == NO_MODEL
    for note in (NO_MASK, NO_IMAGE, NO_MODEL):
        assert note.kind == "problem"
        assert note.action


def test_another_model_keeps_the_option_it_has_and_drops_the_latent_vector(context, opened):
    two, one = opened(small_generator), opened(small_capsules)
    context.choose_model(two)
    assert (context.look.option, context.export.options) == ("he", ("he", "grey"))
    context.look.option, context.look.latent = "grey", Drawn(7)
    context.choose_model(two)
    assert (context.look.option, context.look.latent) == ("grey", Drawn(7)), "it is the same model"
    context.choose_model(one)
    assert (context.look.option, context.look.latent, context.export.options) == ("", None, ())
    context.choose_model(two)
    assert context.look.option == "he"


def test_another_seed_means_its_own_latent_vector(context):
    context.look.latent = Drawn(7)
    context.look.noise = False
    assert context.look.latent == Drawn(7)
    context.look.seed += 1
    assert context.look.latent is None


def test_a_file_that_is_no_model_is_said_and_the_model_stays(context, tmp_path):
    before = context.look.model
    note = context.open_model(tmp_path / "missing.safetensors")
    assert (note.kind, context.look.model) == ("problem", before)
    assert note.action


def test_a_rendered_image_is_told_and_seen_through_its_mask(context, viewer):
    mask, heard = viewer.add_labels(painted()), []
    context.rendered.connect(heard.append)
    context.was_rendered(mask, Rendering(np.zeros((64, 48), np.uint8), 0.0125, "he", 1))
    assert (context.seconds_per_pixel, heard, mask.contour) == (0.0125 / (64 * 48), [mask], 1)
    context.look.outline, mask.contour = False, 0
    context.show_outline(mask)
    assert mask.contour == 0, "the user wants it filled"


def test_a_closed_context_holds_no_layer(context, viewer):
    mask = viewer.add_labels(painted())
    assert context.holds(mask)
    context.closed = True
    assert not context.holds(mask)


def test_a_viewer_is_not_kept_alive(models, qapp):
    viewer = ViewerModel()
    context = Context(viewer, models)
    assert context.viewer is viewer
    del viewer
    gc.collect()
    with pytest.raises(ReferenceError, match="gone"):
        _ = context.viewer


def test_a_message_in_the_window_names_no_option_of_the_command_line():
    note = Note.of(holds_other(Path("pairs"), "pairs"))
    assert note.action == "Choose another folder, or allow it to replace other pairs."
