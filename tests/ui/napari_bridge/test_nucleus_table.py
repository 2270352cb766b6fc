"""Tables of nuclei that follow their mask."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pandas as pd
import pytest
from napari.layers import Labels

from napari_synth.ui.napari_bridge.nucleus_table import NucleusTables, nucleus_row, put_rows
from tests.ui.conftest import painted


def columns(*labels, z=0.5):
    count = len(labels)
    return {"index": np.array(labels), "area": np.full(count, 7), "z0": np.full(count, z)}


@pytest.fixture
def layer():
    return Labels(painted())


def test_rows_are_added_after_one_for_the_background(layer):
    put_rows(layer, columns(2))
    put_rows(layer, columns(1, z=-1.0))
    assert layer.features["index"].tolist() == [0, 1, 2]
    assert layer.features["area"].tolist() == [0, 7, 7]
    assert np.isnan(layer.features["z0"][0])
    put_rows(layer, columns(2, z=3.0))
    assert layer.features["z0"].tolist()[1:] == [-1.0, 3.0], "one row for each nucleus"


def test_a_row_is_told_where_there_is_one(layer):
    assert nucleus_row(layer, 1) is None, "no table"
    layer.features = pd.DataFrame({"index": [0, 1], "mine": [1.0, 2.0]})
    assert nucleus_row(layer, 1) is None, "the table of another program"
    layer.features = pd.DataFrame()
    put_rows(layer, columns(1))
    assert nucleus_row(layer, 1) == {"index": 1.0, "area": 7.0, "z0": 0.5}
    assert nucleus_row(layer, 2) is None
    assert nucleus_row(layer, 0) is None, "the background is no nucleus"


def test_the_table_goes_back_and_forth_with_the_labels(layer):
    tables = NucleusTables()

    def edit(label):
        tables.remember(layer)
        layer.data_setitem((np.array([5]), np.array([label])), np.array([label], layer.data.dtype))
        put_rows(layer, columns(label))
        tables.remember(layer)

    edit(3)
    edit(4)
    for expected in ([0, 3], []):
        layer.undo()
        assert layer.features.get("index", pd.Series(dtype=int)).tolist() == expected
    for expected in ([0, 3], [0, 3, 4]):
        layer.redo()
        assert layer.features["index"].tolist() == expected
    layer.undo()
    layer.paint((5, 20), 9)
    assert layer.features["index"].tolist() == [0, 3], "labels that were never remembered keep the table there is"


def test_a_layer_is_not_kept_alive():
    layer = Labels(painted())
    tables = NucleusTables()
    tables.remember(layer)
    gone = weakref.ref(layer)
    del layer
    gc.collect()
    assert gone() is None
