from itertools import pairwise

import imageio.v3 as iio
import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats
from threadpoolctl import threadpool_limits

from napari_synth.core.errors import InputError
from napari_synth.datasets.modalities import find_looks, histogram_features, image_files, kmeans, scaled, silhouette


def picture(kind, number):
    """Of four kinds: dark grey, bright grey and smooth, bright purple, textured green."""
    rng = np.random.default_rng([kind, number])
    noise = rng.normal(0, (4, 3, 20, 60)[kind], (40, 48, 1)) + rng.normal(0, 3)
    base = np.array([[20, 20, 20], [220, 220, 220], [190, 120, 200], [90, 150, 80]])[kind]
    image = np.clip(base + noise, 0, 255).astype(np.uint8)
    return image[..., 0] if kind < 2 else image


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("mixed")
    for kind, count in enumerate((12, 9, 10, 8)):
        for number in range(count):
            iio.imwrite(root / f"{number:02d}-{kind}.png", picture(kind, number))
    return root


def kinds(files):
    return [int(file.stem[-1]) for file in files]


def same_division(a, b):
    return len(set(zip(a, b, strict=True))) == len(set(a)) == len(set(b))


def test_the_looks_of_a_mixed_folder_are_found(folder):
    looks = find_looks(image_files(folder))
    assert same_division(kinds(looks.files), looks.numbers)
    assert looks.silhouette > 0.5
    assert looks.names == ("dark-grey-smooth", "dark-green-textured", "bright-purple-smooth", "bright-grey-smooth")
    assert kinds(looks.files_of(0)) == [0] * 12


@pytest.mark.slow
def test_neither_order_nor_seed_nor_16_bits_change_them(folder, tmp_path):
    files = image_files(folder)
    looks = find_looks(files)
    shuffled = [files[i] for i in np.random.default_rng(0).permutation(len(files))]
    again = find_looks(shuffled, seed=7)
    assert dict(zip(looks.files, looks.numbers, strict=True)) == dict(zip(again.files, again.numbers, strict=True))
    for factor in (1, 257):
        deep = tmp_path / str(factor)
        deep.mkdir()
        for file in files:
            tifffile.imwrite(deep / f"{file.stem}.tif", iio.imread(file).astype(np.uint16) * factor)
        copies = find_looks(image_files(deep))
        assert np.array_equal(copies.numbers, looks.numbers)
        assert copies.names == looks.names


@pytest.mark.slow
def test_neither_do_threads(folder):
    found = []
    for threads in (1, 2):
        with threadpool_limits(threads):
            found.append(find_looks(image_files(folder)))
    np.testing.assert_array_equal(found[0].numbers, found[1].numbers)
    assert found[0].names == found[1].names


def test_a_given_number_of_looks(folder):
    files = image_files(folder)
    assert len(find_looks(files, 2).names) == 2
    assert len(find_looks(files, 1).names) == 1
    with pytest.raises(InputError, match="39 images cannot be divided into 40 looks"):
        find_looks(files, 40)


def test_one_modality_is_one_look(tmp_path):
    for number in range(14):
        rng = np.random.default_rng(number)
        level = rng.uniform(90, 110)
        iio.imwrite(tmp_path / f"{number}.png", np.clip(rng.normal(level, 20, (64, 64)), 0, 255).astype(np.uint8))
    looks = find_looks(image_files(tmp_path))
    assert len(looks.names) == 1
    assert not looks.numbers.any()
    assert looks.silhouette == 0


def test_small_groups_join_the_nearest(folder):
    files = [file for file in image_files(folder) if file.stem[-1] != "3" or file.stem < "03"]
    looks = find_looks(files)
    counts = np.bincount(looks.numbers)
    assert counts.min() >= 8
    assert counts.sum() == len(files)


def test_bad_files_are_named_and_left_out(folder, tmp_path):
    files = image_files(folder)
    (tmp_path / "broken.png").write_bytes(b"\x89PNG no")
    tifffile.imwrite(tmp_path / "nan.tif", np.full((8, 8), np.nan, np.float32))
    looks = find_looks([*files, tmp_path / "broken.png", tmp_path / "nan.tif", tmp_path / "none.png"])
    assert list(looks.files) == files
    assert ["broken.png" in looks.unreadable[0], "nan.tif" in looks.unreadable[1]] == [True, True]
    assert len(looks.unreadable) == 3
    with pytest.raises(InputError, match="There are 7 readable images"):
        find_looks([*files[:7], tmp_path / "broken.png"])


def test_names_and_merging(folder):
    looks = find_looks(image_files(folder))
    named = looks.renamed(0, "fluorescence")
    assert named.names[0] == "fluorescence"
    merged = named.merged(1, into=0)
    assert merged.names == ("fluorescence", *looks.names[2:])
    assert np.bincount(merged.numbers).tolist() == [20, *np.bincount(looks.numbers)[2:]]
    assert merged.silhouette < looks.silhouette
    assert named.merged(0, into=3).names == looks.names[1:]
    for name in ("", "..", "a/b"):
        with pytest.raises(InputError, match="cannot be that of a folder"):
            looks.renamed(0, name)
    with pytest.raises(InputError, match="called 'dark-green-textured' already"):
        looks.renamed(0, "dark-green-textured")


@given(arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9))))
def test_features_are_those_of_the_pixels(image):
    values = image.ravel().astype(float)
    counts = np.unique(values, return_counts=True)[1] / values.size
    expected = [
        values.mean(),
        values.std(),
        1 - 1 / (1 + values.var() / 255**2),
        ((values - values.mean()) ** 3).mean() / 255**2,
        (counts**2).sum(),
        stats.entropy(counts, base=2),
    ]
    features = histogram_features(image)
    assert features == pytest.approx(np.tile(expected, 3), abs=1e-6)
    colour = np.stack([image, np.zeros_like(image), image], -1)
    assert histogram_features(colour)[:6] == pytest.approx(expected, abs=1e-6)
    assert histogram_features(colour)[6:12].tolist() == [0, 0, 0, 0, 1, 0]


@settings(max_examples=25)
@given(arrays(np.float64, (9, 2), elements=st.integers(-5, 5)), st.lists(st.integers(0, 2), min_size=9, max_size=9))
def test_silhouette_as_defined(points, groups):
    groups = np.array(groups)
    values = []
    for i in range(9):
        distances = np.linalg.norm(points - points[i], axis=1)
        own = (groups == groups[i]) & (np.arange(9) != i)
        others = [distances[groups == g].mean() for g in set(groups) - {groups[i]}]
        if not own.any() or not others or max(distances[own].mean(), min(others)) == 0:
            values.append(0.0)
        else:
            a, b = distances[own].mean(), min(others)
            values.append((b - a) / max(a, b))
    expected = np.mean(values) if len(set(groups)) > 1 else 0
    assert silhouette(points, groups) == pytest.approx(expected, abs=1e-9)


def test_kmeans_ends_where_no_point_is_nearer_to_another_centre():
    points = scaled(np.random.default_rng(0).normal(size=(60, 3)))
    numbers = kmeans(points, 4)
    centres = np.stack([points[numbers == n].mean(0) for n in range(4)])
    assert np.array_equal(np.linalg.norm(points[:, None] - centres, axis=2).argmin(1), numbers)
    costs = [((points - points.mean(0)) ** 2).sum()]
    for k in range(2, 6):
        numbers = kmeans(points, k)
        costs.append(sum(((points[numbers == n] - points[numbers == n].mean(0)) ** 2).sum() for n in range(k)))
    assert all(a > b for a, b in pairwise(costs))


def test_identical_images_cannot_be_divided():
    with pytest.raises(InputError, match="too many of them are alike"):
        kmeans(np.zeros((9, 18)), 3)
