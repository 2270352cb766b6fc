import base64

import imageio.v3 as iio
import numpy as np

from napari_synth.training.previews import label_picture, picture_sheet, thumbnail


def test_a_thumbnail_shows_nuclei():
    labels = np.zeros((256, 256), int)
    labels[200:250, 10:60] = 1
    image = np.where(labels > 0, 200, 0).astype(np.uint8)
    shown = iio.imread(base64.b64decode(thumbnail(image, labels)))
    assert shown.shape == (96, 96)
    assert shown.max() == 200
    small = iio.imread(base64.b64decode(thumbnail(image[:40, :50], labels[:40, :50])))
    assert small.shape == (40, 50)


def test_a_grid_keeps_every_picture():
    red = label_picture(np.ones((4, 5), int))
    sheet = picture_sheet([[red, np.full((4, 5), 7, np.uint8)], [red]])
    assert sheet.shape == (12, 14, 3)
    assert (sheet[:4, :5] == red).all()
    assert (sheet[:4, 9:] == 7).all()
    assert (sheet[8:, 9:] == 255).all()
