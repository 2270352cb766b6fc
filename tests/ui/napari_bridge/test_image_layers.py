from __future__ import annotations

import numpy as np

from napari_synth.ui.napari_bridge.image_layers import over_anatomy


def test_the_tissue_of_a_signal_is_dark_and_its_objects_are_not():
    signal = np.full((100, 100), 300.0)
    signal[40:55, 40:55] = 900
    low, high = over_anatomy(signal, (0, 2000))["contrast_limits"]
    assert low >= 300
    assert high == 900
    crowded = np.full((100, 100), 900.0)
    crowded[:20] = 300
    low, high = over_anatomy(crowded, (0, 2000))["contrast_limits"]
    assert low <= 450, "many objects do not hide themselves"
