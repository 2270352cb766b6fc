"""Exported files, folders and recipes brought back: equal arrays, and every control as it was."""

from __future__ import annotations

import shlex

import numpy as np
import pytest
from napari.layers import Image, Labels

import napari_synth as ns
from napari_synth.cli.main import app
from napari_synth.core.recipe import METADATA_KEY, FieldSettings, FieldSource, Recipe
from napari_synth.datasets.image_files import read_image
from napari_synth.models.defaults import DEFAULT_GENERATOR
from napari_synth.ui import readers
from napari_synth.ui.docks.export.actions import ExportActions
from napari_synth.ui.docks.synthesize.actions import SynthesizeActions
from tests.ui.conftest import painted

pytestmark = pytest.mark.usefixtures("plugins")


@pytest.fixture
def pairs(tmp_path, opened, finish):
    """Pairs that one window exported, and the files of the images."""
    session = opened()
    session.context.viewer.add_labels(painted(), name="cells", scale=(0.5, 0.5), units="micrometer")
    look, export = session.context.look, session.context.export
    look.option, look.seed, look.device = "purple", 77, "cpu"
    export.options, export.variants, export.folder = ("purple", "he"), 2, str(tmp_path / "pairs")
    session.actions(ExportActions).export()
    finish(session.actions(ExportActions).jobs, 60_000)
    images = sorted((tmp_path / "pairs" / "images").iterdir())
    assert len(images) == 4
    return images


@pytest.fixture
def replayed(opened, finish):
    """Brings back a path in a window of its own; that window's session."""

    def replay(path):
        session = opened()
        session.context.look.device = "cpu"
        session.context.viewer.add_labels(painted(), name="before")
        synthesize = session.actions(SynthesizeActions)
        synthesize.replaying.replay(path)
        finish(synthesize.jobs, 60_000)
        assert session.context.notes["synthesize"].kind == "done", session.context.notes["synthesize"]
        return session

    return replay


def brought_back(session):
    """The mask and the image of it."""
    mask = session.context.masks.current
    (image,) = session.context.results.of(mask).values()
    return mask, image


@pytest.mark.parametrize("number", [0, 3])
def test_an_exported_image_brings_back_its_mask_and_every_choice(pairs, replayed, finish, number):
    path = pairs[number]
    session = replayed(path)
    mask, image = brought_back(session)
    np.testing.assert_array_equal(mask.data, painted())
    np.testing.assert_array_equal(image.data, read_image(path))
    assert tuple(mask.scale) == (0.5, 0.5)
    assert not session.context.viewer.layers["before"].visible, "what is brought back is what is seen"
    recipe = ns.recipe_of(path)
    look = session.context.look
    assert (look.model, [look.option], look.seed) == (recipe.model, recipe.options, recipe.seed)
    assert Recipe.model_validate(image.metadata[METADATA_KEY]) == recipe
    before = image.data.copy()
    session.actions(SynthesizeActions).render()
    finish(session.actions(SynthesizeActions).jobs, 60_000)
    assert brought_back(session)[1] is image
    np.testing.assert_array_equal(image.data, before)


def test_the_mask_of_a_pair_and_the_folder_bring_back_the_same(pairs, replayed):
    folder = pairs[0].parent.parent
    for path in (folder / "masks" / pairs[0].name, folder, folder / "recipe.yaml"):
        session = replayed(path)
        mask, image = brought_back(session)
        np.testing.assert_array_equal(mask.data, painted())
        np.testing.assert_array_equal(image.data, read_image(pairs[0]))
        assert not isinstance(mask, Image)
        if path != folder / "masks" / pairs[0].name:
            assert (session.context.export.options, session.context.export.variants) == (("purple", "he"), 2)


def test_a_recipe_without_images_is_rendered(tmp_path, replayed):
    settings = FieldSettings(height=64, width=64, count_mean=60, area_mean=150)
    recipe = Recipe(
        model=DEFAULT_GENERATOR, masks=[FieldSource(settings=settings, seed=4)], options=["he-dark"], seed=9
    )
    recipe.save(tmp_path / "mine.yaml")
    session = replayed(tmp_path / "mine.yaml")
    mask, image = brought_back(session)
    (_, field), *_ = ns.compose_masks(settings, seed=4)
    np.testing.assert_array_equal(mask.data, field.labels)
    expected = ns.load_model(DEFAULT_GENERATOR, "cpu").render(field.labels, "he-dark", 9).image
    np.testing.assert_array_equal(image.data, expected)


def test_an_exported_image_that_napari_opens_brings_back_the_rest(pairs, opened, qtbot, finish):
    session = opened()
    session.context.look.device = "cpu"
    viewer = session.context.viewer
    (dropped,) = viewer.open(str(pairs[1]), plugin="napari")
    qtbot.waitUntil(lambda: any(isinstance(layer, Labels) for layer in viewer.layers), timeout=20_000)
    finish(session.actions(SynthesizeActions).jobs)
    np.testing.assert_array_equal(brought_back(session)[1].data, np.asarray(dropped.data))
    assert not dropped.visible, "the same picture lies below the mask"
    assert dropped in viewer.layers, "what the user opened stays"


def test_other_images_that_are_opened_bring_back_nothing(tmp_path, opened, qtbot):
    import tifffile

    tifffile.imwrite(tmp_path / "plain.tif", np.zeros((20, 20), np.uint8))
    session = opened()
    (layer,) = session.context.viewer.open(str(tmp_path / "plain.tif"), plugin="napari")
    qtbot.wait(300)
    assert list(session.context.viewer.layers) == [layer]
    assert layer.visible


def test_a_mask_that_is_not_there_is_said(pairs, opened, finish, tmp_path):
    alone = tmp_path / "alone.tif"
    alone.write_bytes(pairs[0].read_bytes())
    session = opened()
    synthesize = session.actions(SynthesizeActions)
    synthesize.replaying.replay(alone)
    finish(synthesize.jobs)
    assert synthesize.note.kind == "problem"
    assert "of alone.tif is not there" in synthesize.note.text
    assert not session.context.viewer.layers


def test_readers_take_recipes_and_folders_of_pairs_and_nothing_else(pairs, tmp_path):
    folder = pairs[0].parent.parent
    assert readers.open_path(str(folder)) is readers.replay
    assert readers.open_path(str(folder / "recipe.yaml")) is readers.replay
    assert readers.open_path(str(pairs[0])) is not readers.replay, "napari opens it without a question"
    assert readers.open_path(str(tmp_path / "none.yaml")) is None


def test_the_command_that_is_copied_makes_the_same_image(tmp_path, session, viewer, finish, qapp, monkeypatch):
    from typer.testing import CliRunner

    from napari_synth.exporting.formats.base import PixelSize
    from napari_synth.exporting.formats.tiff import write_tiff

    write_tiff(tmp_path / "cells.tif", painted(), "", PixelSize(1, 1, "pixel"))
    viewer.open(str(tmp_path / "cells.tif"), plugin="napari", layer_type="labels")
    look, synthesize = session.context.look, session.actions(SynthesizeActions)
    look.option, look.seed, look.device = "fluorescence", 5, "cpu"
    synthesize.render()
    finish(synthesize.jobs, 60_000)
    synthesize.copy_command()
    words = shlex.split(qapp.clipboard().text())
    assert words[0] == "napari-synth"
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, words[1:])
    assert done.exit_code == 0, done.output
    (written,) = (tmp_path / "images").iterdir()
    np.testing.assert_array_equal(read_image(written), brought_back(session)[1].data)


def test_what_has_no_option_of_the_command_is_said(session, viewer):
    viewer.add_labels(painted(), name="cells")
    session.context.choose_model("capspix2pix-axons")
    from napari_synth.synthesis.latents.sources import Drawn

    session.context.look.latent = Drawn(3)
    session.actions(SynthesizeActions).copy_command()
    assert session.context.notes["synthesize"].kind == "problem"
    assert "replay" in session.context.notes["synthesize"].action
