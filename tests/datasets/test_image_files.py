import imageio.v3 as iio
import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from napari_synth.core.errors import InputError
from napari_synth.datasets.image_files import as_labels, read_image, read_labels
from napari_synth.datasets.mask_encoding import from_network, mask_plane, to_network, to_uint8_rgb


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.zeros((2, 3, 4), int), "3 dimensions"),
        (np.zeros((0, 4), int), "no pixels"),
        (np.array([[0.0, np.nan]]), "NaN"),
        (np.array([[0.0, np.inf]]), "NaN or infinity"),
        (np.array([[0.0, 0.5]]), "fractions"),
        (np.array([[-1, 2]]), "negative"),
        (np.array([[2**31]], np.int64), "over 2147483647"),
        (np.array([["a"]]), "dtype"),
    ],
)
def test_masks_that_cannot_be_labels(array, words):
    with pytest.raises(InputError, match=words) as caught:
        as_labels(array)
    assert caught.value.action.endswith(".")


@given(
    hnp.arrays(
        hnp.unsigned_integer_dtypes(sizes=(8, 16)) | hnp.boolean_dtypes(), hnp.array_shapes(min_dims=2, max_dims=2)
    )
)
def test_any_whole_number_mask_keeps_its_values(array):
    labels = as_labels(array)
    assert labels.dtype == np.int32
    assert (labels == array).all()
    assert (as_labels(array.astype(float)) == labels).all()


@pytest.mark.parametrize("suffix", [".png", ".tif", ".jpg"])
@pytest.mark.parametrize("shape", [(20, 30), (20, 30, 3)])
def test_images_of_every_kind(tmp_path, suffix, shape):
    image = np.random.default_rng(0).integers(0, 255, shape).astype(np.uint8)
    iio.imwrite(tmp_path / f"a{suffix}", image)
    back = read_image(tmp_path / f"a{suffix}")
    assert back.shape == shape
    if suffix != ".jpg":
        assert (back == image).all()


def test_alpha_is_dropped(tmp_path):
    rgba = np.random.default_rng(0).integers(0, 255, (5, 6, 4)).astype(np.uint8)
    iio.imwrite(tmp_path / "a.png", rgba)
    assert (read_image(tmp_path / "a.png") == rgba[..., :3]).all()


def test_unreadable_images(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        read_image(tmp_path / "none.png")
    (tmp_path / "a.txt").write_text("x")
    with pytest.raises(InputError, match="not an image file"):
        read_image(tmp_path / "a.txt")
    for name in ("a.png", "a.tif", "a.jpg"):
        (tmp_path / name).write_bytes(b"not really")
        with pytest.raises(InputError, match="cannot be read as an image"):
            read_image(tmp_path / name)
    tifffile.imwrite(tmp_path / "stack.tif", np.zeros((5, 8, 9), np.uint8))
    with pytest.raises(InputError, match="not a 2-D"):
        read_image(tmp_path / "stack.tif")


def test_masks_saved_as_grey_rgb_are_read_and_colours_refused(tmp_path):
    labels = np.arange(12, dtype=np.uint8).reshape(3, 4)
    iio.imwrite(tmp_path / "grey.png", np.repeat(labels[..., None], 3, -1))
    assert (read_labels(tmp_path / "grey.png") == labels).all()
    iio.imwrite(tmp_path / "colour.png", np.stack([labels, labels, labels + 1], -1))
    with pytest.raises(InputError, match="colour image"):
        read_labels(tmp_path / "colour.png")


def test_touching_instances_are_parted_by_one_pixel():
    labels = np.zeros((6, 8), int)
    labels[1:5, 1:4], labels[1:5, 4:7] = 1, 2
    plane = mask_plane(labels, "foreground-gap")
    assert plane[2].tolist() == [0, 1, 1, 0, 1, 1, 1, 0]
    assert mask_plane(labels, "foreground")[2].tolist() == [0, 1, 1, 1, 1, 1, 1, 0]
    assert (mask_plane(labels > 0, "foreground-gap") == (labels > 0)).all()


@given(hnp.arrays(np.int32, (9, 9), elements=st.integers(0, 3)))
def test_after_the_gap_no_two_instances_touch(labels):
    plane = mask_plane(labels) > 0
    kept = np.where(plane, labels, 0)
    for dy, dx in ((0, 1), (1, 0), (1, 1), (1, -1)):
        a = kept[: 9 - dy, max(0, -dx) : 9 - max(0, dx)]
        b = kept[dy:, max(0, dx) : 9 + min(0, dx)]
        assert not ((a > 0) & (b > 0) & (a != b)).any()
    assert not (plane & (labels == 0)).any()


def test_rgb_bytes_are_kept_and_everything_else_is_stretched():
    rgb = np.random.default_rng(0).integers(0, 255, (8, 9, 3)).astype(np.uint8)
    assert to_uint8_rgb(rgb) is rgb
    dim = np.linspace(100, 200, 72, dtype=np.uint16).reshape(8, 9)
    for image in (dim, dim.astype(np.float32) / 1e4, np.where(dim == 100, np.nan, dim.astype(float))):
        scaled = to_uint8_rgb(image)
        assert scaled.shape == (8, 9, 3)
        assert scaled.dtype == np.uint8
        assert scaled.max() == 255
    assert to_uint8_rgb(np.full((4, 4), 7, np.uint8)).max() == 0


def test_network_values_and_back():
    image = np.arange(256, dtype=np.uint8).reshape(16, 16)
    values = to_network(image)
    assert (values.min(), values.max()) == (-1, 1)
    assert (from_network(values) == image).all()
    assert from_network(np.array([-2.0, 2.0])).tolist() == [0, 255]
