import imageio.v3 as iio
import numpy as np
import pytest
import tifffile

from napari_synth.core.errors import InputError
from napari_synth.core.intensity import Intensity, check_channel, measure_intensity
from napari_synth.datasets.triplets import TripletSampler, load_triplets, shuffled
from tests.helpers import triplet_folder


@pytest.fixture
def folder(tmp_path):
    return triplet_folder(tmp_path / "data", 4, hold_out="03")


def test_planes_are_read_as_stored_and_split(folder):
    planes = load_triplets(folder)
    assert [plane.stem for plane in planes.training] == ["00", "01", "02"]
    assert [plane.stem for plane in planes.held_out] == ["03"]
    assert planes.training[0].signal.dtype == np.uint16
    assert planes.source.licence == "CC0"
    all_signal = np.concatenate([plane.signal.ravel() for plane in planes.training])
    scale = planes.intensity("signal")
    assert (scale.low, scale.high) == tuple(np.percentile(all_signal, (0.1, 99.9)))


def empty(folder, *stems):
    for stem in stems:
        (path,) = (folder / "labels").glob(f"{stem}.*")
        shape = iio.imread(path).shape
        path.unlink()
        tifffile.imwrite(folder / "labels" / f"{stem}.tif", np.zeros(shape, np.uint16))


def test_empty_labels_are_named_and_not_trained_on(folder):
    assert load_triplets(folder).remarks == ()
    empty(folder, "01")
    planes = load_triplets(folder)
    assert [plane.stem for plane in planes.training] == ["00", "02"]
    assert planes.remarks == ("The mask 01 is empty and is left out.",)
    empty(folder, "02", "03")
    planes = load_triplets(folder)
    assert [plane.stem for plane in planes.training] == ["00"]
    assert planes.remarks == ("2 masks are empty and are left out: 01, 02.",)
    assert len(planes.held_out) == 1, "the figures of held-out planes are made on all of them"


def test_labels_that_are_all_empty_stop_the_training(folder):
    empty(folder, "00", "01", "02")
    with pytest.raises(InputError, match=r"no object in any of the 3 labels to train on \(00, 01, 02\)"):
        load_triplets(folder)


def test_batches_depend_on_seed_and_step_and_fit_together(folder):
    planes = load_triplets(folder)
    anatomy, signal = planes.intensity("anatomy"), planes.intensity("signal")
    sampler = TripletSampler(planes.training, anatomy, signal, 128, 5)
    masks, x, y = sampler.batch(3, 4)
    assert masks.shape == x.shape == y.shape == (4, 1, 128, 128)
    assert masks.dtype == x.dtype == y.dtype == np.float32
    assert set(np.unique(masks)) == {0, 1}
    assert -1 <= min(x.min(), y.min()) <= max(x.max(), y.max()) <= 1
    assert y[masks > 0].mean() > y[masks == 0].mean() + 0.8, "the label is turned and flipped with the signal"
    again = TripletSampler(planes.training, anatomy, signal, 128, 5).batch(3, 4)
    assert all(np.array_equal(a, b) for a, b in zip((masks, x, y), again, strict=True))
    assert not np.array_equal(y, sampler.batch(4, 4)[2])


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "float32"])
def test_grey_values_come_back_as_they_were(dtype):
    top = {"uint8": 200, "uint16": 60_000, "int16": 3000, "float32": 2.5}[dtype]
    low = -500 if dtype == "int16" else 0
    image = np.linspace(low, top, 1000).astype(dtype).reshape(20, 50)
    scale = measure_intensity([image], "signal")
    back = scale.from_network(scale.to_network(image))
    assert back.dtype == image.dtype
    inside = (image >= scale.low) & (image <= scale.high)
    tolerance = 1e-5 * (top - low) if dtype == "float32" else 1
    assert np.abs(back.astype(float) - image)[inside].max() <= tolerance
    assert np.abs(scale.from_network(np.array([-5.0, 5.0]))).max() <= 1e6


def test_values_beyond_the_dtype_are_clipped():
    scale = Intensity(dtype="uint16", low=0, high=65535)
    assert scale.from_network(np.array([-1.2, 1.2])).tolist() == [0, 65535]


def test_a_share_of_the_labels_is_passed_on(folder):
    planes = load_triplets(folder).training
    mixed = shuffled(planes, 0.7, seed=1)
    moved = [not np.array_equal(a.labels, b.labels) for a, b in zip(planes, mixed, strict=True)]
    assert sum(moved) == 2
    assert all(np.array_equal(a.signal, b.signal) for a, b in zip(planes, mixed, strict=True))
    assert shuffled(planes, 0, seed=1) == planes
    with pytest.raises(InputError, match="one plane only"):
        shuffled(planes[:1], 1, seed=1)


def test_one_file_without_its_partner_is_named(folder):
    (folder / "signal" / "01.tif").unlink()
    with pytest.raises(InputError, match=r"01 has no file in signal/"):
        load_triplets(folder)
    (folder / "anatomy" / "01.tif").unlink()
    with pytest.raises(InputError, match=r"01 has no file in anatomy and signal/"):
        load_triplets(folder)


def test_a_missing_folder_is_named(tmp_path):
    (tmp_path / "anatomy").mkdir()
    with pytest.raises(InputError, match="signal folder"):
        load_triplets(tmp_path)


@pytest.mark.parametrize(
    ("name", "array", "words"),
    [
        ("anatomy/00.tif", np.zeros((64, 96, 3), np.uint8), "has 3 channels"),
        ("anatomy/00.tif", np.zeros((64, 90), np.uint16), r"90×64 pixels but its label is 96×64"),
        ("signal/00.tif", np.full((64, 96), np.nan, np.float32), "NaN"),
        ("signal/00.tif", np.ones((64, 96), np.float32), "different dtypes"),
        ("labels/00.tif", np.full((64, 96), 0.5, np.float32), "fractions"),
    ],
)
def test_unusable_files_are_named(folder, name, array, words):
    if name.startswith("labels"):
        (folder / "labels" / "00.png").unlink()
    tifffile.imwrite(folder / name, array)
    with pytest.raises(InputError, match=words):
        load_triplets(folder).intensity("signal")


def test_a_constant_channel_is_refused(folder):
    for path in (folder / "anatomy").iterdir():
        tifffile.imwrite(path, np.full((64, 96), 7, np.uint16))
    with pytest.raises(InputError, match="anatomy is constant"):
        load_triplets(folder).intensity("anatomy")


def test_labels_with_whole_floats_are_labels(folder):
    labels = iio.imread(folder / "labels" / "00.png").astype(np.float32)
    (folder / "labels" / "00.png").unlink()
    tifffile.imwrite(folder / "labels" / "00.tif", labels)
    np.testing.assert_array_equal(load_triplets(folder).training[0].labels, labels)


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.zeros((4, 4, 3), np.uint8), "3 channels"),
        (np.zeros((5, 6, 7)), "3 dimensions"),
        (np.zeros((0, 4)), "no pixels"),
        (np.zeros((4, 4), complex), "dtype complex128"),
        (np.full((4, 4), np.inf), "infinity"),
        (np.zeros((4, 4), bool), "dtype bool"),
    ],
)
def test_what_is_no_channel(array, words):
    with pytest.raises(InputError, match=words):
        check_channel(array, "The image")
