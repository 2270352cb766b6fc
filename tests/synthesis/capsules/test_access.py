import numpy as np
import pytest

from napari_synth.core.errors import InputError
from napari_synth.core.recipe import Intervention, parse_recipe
from napari_synth.synthesis.recipes import load_generator, painted_recipe, request_of
from napari_synth.synthesis.request import RenderRequest
from tests.helpers import nuclei, small_capsules, small_generator

MASK = nuclei((44, 52), 3)


@pytest.fixture(scope="module")
def capsules(tmp_path_factory):
    return load_generator(small_capsules(tmp_path_factory.mktemp("model") / "c.safetensors"), "cpu")


@pytest.fixture(scope="module")
def plain(capsules):
    return capsules.render(MASK, seed=1).image


def test_every_layer_can_be_looked_at_without_changing_the_image(capsules, plain):
    names = [stage.name for stage in capsules.stages]
    assert len(names) == 13
    rendering = capsules.render(MASK, seed=1, capture=names, routing=names[1:])
    assert (rendering.image == plain).all()
    for stage in capsules.stages:
        height, width = (-(-side // stage.factor) for side in MASK.shape)
        activation = rendering.activations[stage.name]
        assert activation.shape == (stage.capsules, stage.channels, height, width)
        assert activation.dtype == np.float32
        if stage.name != "conv1":
            assert 0 < np.linalg.norm(activation, axis=1).max() < 1
    inputs = {stage.name: stage.capsules for stage in capsules.stages}
    for stage in capsules.stages[1:]:
        coefficients = rendering.routing[stage.name]
        read = sum(inputs[name] for name in stage.inputs)
        assert coefficients.shape[:3] == (1 if read == 1 else 3, read, stage.capsules)
        np.testing.assert_allclose(coefficients.sum(1), 1, atol=1e-5)


def test_the_short_name_of_a_layer_is_the_key_of_the_answer(capsules):
    rendering = capsules.render(MASK, seed=1, capture=["caps3"])
    assert list(rendering.activations) == ["caps3"]
    assert (
        rendering.activations["caps3"] == capsules.render(MASK, seed=1, capture=["convcaps3"]).activations["convcaps3"]
    ).all()


def test_a_capsule_switched_off_is_off_and_a_reset_restores_exactly(capsules, plain):
    changed = capsules.render(MASK, seed=1, set={("caps10", 0, 5): 0.0}, capture=["caps10"])
    assert (changed.activations["caps10"][0, 5] == 0).all()
    assert (changed.activations["caps10"][0, 4] != 0).any()
    assert (changed.image != plain).any()
    assert (capsules.render(MASK, seed=1).image == plain).all()


def test_a_whole_capsule_can_be_scaled_and_one_that_is_scaled_by_1_changes_nothing(capsules, plain):
    rendering = capsules.render(MASK, seed=1, scale={("convcaps4", 2): 0.0}, capture=["convcaps4"])
    lengths = np.linalg.norm(rendering.activations["convcaps4"], axis=1)
    assert lengths[2].max() == 0
    assert lengths[1].max() > 0
    assert (capsules.render(MASK, seed=1, scale={("convcaps4", 2): 1.0}).image == plain).all()
    twice = capsules.render(MASK, seed=1, scale={("conv1", 0, 3): 2.0}, capture=["conv1"]).activations["conv1"]
    once = capsules.render(MASK, seed=1, capture=["conv1"]).activations["conv1"]
    np.testing.assert_array_equal(twice[0, 3], 2 * once[0, 3])


def test_an_intervention_is_part_of_the_recipe_and_replays(capsules):
    z = np.random.default_rng(0).normal(size=100).astype(np.float32)
    change = Intervention(layer="convcaps10", capsule=0, channel=5, value=1.5)
    request = RenderRequest(MASK, z=z, interventions=(change,))
    recipe = parse_recipe(painted_recipe(capsules, request, "axons").to_yaml(), "a test")
    again = request_of(recipe, MASK)
    assert again.interventions == (change,)
    assert (capsules.run(again).image == capsules.run(request).image).all()
    assert (capsules.run(again).image != capsules.render(MASK, z=z).image).any()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"capture": ["convcaps7"]}, "no layer called 'convcaps7'"),
        ({"routing": ["conv1"]}, "routes nothing"),
        ({"set": {("convcaps3", 4): 0.0}}, "has 4 capsules; there is no capsule 4"),
        ({"set": {("convcaps3", 0, 32): 0.0}}, "there is no channel 32"),
        ({"set": {("convcaps3", -1): 0.0}}, "not understood"),
        ({"scale": {("convcaps3", 0): float("nan")}}, "cannot be nan"),
        ({"set": {("convcaps3",): 0.0}}, "not understood"),
    ],
)
def test_what_does_not_exist_is_named(capsules, arguments, words):
    with pytest.raises(InputError, match=words):
        capsules.render(MASK, seed=1, **arguments)


def test_a_model_without_capsules_says_so(tmp_path):
    generator = load_generator(small_generator(tmp_path / "g.safetensors"), "cpu")
    assert generator.stages == ()
    with pytest.raises(InputError, match="no capsules"):
        generator.render(nuclei(), "he", 1, capture=["convcaps3"])


@pytest.mark.parametrize("mask", [np.ones((3, 3), int), np.ones((16, 24), bool)])
def test_tiny_and_full_masks_render(capsules, mask):
    rendering = capsules.render(mask, seed=1, capture=["convcaps6"])
    assert rendering.image.shape == mask.shape
    assert rendering.activations["convcaps6"].shape[-2:] == tuple(-(-side // 8) for side in mask.shape)
