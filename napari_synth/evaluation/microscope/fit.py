"""Fit to my microscope: the camera, and the field of nuclei, under which a model's images look like unlabelled ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import yaml

from napari_synth.core.errors import InputError
from napari_synth.core.files import writing
from napari_synth.core.progress import CancelToken, OnProgress, Stopwatch, ignore_progress
from napari_synth.core.recipe import CAMERA_FIELDS, CameraSettings, FieldSettings, Style, versions
from napari_synth.core.seeds import derived_seed
from napari_synth.evaluation.microscope.estimators import Background, background, noise_line, nuclei
from napari_synth.evaluation.microscope.images import PATCHES, Images, Patch, Pictures, in_grey, read_pictures
from napari_synth.evaluation.microscope.moments import SHARES, moments
from napari_synth.evaluation.microscope.scene import Composer, Scene, composer, cutter, scene
from napari_synth.evaluation.microscope.search import search
from napari_synth.evaluation.realism.battery import line
from napari_synth.evaluation.realism.distances import DISTANCES
from napari_synth.evaluation.realism.sets import LEAST_GROUPS, Patches

if TYPE_CHECKING:
    from napari_synth.masks.shape_model import ShapeModel
    from napari_synth.masks.statistics import FieldStatistics
    from napari_synth.synthesis.request import Renderer

EVALUATIONS = 200
"""Of the camera, at most."""
ROUNDS = ((1, 50), (2, 30))
"""Each: how many times the patches, and how many evaluations, before background and nuclei are corrected."""
LAST_ROUND = 3
"""Times the patches, for what is left of the evaluations."""
SHOWN = ("grey-values", "exposure", "spectrum")
"""The lines of the battery that a camera can mend."""
FIELD = ("count_mean", "count_sd", "area_mean", "area_sd")
Nuclei = tuple[float, float, float, float]
"""What `FIELD` names."""
FOLLOWS = 0.5
"""Power of a change of the masks with which the nuclei that are found in their images change at least."""
AS_READ = (
    "Number or size of the nuclei is as found in your images and may be off by a third: in this look, what is "
    "found does not follow the mask. Give masks of such images to be exact."
)
SATURATED = 253.0
MOST_CORRECTED = 2.0


@dataclass(frozen=True)
class Agreement:
    """A distance of the battery, in standard deviations of its floor, without the camera and with it."""

    title: str
    before: float
    after: float


@dataclass(frozen=True, eq=False)
class FittedCamera:
    """What was found of a microscope.

    Attributes
    ----------
    camera : CameraSettings
    fitted : tuple of str
        The settings that were found.
    field : FieldSettings or None
        Number and size of the nuclei; None where masks were given.
    agreement : tuple of Agreement
        On patches that the fit did not see; empty for less than five images.
    remarks : tuple of str
        What is to be known, a sentence each.
    model, option : str
    evaluations : int
        How often a camera was tried.
    """

    camera: CameraSettings
    fitted: tuple[str, ...]
    field: FieldSettings | None
    agreement: tuple[Agreement, ...]
    remarks: tuple[str, ...]
    model: str
    option: str
    evaluations: int

    def to_yaml(self) -> str:
        """As `exporting.given_camera.camera_of` and ``--camera`` read it."""
        record = {
            "camera": {name: _short(value) for name, value in self.camera.model_dump().items()},
            "fitted": list(self.fitted),
            "field": None if self.field is None else self.field.model_dump(mode="json", exclude_defaults=True),
            "model": self.model,
            "option": self.option,
            "agreement": [
                {"distance": one.title, "z before": round(one.before, 2), "z after": round(one.after, 2)}
                for one in self.agreement
            ],
            "remarks": list(self.remarks),
            "versions": versions(),
        }
        return yaml.safe_dump(record, sort_keys=False, allow_unicode=True)

    def save(self, path: Path) -> None:
        """Write as YAML, beside and renamed."""
        with writing(path) as temporary:
            temporary.write_text(self.to_yaml(), encoding="utf-8")


def fit_to(
    images: Images,
    generator: Renderer,
    shapes: ShapeModel,
    option: str | None = None,
    style: Style | None = None,
    masks: Sequence[np.ndarray] = (),
    field: FieldSettings | None = None,
    seed: int = 1,
    on_progress: OnProgress = ignore_progress,
    cancel: CancelToken | None = None,
    patches: int = PATCHES,
) -> FittedCamera:
    """Find number and size of the nuclei, then blur, exposure and noise, so that a model's images look like these.

    What is well defined is read off the images: noise from the variance of local residuals against their mean, the
    background from a polynomial, number and size from a segmentation; the last two are made of the model's images under
    the camera too, and corrected by what they are wrong there. From there the camera is searched (`search.search`) by
    which the model's patches have the same grey values, spectrum and noise.

    Parameters
    ----------
    images : path, array, or several of them
        Without labels.
    generator : Renderer
    shapes : ShapeModel
    option : str, optional
        Look; the first that is grey or in colour as the images are, when not given.
    style : int or tuple of float, optional
        One style for all; drawn by the seed when not given.
    masks : sequence of ndarray
        Real masks of such images; number and size are not fitted then.
    field : FieldSettings, optional
        All but number and size of the nuclei.
    seed : int
    on_progress, cancel
        Counts evaluations.
    patches : int
        Of either side in the first round; later ones have more.

    Raises
    ------
    InputError
        If the images or the model cannot be used for this.
    """
    cancel = cancel or CancelToken()
    watch = Stopwatch(EVALUATIONS, on_progress)
    watch.report(0, "Reading the images")
    pictures = read_pictures(images, cancel)
    option = _option_for(generator, pictures, option)
    remarks = [*pictures.remarks, *_about_colour(pictures)]
    greys = [picture.grey for picture in pictures.pictures]
    fit = _Fit(pictures, patches, generator, option, style, seed, watch, cancel)
    settings: FieldSettings | None = None
    if masks:
        compose = cutter(masks)
    else:
        _check_structure(generator)
        settings = field or FieldSettings()
        compose = composer(settings, shapes)
    few = fit.made(compose, few=True)
    dark = few.dark
    if settings is not None:
        telling = few.telling
        real = _nuclei_of([picture.pixels for picture in pictures.pictures], telling)
        settings = _with(settings, {name: value for name, value in zip(FIELD, real, strict=True)})
        compose = composer(settings, shapes)
    measured = ground = background(greys, dark)
    made = fit.made(compose)
    camera = fit.start(made)
    tried: list[tuple[FieldSettings, Nuclei]] = []
    for times, evaluations in ROUNDS:
        if times > 1:
            made = fit.made(compose, times)
        camera = fit.camera(made, ground, camera, evaluations)
        seen = made.whole(camera)
        ground = ground.corrected(measured, background([in_grey(image) for image in seen], dark))
        if settings is not None:
            tried.append((settings, _nuclei_of(seen, telling)))
            settings = _corrected(settings, real, tried[-1][1])
            compose = composer(settings, shapes)
    camera = fit.camera(fit.made(compose, LAST_ROUND), ground, camera, EVALUATIONS - fit.used)
    if settings is not None and (lost := _not_following(tried[0], tried[-1])):
        settings = _with(settings, {name: value for name, value in zip(FIELD, real, strict=True) if name in lost})
        compose = composer(settings, shapes)
        remarks.append(AS_READ)
    watch.report(EVALUATIONS, "Looking at other patches")
    if camera.blur < 0.15:
        camera = camera.model_copy(update={"blur": 0.0})
        remarks.append("The images are at least as sharp as the look: there is no blur to add.")
    remarks += _about_use(measured, pictures)
    return FittedCamera(
        camera,
        tuple(name for name in CAMERA_FIELDS if name != "gamma" or not pictures.colour),
        settings,
        fit.agreement(compose, camera),
        tuple(remarks),
        generator.card.id,
        option or "",
        fit.used,
    )


class _Fit:
    """The search for one camera: what it looks at and what it has used up."""

    def __init__(
        self,
        pictures: Pictures,
        patches: int,
        generator: Renderer,
        option: str | None,
        style: Style | None,
        seed: int,
        watch: Stopwatch,
        cancel: CancelToken,
    ):
        self._pictures, self._patches, self._generator = pictures, patches, generator
        self._option, self._style, self._seed = option, style, seed
        self._watch, self._cancel = watch, cancel
        self._places = pictures.patches(seed, LAST_ROUND * patches)
        self._real = moments(pictures.cut(self._places))
        self.used = 0

    def made(self, compose: Composer, times: int = 1, *, few: bool = False) -> Scene:
        """As many patches of the model, or so many times as many, or a few."""
        return self._rendered(compose, self._places[: 4 if few else times * self._patches], 0)

    def _rendered(self, compose: Composer, places: Sequence[Patch], round_: int) -> Scene:
        seed = derived_seed(self._seed, "fit camera", round_)
        self._watch.report(EVALUATIONS if round_ else min(self.used, EVALUATIONS), "Rendering patches")
        return scene(self._generator, self._option, self._style, compose, places, seed, self._cancel)

    def start(self, made: Scene) -> CameraSettings:
        """Where the search begins: noise as read off, grey values of dark and bright parts matched by a line."""
        shot, read = noise_line([picture.grey for picture in self._pictures.pictures], SATURATED)
        plain = moments(made.seen(CameraSettings(), self._cancel))[:, : len(SHARES)].mean(0)
        target = self._real[:, : len(SHARES)].mean(0)
        rise, level = np.polyfit(plain, target, 1)
        gain = float(np.clip(rise, 0.05, 15))
        return CameraSettings(
            blur=1.0,
            gain=gain,
            offset=float(np.clip(level, -190, 190)),
            shot_noise=min(shot, 50.0),
            read_noise=min(max(read, 0.5), 70.0),
        )

    def camera(self, made: Scene, ground: Background, start: CameraSettings, evaluations: int) -> CameraSettings:
        """The camera under which the model's patches are like those of the microscope."""

        def moments_at(camera: CameraSettings) -> np.ndarray:
            self.used += 1
            self._watch.report(min(self.used, EVALUATIONS), f"Camera {self.used} of at most {EVALUATIONS}")
            return moments(made.seen(camera, self._cancel))

        fixed = ["log gamma"] if self._pictures.colour else []
        real = self._real[: len(made.patches)]
        return search(real, moments_at, start, ground, made.covered, evaluations, fixed)

    def agreement(self, compose: Composer, camera: CameraSettings) -> tuple[Agreement, ...]:
        """The battery's lines on other patches, without the camera and with it."""
        if len(self._pictures.pictures) < LEAST_GROUPS:
            return ()
        places = self._pictures.patches(derived_seed(self._seed, "other patches"), self._patches)
        made = self._rendered(compose, places, 1)
        real = _patches(self._pictures.cut(places), [str(place.picture) for place in places])
        groups = [f"made {number // 4}" for number in range(len(places))]
        found = []
        for name in SHOWN:
            distance, zs = DISTANCES[name], []
            for seen_by in (CameraSettings(), camera):
                other = _patches(made.seen(seen_by, self._cancel), groups)
                samples = distance.describe(real), distance.describe(other)
                zs.append(line(name, distance, *samples, real.groups, other.groups, self._seed).z)
            found.append(Agreement(distance.title, *zs))
        return tuple(found)


def _patches(grey: np.ndarray, groups: list[str]) -> Patches:
    pixels = np.clip(grey, 0, 255)[..., None] / np.float32(255)
    return Patches(pixels, np.zeros(grey.shape, np.int32), np.arange(len(grey)), np.array(groups))


def _option_for(generator: Renderer, pictures: Pictures, option: str | None) -> str | None:
    """The option that is fitted: the one asked for, or the first that is of the kind of the images."""
    from napari_synth.synthesis.request import check_option

    card = generator.card
    if card.condition_channels:
        raise InputError(
            f"The model {card.id} puts objects into an image, so there is no image of it alone to fit.",
            "Choose a model that renders from a mask alone.",
        )
    kind, other = ("in colour", "grey") if pictures.colour else ("grey", "in colour")
    fitting = [look.name for look in card.looks if look.rgb == pictures.colour]
    if option:
        look = card.looks[check_option(card, option)]
        if look.rgb != pictures.colour:
            choice = f"Choose another look: {', '.join(fitting)}." if fitting else "Choose another model."
            raise InputError(f"The images are {kind}, but the look {look.title or look.name} is {other}.", choice)
        return option
    if card.looks and not fitting:
        raise InputError(f"The images are {kind}, but all looks of {card.id} are {other}.", "Choose another model.")
    if not card.looks and pictures.colour:
        raise InputError(f"The images are in colour, but those of {card.id} are grey.", "Choose another model.")
    return fitting[0] if fitting else None


def _check_structure(generator: Renderer) -> None:
    card = generator.card
    if card.structure not in ("nucleus", "structure"):
        raise InputError(
            f"The model {card.id} renders {card.structures}, of which no field can be composed.",
            f"Give masks of {card.structures}: --masks DIR, masks=…",
        )


def _nuclei_of(images: list[np.ndarray], telling: np.ndarray) -> Nuclei:
    """Mean and standard deviation of the number of nuclei per 256×256 pixels, and of their areas by their quartiles.

    Looked for in the weighted sum of the channels in which they are brightest.
    """
    from napari_synth.masks.statistics import measure

    nothing = InputError("No nuclei stand out in the images.", "Give masks of such images: --masks DIR, masks=…")
    mixed = [image.reshape(*image.shape[:2], -1) @ telling for image in images]
    try:
        found: FieldStatistics = measure((str(number), nuclei(image, dark=False)) for number, image in enumerate(mixed))
    except InputError:
        raise nothing from None
    if not len(found.areas):
        raise nothing
    low, middle, high = np.quantile(found.areas, (0.25, 0.5, 0.75))  # nuclei that were not parted are far from these
    return float(found.counts.mean()), float(found.counts.std()), float(middle), float(high - low) / 1.349


def _corrected(settings: FieldSettings, real: Nuclei, made: Nuclei) -> FieldSettings:
    """Settings under which the segmentation, wrong as it may be, finds the same in both kinds of images."""
    changed = {}
    for name, wanted, found in zip(FIELD, real, made, strict=True):
        ratio = wanted / found if found > 0 else 1.0
        changed[name] = getattr(settings, name) * float(np.clip(ratio, 1 / MOST_CORRECTED, MOST_CORRECTED))
    return _with(settings, changed)


def _not_following(first: tuple[FieldSettings, Nuclei], second: tuple[FieldSettings, Nuclei]) -> set[str]:
    """Names of `FIELD`, by mean and spread, whose mean was changed in the masks without being found changed."""
    lost: set[str] = set()
    for mean, spread in (FIELD[:2], FIELD[2:]):
        at = FIELD.index(mean)
        given = np.log(getattr(second[0], mean) / getattr(first[0], mean))
        found = np.log(second[1][at] / first[1][at])
        if abs(given) > 0.1 and found / given < FOLLOWS:
            lost |= {mean, spread}
    return lost


def _with(settings: FieldSettings, changed: dict[str, float]) -> FieldSettings:
    limits = {"count_mean": (0.5, 5000.0), "count_sd": (0.0, 5000.0), "area_mean": (12.0, 1e6), "area_sd": (0.0, 1e6)}
    kept = {name: float(f"{np.clip(value, *limits[name]):.4g}") for name, value in changed.items()}
    laws = {"count_law": "normal", "area_law": "normal", "count_scaling": "area"}
    return FieldSettings.model_validate(settings.model_dump() | laws | kept)


def _about_colour(pictures: Pictures) -> list[str]:
    if not pictures.colour:
        return []
    return [
        "In colour, blur, background, gain, offset and noise are fitted to the mean of three "
        "channels, the same for each; gamma stays 1. Stain and hue stay as in the look: Style of my image takes them."
    ]


def _about_use(ground: Background, pictures: Pictures) -> list[str]:
    rise = max(abs(ground.x), abs(ground.y), abs(ground.bowl))
    if len(pictures.pictures) > 2 and rise > 4:
        return [f"The background of all images rises by up to {rise:.0f} grey levels in the same way."]
    return []


def _short(value: float) -> float:
    return float(f"{value:.6g}")
