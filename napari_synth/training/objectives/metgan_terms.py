"""The terms of MetGAN's objective with noise planes; none compares pixel by pixel."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d, avg_pool2d, interpolate, l1_loss

from napari_synth.training.objectives.texture import OUTSIDE, blurred, grey_value_distance, local_deviation

PARTS = 4
"""Features are averaged over so many parts of a side."""
AREA = 16
OBJECT = 5
"""Pixels across a small object."""
FINE = 4.0
"""The fine contrast is about that much weaker than the grey values."""
MARGIN = 1.0
"""Logit from which on the segmentor is sure enough: a probability of 0.73."""
QUANTILES = 64
RANGE = (16, 56)
"""The quantiles, of `QUANTILES`, between which a large object may lie: from a quarter to seven eighths."""
RING = 7
RINGS = 6
"""Rings of a profile: by the share of the label in the `RING`² pixels around each."""
WITHIN = 0.75
"""Share of the label in the `OBJECT`² pixels around a place from which on it lies within an object."""
LIT = [(down, right) for down in range(3) for right in range(-2, 3) if (down, right) > (0, 0)]
"""How far apart the pixels are whose differences `relief` looks at."""
LARGE = 15
"""Pixels around which all must be of the label for a place to lie within a large object."""
UNEVEN = 1.5
"""Large objects may vary that much more than real tissue does."""
FREE_GRAIN, FREE_OBJECTS = 0.05, 0.3
"""Correlations that two draws of noise may keep: of their grain, and of the brightness of their objects."""
BLOB_PERIODS = (32, 64)
BLOB_LEVELS = (0.9, 1.7)


def feature_distance(made: list[Tensor], real: list[Tensor]) -> Tensor:
    """L1 distance of a discriminator's features, averaged over `PARTS` × `PARTS` parts of them.

    Feature matching (Salimans et al. 2016; Wang et al. 2018) that leaves open where in a part something lies.
    """
    distances = [
        l1_loss(adaptive_avg_pool2d(one.float(), PARTS), adaptive_avg_pool2d(other.float(), PARTS))
        for one, other in zip(made, real, strict=True)
    ]
    return torch.stack(distances).mean()


def area_distance(made: Tensor, real: Tensor) -> Tensor:
    """L1 distance of the means of squares of `AREA` pixels."""
    return l1_loss(avg_pool2d(made, AREA), avg_pool2d(real, AREA))


def bands(images: Tensor) -> list[Tensor]:
    """The pixels, the means of `OBJECT`² pixels, and `FINE` times what a mean of 3×3 pixels takes away.

    The pixels alone could be as varied as the real ones by a weave within objects that are all alike.
    """
    return [images, blurred(images, OBJECT), FINE * (images - blurred(images))]


def grey_values_of_bands(made: Tensor, real: Tensor, masks: Tensor) -> Tensor:
    """`texture.grey_value_distance` of the pixels, of `OBJECT`-sized means and of the fine contrast (`bands`)."""
    pairs = zip(bands(made), bands(real), strict=True)
    return torch.stack([grey_value_distance(one, other, masks) for one, other in pairs]).sum()


def inside_distance(made: Tensor, asked: Tensor, real: Tensor, masks: Tensor) -> Tensor:
    """Distance of the quantiles of all grey values inside other labels from those inside real ones, by `bands`."""
    distances = [
        l1_loss(_quantiles(one, asked), _quantiles(other, masks))
        for one, other in zip(bands(made), bands(real), strict=True)
    ]
    either_is_empty = (asked.sum() == 0) | (masks.sum() == 0)
    return torch.where(either_is_empty, 0.0, torch.stack(distances).sum())


def profile_distance(made: Tensor, real: Tensor, masks: Tensor) -> Tensor:
    """L1 distance of the profiles of the objects of each image: as bright in their middles, as soft at their edges.

    A profile is the mean grey value of each ring, from a halo outside the objects to their middles.

    Parameters
    ----------
    made, real, masks : Tensor, shape (B, 1, H, W)
    """
    share = blurred(masks, RING)
    number = (share * RINGS).long().clamp(max=RINGS - 1)
    rings = torch.stack([(number == ring) & (share > 0) for ring in range(RINGS)], 1).float()
    counts = rings.flatten(2).sum(2)
    apart = (rings * (made - real)[:, None]).flatten(2).sum(2) / counts.clamp(min=1)
    return apart.abs().sum() / (counts > 0).sum().clamp(min=1)


def within_large(masks: Tensor) -> Tensor:
    """Where all `LARGE`² pixels around are of the label."""
    return blurred(masks, LARGE) > 0.999


def unevenness(made: Tensor, asked: Tensor, real: Tensor, masks: Tensor) -> Tensor:
    """How much more means of `OBJECT`² pixels vary within large objects than `UNEVEN` times what real tissue does.

    The label alone would have a generator that was taught small objects fill a large one with stripes as wide as these.
    """
    within = within_large(asked)
    tissue = (blurred(masks, LARGE) == 0).float()
    bound = (local_deviation(blurred(real, OBJECT), LARGE) * tissue).sum() / tissue.sum().clamp(min=1)
    beyond = torch.relu(local_deviation(blurred(made, OBJECT), LARGE) - UNEVEN * bound.detach())
    return (within * beyond).sum() / within.sum().clamp(min=1)


def relief(made: Tensor, asked: Tensor) -> Tensor:
    """How much the grain looks like a relief that light falls on from one side: mean squared skewness of differences.

    The differences of pixels one and two apart, in every direction, away from the edges of objects. Camera noise has
    no side, so they are as often positive as negative, and as far; power spectra do not show the side.

    Parameters
    ----------
    made, asked : Tensor, shape (B, 1, H, W)
    """
    away = ((blurred(asked, RING) == 0) | within_large(asked)).float()
    skewness = []
    for offset in LIT:
        apart = made - made.roll(offset, (2, 3))
        where = (away * away.roll(offset, (2, 3)))[..., 2:, 2:-2]
        apart, count = apart[..., 2:, 2:-2], where.sum().clamp(min=1)
        second, third = ((where * apart**power).sum() / count for power in (2, 3))
        skewness.append(third / (second + 1e-6) ** 1.5)
    return torch.stack(skewness).square().mean()


def beyond_range(made: Tensor, asked: Tensor, real: Tensor, masks: Tensor) -> Tensor:
    """How far means of `OBJECT`² pixels inside other labels lie beyond the range `RANGE` of those inside real ones.

    For objects larger than any real one, which `inside_distance` would ask to vary within as real objects differ from
    each other, and a segmentor that knows small objects alone would ask to be cut into such.
    """
    low, high = (_quantiles(blurred(real, OBJECT), masks)[number].detach() for number in RANGE)
    means = blurred(made, OBJECT)
    beyond = torch.relu(low - means) + torch.relu(means - high)
    return ((asked > 0) * beyond).sum() / (asked > 0).sum().clamp(min=1) * (masks.sum() > 0)


def _quantiles(images: Tensor, masks: Tensor) -> Tensor:
    values = torch.where(masks > 0, images, OUTSIDE).flatten().sort().values
    count = (masks > 0).sum()
    at = torch.linspace(0, 1, QUANTILES, device=images.device) * (count - 1).clamp(min=0)
    return values[at.long()].clamp(max=1e3)


def likeness(one: Tensor, other: Tensor, mask: Tensor) -> Tensor:
    """How much more alike two draws of noise over one anatomy and label are than they may be, 0 to 1.65.

    The correlation of their grain (what a mean of `OBJECT`² pixels takes away) outside the label beyond
    `FREE_GRAIN`, plus that of their brightness inside beyond `FREE_OBJECTS`. An anatomy has a grain of its own,
    which a generator may use for noise; the noise planes would then have no effect. (Against the collapse of
    the noise, after Mao et al. 2019, MSGAN.)

    Parameters
    ----------
    one, other, mask : Tensor, shape (1, 1, H, W)
    """
    one_mean, other_mean = blurred(one, OBJECT), blurred(other, OBJECT)
    grain = correlation(one - one_mean, other - other_mean, (blurred(mask, 2 * OBJECT + 1) == 0).float())
    objects = correlation(one_mean, other_mean, mask)
    return torch.relu(grain - FREE_GRAIN) + torch.relu(objects - FREE_OBJECTS)


def correlation(one: Tensor, other: Tensor, weight: Tensor) -> Tensor:
    """Pearson's correlation of pixels with weights; 0 where there are none."""
    total = weight.sum().clamp(min=1)
    apart = [x - (weight * x).sum() / total for x in (one, other)]
    covariance = (weight * apart[0] * apart[1]).sum()
    return covariance / ((weight * apart[0].square()).sum() * (weight * apart[1].square()).sum() + 1e-8).sqrt()


def margin_loss(logits: Tensor, target: Tensor, object_weight: float) -> Tensor:
    """How far a segmentor's logits are from `MARGIN` on the right side; objects weigh ``object_weight`` times more.

    It asks no more than that the segmentor is fairly sure, so that objects may differ in brightness, and nothing at
    their edges, where a segmentor has real signals wrong: it would ask for flat objects with dark rings.

    Parameters
    ----------
    logits, target : Tensor, shape (B, 1, H, W)
        ``target`` is 0 or 1.
    object_weight : float
    """
    away_from_edge = torch.where(target > 0, blurred(target, OBJECT) > WITHIN, blurred(target, RING) == 0)
    missing = torch.relu(MARGIN - (2 * target - 1) * logits)
    return (away_from_edge * (1 + (object_weight - 1) * target) * missing).mean()


def blobs(count: int, side: int, draw: torch.Generator) -> Tensor:
    """Masks with large round objects, ``[count, 1, side, side]``: coarse noise above a level."""
    masks = []
    for _ in range(count):
        period = BLOB_PERIODS[int(torch.randint(len(BLOB_PERIODS), (1,), generator=draw))]
        low, high = BLOB_LEVELS
        level = low + (high - low) * float(torch.rand(1, generator=draw))
        coarse = torch.randn(1, 1, side // period + 2, side // period + 2, generator=draw)
        fine = interpolate(coarse, scale_factor=period, mode="bicubic", align_corners=False)
        masks.append((fine[..., period : period + side, period : period + side] > level).float())
    return torch.cat(masks)
