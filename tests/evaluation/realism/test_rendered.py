"""Realism of a model: it renders the masks of one half of the real images, the other half is compared."""

import imageio.v3 as iio
import numpy as np
import pytest
import tifffile
import yaml

import napari_synth as ns
from napari_synth.core.errors import InputError
from napari_synth.evaluation.realism.rendered import two_halves
from tests.evaluation.usefulness.small_sets import disc_folder
from tests.helpers import small_generator, small_metgan


@pytest.fixture
def real(tmp_path):
    return disc_folder(tmp_path / "real", 14)


def test_a_model_renders_masks_whose_images_are_not_compared(real, tmp_path):
    model = small_generator(tmp_path / "m.safetensors")
    report = ns.evaluate_realism(real, None, tmp_path / "report", model=model, option="grey", device="cpu")
    compared = {point.path.stem for point in report.map if point.set == "real"}
    rendered = {point.path.stem for point in report.map if point.set == "synthetic"}
    assert len(compared) == len(rendered) == 7
    assert not compared & rendered
    generator = ns.load_model(model, "cpu")
    for stem in rendered:
        mask = iio.imread(real / "masks" / f"{stem}.png")
        image = tifffile.imread(tmp_path / "report" / "rendered" / "images" / f"{stem}.tif")
        assert np.array_equal(tifffile.imread(tmp_path / "report" / "rendered" / "masks" / f"{stem}.tif"), mask)
        assert not np.array_equal(image, generator.render(mask, "grey", None).image)  # it has noise of its own
        assert np.abs(image.astype(int) - generator.render(mask, "grey", 5).image).mean() < 60
    assert "look grey" in report.remarks[0]
    assert "none is held out" in report.remarks[0]
    plan = yaml.safe_load((tmp_path / "report" / "recipe.yaml").read_text())["realism"]
    assert (plan["model"], plan["option"], plan["synthetic"]) == (str(model), "grey", None)


def test_what_is_held_out_alone_is_used_and_groups_stay_whole(tmp_path):
    real = disc_folder(tmp_path / "real", 22)
    names = {f"{number:03d}" for number in range(22)}
    slides = tmp_path / "slides.csv"
    slides.write_text("".join(f"{name},{int(name) // 2}\n" for name in sorted(names)))
    halves = two_halves(real, str(slides), 1)
    assert halves.rendered | halves.compared == names
    assert not {int(name) // 2 for name in halves.rendered} & {int(name) // 2 for name in halves.compared}
    assert two_halves(real, str(slides), 1) == halves
    assert two_halves(real, str(slides), 2) != halves
    (real / "dataset.yaml").write_text("options: [{name: x, hold_out: '00*'}]")
    halves = two_halves(real, "", 1)
    assert halves.held_out
    assert halves.rendered | halves.compared == {name for name in names if name.startswith("00")}
    with pytest.raises(InputError, match="5 held-out groups of images, too few to render"):
        two_halves(real, str(slides), 1)


def test_what_cannot_be_rendered(real, tmp_path):
    model = small_generator(tmp_path / "m.safetensors")
    with pytest.raises(InputError, match="both given"):
        ns.evaluate_realism(real, real, tmp_path / "r", model=model)
    with pytest.raises(InputError, match="Neither"):
        ns.evaluate_realism(real, None, tmp_path / "r")
    with pytest.raises(InputError, match="no option called"):
        ns.evaluate_realism(real, None, tmp_path / "r", model=model, option="nothing", device="cpu")
    with pytest.raises(InputError, match="needs an image beside each mask"):
        ns.evaluate_realism(real, None, tmp_path / "r", model=small_metgan(tmp_path / "two.safetensors"), device="cpu")
