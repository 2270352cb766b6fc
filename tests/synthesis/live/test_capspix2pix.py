import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import binary_dilation

from napari_synth.core.boxes import Box, full_box
from napari_synth.core.errors import Cancelled
from napari_synth.core.progress import CancelToken
from napari_synth.nets.probe import Edit, Probe
from napari_synth.synthesis.live.capspix2pix import NEAR, PartialUpdate
from napari_synth.synthesis.recipes import load_generator
from napari_synth.synthesis.request import RenderRequest
from tests.helpers import nuclei, small_capsules

LATENTS = np.random.default_rng(0).normal(size=(3, 100)).astype(np.float32)


@pytest.fixture(scope="module")
def generator(tmp_path_factory):
    return load_generator(small_capsules(tmp_path_factory.mktemp("model") / "c.safetensors"), "cpu")


@pytest.fixture(scope="module")
def model(generator):
    return generator.network_for("exact")


def full(model, labels, z, edits=None):
    """The whole network at once, float32."""
    padded = np.pad(labels, [(0, -side % 8) for side in labels.shape], mode="symmetric")
    mask = torch.from_numpy((padded > 0).astype(np.float32))[None, None]
    with torch.inference_mode():
        image = model.network(mask, torch.from_numpy(z)[None], probe=Probe(edits=edits or {}))
    return image[0, 0, : labels.shape[0], : labels.shape[1]].numpy()


def changes(shape):
    height, width = shape
    boxes = st.tuples(
        st.integers(-3, height), st.integers(-3, width), st.integers(1, 12), st.integers(1, 12), st.integers(0, 2)
    )
    strokes = st.lists(boxes, min_size=1, max_size=3).map(lambda found: ("paint", found))
    near = st.lists(boxes, min_size=1, max_size=2).map(lambda found: ("near", found))
    latents = st.integers(0, 2).map(lambda number: ("z", number))
    edits = st.sampled_from(
        [{}, {"convcaps9": [Edit(1, scale=0)]}, {"conv1": [Edit(0, 3, value=0.5)], "convcaps10": [Edit(0, 5, scale=2)]}]
    ).map(lambda found: ("edit", found))
    return st.lists(st.one_of(strokes, near, near, latents, edits), min_size=1, max_size=6)


@pytest.mark.slow
@settings(max_examples=15, deadline=None)
@given(shape=st.sampled_from([(40, 33), (64, 50), (5, 90), (3, 3)]), data=st.data())
def test_any_sequence_of_changes_equals_a_full_render(model, shape, data):
    labels = np.random.default_rng(1).integers(0, 3, shape) * (np.indices(shape).sum(0) % 20 < 9)
    z, edits = LATENTS[0], {}
    partial = PartialUpdate(model, labels, z)
    shown = np.zeros(shape, np.float32)
    for kind, what in [("paint", []), *data.draw(changes(shape)), ("paint", [])]:
        boxes, before = [], labels > 0
        if kind in ("paint", "near"):
            for top, left, height, width, label in what:
                box = Box(top, left, top + height, left + width).within(full_box(*shape))
                if box.area:
                    labels[box.seen_from(full_box(*shape))] = label
                    boxes.append(box)
        elif kind == "z":
            z = LATENTS[what]
        else:
            edits = what
        for box in partial.update(labels, z, edits, boxes, near=4 if kind == "near" else None):
            shown[box.seen_from(full_box(*shape))] = partial.image(box)
        exact = np.full(shape, kind != "near" or not (before != (labels > 0)).any())
        if not exact.all():
            exact |= binary_dilation(before != (labels > 0), np.ones((9, 9)))
        np.testing.assert_allclose(shown[exact], full(model, labels, z, edits)[exact], atol=1e-5, rtol=0)
        assert partial.complete or kind == "near"


def test_only_what_a_change_reaches_is_computed(model):
    labels = nuclei((256, 256), 5)
    partial = PartialUpdate(model, labels, LATENTS[0])
    assert partial.update(labels, LATENTS[0]) == [full_box(256, 256)]
    everything = partial.computed
    labels[120:136, 120:136] = 9
    (changed,) = partial.update(labels, LATENTS[0], boxes=[Box(120, 120, 136, 136)])
    assert changed.area <= 142**2
    assert partial.computed < 0.35 * everything
    assert partial.update(labels, LATENTS[0], boxes=[Box(0, 0, 256, 256)]) == []
    labels[120:136, 120:136] = 3
    assert partial.update(labels, LATENTS[0]) == [], "another number is no other mask"
    assert partial.computed == 0
    assert partial.update(labels, LATENTS[0], {"deconvcaps3": [Edit(0, scale=0)]}) == [full_box(256, 256)]
    assert partial.computed == 2 * 256**2, "the layers before an intervention are kept"
    assert partial.update(labels, LATENTS[1], {"deconvcaps3": [Edit(0, scale=0)]}) == [full_box(256, 256)]
    assert partial.computed == everything


def test_what_is_near_the_brush_comes_first(model):
    labels = nuclei((256, 256), 5)
    partial = PartialUpdate(model, labels, LATENTS[0])
    partial.update(labels, LATENTS[0])
    everything, before = partial.computed, partial.image(full_box(256, 256)).copy()
    labels[120:136, 120:136] = 9
    (near,) = partial.update(labels, LATENTS[0], boxes=[Box(120, 120, 136, 136)], near=NEAR)
    assert near == Box(96, 96, 160, 160)
    assert partial.computed < 0.12 * everything
    assert not partial.complete
    after, exact = partial.image(full_box(256, 256)).copy(), full(model, labels, LATENTS[0])
    np.testing.assert_allclose(after[96:160, 96:160], exact[96:160, 96:160], atol=1e-5, rtol=0)
    after[96:160, 96:160] = before[96:160, 96:160]
    np.testing.assert_array_equal(after, before)
    rest = partial.update(labels, LATENTS[0], boxes=[])
    assert partial.complete
    assert sum(box.area for box in rest) <= 142**2
    np.testing.assert_allclose(partial.image(full_box(256, 256)), exact, atol=1e-5, rtol=0)


def test_strokes_far_apart_stay_apart(model):
    labels = nuclei((64, 512), 5)
    partial = PartialUpdate(model, labels, LATENTS[0])
    partial.update(labels, LATENTS[0])
    whole_image = partial.computed
    labels[30, 5] = labels[30, 500] = 7
    boxes = partial.update(labels, LATENTS[0], boxes=[Box(30, 5, 31, 6), Box(30, 500, 31, 501)])
    assert len(boxes) == 2
    assert partial.computed < 0.5 * whole_image


def test_what_a_cancelled_update_left_is_done_by_the_next(model):
    class After(CancelToken):
        def __init__(self, strips):
            super().__init__()
            self.left = strips

        def raise_if_cancelled(self):
            self.left -= 1
            if self.left < 0:
                raise Cancelled

    labels = nuclei((64, 64), 2)
    partial = PartialUpdate(model, labels, LATENTS[0])
    for strips in (2, 5, 9):
        labels[strips : strips + 20, 10:20] = 4
        with pytest.raises(Cancelled):
            partial.update(labels, LATENTS[0], boxes=[Box(strips, 10, strips + 20, 20)], cancel=After(strips))
    partial.update(labels, LATENTS[0], boxes=[])
    np.testing.assert_allclose(partial.image(full_box(64, 64)), full(model, labels, LATENTS[0]), atol=1e-5, rtol=0)


def test_what_is_kept_is_counted_and_bounded(generator):
    follower = generator.follower(2**30)
    needed = follower.needed((64, 64))
    followed = follower.begin(RenderRequest(nuclei((64, 64)), seed=1))
    assert followed.follow(RenderRequest(nuclei((64, 64)), seed=1), [], True, CancelToken()) == (
        [full_box(64, 64)],
        "partial",
    )
    assert 0.9 * needed < followed.nbytes <= needed
    narrow = generator.follower(needed)
    assert narrow.fits((64, 64))
    assert narrow.fits((33, 40))
    assert not narrow.fits((64, 65))
    assert "65×64 pixels would keep" in narrow.too_large((64, 65))
