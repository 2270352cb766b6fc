"""A pair that is refused is drawn anew."""

import numpy as np
import tifffile

from napari_synth.core.recipe import FileSource, Recipe
from napari_synth.exporting.batch import REDRAWS, ExportRequest, export_pairs
from napari_synth.exporting.formats.tiff import embedded_recipe
from napari_synth.masks.mask_reader import MaskReader
from napari_synth.synthesis.recipes import load_generator
from tests.helpers import nuclei, small_styled


def test_the_file_carries_the_seed_that_was_accepted(tmp_path):
    tifffile.imwrite(tmp_path / "mask.tif", nuclei((64, 64)).astype(np.uint16))
    path = small_styled(tmp_path / "styled.safetensors")
    generator = load_generator(path, "cpu")
    source = FileSource(path=str(tmp_path / "mask.tif"))
    recipe = Recipe(model=str(path), masks=[source], options=["he"], seed=3, variants=2)
    plain = [generator.render(nuclei((64, 64)), "he", recipe.item(number).seed).image for number in range(2)]

    def not_the_first(image, labels):
        assert labels.max() == nuclei((64, 64)).max()
        return not np.array_equal(image, plain[0])

    reader = MaskReader(lambda name: None)
    request = ExportRequest(recipe, tmp_path / "pairs", accept=not_the_first)
    result = export_pairs(request, generator, reader)
    assert (result.total, result.written, result.redrawn, result.refused) == (2, 2, 1, ())
    images = sorted((tmp_path / "pairs" / "images").glob("*.tif"))
    seeds = [embedded_recipe(image).seed for image in images]
    assert seeds[0] != recipe.item(0).seed
    assert seeds[1] == recipe.item(1).seed
    for image, seed in zip(images, seeds, strict=True):
        np.testing.assert_array_equal(tifffile.imread(image), generator.render(nuclei((64, 64)), "he", seed).image)

    asked = []
    never = ExportRequest(recipe, tmp_path / "never", accept=lambda image, labels: bool(asked.append(image)))
    result = export_pairs(never, generator, reader)
    assert len(result.refused) == result.written == 2
    assert len(asked) == 2 * (REDRAWS + 1)
