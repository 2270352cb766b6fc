from __future__ import annotations

import gc
import sys
import types
import weakref

import numpy as np
import pytest

from napari_synth.ui.jobs.pauses import MANY, short_looks


@pytest.fixture
def load():
    """Loads as many modules as a large library has."""
    names = [f"stand_in_{number}" for number in range(MANY)]

    def load_them():
        sys.modules.update({name: types.ModuleType(name) for name in names})

    yield load_them
    for name in names:
        sys.modules.pop(name, None)
    gc.unfreeze()


def test_what_was_loaded_is_not_looked_through(load):
    gc.unfreeze()
    with short_looks():
        load()
        brought = [[] for _ in range(1000)]
    assert gc.get_freeze_count() > len(brought)


def test_a_job_that_loads_nothing_changes_nothing(monkeypatch):
    gc.unfreeze()
    monkeypatch.setitem(sys.modules, "torch", sys.modules.get("torch", types.ModuleType("torch")))
    with short_looks():
        pass
    assert gc.get_freeze_count() == 0


def test_what_was_let_go_is_given_back_once_a_layer_is_removed(session, viewer, load):
    layer = viewer.add_labels(np.zeros((64, 64), np.uint16))
    large = types.ModuleType("large")
    large.itself = large
    with short_looks():
        load()
    gone = weakref.ref(large)
    del large
    viewer.layers.remove(layer)
    gc.collect()
    assert gone() is None
