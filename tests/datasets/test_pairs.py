import imageio.v3 as iio
import numpy as np
import pytest

from napari_synth.core.errors import InputError
from napari_synth.datasets.pairs import PairSampler, find_options, is_held_out, load_pair, random_crop
from napari_synth.datasets.shape_library import find_shape_files, is_held_out_shape, read_shapes
from tests.helpers import pair_folder


def test_one_set_or_one_folder_per_option(tmp_path):
    pair_folder(tmp_path / "one")
    (only,) = find_options(tmp_path / "one")
    assert (only.source.name, len(only.training), only.held_out) == ("one", 3, ())
    pair_folder(tmp_path / "two" / "b")
    pair_folder(tmp_path / "two" / "a", grey=True)
    assert [option.source.name for option in find_options(tmp_path / "two")] == ["a", "b"]


def test_dataset_yaml_orders_options_and_holds_out(tmp_path):
    pair_folder(tmp_path / "b", 10)
    pair_folder(tmp_path / "a", 4)
    (tmp_path / "dataset.yaml").write_text(
        "options: [{name: b, title: B, licence: CC0, hold_out: 'every:5'}, {name: a, hold_out: '02*'}]"
    )
    b, a = find_options(tmp_path)
    assert [pair.stem for pair in b.held_out] == ["04", "09"]
    assert [pair.stem for pair in a.held_out] == ["02"]
    assert not {pair.stem for pair in b.training} & {pair.stem for pair in b.held_out}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("options: [{name: a, hold_out: 'every:x'}]", "hold-out rule"),
        ("options: [{name: a, hold_out: '*'}]", "held out"),
        ("options: [{name: missing}]", "does not exist"),
        ("options: [{colour: a}]", "not valid"),
        ("options: [", "not valid"),
        ("3", "not valid"),
    ],
)
def test_bad_descriptions(tmp_path, text, words):
    pair_folder(tmp_path / "a")
    (tmp_path / "dataset.yaml").write_text(text)
    with pytest.raises(InputError, match=words):
        find_options(tmp_path)


def test_missing_folders_and_masks(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        find_options(tmp_path / "none")
    with pytest.raises(InputError, match="neither images"):
        find_options(tmp_path)
    folder = pair_folder(tmp_path / "a")
    (folder / "masks" / "01.png").unlink()
    with pytest.raises(InputError, match=r"01\.png has no mask"):
        find_options(folder)
    for path in (folder / "images").iterdir():
        path.unlink()
    with pytest.raises(InputError, match="holds no PNG"):
        find_options(folder)


def test_image_and_mask_of_different_size(tmp_path):
    folder = pair_folder(tmp_path / "a", 1)
    iio.imwrite(folder / "masks" / "00.png", np.zeros((10, 12), np.uint8))
    (option,) = find_options(folder)
    with pytest.raises(InputError, match="64×64 pixels but its mask is 12×10"):
        load_pair(option.training[0])


def test_crops_of_image_and_mask_stay_together():
    rng = np.random.default_rng(0)
    mask = rng.random((40, 50)) > 0.5
    image = np.repeat(mask[..., None], 3, -1) * np.uint8(255)
    for _ in range(30):
        cut_mask, cut_image = random_crop(mask, image, 32, rng)
        assert cut_mask.shape == (32, 32)
        assert (cut_image[..., 0] == 255 * cut_mask).all()
    cut_mask, cut_image = random_crop(mask, image, 64, rng)
    assert (cut_image[..., 1] == 255 * cut_mask).all()


def test_a_batch_depends_on_its_step_alone_and_takes_options_in_turn(tmp_path):
    for name in ("a", "b"):
        pair_folder(tmp_path / name)
    pairs = [[load_pair(pair) for pair in option.training] for option in find_options(tmp_path)]
    one, two = (PairSampler(pairs, 32, "foreground", seed=3) for _ in range(2))
    one.batch(0, 4)
    masks, images, numbers = one.batch(5, 4)
    for mine, theirs in zip((masks, images, numbers), two.batch(5, 4), strict=True):
        assert (mine == theirs).all()
    assert masks.shape == (4, 1, 32, 32)
    assert images.shape == (4, 3, 32, 32)
    assert sorted(numbers) == [0, 0, 1, 1]
    assert set(np.unique(masks)) <= {0.0, 1.0}
    assert not (masks == one.batch(6, 4)[0]).all()


def test_held_out_rules():
    assert [i for i in range(12) if is_held_out(i, "x", "every:5")] == [4, 9]
    assert is_held_out(0, "08_3", "08_*")
    assert not is_held_out(0, "18_3", "08_*")
    assert not is_held_out(4, "a", "")


def test_shape_libraries(tmp_path):
    shapes = np.zeros((20, 64, 64), np.uint8)
    shapes[:, 20:40, 20:40] = 1
    np.savez(tmp_path / "a.npz", shapes=shapes, area_px=np.full(20, 99.0))
    library = read_shapes(tmp_path / "a.npz")
    assert library.shapes.shape == (20, 64, 64)
    assert library.area_px[0] == 99
    assert np.flatnonzero(is_held_out_shape(20)).tolist() == [9, 19]
    assert find_shape_files(tmp_path) == [tmp_path / "a.npz"]


def test_bad_shape_libraries(tmp_path):
    with pytest.raises(InputError, match="no shape library"):
        find_shape_files(tmp_path)
    (tmp_path / "a.npz").write_bytes(b"junk")
    with pytest.raises(InputError, match="not a shape library"):
        read_shapes(tmp_path / "a.npz")
    np.savez(tmp_path / "b.npz", other=np.zeros(3))
    with pytest.raises(InputError, match="not a shape library"):
        read_shapes(tmp_path / "b.npz")
    np.savez(tmp_path / "c.npz", shapes=np.zeros((3, 32, 32)))
    with pytest.raises(InputError, match=r"not \(N, 64, 64\)"):
        read_shapes(tmp_path / "c.npz")
    np.savez(tmp_path / "d.npz", shapes=np.array([{}], dtype=object))
    with pytest.raises(InputError, match="not a shape library"):
        read_shapes(tmp_path / "d.npz")
