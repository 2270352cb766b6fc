"""What another program found beside what is labelled."""

import imageio.v3 as iio
import numpy as np
import pytest
import tifffile

from napari_synth.core.errors import InputError
from napari_synth.evaluation.pair_check.disagreements import compared_with, disagreements
from tests.evaluation.usefulness.small_sets import disc_folder, disc_pair


def test_what_is_missing_on_either_side_is_where_it_is_said_to_be():
    labels = np.zeros((60, 80), np.int32)
    labels[2:10, 2:10], labels[20:40, 20:40], labels[50:56, 60:70] = 7, 3, 9
    predicted = np.zeros_like(labels)
    predicted[3:10, 2:10] = 40  # IoU 7 / 8 with the first
    predicted[20:40, 20:27] = 2  # a third of the second
    predicted[5:15, 50:60] = 11
    found = [(one.kind, one.place, one.area) for one in disagreements(labels, predicted)]
    assert found == [
        ("not found", (29.5, 29.5), 400),
        ("not labelled", (29.5, 23.0), 140),
        ("not labelled", (9.5, 54.5), 100),
        ("not found", (52.5, 64.5), 60),
    ]
    assert disagreements(labels, labels) == []
    assert [one.kind for one in disagreements(labels * 0, labels)] == ["not labelled"] * 3


@pytest.fixture
def folders(tmp_path):
    (tmp_path / "predicted").mkdir()
    return disc_folder(tmp_path / "pairs", 4), tmp_path / "predicted"


def test_predictions_of_cellpose_and_stardist_are_found_by_name(folders):
    predicted = folders[1]
    masks = [disc_pair(number)[1] for number in range(4)]
    without_first = np.where(masks[0] == masks[0][masks[0] > 0][0], 0, masks[0])
    np.save(predicted / "000_seg.npy", {"masks": without_first.astype(np.uint16), "outlines": without_first})
    iio.imwrite(predicted / "000.png", disc_pair(0)[0])  # Cellpose keeps its file beside the image
    iio.imwrite(predicted / "001_cp_masks.png", masks[1].astype(np.uint16))
    tifffile.imwrite(predicted / "002.tif", masks[2].astype(np.uint16))  # as StarDist's labels are saved
    found = {one.stem: one for one in compared_with(*folders)}
    assert set(found) == {"000", "001", "002"}
    assert [one.kind for one in found["000"].disagreements] == ["not found"]
    assert not found["001"].disagreements
    assert not found["002"].disagreements
    assert np.array_equal(found["002"].labels, masks[2])


def test_predictions_that_belong_to_nothing(folders):
    with pytest.raises(InputError, match="No file in"):
        list(compared_with(*folders))
    tifffile.imwrite(folders[1] / "002.tif", np.ones((8, 8), np.uint8))
    with pytest.raises(InputError, match=r"prediction for 002 is 8×8 pixels but its mask is 64×64"):
        list(compared_with(*folders))
