"""Edits of a mask, told in boxes."""

from __future__ import annotations

import numpy as np
import pytest

from napari_synth.core.boxes import full_box
from napari_synth.ui.napari_bridge.label_edits import Edits
from tests.ui.conftest import painted


class Mirror:
    """What an `Edits` tells, put together."""

    def __init__(self):
        self.edits = Edits()
        self.labels = None
        self.boxes = []
        self.ends = 0
        self.edits.replaced.connect(self._replace)
        self.edits.edited.connect(self._put)
        self.edits.settled.connect(self._end)

    def _replace(self, labels):
        self.labels = labels.copy()

    def _put(self, box, labels):
        self.boxes.append(box)
        self.labels[box.seen_from(full_box(*self.labels.shape))] = labels

    def _end(self):
        self.ends += 1


EDITS = {
    "brush": lambda layer: layer.paint((20, 30), 3),
    "erase": lambda layer: layer.paint((20, 20), 0),
    "brush without a refresh": lambda layer: layer.paint((20, 30), 3, refresh=False),
    "fill": lambda layer: layer.fill((15, 15), 7),
    "polygon": lambda layer: layer.paint_polygon([[40, 5], [55, 5], [50, 20]], 4),
    "indices": lambda layer: layer.data_setitem((np.array([1, 60]), np.array([2, 40])), 5),
    "undo": lambda layer: layer.undo(),
    "redo": lambda layer: layer.redo(),
    "array written to": lambda layer: (layer.data.__setitem__((slice(0, 5), slice(0, 5)), 9), layer.refresh()),
    "new array": lambda layer: setattr(layer, "data", np.full(layer.data.shape, 2, layer.data.dtype)),
    "another size": lambda layer: setattr(layer, "data", painted((40, 41))),
}


@pytest.fixture
def layer(viewer):
    layer = viewer.add_labels(painted(), name="mask")
    layer.brush_size = 6
    return layer


@pytest.mark.parametrize("name", EDITS)
def test_every_kind_of_edit_is_told(layer, qtbot, name):
    mirror = Mirror()
    assert mirror.edits.watch(layer)
    qtbot.waitUntil(lambda: mirror.ends == 1)
    layer.paint((50, 30), 8)
    layer.paint((50, 10), 8)
    if name == "redo":
        layer.undo()
    qtbot.waitUntil(lambda: mirror.ends >= 2)
    mirror.boxes.clear()
    before, ends = layer.data.copy(), mirror.ends
    EDITS[name](layer)
    qtbot.waitUntil(lambda: mirror.ends > ends)
    np.testing.assert_array_equal(mirror.labels, layer.data)
    assert layer.data.shape != before.shape or (layer.data != before).any()
    if name in ("brush", "erase", "undo", "redo", "brush without a refresh"):
        assert all(box.area <= 10**2 for box in mirror.boxes), "only the box of the edit"


def test_a_long_mixture_of_edits_is_told_without_a_gap(layer, qtbot):
    mirror, random = Mirror(), np.random.default_rng(0)
    mirror.edits.watch(layer)
    for _ in range(300):
        kind = random.integers(6)
        if kind < 3:
            layer.paint(tuple(random.integers(0, (64, 48))), int(random.integers(0, 4)))
        elif kind == 3:
            with layer.block_history():
                for _ in range(3):
                    layer.paint(tuple(random.integers(0, (64, 48))), int(random.integers(0, 4)))
        else:
            (layer.undo, layer.redo)[kind - 4]()
    qtbot.waitUntil(lambda: mirror.ends > 0)
    np.testing.assert_array_equal(mirror.labels, layer.data)


def test_a_layer_that_is_left_is_not_told(layer, qtbot):
    mirror = Mirror()
    mirror.edits.watch(layer)
    mirror.edits.watch(None)
    layer.paint((50, 30), 8)
    assert mirror.boxes == []
    assert not mirror.edits.watch(type(layer)(np.zeros((2, 9, 9), int)))
