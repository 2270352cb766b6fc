"""What fields of nuclei have in common: measured on masks, fitted to the composer, compared."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.spatial import cKDTree
from scipy.stats import ks_2samp

from napari_synth.core.errors import InputError
from napari_synth.core.progress import CancelToken
from napari_synth.core.recipe import REFERENCE_AREA, FieldSettings, Quantiles
from napari_synth.core.seeds import derived_seed, numpy_rng
from napari_synth.datasets.image_files import read_labels
from napari_synth.datasets.instances import Instance, instances, moments
from napari_synth.datasets.listing import mask_files
from napari_synth.datasets.shape_library import SHAPE_SIZE, framed
from napari_synth.masks.canvas import Canvas
from napari_synth.masks.field import compose_field
from napari_synth.masks.spacing import SPACINGS, uniform

if TYPE_CHECKING:
    from pathlib import Path

    from napari_synth.masks.shape_model import ShapeModel

QUANTILES = 33
MIN_AREA = 12
"""Specks below this many square pixels are not counted as nuclei."""
TRIAL_FIELDS = 6
"""Fields composed per candidate of the spacing."""
TRIAL_NUCLEI = 60
"""About so many nuclei in each of them."""
FEWEST_PLACED = 4
"""Nuclei of a mask that say whether they gather at one side."""
TRIAL_CENTRES = 120
"""Fields of which centres alone are proposed, for this."""
TOUCHING_WEIGHT, ONE_SIDED_WEIGHT = 0.2, 0.15
"""What a difference in these counts, beside the Kolmogorov-Smirnov distance of the nearest neighbours."""


@dataclass(frozen=True)
class FieldStatistics:
    """Distributions over the nuclei of some masks.

    Attributes
    ----------
    counts : ndarray, shape (masks,)
        Nuclei per 256×256 pixels.
    areas : ndarray
        Square pixels; of the nuclei that do not touch the border.
    eccentricities : ndarray
        Of the same nuclei.
    distances : ndarray
        From the centre of each nucleus to the nearest other centre, in pixels.
    touching : float
        Share of the nuclei that touch another one.
    one_sided : float
        How far the mean centre of the nuclei lies from the middle of a mask: the mean square, over that of as many
        nuclei that lie anywhere. 1: as these; more: they gather at one side. 0: no mask has `FEWEST_PLACED`.
    """

    counts: np.ndarray
    areas: np.ndarray
    eccentricities: np.ndarray
    distances: np.ndarray
    touching: float
    one_sided: float

    def shown(self, pixel: float = 1.0, unit: str = "px") -> dict[str, str]:
        """Mean and standard deviation of each as text, by a name for a table.

        Parameters
        ----------
        pixel : float
            Side of a pixel in ``unit``.
        unit : str
        """
        finer = 0 if unit == "px" else 1
        numbers = (
            ("nuclei per 256²", self.counts, 1),
            (f"area, {unit}²", self.areas * pixel**2, finer),
            ("eccentricity", self.eccentricities, 2),
            (f"nearest neighbour, {unit}", self.distances * pixel, 1 + finer),
        )
        means = {
            name: f"{values.mean():.{d}f}" + (f" ± {values.std():.{d}f}" if len(values) > 1 else "")
            for name, values, d in numbers
            if len(values)
        }
        return means | {"touching": f"{100 * self.touching:.0f} %"}


def measure(masks: Iterable[tuple[str, np.ndarray]]) -> FieldStatistics:
    """Statistics of masks given as name and labels.

    Raises
    ------
    InputError
        If a mask is unusable, or there is no nucleus in any.
    """
    counts: list[float] = []
    areas: list[float] = []
    eccentricities: list[float] = []
    distances: list[float] = []
    aside: list[float] = []
    in_contact, total = 0, 0
    where = "any of the masks"
    for name, mask in masks:
        where = f"the mask {name!r}" if not counts else "any of the masks"
        found = [nucleus for nucleus in instances(mask, f"The mask {name!r}") if nucleus.area >= MIN_AREA]
        counts.append(len(found) * REFERENCE_AREA / mask.size)
        if not found:
            continue
        whole = [nucleus for nucleus in found if not nucleus.on_border]
        areas += [nucleus.area for nucleus in whole]
        eccentricities += _eccentricities(whole)
        centres = _centres(found)
        distances += _nearest_distances(centres)
        if len(found) >= FEWEST_PLACED:
            aside.append(_one_sided(centres, mask.shape))
        in_contact += _touching(found, mask.shape)
        total += len(found)
    if not total:
        raise InputError(f"There is no nucleus in {where}.", "Paint or sample nuclei first, or use other masks.")
    measured = [np.array(values, float) for values in (counts, areas, eccentricities, distances)]
    one_sided = float(np.mean(aside)) if aside else 0.0
    return FieldStatistics(measured[0], measured[1], measured[2], measured[3], in_contact / total, one_sided)


def measure_folder(folder: str | Path) -> FieldStatistics:
    """Statistics of all masks in a folder, or in its ``masks/``."""
    return measure((path.name, read_labels(path)) for path in mask_files(folder))


def _eccentricities(nuclei: list[Instance]) -> list[float]:
    found = []
    for nucleus in nuclei:
        crop = nucleus.mask if max(nucleus.mask.shape) > SHAPE_SIZE else framed(nucleus.mask)
        found.append(float(moments(crop[None]).eccentricity[0]))
    return found


def _centres(nuclei: list[Instance]) -> np.ndarray:
    centres = []
    for nucleus in nuclei:
        rows, columns = np.nonzero(nucleus.mask)
        centres.append((rows.mean() + nucleus.box[0].start, columns.mean() + nucleus.box[1].start))
    return np.array(centres)


def _nearest_distances(centres: np.ndarray) -> list[float]:
    if len(centres) < 2:
        return []
    distances: list[float] = cKDTree(centres).query(centres, 2)[0][:, 1].tolist()
    return distances


def _one_sided(centres: np.ndarray, shape: tuple[int, ...]) -> float:
    """Squared distance of the mean centre from the middle in sides, over that of nuclei anywhere, 2/12 for one."""
    shift = centres.mean(0) / shape - 0.5
    return float(6 * len(centres) * (shift**2).sum())


def _touching(nuclei: list[Instance], shape: tuple[int, ...]) -> int:
    """Number of nuclei with a pixel of another one beside or diagonal to theirs."""
    labels = np.zeros(shape, np.int32)
    for number, nucleus in enumerate(nuclei, 1):
        labels[nucleus.box][nucleus.mask] = number
    contact: set[int] = set()
    for first, second in (
        (labels[1:], labels[:-1]),
        (labels[:, 1:], labels[:, :-1]),
        (labels[1:, 1:], labels[:-1, :-1]),
        (labels[1:, :-1], labels[:-1, 1:]),
    ):
        meet = (first != second) & (first > 0) & (second > 0)
        contact.update(first[meet].tolist(), second[meet].tolist())
    return len(contact)


def compare(real: FieldStatistics, composed: FieldStatistics) -> dict[str, float]:
    """Kolmogorov-Smirnov distances between two sets of masks, 0 (alike) to 1, by name."""
    pairs = {
        "count": (real.counts, composed.counts),
        "area": (real.areas, composed.areas),
        "eccentricity": (real.eccentricities, composed.eccentricities),
        "nearest neighbour": (real.distances, composed.distances),
    }
    return {name: float(ks_2samp(*both).statistic) for name, both in pairs.items() if all(len(part) for part in both)}


@dataclass(frozen=True)
class Compared:
    """One line of a table of real and composed masks, as text; empty where there is nothing to say."""

    name: str
    real: str
    composed: str
    distance: str


def side_by_side(
    real: FieldStatistics, composed: FieldStatistics | None = None, pixel: float = 1.0, unit: str = "px"
) -> list[Compared]:
    """What real and composed masks have in common, with Kolmogorov-Smirnov distances; see `FieldStatistics.shown`."""
    theirs = {} if composed is None else composed.shown(pixel, unit)
    distances = {} if composed is None else compare(real, composed)
    lines = []
    for name, text in real.shown(pixel, unit).items():
        key = "count" if name.startswith("nuclei") else name.split(",")[0]
        lines.append(Compared(name, text, theirs.get(name, ""), f"{distances[key]:.2f}" if key in distances else ""))
    return lines


def fit(
    statistics: FieldStatistics,
    settings: FieldSettings,
    shapes: ShapeModel,
    seed: int = 1,
    cancel: CancelToken | None = None,
) -> FieldSettings:
    """Settings whose fields have these statistics.

    Number, area and eccentricity follow the measured distributions. For the spacing several ways are
    tried on small fields, and the one whose nearest-neighbour distances come closest is taken, where nuclei gather at
    one side no more than in the masks.

    Parameters
    ----------
    statistics : FieldStatistics
    settings : FieldSettings
        Everything that is not fitted stays.
    shapes : ShapeModel
    seed : int
    cancel : CancelToken, optional

    Raises
    ------
    InputError
        If all nuclei touch the border.
    """
    if not len(statistics.areas):
        raise InputError("All nuclei touch the border of their masks.", "Use larger masks.")
    fitted = settings_with(
        settings,
        composer=2,
        count_law="measured" if len(statistics.counts) > 1 else "normal",
        count_scaling="area",
        count_mean=min(float(statistics.counts.mean()), 5000),
        count_sd=min(float(statistics.counts.std()), 5000),
        count_quantiles=_quantiles(statistics.counts) if len(statistics.counts) > 1 else (),
        area_law="measured",
        area_mean=float(statistics.areas.mean()),
        area_sd=float(statistics.areas.std()),
        area_quantiles=_quantiles(statistics.areas),
        eccentricity_quantiles=_quantiles(statistics.eccentricities),
    )
    candidates = [settings_with(fitted, **spacing) for spacing in _spacings(statistics)]
    if len(candidates) == 1:
        return candidates[0]
    return min(candidates, key=lambda candidate: _misfit(candidate, statistics, shapes, seed, cancel or CancelToken()))


def settings_with(settings: FieldSettings, **update: Any) -> FieldSettings:
    """Settings with some of them changed and all of them checked."""
    return FieldSettings.model_validate(settings.model_dump() | update)


def _quantiles(values: np.ndarray) -> Quantiles:
    found = np.quantile(values, np.linspace(0, 1, QUANTILES))
    return tuple(float(f"{value:.4g}") for value in np.maximum.accumulate(found))


def _spacings(statistics: FieldStatistics) -> list[dict[str, Any]]:
    """Ways to space nuclei that are worth trying."""
    if not len(statistics.distances):
        return [{"spacing": "apart"}]
    share = round(statistics.touching, 3)
    size = float(np.sqrt(statistics.areas.mean()))
    tried: list[dict[str, Any]] = [{"spacing": "touching", "touching_fraction": share}]
    for members in (3, 8, 20):
        for reach in (1.0, 1.8, 3.2):
            radius = round(reach * size * np.sqrt(members) / 2, 1)
            group = {"cluster_size": members, "cluster_radius": radius, "touching_fraction": share}
            tried.append({"spacing": "clusters"} | group)
    return tried


def _misfit(
    settings: FieldSettings, statistics: FieldStatistics, shapes: ShapeModel, seed: int, cancel: CancelToken
) -> float:
    """How far nearest-neighbour distances, touching share and gathering at one side are from the measured ones."""
    densest = float(np.quantile(statistics.counts, 0.75))
    side = int(np.clip(256 * np.sqrt(TRIAL_NUCLEI / max(densest, 1)), 128, 1024))
    trial = settings_with(
        settings, height=side, width=side, sampler="library", eccentricity_quantiles=(), count_law="fixed"
    )
    fields = []
    for number in range(TRIAL_FIELDS):
        cancel.raise_if_cancelled()
        count = float(np.quantile(statistics.counts, (number + 0.5) / TRIAL_FIELDS))  # few fields, yet all kinds
        trial = trial.model_copy(update={"count_mean": min(count, 5000)})
        fields.append(("trial", compose_field(trial, shapes, derived_seed(seed, "trial", number), cancel).labels))
    if not any(labels.any() for _, labels in fields):
        return 1.0
    composed = measure(fields)
    distance = compare(statistics, composed).get("nearest neighbour", 1.0)
    gathered = _proposed_one_sided(trial, statistics.counts, numpy_rng(seed, "centres"))
    far = abs(float(np.log(gathered / statistics.one_sided))) if gathered and statistics.one_sided else 0.0
    return distance + TOUCHING_WEIGHT * abs(composed.touching - statistics.touching) + ONE_SIDED_WEIGHT * far


def _proposed_one_sided(settings: FieldSettings, counts: np.ndarray, rng: np.random.Generator) -> float:
    """`FieldStatistics.one_sided` of many fields whose centres alone are proposed: few whole ones say too little."""
    window = (0, 0, settings.height, settings.width)
    canvas = Canvas(np.zeros(window[2:], np.int32), [])
    found = []
    for share in (np.arange(TRIAL_CENTRES) + 0.5) / TRIAL_CENTRES:
        wanted = round(float(np.quantile(counts, share)) * settings.height * settings.width / REFERENCE_AREA)
        spacing = SPACINGS[settings.spacing](settings, canvas, window, uniform(rng, window), rng, wanted)
        centres = spacing.propose(wanted)
        if len(centres) >= FEWEST_PLACED:
            found.append(_one_sided(centres, window[2:]))
    return float(np.mean(found)) if found else 0.0
