"""The Python surface: a few functions over the floors below; window and command line use the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_synth.core.errors import InputError
from napari_synth.core.progress import CancelToken, OnProgress, ignore_progress
from napari_synth.core.recipe import FieldSettings, FieldSource, Recipe, mask_hash, read_recipe
from napari_synth.core.seeds import series_seed

if TYPE_CHECKING:
    import numpy as np

    from napari_synth.datasets.shape_library import ShapeLibrary
    from napari_synth.evaluation.pair_check import Report
    from napari_synth.exporting.batch import ExportResult
    from napari_synth.masks.mask_reader import MaskReader
    from napari_synth.masks.nucleus_table import NucleusField
    from napari_synth.masks.shape_model import ShapeModel
    from napari_synth.masks.statistics import FieldStatistics
    from napari_synth.synthesis.generator import Generator
    from napari_synth.training.loop import TrainResult


def load_model(name: str | Path, device: str = "auto") -> Generator | ShapeModel:
    """Load a trained model by bundled id or by the path of a ``.safetensors`` file.

    Parameters
    ----------
    name : str or Path
        For example ``"optional-pix2pix-nuclei"`` or ``"nucleus-dvae"``.
    device : {'auto', 'cuda', 'mps', 'cpu'}

    Returns
    -------
    Generator or ShapeModel
        With ``.render(mask, option, seed)`` or ``.decode(z)``; a capsule model also takes ``z``, ``capture``,
        ``routing``, ``set`` and ``scale``.

    Raises
    ------
    InputError
        If the model is unknown, damaged, a pickle, or cannot be used this way.
    """
    from napari_synth.masks.shape_model import ShapeModel
    from napari_synth.models.registry import load_trained
    from napari_synth.synthesis.generator import Generator

    trained = load_trained(name, device)
    return ShapeModel(trained) if trained.card.role == ShapeModel.role else Generator(trained)


def load_shapes(name: str | Path, device: str = "auto") -> ShapeModel:
    """Load a shape model."""
    from napari_synth.masks.shape_model import ShapeModel
    from napari_synth.models.registry import load_trained

    return ShapeModel(load_trained(name, device))


def mask_reader() -> MaskReader:
    """A reader for the masks of recipes."""
    from napari_synth.masks.mask_reader import MaskReader

    return MaskReader(load_shapes)


def compose_masks(settings: FieldSettings, n: int = 1, seed: int = 1) -> Iterator[tuple[FieldSource, NucleusField]]:
    """Compose ``n`` fields of nuclei; each comes with the recipe source that makes it again.

    The first field has ``seed`` itself, the others seeds derived from it.
    """
    from napari_synth.masks.field import compose_field

    shapes = load_shapes(settings.shapes)
    for index in range(n):
        source = FieldSource(settings=settings, seed=series_seed(seed, "field", index))
        field = compose_field(settings, shapes, source.seed)
        yield source.model_copy(update={"sha256": mask_hash(field.labels)}), field


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
        changed = FieldSettings.model_validate((settings or FieldSettings()).model_dump() | update)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"]) or "settings"
        raise InputError(f"The field setting {name} is not valid: {first['msg']}.", "Use another value.") from error
    SAMPLERS[changed.sampler], SPACINGS[changed.spacing]
    return changed


def measure_masks(masks: str | Path | np.ndarray | Sequence[np.ndarray]) -> FieldStatistics:
    """Number, area, eccentricity and distances of the nuclei in a folder of masks, in one mask or in several."""
    import numpy as np

    from napari_synth.masks.statistics import measure, measure_folder

    if isinstance(masks, str | Path):
        return measure_folder(masks)
    several = [masks] if isinstance(masks, np.ndarray) else masks
    return measure((str(number), mask) for number, mask in enumerate(several, 1))


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

    settings = settings or FieldSettings()
    measured = masks if isinstance(masks, FieldStatistics) else measure_masks(masks)
    return fit(measured, settings, load_shapes(settings.shapes), cancel=cancel)


def shape_library(masks: str | Path | np.ndarray | Sequence[np.ndarray], min_box: int = 800) -> ShapeLibrary:
    """Single nuclei: those of a library file, or cut out of masks; ``.save(path)`` keeps them in one file."""
    import numpy as np

    from napari_synth.datasets.shape_library import library_from_labels, read_library

    if isinstance(masks, str | Path):
        return read_library(masks, min_box)
    several = [masks] if isinstance(masks, np.ndarray) else masks
    return library_from_labels(((str(number), mask) for number, mask in enumerate(several, 1)), min_box)


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
    on_progress: OnProgress = ignore_progress,
    cancel: CancelToken | None = None,
) -> TrainResult:
    """Train a model on your own pairs and write it to ``out``; see `training.loop.TrainRequest` for all of this.

    >>> ns.train("pix2pix", "my-pairs", "my-model.safetensors", settings={"steps": 2000})
    """
    from napari_synth.training.loop import TrainRequest
    from napari_synth.training.loop import train as run

    request = TrainRequest(
        architecture=architecture,
        data=Path(data),
        out=Path(out),
        preset=preset,
        ablation=ablation,
        settings=dict(settings or {}),
        resume=None if resume is None else Path(resume),
        init=init,
        seed=seed,
        device=device,
        devices=devices,
        precision=precision,
        checkpoint_minutes=checkpoint_minutes,
    )
    return run(request, on_progress, cancel)


def export(
    recipe: Recipe | str | Path,
    folder: str | Path,
    *,
    format: str = "tiff",
    overwrite: bool = False,
    device: str = "auto",
    compile: bool = False,
    on_progress: OnProgress = ignore_progress,
    cancel: CancelToken | None = None,
) -> ExportResult:
    """Make every pair of a recipe, or of a file that carries one, in ``folder``.

    See `exporting.batch.export_pairs` and `Generator.compile`.
    """
    from napari_synth.exporting.batch import ExportRequest, export_pairs
    from napari_synth.synthesis.recipes import load_generator

    if not isinstance(recipe, Recipe):
        recipe = recipe_of(recipe)
    generator = load_generator(recipe.model, device)
    if compile:
        generator.compile()
    request = ExportRequest(recipe, Path(folder), format, overwrite)
    return export_pairs(request, generator, mask_reader(), on_progress, cancel)


def replay(source: str | Path, folder: str | Path, *, overwrite: bool = False, device: str = "auto") -> ExportResult:
    """Make again what a recipe file, or a file exported with one, describes."""
    return export(source, folder, overwrite=overwrite, device=device)


def recipe_of(source: str | Path) -> Recipe:
    """The recipe in a ``.yaml`` file or inside an exported TIFF."""
    from napari_synth.datasets.image_files import TIFF_SUFFIXES
    from napari_synth.exporting.formats.tiff import embedded_recipe

    path = Path(source).expanduser()
    if path.suffix.lower() in TIFF_SUFFIXES:
        return embedded_recipe(path)
    return read_recipe(path)
