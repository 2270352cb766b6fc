"""The job of the program by its public names alone: train, render, export, make again."""

import numpy as np
import tifffile

import napari_synth as ns
from tests.helpers import nuclei, pair_folder

SETTINGS = {"steps": 2, "crop": 32, "ngf": 4, "ndf": 4, "levels": 3, "batch_size": 1}


def test_train_render_export_and_make_again(tmp_path):
    pair_folder(tmp_path / "data", 2)
    done = ns.train("pix2pix", tmp_path / "data", tmp_path / "mine.safetensors", settings=SETTINGS, device="cpu")
    assert done.steps == 2
    model = ns.load_model(done.path, "cpu")
    assert isinstance(model, ns.Generator)

    labels = nuclei((64, 64))
    tifffile.imwrite(tmp_path / "mask.tif", labels.astype(np.uint16))
    option = model.card.options[0]
    rendering = model.run(ns.RenderRequest(labels, option, 7))
    assert isinstance(rendering, ns.Rendering)
    source = {"kind": "file", "path": str(tmp_path / "mask.tif")}
    recipe = ns.Recipe(model=str(done.path), masks=[source], options=[option], seed=7)
    recipe.save(tmp_path / "recipe.yaml")

    for number, asked in enumerate((recipe, tmp_path / "recipe.yaml")):  # a second call, when all is loaded
        result = ns.export(asked, tmp_path / f"pairs{number}", device="cpu")
        assert (result.total, result.written) == (1, 1)
        (image,) = (tmp_path / f"pairs{number}" / "images").iterdir()
        np.testing.assert_array_equal(tifffile.imread(image), rendering.image)
    assert ns.recipe_of(image).seed == 7
    ns.replay(image, tmp_path / "again", device="cpu")
    (again,) = (tmp_path / "again" / "images").iterdir()
    np.testing.assert_array_equal(tifffile.imread(again), rendering.image)
