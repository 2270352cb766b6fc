"""One order for render, live, capsules, export and Python."""

from __future__ import annotations

import gc
import weakref
from dataclasses import replace

import numpy as np
import pytest
from napari.layers import Image

from napari_synth.core.recipe import Intervention
from napari_synth.synthesis.latents.sources import Drawn
from napari_synth.synthesis.recipes import load_generator
from napari_synth.synthesis.request import RenderRequest
from napari_synth.ui.context.order import Condition, RenderOrder
from tests.helpers import small_capsules, small_generator, small_metgan
from tests.ui.conftest import anatomy, painted

CHANGES = (Intervention(layer="convcaps4", capsule=2, scale=2.5), Intervention(layer="convcaps10", capsule=0, value=1))
NAME = "mask 'of' \"mine\""
ORDER = RenderOrder("model", "cpu", NAME, "", 3, None, "exact", (), None)


def on(layer):
    return Condition(layer.name, layer.data.copy(), weakref.ref(layer))


def test_the_request_holds_what_was_ordered():
    image = Image(anatomy(), name="anatomy")
    order = replace(ORDER, option="he", latent=Drawn(7), precision="fast", interventions=CHANGES, condition=on(image))
    request = order.request(painted(), 100, capture=("a",), routing=("b",))
    np.testing.assert_array_equal(request.mask, painted())
    np.testing.assert_array_equal(request.z, Drawn(7).vector(100))
    np.testing.assert_array_equal(request.condition, anatomy())
    assert (request.option, request.seed, request.precision) == ("he", 3, "fast")
    assert (request.interventions, request.capture, request.routing) == (CHANGES, ("a",), ("b",))


def test_what_was_not_ordered_is_not_asked_for():
    request = replace(ORDER, seed=None).request(painted(), 0)
    assert (request.option, request.seed, request.z, request.condition) == (None, None, None, None)
    assert (request.interventions, request.precision) == ((), "exact")


def test_the_image_beside_the_mask_is_not_kept_alive():
    image = Image(anatomy())
    order = replace(ORDER, condition=on(image))
    assert order.beside is image
    assert ORDER.beside is None
    del image
    gc.collect()
    assert order.beside is None


MODELS = {"capsules": small_capsules, "looks": small_generator, "two channels": small_metgan}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    return {name: make(folder / f"{name}.safetensors") for name, make in MODELS.items()}


def shown(viewer, source):
    """What the lines of an order make."""
    names = {"viewer": viewer}
    exec(source, names)
    return names["image"]


@pytest.mark.parametrize(
    ("model", "chosen", "asked"),
    [
        ("looks", {"option": "grey"}, {"option": "grey"}),
        ("looks", {"seed": None, "precision": "fast"}, {"seed": None, "precision": "fast"}),
        ("capsules", {"latent": Drawn(7)}, {"z": Drawn(7).vector(100)}),
        (
            "capsules",
            {"latent": Drawn(7), "precision": "fast", "interventions": CHANGES},
            {"z": Drawn(7).vector(100), "precision": "fast", "interventions": CHANGES},
        ),
        ("two channels", {}, {}),
        ("two channels", {"precision": "fast"}, {"precision": "fast"}),
    ],
)
def test_the_lines_for_python_make_the_image_of_the_order(viewer, files, model, chosen, asked):
    viewer.add_labels(painted(), name=NAME)
    generator = load_generator(files[model], "cpu")
    order = replace(ORDER, model=str(files[model]), **chosen)
    if generator.card.condition_channels:
        order = replace(order, condition=on(viewer.add_image(anatomy(), name="anatomy \\ one")))
        asked = asked | {"condition": anatomy()}
    image = shown(viewer, order.as_python(generator.card.latent_size))
    expected = generator.run(RenderRequest(painted(), **{"seed": 3} | asked)).image
    np.testing.assert_array_equal(image, expected)
    np.testing.assert_array_equal(generator.run(order.request(painted(), generator.card.latent_size)).image, expected)
