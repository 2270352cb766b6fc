"""The camera through every door: one recipe, one array, in tiles and behind a brush too."""

import numpy as np
import pytest
import tifffile
import yaml
from typer.testing import CliRunner

import napari_synth as ns
from napari_synth.cli.main import app
from napari_synth.core.boxes import Box, full_box
from napari_synth.core.errors import InputError
from napari_synth.core.recipe import LayerSource, Recipe, camera_text, mask_hash, parse_recipe
from napari_synth.synthesis.camera import GreyRange, photograph
from napari_synth.synthesis.live.canvas import LiveCanvas
from napari_synth.synthesis.recipes import load_generator, painted_batch
from napari_synth.synthesis.request import RenderRequest, Steering
from tests.helpers import nuclei, set_whole_pixels, small_generator, small_metgan, small_styled

CAMERA = ns.CameraSettings(blur=1.2, background_x=30, gain=0.9, offset=8, gamma=1.1, shot_noise=0.4, read_noise=2)
SIZE = (72, 90)


@pytest.fixture
def generator(tmp_path):
    return load_generator(small_styled(tmp_path / "styled.safetensors"), "cpu")


def command(*words):
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == 0, result.output
    return result.output


def test_the_same_array_in_python_on_the_command_line_by_export_and_replay(tmp_path):
    path = small_generator(tmp_path / "small.safetensors")
    tifffile.imwrite(tmp_path / "mask.tif", nuclei(SIZE).astype(np.uint16))
    model = ns.load_model(path, "cpu")
    plain = model.render(nuclei(SIZE), "he", 7).image
    image = model.render(nuclei(SIZE), "he", 7, camera=CAMERA).image
    assert np.array_equal(image, photograph(plain, CAMERA, 7))
    assert not np.array_equal(image, plain)

    asked = (tmp_path / "mask.tif", "--model", path, "--option", "he", "--seed", 7, "--device", "cpu")
    command("synthesize", *asked, "--camera", camera_text(CAMERA), "--out", tmp_path / "one")
    (made,) = (tmp_path / "one").glob("*.tif")
    assert np.array_equal(tifffile.imread(made), image)
    assert ns.camera_of(made) == ns.recipe_of(made).camera == CAMERA

    command("synthesize", *asked, "--camera", made, "--out", tmp_path / "two")
    assert np.array_equal(tifffile.imread(tmp_path / "two" / made.name), image)

    ns.recipe_of(made).save(tmp_path / "recipe.yaml")
    assert ns.camera_of(tmp_path / "recipe.yaml") == CAMERA
    command("export", tmp_path / "recipe.yaml", "--out", tmp_path / "pairs", "--device", "cpu")
    (pair,) = (tmp_path / "pairs" / "images").iterdir()
    assert np.array_equal(tifffile.imread(pair), image)
    ns.replay(pair, tmp_path / "again", device="cpu")
    (again,) = (tmp_path / "again" / "images").iterdir()
    assert np.array_equal(tifffile.imread(again), image)


def test_a_recipe_without_a_camera_does_not_mention_it():
    source = LayerSource(name="mask", sha256=mask_hash(nuclei()))
    plain = Recipe(model="some", masks=[source])
    assert "camera" not in plain.to_yaml()
    seen = plain.model_copy(update={"camera": CAMERA})
    assert parse_recipe(seen.to_yaml(), "here") == seen
    record = yaml.safe_load(seen.to_yaml())
    assert record["camera"]["blur"] == 1.2
    with pytest.raises(InputError, match="blur"):
        parse_recipe(yaml.safe_dump(record | {"camera": {"blur": -3}}), "here")


def test_each_pair_of_a_batch_has_noise_of_its_own(generator):
    batch = painted_batch(generator, [("one", nuclei())], options=["grey"], variants=3, camera=CAMERA).recipe
    assert {batch.item(index).camera for index in range(3)} == {CAMERA}
    assert len({batch.item(index).seed for index in range(3)}) == 3


def test_tiles_are_the_whole_and_what_is_seen_meanwhile_differs_near_their_borders_alone(generator, monkeypatch):
    request = RenderRequest(nuclei(SIZE, 6), "he", 3, camera=CAMERA)
    whole = generator.run(request)
    seen = np.zeros_like(whole.image)

    def show(box, pixels):
        seen[box.seen_from(full_box(*SIZE))] = pixels

    with monkeypatch.context() as patch:
        set_whole_pixels(patch, generator.card.architecture, 0)
        parts = generator.run(request, Steering(on_tile=show, tile=64))
    assert parts.tile == 64
    off = np.abs(whole.image.astype(int) - parts.image)
    assert off.max() <= 2
    assert (off > 0).mean() < 0.01
    near = np.abs(seen[:50, :50].astype(int) - whole.image[:50, :50])
    assert (near > 2).mean() < 0.01


def test_a_followed_mask_is_the_render_after_every_stroke_and_every_change_of_the_camera(generator):
    labels, canvas = nuclei(SIZE, 6), LiveCanvas()
    canvas.reset(labels.copy())
    shown = np.zeros((*SIZE, 3), np.uint8)
    camera, seed, random = CAMERA, 3, np.random.default_rng(0)
    for step in range(7):
        if step == 2:
            camera = CAMERA.model_copy(update={"blur": 2.5, "read_noise": 6.0})
        if step == 4:
            camera = None
        if step == 5:
            camera = CAMERA
        top, left = (int(n) for n in random.integers(0, (60, 80)))
        box = Box(top, left, top + 9, left + 7).within(full_box(*SIZE))
        labels[box.seen_from(full_box(*SIZE))] = 9
        canvas.put(box, labels[box.seen_from(full_box(*SIZE))].copy())
        made = canvas.follow(generator, RenderRequest(np.zeros((0, 0), int), "he", seed, camera=camera), settled=True)
        for part, pixels in made.parts:
            shown[part.seen_from(full_box(*SIZE))] = pixels
        canvas.shown()
        expected = generator.run(RenderRequest(labels, "he", seed, camera=camera)).image
        off = np.abs(shown.astype(int) - expected)
        assert (off > 0).mean() < 0.01, step
        if step in (1, 3):
            assert sum(part.area for part, _ in made.parts) < labels.size


def test_a_channel_beside_an_anatomy_is_seen_in_its_own_grey_values(tmp_path):
    brain = load_generator(small_metgan(tmp_path / "brain.safetensors"), "cpu")
    anatomy = np.random.default_rng(0).integers(50, 700, (64, 48)).astype(np.uint16)
    plain, seen = (
        brain.run(RenderRequest(nuclei((64, 48)), seed=3, condition=anatomy, camera=camera)).image
        for camera in (None, CAMERA)
    )
    scale = brain.card.intensities[brain.card.output_channel]
    assert seen.dtype == plain.dtype
    assert np.array_equal(seen, photograph(plain, CAMERA, 3, GreyRange(scale.low, scale.high)))


def test_a_file_without_a_camera_is_told(tmp_path):
    (tmp_path / "a.yaml").write_text("blur: 3")
    (tmp_path / "b.yaml").write_text("camera: {focus: 3}")
    for name, words in (("a.yaml", "no camera"), ("b.yaml", "focus"), ("c.yaml", "cannot be read")):
        with pytest.raises(InputError, match=words):
            ns.camera_of(tmp_path / name)
