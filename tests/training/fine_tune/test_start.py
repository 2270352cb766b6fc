import pytest
import torch

from napari_synth.models.architectures import build
from napari_synth.nets.pix2pix import option_plane
from napari_synth.training.fine_tune.start import nearest_option, with_looks, with_option_plane

HYPER = {
    "out_channels": 3,
    "ngf": 4,
    "levels": 3,
    "upsampling": "resize",
    "dropout": 0.0,
    "style_size": 8,
    "bank_size": 5,
}


def network(seed=1, **hyper):
    torch.manual_seed(seed)
    made = build("optional-pix2pix", **HYPER | hyper).eval()
    made.bank.normal_()
    return made


def image_of(made, options, number, mask, noise, style, planes=True):
    conditions = mask
    if planes:
        plane = option_plane(torch.tensor([number]), options, *mask.shape[-2:])
        conditions = torch.cat([mask, plane], 1)
    with torch.inference_mode():
        return made.drawn(conditions, noise, style), made.encoder(conditions, noise)[0]


@pytest.fixture
def drawn():
    generator = torch.Generator().manual_seed(2)
    mask = (torch.rand(1, 1, 64, 64, generator=generator) > 0.6).float()
    return mask, torch.randn(1, 3, 64, 64, generator=generator), torch.randn(1, 8, generator=generator)


@pytest.mark.parametrize("chosen", range(4))
def test_a_single_look_begins_as_the_chosen_option_rendered(chosen, drawn):
    old = network(in_channels=2, options=4)
    new = network(7, in_channels=2, options=1, bank_size=8)
    new.load_state_dict(with_looks(old.state_dict(), [chosen], 8))
    for one, other in zip(image_of(old, 4, chosen, *drawn), image_of(new, 1, 0, *drawn), strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-4)
    assert torch.equal(new.bank[0, :5], old.bank[chosen])
    assert torch.equal(new.bank[0, 5:], old.bank[chosen, :3])


def test_a_generator_of_one_look_gets_an_option_plane_that_changes_nothing(drawn):
    old = network(in_channels=1, options=1)
    new = network(7, in_channels=2, options=1)
    new.load_state_dict(with_option_plane(old.state_dict()))
    without = image_of(old, 1, 0, *drawn, planes=False)
    for one, other in zip(without, image_of(new, 1, 0, *drawn), strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-4)
    weights = network(in_channels=2, options=1).state_dict()
    assert with_option_plane(weights) is weights


def test_two_looks_from_neighbours_in_order_begin_as_they_are(drawn):
    old = network(in_channels=2, options=4)
    new = network(7, in_channels=2, options=2)
    new.load_state_dict(with_looks(old.state_dict(), [1, 3], 5))  # 2/4 and 4/4 are 1/2 and 2/2
    for number, chosen in enumerate((1, 3)):
        one, other = image_of(old, 4, chosen, *drawn)[0], image_of(new, 2, number, *drawn)[0]
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-4)


def test_the_most_similar_option_is_found(drawn):
    made = network(in_channels=2, options=3)
    mask, noise, style = (torch.cat([part] * 2) for part in drawn)
    with torch.no_grad():  # options that differ in brightness by far
        made.head.detail.weight[:, 3] = 0.2
    for number in range(3):
        plane = option_plane(torch.tensor([number] * 2), 3, 64, 64)
        with torch.inference_mode():
            images = made.drawn(torch.cat([mask, plane], 1), noise, style)
        assert nearest_option(made, 3, mask, images, noise) == number


def test_grey_images_begin_from_a_grey_option_though_a_coloured_one_is_as_bright(drawn):
    mask, noise, _ = drawn
    grain = noise[:, :1] / 10
    tints = torch.tensor([[0.1, -0.1, 0.0], [0.1, 0.1, 0.1]])  # the first has the mean of the images

    class Flat:
        def encoder(self, conditions, images):
            return images, images

        def drawn(self, conditions, noise, style):
            option = round(float(conditions[0, 1, 0, 0]) * 2) - 1
            return grain + tints[option][:, None, None]

    assert nearest_option(Flat(), 2, mask, grain.expand(-1, 3, -1, -1), noise) == 1
