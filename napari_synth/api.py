"""The Python surface: a few functions over the floors below; window and command line use the same."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_synth.core import arguments
from napari_synth.core.errors import InputError
from napari_synth.core.progress import CancelToken, OnProgress, ignore_progress
from napari_synth.core.recipe import FieldSettings, FieldSource, Recipe, mask_hash, read_recipe
from napari_synth.core.untrusted import first_problem

if TYPE_CHECKING:
    import numpy as np

    from napari_synth.datasets.shape_library import ShapeLibrary
    from napari_synth.evaluation.pair_check import Report
    from napari_synth.exporting.batch import ExportResult
    from napari_synth.exporting.formats.base import Advice
    from napari_synth.masks.mask_reader import MaskReader
    from napari_synth.masks.nucleus_table import NucleusField
    from napari_synth.masks.shape_model import ShapeModel
    from napari_synth.masks.statistics import FieldStatistics
    from napari_synth.synthesis.generator import Generator
    from napari_synth.synthesis.pairs import PairModel
    from napari_synth.training.request import TrainResult


def load_model(name: str | Path, device: str = "auto") -> Generator | ShapeModel | PairModel:
    """Load a trained model by bundled id or by the path of a ``.safetensors`` file.

    Parameters
    ----------
    name : str or Path
        For example ``"optional-pix2pix-nuclei"`` or ``"nucleus-dvae"``.
    device : {'auto', 'cuda', 'mps', 'cpu'}

    Returns
    -------
    Generator, ShapeModel or PairModel
        With ``.render(mask, option, seed)``, ``.decode(z)`` or ``.sample(seed, option)``; a capsule model also
        takes ``z``, ``capture``, ``routing``, ``set`` and ``scale``.

    Raises
    ------
    InputError
        If the model is unknown, damaged, a pickle, or cannot be used this way.
    """
    from napari_synth.masks.shape_model import ShapeModel
    from napari_synth.models.registry import load_trained
    from napari_synth.synthesis.generator import Generator
    from napari_synth.synthesis.pairs import PairModel

    trained = load_trained(arguments.place(name, "name"), device)
    roles: dict[str, type[ShapeModel | PairModel]] = {"shapes": ShapeModel, "pairs": PairModel}
    return roles.get(trained.card.role, Generator)(trained)


def load_shapes(name: str | Path, device: str = "auto") -> ShapeModel:
    """Load a shape model."""
    from napari_synth.masks.shape_model import ShapeModel
    from napari_synth.models.registry import load_trained

    return ShapeModel(load_trained(arguments.place(name, "name"), device))


def load_pairs(name: str | Path, device: str = "auto") -> PairModel:
    """Load a model that makes pairs from noise."""
    from napari_synth.models.registry import load_trained
    from napari_synth.synthesis.pairs import PairModel

    return PairModel(load_trained(arguments.place(name, "name"), device))


def mask_reader(device: str = "auto") -> MaskReader:
    """A reader for the masks of recipes; ``device`` is where models compute them."""
    from napari_synth.masks.mask_reader import MaskReader

    return MaskReader(lambda name: load_shapes(name, device), load_pairs=lambda name: load_pairs(name, device))


def compose_masks(settings: FieldSettings, n: int = 1, seed: int = 1) -> Iterator[tuple[FieldSource, NucleusField]]:
    """Compose ``n`` fields of nuclei; each comes with the recipe source that makes it again.

    The first field has ``seed`` itself, the others seeds derived from it.
    """
    from napari_synth.masks.field import compose_field, field_sources

    n, seed = arguments.whole_number(n, "n", 1), arguments.whole_number(seed, "seed")
    settings = _field_settings(settings)
    shapes = load_shapes(settings.shapes)
    for source in field_sources(settings, n, seed):
        field = compose_field(settings, shapes, source.seed)
        yield source.model_copy(update={"sha256": mask_hash(field.labels)}), field


def _field_settings(settings: FieldSettings | None) -> FieldSettings:
    """The settings in an argument; those of the beginning where it is None."""
    if settings is not None and not isinstance(settings, FieldSettings):
        raise InputError("The argument settings is no FieldSettings.", "Make them with field_settings(…).")
    return FieldSettings() if settings is None else settings


def field_settings(settings: FieldSettings | None = None, **update: Any) -> FieldSettings:
    """Settings with some of them changed.

    Raises
    ------
    InputError
        If a setting is unknown or out of range.
    """
    from pydantic import ValidationError

    from napari_synth.masks.samplers import SAMPLERS
    from napari_synth.masks.spacing import SPACINGS

    try:
        changed = FieldSettings.model_validate(_field_settings(settings).model_dump() | update)
    except ValidationError as error:
        name, reason = first_problem(error, "settings")
        raise InputError(f"The field setting {name} is not valid: {reason}.", "Use another value.") from error
    SAMPLERS[changed.sampler], SPACINGS[changed.spacing]
    return changed


def measure_masks(masks: str | Path | np.ndarray | Sequence[np.ndarray]) -> FieldStatistics:
    """Number, area, eccentricity and distances of the nuclei in a folder of masks, in one mask or in several."""
    from napari_synth.masks.statistics import measure, measure_folder

    if isinstance(masks, str | Path):
        return measure_folder(arguments.place(masks, "masks"))
    return measure((str(number), mask) for number, mask in enumerate(_several(masks), 1))


def _several(masks: np.ndarray | Sequence[np.ndarray]) -> list[np.ndarray]:
    """The masks in an argument that is one mask or a sequence of them."""
    import numpy as np

    if isinstance(masks, np.ndarray):
        return [arguments.numbers(masks, "masks")]
    if not isinstance(masks, Sequence):
        raise InputError("The argument masks is no mask.", "Give a folder, a mask or a list of masks.")
    return [arguments.numbers(mask, "masks") for mask in masks]


def fit_field(
    masks: str | Path | np.ndarray | Sequence[np.ndarray] | FieldStatistics,
    settings: FieldSettings | None = None,
    cancel: CancelToken | None = None,
) -> FieldSettings:
    """Settings whose fields look like real masks; see `masks.statistics.fit`.

    >>> settings = ns.fit_field("my-data/masks")
    >>> ((source, field),) = ns.compose_masks(settings)
    """
    from napari_synth.masks.statistics import FieldStatistics, fit

    settings = _field_settings(settings)
    measured = masks if isinstance(masks, FieldStatistics) else measure_masks(masks)
    return fit(measured, settings, load_shapes(settings.shapes), cancel=cancel)


def shape_library(masks: str | Path | np.ndarray | Sequence[np.ndarray], min_box: int = 800) -> ShapeLibrary:
    """Single nuclei: those of a library file, or cut out of masks; ``.save(path)`` keeps them in one file."""
    from napari_synth.datasets.shape_library import library_from_labels, read_library

    min_box = arguments.whole_number(min_box, "min_box", 1)
    if isinstance(masks, str | Path):
        return read_library(arguments.place(masks, "masks"), min_box)
    return library_from_labels(((str(number), mask) for number, mask in enumerate(_several(masks), 1)), min_box)


def style_of(
    model: Generator, image: np.ndarray, option: str | None = None, mask: np.ndarray | None = None
) -> tuple[float, ...]:
    """The style with which a model renders most like an image; see `synthesis.styles.from_image.style_from_image`.

    Where the image is unlike all that the option was trained on, a `UserWarning` says so.

    >>> code = ns.style_of(model, image, "he")
    >>> model.render(mask, "he", seed=1, style=code)
    """
    from napari_synth.synthesis.generator import Generator
    from napari_synth.synthesis.styles.from_image import style_from_image

    if not isinstance(model, Generator):
        raise InputError("The argument model renders no images.", "Give load_model(…) of a generator with styles.")
    found = style_from_image(model, image, option, mask)
    if found.remark:
        warnings.warn(found.remark, stacklevel=2)
    return found.code


def check_pairs(
    folder: str | Path, on_progress: OnProgress = ignore_progress, cancel: CancelToken | None = None
) -> Report:
    """Faults of image-mask pairs, one sentence each; see `evaluation.pair_check.check_pairs`.

    >>> report = ns.check_pairs("my-pairs")
    >>> report.repair("my-pairs-cured")
    """
    from napari_synth.evaluation.pair_check import check_pairs as check

    return check(folder, on_progress, cancel)


def train(
    architecture: str,
    data: str | Path,
    out: str | Path,
    *,
    preset: str = "fast",
    ablation: str = "",
    settings: Mapping[str, float | str | bool] | None = None,
    resume: str | Path | None = None,
    init: str | None = None,
    seed: int = 1,
    device: str = "auto",
    devices: int = 1,
    precision: str = "32-true",
    checkpoint_minutes: float = 3.0,
    overwrite: bool = False,
    on_progress: OnProgress = ignore_progress,
    cancel: CancelToken | None = None,
) -> TrainResult:
    """Train a model on your own pairs and write it to ``out``; see `training.loop.TrainRequest` for all of this.

    >>> ns.train("pix2pix", "my-pairs", "my-model.safetensors", settings={"steps": 2000})
    """
    from napari_synth.training.loop import train as run
    from napari_synth.training.request import TrainRequest

    request = TrainRequest(
        architecture=arguments.text(architecture, "architecture"),
        data=arguments.place(data, "data"),
        out=arguments.place(out, "out"),
        preset=arguments.text(preset, "preset"),
        ablation=arguments.text(ablation, "ablation"),
        settings=dict(arguments.table(settings, "settings")),
        resume=None if resume is None else arguments.place(resume, "resume"),
        init=None if init is None else arguments.text(init, "init"),
        seed=arguments.whole_number(seed, "seed"),
        device=device,
        devices=arguments.whole_number(devices, "devices", 1, 1024),
        precision=arguments.text(precision, "precision"),
        checkpoint_minutes=arguments.finite_number(checkpoint_minutes, "checkpoint_minutes"),
        overwrite=overwrite,
    )
    return run(request, on_progress, cancel)


def export(
    recipe: Recipe | str | Path,
    folder: str | Path,
    *,
    format: str = "tiff",
    split: str = "",
    split_strict: bool | None = None,
    with_real: str | Path | None = None,
    check: str | Path | None = None,
    overwrite: bool = False,
    device: str = "auto",
    compile: bool = False,
    on_progress: OnProgress = ignore_progress,
    cancel: CancelToken | None = None,
    on_advice: Callable[[Sequence[Advice]], None] = lambda _: None,
    on_mask: Callable[[Path, np.ndarray], None] = lambda path, labels: None,
) -> ExportResult:
    """Make every pair of a recipe, or of a file that carries one, in ``folder``.

    Parameters
    ----------
    recipe : Recipe or path
    folder : path
    format : str
        A key of `exporting.formats.FORMATS`, such as ``cellpose``.
    split : str
        Shares of train, val and test, such as ``0.8/0.1/0.1``. All pairs of a mask share a role.
    split_strict : bool, optional
        Compose each role from label maps and nuclei of its own; done where a recipe has such when not given.
    with_real : path, optional
        A folder of real pairs, which are split; all synthetic ones train then.
    check : str or path, optional
        A segmenter trained on real images, such as the one that ``napari-synth evaluate pairs`` leaves in its report:
        a pair whose image does not show its mask in its eyes is drawn anew.
    overwrite : bool
        Replace the pairs of another export.
    device : str
    compile : bool
        See `Generator.compile`.
    on_progress, cancel, on_advice
        See `exporting.batch.export_pairs`.
    on_mask : callable
        Told path and labels of each mask from a file before a pair of it is made.
    """
    from napari_synth.exporting.asked import export_request
    from napari_synth.exporting.batch import export_pairs
    from napari_synth.models.registry import recipe_weights
    from napari_synth.synthesis.recipes import load_generator

    found = recipe if isinstance(recipe, Recipe) else recipe_of(recipe)
    request = replace(export_request(found, folder, format, split, split_strict, with_real, overwrite), look_at=on_mask)
    if check is not None:
        request = replace(request, accept=_checked_by(check, device))
    generator = load_generator(recipe_weights(found.model, found.model_sha256), device)
    if compile:
        generator.compile()
    return export_pairs(request, generator, mask_reader(device), on_progress, cancel, on_advice)


def _checked_by(segmentor: str | Path, device: str) -> Callable[[np.ndarray, np.ndarray], bool]:
    """Whether a pair is right in the eyes of a segmenter."""
    from napari_synth.evaluation.pair_check.second_look import agrees
    from napari_synth.evaluation.segmentor import Segmentor
    from napari_synth.models.registry import load_trained

    return agrees(Segmentor(load_trained(arguments.place(segmentor, "check"), device)).probability)


def replay(source: str | Path, folder: str | Path, *, overwrite: bool = False, device: str = "auto") -> ExportResult:
    """Make again what a recipe file, or a file exported with one, describes."""
    return export(source, folder, overwrite=overwrite, device=device)


def recipe_of(source: str | Path) -> Recipe:
    """The recipe in a ``.yaml`` file or inside an exported TIFF."""
    from napari_synth.datasets.image_files import TIFF_SUFFIXES
    from napari_synth.exporting.formats.tiff import embedded_recipe

    path = arguments.place(source, "source")
    if path.suffix.lower() in TIFF_SUFFIXES:
        return embedded_recipe(path)
    return read_recipe(path)
