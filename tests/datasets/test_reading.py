from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image
from scipy import ndimage

from napari_synth.core.errors import InputError
from napari_synth.datasets.image_files import count_planes, open_image, open_mask, read_labels
from napari_synth.datasets.mask_encoding import to_uint8_rgb
from tests.datasets.kinds_of_files import KINDS, _zarr, binary, grey, labels, rgb


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: f"{kind.group}: {kind.name}")
def test_kinds_of_files_mean_what_they_show(tmp_path, kind):
    path = tmp_path / f"a{kind.suffix}"
    kind.write(path)
    reading = open_mask(path) if kind.is_mask else open_image(path)
    wanted, found = kind.meaning(), reading.pixels
    if kind.meaning is binary:
        found = found > 0
    if found.dtype == np.uint16 and kind.name == "PNG of 16 bits" and not kind.is_mask:
        found = found // 257
    assert found.shape == wanted.shape
    assert np.abs(found.astype(float) - wanted).mean() <= kind.tolerance
    said = " ".join(reading.remarks)
    assert kind.remark in said
    assert bool(kind.remark) == bool(said)


def _resized(how):
    big = Image.fromarray(np.kron(255 * binary(), np.ones((4, 4), np.uint8)))
    return np.asarray(big.resize((80, 96), how))


def _big():
    return np.roll(np.kron(binary(), np.ones((4, 4), np.uint8)), (3, 2), (0, 1))


SCATTERED = {
    **{f"JPEG {quality}": (255 * _big(), {"quality": quality}, _big()) for quality in (50, 75, 90, 95)},
    "bilinear": (_resized(Image.Resampling.BILINEAR), None, np.kron(binary(), np.ones((2, 2), np.uint8))),
    "Lanczos": (_resized(Image.Resampling.LANCZOS), None, np.kron(binary(), np.ones((2, 2), np.uint8))),
    "bicubic": (_resized(Image.Resampling.BICUBIC), None, np.kron(binary(), np.ones((2, 2), np.uint8))),
    "smoothed": (
        (255 * ndimage.gaussian_filter(_big().astype(float), 0.8)).round().astype(np.uint8), None, _big(),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SCATTERED)
def test_a_mask_of_two_levels_with_noise_is_thresholded_with_a_remark(tmp_path, name):
    array, jpeg, wanted = SCATTERED[name]
    path = tmp_path / ("m.png" if jpeg is None else "m.jpg")
    Image.fromarray(array).save(path, **(jpeg or {}))
    assert len(np.unique(np.asarray(Image.open(path)))) > 3
    reading = open_mask(path)
    assert np.mean((reading.pixels > 0) != wanted) < 0.02
    assert any("thresholded" in remark and "m." in remark for remark in reading.remarks)


def _many():
    """12 nuclei with numbers far apart."""
    mask = np.zeros((160, 160), np.uint8)
    y, x = np.mgrid[:160, :160]
    for number, (cy, cx) in enumerate([(r, c) for r in (25, 65, 105, 140) for c in (25, 80, 135)], 1):
        mask[(y - cy) ** 2 + (x - cx) ** 2 < 15**2] = 20 * number
    return mask


@pytest.mark.parametrize("how", ["jpeg", "jpeg 50", "bilinear", "bicubic", "smoothed"])
def test_numbers_with_noise_are_refused_and_repaired_on_request(tmp_path, how):
    mask = _many()
    path = tmp_path / ("m.jpg" if "jpeg" in how else "m.png")
    image, given = Image.fromarray(mask), {"quality": 50 if "50" in how else 85} if "jpeg" in how else {}
    if how in ("bilinear", "bicubic"):
        image = Image.fromarray(np.kron(mask, np.ones((3, 3), np.uint8))).resize(
            (160, 160), Image.Resampling[how.upper()]
        )
    if how == "smoothed":
        image = Image.fromarray(ndimage.gaussian_filter(mask, 1))
    image.save(path, **given)
    with pytest.raises(InputError, match="scattered along edges") as caught:
        read_labels(path)
    assert "m." in caught.value.problem
    assert "--repair" in caught.value.action
    repaired = open_mask(path, repair=True)
    assert np.mean((repaired.pixels > 0) == (mask > 0)) > 0.97
    assert repaired.remarks


@pytest.mark.parametrize("case", ["spots", "classes", "holes", "stray pixels", "binary", "many", "crossing lines"])
def test_real_labels_are_no_noise(tmp_path, case):
    rng = np.random.default_rng(0)
    mask = np.zeros((128, 128), np.uint16)
    if case == "spots":  # single pixels, each a label of its own
        mask[::6, ::6] = np.arange(1, 22**2 + 1).reshape(22, 22)
    elif case == "classes":
        y, x = np.mgrid[:128, :128]
        mask = (((y % 16) < 9) & ((x % 16) < 9)).astype(np.uint16) * (1 + (y // 16 + x // 16) % 3)
    elif case == "holes":
        mask[20:100, 20:60], mask[20:100, 60:100], mask[100:110, 5:10] = 1, 2, 3
        mask[rng.random(mask.shape) < 0.02] = 0
    elif case == "stray pixels":
        mask = np.kron(labels(), np.ones((2, 2), np.uint8)).astype(np.uint16)
        mask[3, ::7] = 2
    elif case == "binary":
        mask = (rng.random(mask.shape) < 0.3).astype(np.uint16)
    elif case == "many":
        mask = np.kron(np.arange(1, 257).reshape(16, 16), np.pad(np.ones((7, 7), int), (0, 1))).astype(np.uint16)
    else:
        for number in range(1, 9):
            mask[number * 12 :: 40], mask[:, number * 13 :: 50] = number, number + 8
    tifffile.imwrite(tmp_path / "m.tif", mask)
    assert (read_labels(tmp_path / "m.tif") == mask).all()


STACKS = {
    "(T, Y, X) TIFF": (".tif", lambda p, s: tifffile.imwrite(p, s)),
    "ImageJ stack": (".tif", lambda p, s: tifffile.imwrite(p, s, imagej=True, metadata={"axes": "ZYX"})),
    "OME (T, Y, X)": (".ome.tif", lambda p, s: tifffile.imwrite(p, s, ome=True, metadata={"axes": "TYX"})),
    "NPY": (".npy", np.save),
    "NPZ": (".npz", lambda p, s: np.savez(p, labels=s)),
    "pages": (".tif", lambda p, s: [tifffile.imwrite(p, plane, append=True, metadata=None) for plane in s]),
    "OME-Zarr": (".zarr", lambda p, s: _zarr(s, "zyx", "0.4")(p)),
}


@pytest.mark.parametrize("name", STACKS)
def test_stacks_offer_their_planes(tmp_path, name):
    suffix, write = STACKS[name]
    planes = np.stack([labels() * number for number in (1, 2, 3, 4, 5)])
    path = tmp_path / f"s{suffix}"
    write(path, planes)
    assert count_planes(path) == 5
    for number in (0, 3):
        assert (open_mask(path, plane=number).pixels == planes[number]).all()
        assert (open_image(path, plane=number).pixels == planes[number]).all()
    with pytest.raises(InputError, match="stack of 5 planes") as caught:
        open_mask(path)
    assert "--plane" in caught.value.action
    with pytest.raises(InputError, match="no plane 5"):
        open_mask(path, plane=5)


DAMAGE = {
    "empty": lambda data: b"",
    "cut in half": lambda data: data[: len(data) // 2],
    "cut in the head": lambda data: data[:20],
    "text": lambda data: b"<html>404</html>" * 9,
    "other magic": lambda data: b"\0" * 16 + data[16:],
}


@pytest.mark.parametrize("how", DAMAGE)
@pytest.mark.parametrize("suffix", [".png", ".tif", ".jpg", ".bmp", ".npy", ".npz"])
def test_damaged_files_are_named_in_plain_words(tmp_path, suffix, how):
    path = tmp_path / f"image{suffix}"
    if suffix == ".npy":
        np.save(path, rgb())
    elif suffix == ".npz":
        np.savez(path, a=rgb())
    elif suffix == ".tif":
        tifffile.imwrite(path, rgb(), photometric="rgb", compression="zlib")
    else:
        Image.fromarray(rgb()).save(path)
    path.write_bytes(DAMAGE[how](path.read_bytes()))
    with pytest.raises(InputError, match="image") as caught:
        open_image(path)
    said = str(caught.value).lower()
    assert path.name in said
    assert not any(word in said for word in ("pip", "imageio", "plugin", "codec", "traceback", "tifffile", "pillow"))


def huge_array(path):
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "<f8", "fortran_order": False, "shape": (2**20, 2**20)})


HUGE = {
    "png": lambda p: p.write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\1\0\0\0\1\0\0\x08\2\0\0\0" + b"\0" * 40),
    "npy": huge_array,
}


@pytest.mark.parametrize("kind", HUGE)
def test_a_header_that_asks_for_all_memory_is_refused(tmp_path, kind):
    path = tmp_path / f"huge.{kind}"
    HUGE[kind](path)
    with pytest.raises(InputError, match="huge"):
        open_image(path)


def _zarr_of(path, shape, chunks):
    import zarr

    group = zarr.open_group(str(path), mode="w")
    group.create_array("0", shape=shape, chunks=chunks, dtype="u1")
    group.attrs["ome"] = {"version": "0.5", "multiscales": [{"axes": [], "datasets": [{"path": "0"}]}]}


BOMBS = {
    "npz": lambda p: np.savez_compressed(p, labels=np.broadcast_to(np.uint8(0), (2**15, 2**15 + 1))),
    "zarr": lambda p: _zarr_of(p, (2**16, 2**16), (64, 64)),
    "one.zarr": lambda p: _zarr_of(p, (64, 64), (2**16, 2**16)),
}


@pytest.mark.parametrize("kind", [pytest.param("npz", marks=pytest.mark.slow), "zarr", "one.zarr"])
def test_small_files_that_unpack_to_gigabytes_are_refused(tmp_path, kind):
    path = tmp_path / f"a.{kind}"
    BOMBS[kind](path)
    with pytest.raises(InputError, match="too large"):
        open_mask(path)


def test_pickles_are_never_run(tmp_path):
    np.save(tmp_path / "o.npy", np.array([{"a": 1}], object), allow_pickle=True)
    np.savez(tmp_path / "o.npz", labels=np.array([[None]], object))
    for name in ("o.npy", "o.npz"):
        with pytest.raises(InputError, match=name):
            open_mask(tmp_path / name)


PIXEL_SIZES = {
    "ImageJ": lambda p: tifffile.imwrite(p, grey(), imagej=True, resolution=(4, 2), metadata={"unit": "um"}),
    "ImageJ micron": lambda p: tifffile.imwrite(p, grey(), imagej=True, resolution=(4, 2), metadata={"unit": "micron"}),
    "OME": lambda p: tifffile.imwrite(
        p, grey(), ome=True, metadata={"axes": "YX", "PhysicalSizeX": 0.25, "PhysicalSizeY": 0.5}
    ),
    "OME nm": lambda p: tifffile.imwrite(
        p, grey(), ome=True, metadata={"axes": "YX", "PhysicalSizeX": 250, "PhysicalSizeXUnit": "nm",
                                       "PhysicalSizeY": 500, "PhysicalSizeYUnit": "nm"},
    ),
    "centimetre": lambda p: tifffile.imwrite(p, grey(), resolution=(40000, 20000), resolutionunit="CENTIMETER"),
}  # fmt: skip


@pytest.mark.parametrize("kind", PIXEL_SIZES)
def test_pixel_size(tmp_path, kind):
    PIXEL_SIZES[kind](tmp_path / "a.tif")
    size = open_image(tmp_path / "a.tif").pixel_size
    assert (round(size.y, 6), round(size.x, 6), size.unit) == (0.5, 0.25, "µm")


def test_pixel_size_of_printers_and_of_zarr(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", grey(), resolution=(72, 72), resolutionunit="INCH")
    assert open_image(tmp_path / "a.tif").pixel_size.unit == "pixel"
    _zarr(grey(), "yx", "0.4", scale=[0.5, 0.25])(tmp_path / "a.zarr")
    assert open_image(tmp_path / "a.zarr").pixel_size.y == 0.5


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_pixels_that_are_no_numbers_have_no_part_in_the_percentiles(tmp_path, bad, dtype):
    image = np.linspace(0, 1, 48 * 40).reshape(48, 40).astype(dtype)
    holed = image.copy()
    holed[:20, :20] = bad  # a fifth of them
    tifffile.imwrite(tmp_path / "f.tif", holed)
    reading = open_image(tmp_path / "f.tif")
    assert "400 pixels" in reading.remarks[0]
    shown = to_uint8_rgb(reading.pixels)
    assert shown.dtype == np.uint8
    outside = np.isfinite(holed)
    low, high = np.percentile(holed[outside], (0.1, 99.9))
    wanted = 255 * ((image - low) / (high - low)).clip(0, 1)
    assert np.abs(shown[outside][:, 0] - wanted[outside]).max() <= 1
    assert (shown[~outside] == (255 if bad == np.inf else 0)).all()


def test_an_image_without_a_finite_pixel_is_refused(tmp_path):
    tifffile.imwrite(tmp_path / "f.tif", np.full((9, 9), np.nan, np.float32))
    with pytest.raises(InputError, match="no finite pixel"):
        open_image(tmp_path / "f.tif")


@pytest.mark.parametrize(
    ("numbers", "words", "cured"),
    [
        (np.array([[0, 0.5, 1.0]] * 9, np.float32), "fractions", False),
        (np.array([[0, -1, 2]] * 9, np.int32), "negative", True),
        (np.array([[0, np.nan, 2]] * 9, np.float32), "NaN", True),
        (np.array([[0, 2**31, 2]] * 9, np.uint32), "over 2147483647", False),
        (np.array([[0, 2**40, 2]] * 9, np.int64), "over 2147483647", False),
        (np.array([[0, 1e12, 2]] * 9, np.float64), "over 2147483647", False),
    ],
)
def test_numbers_that_are_no_labels_name_the_file(tmp_path, numbers, words, cured):
    np.save(tmp_path / "m.npy", numbers)
    with pytest.raises(InputError, match=words) as caught:
        read_labels(tmp_path / "m.npy")
    assert "m.npy" in caught.value.problem
    if cured:
        assert open_mask(tmp_path / "m.npy", repair=True).pixels.max() == 2


def test_colour_masks_become_labels_on_request(tmp_path):
    colours = np.array([(0, 0, 0), (255, 0, 0), (0, 255, 0), (0, 0, 255)], np.uint8)[labels()]
    Image.fromarray(colours).save(tmp_path / "c.png")
    with pytest.raises(InputError, match="colour image") as caught:
        read_labels(tmp_path / "c.png")
    assert "--repair" in caught.value.action
    repaired = open_mask(tmp_path / "c.png", repair=True).pixels
    pairs = {(int(a), int(b)) for a, b in zip(labels().ravel(), repaired.ravel(), strict=True)}
    assert len(pairs) == 4
    assert (0, 0) in pairs


def test_a_folder_is_no_file(tmp_path):
    (tmp_path / "a.png").mkdir()
    with pytest.raises(InputError, match="is a folder"):
        open_image(Path(tmp_path / "a.png"))
