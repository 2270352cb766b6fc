import numpy as np
import pytest
from skimage.measure import label

from napari_synth.core.errors import InputError
from napari_synth.core.recipe import RecombineSettings, mask_hash
from napari_synth.masks.recombine import LabelMaps, find_maps, read_maps, recombine, recombined_masks
from tests.helpers import nuclei


def square(side=10, size=40):
    canvas = np.zeros((size, size), np.int32)
    canvas[5 : 5 + side, 8 : 8 + 2 * side] = 1
    return canvas


def still(**changes):
    plain = {"merge": 0, "flip": False, "rotate": 0, "scale_low": 1, "scale_high": 1, "height": 64, "width": 96}
    return RecombineSettings(**(plain | changes))


def test_an_unchanged_map_is_moved_only():
    out = recombine([square()], still(), 1)
    assert out.shape == (64, 96)
    rows, columns = (np.flatnonzero(out.any(axis)) for axis in (1, 0))
    assert (len(rows), len(columns)) == (10, 20)
    assert (out > 0).sum() == 200
    places = {tuple(np.argwhere(recombine([square()], still(), seed))[0]) for seed in range(8)}
    assert len(places) > 5


def test_the_same_seed_gives_the_same_map():
    maps = [nuclei((80, 80), seed=seed) for seed in range(3)]
    settings = RecombineSettings(height=100, width=90)
    np.testing.assert_array_equal(recombine(maps, settings, 5), recombine(maps, settings, 5))
    assert not np.array_equal(recombine(maps, settings, 5), recombine(maps, settings, 6))


def test_objects_are_scaled_and_turned():
    big = recombine([square()], still(scale_low=2, scale_high=2), 1)
    assert (big > 0).sum() == pytest.approx(800, rel=0.03)
    turned = [recombine([square()], still(rotate=180), seed) for seed in range(6)]
    heights = [np.ptp(np.argwhere(out)[:, 0]) for out in turned]
    assert max(heights) > 14 > 9
    assert all((out > 0).sum() == pytest.approx(200, rel=0.1) for out in turned)


def test_flips_make_mirror_images():
    bent = square()
    bent[15:25, 8:12] = 1
    shapes = {(recombine([bent], still(flip=True), seed) > 0).sum(0).argmax() for seed in range(12)}
    assert len(shapes) > 1


def test_two_maps_are_merged_with_numbers_of_their_own():
    counts = {recombine([square(6)], still(merge=1, height=128, width=128), seed).max() for seed in range(10)}
    assert 2 in counts
    for seed in range(10):
        out = recombine([nuclei((80, 80))], still(merge=1), seed)
        assert sorted(np.unique(out)) == list(range(out.max() + 1))


def test_objects_of_binary_maps_are_numbered():
    binary = (nuclei((80, 80), count=5) > 0).astype(int)
    out = recombine([binary], still(height=80, width=80), 1)
    assert out.max() == label(binary).max() > 1


def test_files_and_folders_of_maps(tmp_path):
    stack = np.zeros((3, 30, 30), np.uint8)
    stack[1, 4:9, 4:9] = 1
    np.savez(tmp_path / "maps.npz", labels=stack, names=np.array(["a", "b", "c"]))
    assert len(read_maps(find_maps([tmp_path]))) == 1, "empty maps are left out"
    np.savez(tmp_path / "maps.npz", labels=np.zeros_like(stack))
    with pytest.raises(InputError, match="has an object"):
        read_maps(find_maps([tmp_path / "maps.npz"]))
    np.savez(tmp_path / "maps.npz", shapes=stack)
    with pytest.raises(InputError, match="no array 'labels'"):
        read_maps([tmp_path / "maps.npz"])
    np.savez(tmp_path / "maps.npz", labels=stack[0])
    with pytest.raises(InputError, match=r"\(N, Y, X\)"):
        read_maps([tmp_path / "maps.npz"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no label maps"):
        find_maps([tmp_path / "empty"])
    with pytest.raises(InputError, match="does not exist"):
        read_maps([tmp_path / "none.tif"])


def test_a_series_of_masks_comes_with_the_sources_that_make_them_again(tmp_path):
    np.savez(tmp_path / "maps.npz", labels=np.stack([nuclei((80, 80), seed=seed) for seed in range(3)]))
    settings = RecombineSettings(height=64, width=48)
    made = list(recombined_masks(LabelMaps.read([tmp_path]), settings, 3, seed=7))
    assert made[0][0].seed == 7
    assert len({source.seed for source, _ in made}) == 3
    for source, labels in made:
        assert labels.shape == (64, 48)
        assert source.maps == [str(tmp_path / "maps.npz")]
        assert source.sha256 == mask_hash(labels)
        np.testing.assert_array_equal(recombine(read_maps(source.maps), source.settings, source.seed), labels)
    longer = recombined_masks(LabelMaps.read([tmp_path]), settings, 5, seed=7)
    assert [source for source, _ in longer][:3] == [source for source, _ in made]
