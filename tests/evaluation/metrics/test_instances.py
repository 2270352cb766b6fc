"""Metrics of objects against StarDist (stored by docs/scripts/measure_metrics.py), MONAI, scikit-learn, plain loops."""

from pathlib import Path

import numpy as np
import pytest
import torch
from monai.metrics.panoptic_quality import compute_panoptic_quality
from sklearn.metrics import average_precision_score, cohen_kappa_score, jaccard_score, roc_auc_score

from napari_synth.evaluation.metrics import METRICS
from napari_synth.evaluation.metrics.instances import Overlap, pooled
from tests.evaluation.metrics.random_labels import COUNT, label_pair

STARDIST = np.loadtxt(Path(__file__).with_name("stardist.csv"), delimiter=",")
NAMES = ("ap50", "ap75", "ap90", "f1", "pq", "matched-iou")


def test_as_stardist_on_500_pairs():
    defined = 0
    for number in range(COUNT):
        true, predicted = label_pair(number)
        for name, wanted in zip(NAMES, STARDIST[number], strict=True):
            ours = METRICS[name].function(true, predicted)
            if np.isnan(ours):  # StarDist has 0 where nothing is defined
                assert wanted == 0
                nothing = not true.any() and not predicted.any()
                assert nothing or (name == "matched-iou" and STARDIST[number][0] == 0)
            else:
                defined += 1
                assert ours == pytest.approx(wanted, abs=1e-7)
    assert defined > 2000


def test_panoptic_quality_as_monai():
    for number in range(0, COUNT, 10):
        true, predicted = label_pair(number)
        if not (true.any() and predicted.any()) or (Overlap(true, predicted).iou == 0.5).any():
            continue  # MONAI wants more than the threshold, others at least that
        contiguous = [
            torch.from_numpy(np.unique(labels, return_inverse=True)[1].reshape(labels.shape))
            for labels in (predicted, true)
        ]
        theirs = compute_panoptic_quality(*contiguous, metric_name="pq", match_iou_threshold=0.5)
        assert METRICS["pq"].function(true, predicted) == pytest.approx(float(theirs), abs=1e-5)


def plain_aji(true, predicted):
    """The paper's algorithm 1, pixel sets and all."""
    shared = union = 0
    used = set()
    for t in np.unique(true[true > 0]):
        inside = true == t
        best, best_iou = None, 0.0
        for p in np.unique(predicted[predicted > 0]):
            iou = (inside & (predicted == p)).sum() / (inside | (predicted == p)).sum()
            if iou > best_iou:
                best, best_iou = p, iou
        if best is None:
            union += inside.sum()
            continue
        used.add(best)
        shared += (inside & (predicted == best)).sum()
        union += (inside | (predicted == best)).sum()
    union += sum((predicted == p).sum() for p in np.unique(predicted[predicted > 0]) if p not in used)
    return shared / union if union else np.nan


def test_aggregated_jaccard_as_in_the_paper():
    for number in range(0, COUNT, 5):
        pair = label_pair(number)
        assert METRICS["aji"].function(*pair) == pytest.approx(plain_aji(*pair), nan_ok=True)


def test_counts_and_areas_by_hand():
    true, predicted = np.zeros((10, 10), int), np.zeros((10, 10), int)
    true[:2, :5], true[5:7, :5] = 1, 9
    predicted[:2, :6], predicted[9, 9] = 4, 2
    predicted[5:7, :5] = 3
    assert METRICS["count-error"].function(true, predicted) == 0.5
    assert METRICS["area-bias"].function(true, predicted) == pytest.approx(0.1)  # 20 % and 0 %
    assert np.isnan(METRICS["count-error"].function(true * 0, predicted))
    assert np.isnan(METRICS["area-bias"].function(true, predicted * 0))


def test_labels_of_two_shapes_are_refused():
    with pytest.raises(ValueError, match="cannot be compared"):
        Overlap(np.zeros((3, 3), int), np.zeros((3, 4), int))


def test_pooling_is_one_large_image():
    pairs = [label_pair(number) for number in range(20)]
    apart = pooled(Overlap(*pair) for pair in pairs)
    true = np.concatenate([pair[0].astype(int) + 1000 * number * (pair[0] > 0) for number, pair in enumerate(pairs)])
    made = np.concatenate([pair[1].astype(int) + 1000 * number * (pair[1] > 0) for number, pair in enumerate(pairs)])
    together = Overlap(true, made).counts()
    assert (apart.found, apart.invented, apart.missed) == (together.found, together.invented, together.missed)
    assert apart.panoptic == pytest.approx(together.panoptic)


def test_pixels_as_scikit_learn():
    rng = np.random.default_rng(0)
    for number in range(0, COUNT, 25):
        mask = label_pair(number)[0] > 0
        if not mask.any():
            continue
        probability = np.round(np.clip(mask * 0.3 + rng.random(mask.shape), 0, 1), 2)  # with ties
        called = probability > 0.6
        for name, theirs in (("roc-auc", roc_auc_score), ("pr-auc", average_precision_score)):
            wanted = theirs(mask.ravel(), probability.ravel())
            assert METRICS[name].function(mask, probability) == pytest.approx(wanted)
        for name, theirs in (("kappa", cohen_kappa_score), ("iou", jaccard_score)):
            assert METRICS[name].function(mask, called) == pytest.approx(theirs(mask.ravel(), called.ravel()))
    assert np.isnan(METRICS["roc-auc"].function(mask * 0, probability))
    assert np.isnan(METRICS["pr-auc"].function(mask * 0, probability))
