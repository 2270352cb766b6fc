"""Store what StarDist says of the label pairs of the tests: ``python docs/scripts/measure_metrics.py``, with StarDist.

Rows are pairs; columns are accuracy at IoU 0.5, 0.75 and 0.9, F1, panoptic quality and mean matched IoU at 0.5.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from stardist.matching import matching

from tests.evaluation.metrics.random_labels import COUNT, label_pair

rows = []
for number in range(COUNT):
    true, predicted = label_pair(number)
    half, three_quarters, high = (matching(true, predicted, thresh=threshold) for threshold in (0.5, 0.75, 0.9))
    rows.append(
        (
            *(found.accuracy for found in (half, three_quarters, high)),
            half.f1,
            half.panoptic_quality,
            half.mean_matched_score,
        )
    )
np.savetxt(Path("tests/evaluation/metrics/stardist.csv"), rows, fmt="%.9g", delimiter=",")
