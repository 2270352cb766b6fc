"""Large signals over a large anatomy."""

import subprocess
import sys

import numpy as np
import pytest

from napari_synth.core.boxes import full_box
from napari_synth.core.errors import Cancelled
from napari_synth.core.intensity import Intensity
from napari_synth.core.progress import CancelToken
from napari_synth.models.checkpoint import load_weights, read_card, save_model
from napari_synth.models.defaults import DEFAULT_TWO_CHANNEL
from napari_synth.synthesis.recipes import load_generator
from napari_synth.synthesis.request import RenderRequest, Steering
from napari_synth.ui.samples import brain_256
from tests.helpers import nuclei, set_whole_pixels, small_metgan

SIZE = (150, 210)
PEAK = """
import resource, sys
import numpy as np
from napari_synth.synthesis.request import RenderRequest
from napari_synth.synthesis.recipes import load_generator
model = load_generator(sys.argv[1], "cpu")
for height in (1536, 3072):
    labels = np.zeros((height, 1024), np.int32)
    labels[40:60, 40:60] = 1
    anatomy = np.random.default_rng(0).integers(50, 700, labels.shape).astype(np.uint16)
    made = model.run(RenderRequest(labels, condition=anatomy))
    assert made.tile == 512
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10)
"""


def tiled(monkeypatch, generator, request, **steering):
    with monkeypatch.context() as patch:
        set_whole_pixels(patch, generator.card.architecture, 0)
        return generator.run(request, Steering(**steering))


def anatomy(size=SIZE):
    return np.random.default_rng(0).integers(50, 700, size).astype(np.uint16)


@pytest.fixture
def small(tmp_path):
    return load_generator(small_metgan(tmp_path / "brain.safetensors"), "cpu")


@pytest.fixture(scope="module")
def field():
    """The two-channel sample, continued by reflection to a larger field."""
    (tissue, *_), _, (labels, *_) = brain_256()
    return RenderRequest(
        np.pad(labels, (0, 384), mode="symmetric"), condition=np.pad(tissue, (0, 384), mode="symmetric")
    )


def jumps(image, axis):
    """Mean step from each line of pixels to the next."""
    return np.abs(np.diff(image.astype(float), axis=axis)).mean(1 - axis)


def test_there_is_no_seam_and_hardly_a_difference(field, monkeypatch):
    model, tile = load_generator(DEFAULT_TWO_CHANNEL, "cpu"), 256
    one, made = model.run(field).image, tiled(monkeypatch, model, field, tile=tile)
    assert made.tile == tile
    assert (made.image.shape, made.image.dtype) == (one.shape, np.uint16)
    difference = np.abs(one.astype(float) - made.image)
    assert difference.mean() < 0.06 * one.std()
    step = tile * 3 // 4
    starts = {min(start, 640 - tile) for start in range(0, 640, step)}
    borders = sorted({edge - 1 for start in starts for edge in (start, start + tile) if 0 < edge < 640})
    side_by_side = np.zeros_like(one)
    for top in range(0, 640, tile):
        for left in range(0, 640, tile):
            part = np.s_[top : top + tile, left : left + tile]
            side_by_side[part] = model.render(field.mask[part], condition=field.condition[part]).image
    for axis in (0, 1):
        more = jumps(made.image, axis) / jumps(one, axis)
        assert more[borders].max() <= np.delete(more, borders).max(), "no line stands out where windows end"
        seams = (jumps(side_by_side, axis) / jumps(one, axis))[[tile - 1, 2 * tile - 1]]
        assert seams.min() > more[borders].max(), "as one does without blending"


def test_windows_repeat_and_take_label_and_anatomy_of_one_place(small, monkeypatch):
    labels, beside = nuclei(SIZE, 9), anatomy()
    one, two = (tiled(monkeypatch, small, RenderRequest(labels, condition=beside), tile=64).image for _ in range(2))
    np.testing.assert_array_equal(one, two)
    elsewhere = beside.copy()
    elsewhere[:32, :32] = 700
    other = tiled(monkeypatch, small, RenderRequest(labels, condition=elsewhere), tile=64).image
    assert (other[:32, :32] != one[:32, :32]).any()
    np.testing.assert_array_equal(other[64:], one[64:])
    np.testing.assert_array_equal(other[:, 64:], one[:, 64:])
    empty = tiled(monkeypatch, small, RenderRequest(np.zeros(SIZE, int), condition=beside), tile=64).image
    assert empty.shape == SIZE


def test_floats_are_not_rounded(small, monkeypatch):
    scales = small.card.intensities | {"signal": Intensity(dtype="float32", low=-1, high=1)}
    path = small.path.with_name("floats.safetensors")
    save_model(path, read_card(small.path).model_copy(update={"intensities": scales}), load_weights(small.path))
    floats = load_generator(path, "cpu")
    image = tiled(monkeypatch, floats, RenderRequest(nuclei(SIZE), condition=anatomy()), tile=64).image
    assert image.dtype == np.float32
    assert len(np.unique(image)) > 1000


def test_cancel_keeps_the_rows_that_are_done(small, monkeypatch):
    request = RenderRequest(nuclei(SIZE, 9), condition=anatomy())
    expected = tiled(monkeypatch, small, request, tile=64).image
    token, got, boxes, seen = CancelToken(), np.zeros_like(expected), [], []

    def on_tile(box, pixels):
        got[box.seen_from(full_box(*SIZE))] = pixels
        boxes.append(box)
        token.cancel()

    with pytest.raises(Cancelled):
        tiled(monkeypatch, small, request, tile=64, on_tile=on_tile, cancel=token, on_progress=seen.append)
    (box,) = boxes
    np.testing.assert_array_equal(got[: box.bottom], expected[: box.bottom])
    assert (got[box.bottom :] == 0).all()
    assert seen[0].done == 0 < seen[-1].done < seen[-1].total
    assert len({progress.total for progress in seen}) == 1


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="peaks are measured in another unit")
def test_memory_does_not_grow_with_the_canvas(small):
    done = subprocess.run(
        [sys.executable, "-c", PEAK, str(small.path)], capture_output=True, text=True, check=True, timeout=300
    )
    low, high = (float(line) for line in done.stdout.split())
    more = 1536 * 1024
    in_and_out = more * (4 + 2 + 2) / 2**20
    copies = more * (4 + 2 + 2) / 2**20  # padded mask and anatomy, and the image before it is cropped
    assert high - low < in_and_out + copies + 20
    assert more * 80 / 2**20 > 2 * (in_and_out + copies + 20), "the activations of the anatomy alone would be more"
