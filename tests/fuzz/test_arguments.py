"""Arguments of the Python functions, and settings of trainings."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import napari_synth as ns
from napari_synth.core.errors import InputError
from napari_synth.training.loop import settings_for
from napari_synth.training.objectives import OBJECTIVES
from napari_synth.training.request import TrainRequest
from tests.fuzz import found
from tests.fuzz.effort import effort, survives
from tests.fuzz.strategies import ARGUMENTS, VALUES

OF_RENDER = ["mask", "option", "seed", "z", "condition", "capture", "routing", "set", "scale", "precision"]


@pytest.fixture(scope="module")
def generators(models):
    return {name: ns.load_model(models[name], "cpu") for name in ("generator", "metgan")}


@pytest.mark.parametrize("name", ["generator", "metgan"])
def test_render(generators, mask, anatomy, name):
    usual = {"mask": mask} | ({"condition": anatomy} if name == "metgan" else {})

    @effort(0.08)
    @given(st.dictionaries(st.sampled_from(OF_RENDER), ARGUMENTS, min_size=1, max_size=3))
    def run(odd):
        made = survives("arguments of render", lambda: generators[name].render(**(usual | odd)))
        assert made is None or made.image.shape[:2] == np.shape(odd.get("mask", mask))

    run()


@pytest.mark.parametrize(
    ("odd", "named"),
    [
        ({"seed": -1}, "seed"),
        ({"seed": 1.9}, "seed"),
        ({"seed": "7"}, "seed"),
        ({"seed": float("nan")}, "seed"),
        ({"seed": (1, 2)}, "seed"),
        ({"set": {("convcaps10", 0): "x"}}, "set"),
        ({"scale": {("convcaps10", 0): float("nan")}}, "scale"),
        ({"set": 1}, "set"),
        ({"capture": None}, "capture"),
        ({"capture": "convcaps10"}, "capture"),
        ({"routing": [1]}, "routing"),
        ({"option": np.array(["he", "grey"])}, "option"),
        ({"z": "x"}, "z"),
        ({"precision": 1}, "precision"),
        ({"mask": np.full((8, 8), 2**31, np.float32)}, "labels over 2147483647"),
        ({"mask": np.broadcast_to(np.uint8(1), (10**6, 10**6))}, "mask"),
    ],
)
def test_the_argument_is_named(generators, mask, odd, named):
    with pytest.raises(InputError, match=named):
        generators["generator"].render(**({"mask": mask} | odd))


def test_a_mask_is_not_computed_to_find_that_it_is_too_large(generators):
    dask = pytest.importorskip("dask.array")

    def computed(*_, **__):
        raise AssertionError("it was computed")

    mask = dask.zeros((10**5, 10**5), dtype=np.uint8, chunks=1000).map_blocks(computed, dtype=np.uint8)
    with pytest.raises(InputError, match="100000×100000"):
        generators["generator"].render(mask)


def test_the_same_seed_in_any_integer(generators, mask):
    first = generators["generator"].render(mask, seed=7).image
    np.testing.assert_array_equal(first, generators["generator"].render(mask, seed=np.int64(7)).image)


def test_other_functions(models, mask):
    field = ns.FieldSettings(height=64, width=64, sampler="prior", shapes=str(models["shapes"]))
    shapes = ns.load_model(models["shapes"], "cpu")
    calls = [
        lambda odd: shapes.decode(odd),
        lambda odd: shapes.encode(odd),
        lambda odd: ns.load_model(odd, "cpu"),
        lambda odd: ns.load_model("pbam-axons", odd),
        lambda odd: ns.shape_library(odd),
        lambda odd: ns.shape_library(mask, odd),
        lambda odd: ns.measure_masks(odd),
        lambda odd: ns.recipe_of(odd),
        lambda odd: ns.camera_of(odd),
        lambda odd: ns.photograph(odd, ns.CameraSettings()),
        lambda odd: ns.photograph(mask, odd),
        lambda odd: ns.field_settings(odd),
        lambda odd: ns.field_settings(area_mean=odd, sampler=odd),
        lambda odd: next(ns.compose_masks(field, 1, odd)),
        lambda odd: next(ns.compose_masks(odd)) if not isinstance(odd, type(None)) else None,
        lambda odd: ns.export(odd, "nowhere"),
    ]

    @effort(0.1)
    @given(st.sampled_from(calls), ARGUMENTS)
    def run(call, odd):
        survives("arguments of others", lambda: call(odd))

    run()


def request(architecture, settings):
    return TrainRequest(architecture, Path("data"), Path("m.safetensors"), settings=settings)


@pytest.mark.parametrize(("architecture", "settings"), found.TRAINING)
def test_training_settings_that_were_trouble(architecture, settings):
    with pytest.raises(InputError):
        settings_for(request(architecture, settings))


def test_training_settings():
    names = sorted({name for one in OBJECTIVES for name in settings_for(request(one, {})).model_dump()})

    @effort(0.1)
    @given(st.sampled_from(sorted(OBJECTIVES)), st.dictionaries(st.sampled_from(names), VALUES, max_size=3))
    def run(architecture, settings):
        survives("training settings", lambda: settings_for(request(architecture, settings)))

    run()
