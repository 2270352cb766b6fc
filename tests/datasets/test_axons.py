import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from napari_synth.core.appearance import AppearanceSettings
from napari_synth.core.errors import InputError
from napari_synth.datasets.axons import AxonSettings, axon_image, axon_mask


def test_axons_are_thin_long_and_cross_the_canvas():
    labels = axon_mask(AxonSettings(boutons=0), 3)
    assert labels.shape == (256, 256)
    assert labels.max() >= 1
    for number in range(1, labels.max() + 1):
        y, x = np.nonzero(labels == number)
        assert max(np.ptp(y), np.ptp(x)) > 60
    widest = ndimage.distance_transform_edt(labels > 0).max()
    assert widest < 6  # crossings are wider than one axon
    border = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    assert border.any()


def test_boutons_are_wider_than_the_axon():
    plain, swollen = (axon_mask(AxonSettings(axons=1, boutons=b), 5) > 0 for b in (0, 0.05))
    assert ndimage.distance_transform_edt(swollen).max() > ndimage.distance_transform_edt(plain).max()


@given(st.integers(16, 90), st.integers(16, 90), st.integers(0, 1000), st.floats(0, 90))
@settings(max_examples=30, deadline=None)
def test_any_canvas_and_turn(height, width, seed, turn):
    chosen = AxonSettings(height=height, width=width, turn=turn, axons=4)
    labels = axon_mask(chosen, seed)
    assert labels.shape == (height, width)
    assert (labels == axon_mask(chosen, seed)).all()


def test_seeds_and_numbers():
    assert (axon_mask(AxonSettings(), 1) != axon_mask(AxonSettings(), 2)).any()
    assert not axon_mask(AxonSettings(axons=0), 1).any()
    many = axon_mask(AxonSettings(height=512, width=512, axons=5), 1)
    assert many.max() > 8


def test_the_image_is_bright_on_axons_noisy_and_repeatable():
    mask = axon_mask(AxonSettings(), 4)
    image = axon_image(mask, AppearanceSettings(), 1)
    assert (image.shape, image.dtype) == (mask.shape, np.uint8)
    assert image[mask > 0].mean() > image[mask == 0].mean() + 40
    assert image[ndimage.binary_erosion(mask == 0, iterations=12)].std() > 3
    assert (image == axon_image(mask, AppearanceSettings(), 1)).all()
    assert (image != axon_image(mask, AppearanceSettings(), 2)).any()


def test_without_a_seed_the_image_is_smooth():
    mask = np.zeros((64, 64), bool)
    mask[30:34, :] = True
    image = axon_image(mask, AppearanceSettings(), None)
    inner = image[:, 10:54]
    assert (inner == inner[:, :1]).all()
    assert image[:10].std() == 0


def test_noise_has_the_strength_it_says():
    mask = np.zeros((256, 256), bool)
    mask[128, :] = True
    quiet = {"brightness": 0.0, "background": 0.5, "variation": 0.0}
    for name in ("white_noise", "coloured_noise"):
        chosen = AppearanceSettings(**(quiet | {"white_noise": 0.0, "coloured_noise": 0.0} | {name: 0.05}))
        assert axon_image(mask, chosen, 1).std() / 255 == pytest.approx(0.05, rel=0.1)


def test_an_empty_mask_is_refused():
    with pytest.raises(InputError, match="no axon"):
        axon_image(np.zeros((20, 20), bool), AppearanceSettings(), 1)
