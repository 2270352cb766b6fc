import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_synth.core.errors import InputError
from napari_synth.evaluation.ranking import capsule_lengths, rank_units, roc_auc, structure_at, structure_of

LABELS = np.zeros((16, 16), int)
LABELS[4:8, 2:14] = 1
LABELS[12:14, 2:14] = 2


def pairwise_auc(values, positive):
    """Part of all (positive, negative) pairs in the right order, ties half."""
    inside, outside = values[positive][:, None], values[~positive][None]
    return float(((inside > outside) + 0.5 * (inside == outside)).mean())


@given(st.lists(st.tuples(st.integers(-3, 3), st.booleans()), min_size=2, max_size=40))
@settings(max_examples=100, deadline=None)
def test_auc_is_the_part_of_pairs_in_the_right_order(samples):
    values, positive = (np.array(part) for part in zip(*samples, strict=True))
    wanted = pairwise_auc(values, positive) if 0 < positive.sum() < len(positive) else 0.5
    assert roc_auc(values, positive, ~positive) == pytest.approx(wanted)


def test_a_channel_that_shows_the_structure_comes_first():
    rng = np.random.default_rng(0)
    activation = rng.normal(0, 0.1, (2, 3, 16, 16)).astype(np.float32)
    activation[1, 2] += LABELS == 1
    activation[0, 1] -= 2 * (LABELS == 1)
    structure, rest, foreground = structure_at(LABELS, 5, 5)
    assert foreground
    scores = rank_units("convcaps9", activation, structure, rest)
    assert len(scores) == 2 * 4
    assert {(scores[k].capsule, scores[k].channel) for k in (0, 1, 2, 3)} >= {(1, 2), (0, 1)}
    by_unit = {(score.capsule, score.channel): score for score in scores}
    assert by_unit[1, 2].auc > 0.99
    assert by_unit[1, 2].name() == "axon-like"
    assert by_unit[0, 1].auc < 0.01
    assert by_unit[0, 1].name() == "background-like"
    assert by_unit[0, None].auc > 0.9  # the capsule is long where its channel is far below 0
    assert by_unit[1, 0].name() == "unspecific"


def test_a_coarse_map_is_ranked_like_the_map_it_stands_for():
    rng = np.random.default_rng(1)
    coarse = rng.normal(size=(1, 2, 4, 5)).astype(np.float32)
    labels = rng.integers(0, 2, (14, 19))
    fine = np.repeat(np.repeat(coarse, 4, 2), 4, 3)[..., :14, :19]
    for a, b in zip(
        rank_units("l", coarse, labels > 0, labels == 0), rank_units("l", fine, labels > 0, labels == 0), strict=True
    ):
        assert a == b


def test_the_background_under_the_cursor_is_compared_with_all_instances():
    structure, rest, foreground = structure_at(LABELS, 0, 0)
    assert not foreground
    assert (structure == (LABELS == 0)).all()
    assert (rest == (LABELS > 0)).all()


def test_lengths_are_those_of_the_pose_vectors():
    activation = np.zeros((1, 2, 1, 2), np.float32)
    activation[0, :, 0, 0] = 0.6, 0.8
    np.testing.assert_allclose(capsule_lengths(activation), [[[1, 0]]])


def test_a_mask_without_both_kinds_and_one_of_another_size_are_refused():
    activation = np.zeros((1, 2, 16, 16), np.float32)
    with pytest.raises(InputError, match="pixels in the structure and pixels outside"):
        rank_units("l", activation, np.ones((16, 16), bool), np.zeros((16, 16), bool))
    with pytest.raises(InputError, match="another size"):
        rank_units("l", activation, np.ones((16, 40), bool), np.ones((16, 40), bool))


def test_a_structure_is_named_by_a_place_or_by_its_label():
    structure, rest, background = structure_of(LABELS, (5, 5), None)
    assert (structure == (LABELS == 1)).all()
    assert (rest == (LABELS == 0)).all()
    assert not background
    structure, rest, background = structure_of(LABELS, (0, 0), None)
    assert (structure == (LABELS > 0)).all(), "the structures are the positives"
    assert (rest == (LABELS == 0)).all()
    assert background
    structure, rest, background = structure_of(LABELS, None, 2)
    assert (structure == (LABELS == 2)).all()
    assert not background
    for place, label, words in (((5, 16), None, "beside the mask"), (None, 0, "background"), (None, 3, "label 3")):
        with pytest.raises(InputError, match=words):
            structure_of(LABELS, place, label)
