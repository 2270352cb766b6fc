"""The Python surface: a few functions over the floors below; window and command line use the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from napari_synth.core.progress import CancelToken, OnProgress, ignore_progress
from napari_synth.core.recipe import FieldSettings, FieldSource, Recipe, mask_hash, read_recipe
from napari_synth.core.seeds import derived_seed

if TYPE_CHECKING:
    from napari_synth.export.run import ExportResult
    from napari_synth.masks.field import NucleusField
    from napari_synth.masks.shapes import ShapeModel
    from napari_synth.masks.sources import MaskReader
    from napari_synth.synthesis.generator import Generator


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
    from napari_synth.masks.shapes import ShapeModel
    from napari_synth.models.registry import load_trained
    from napari_synth.synthesis.generator import Generator

    trained = load_trained(name, device)
    return ShapeModel(trained) if trained.card.role == ShapeModel.role else Generator(trained)


def load_shapes(name: str | Path, device: str = "auto") -> ShapeModel:
    """Load a shape model."""
    from napari_synth.masks.shapes import ShapeModel
    from napari_synth.models.registry import load_trained

    return ShapeModel(load_trained(name, device))


def mask_reader() -> MaskReader:
    """A reader for the masks of recipes."""
    from napari_synth.masks.sources import MaskReader

    return MaskReader(load_shapes)


def compose_masks(settings: FieldSettings, n: int = 1, seed: int = 1) -> Iterator[tuple[FieldSource, NucleusField]]:
    """Compose ``n`` fields of nuclei; each comes with the recipe source that makes it again.

    The first field has ``seed`` itself, the others seeds derived from it.
    """
    from napari_synth.masks.field import compose_field

    shapes = load_shapes(settings.shapes)
    for index in range(n):
        source = FieldSource(settings=settings, seed=derived_seed(seed, "field", index) if index else seed)
        field = compose_field(settings, shapes, source.seed)
        yield source.model_copy(update={"sha256": mask_hash(field.labels)}), field


def export_recipe(
    recipe: Recipe,
    folder: str | Path,
    *,
    format: str = "tiff",
    overwrite: bool = False,
    device: str = "auto",
    on_progress: OnProgress = ignore_progress,
    cancel: CancelToken | None = None,
) -> ExportResult:
    """Make every pair of a recipe in ``folder``; see `export.run.export_pairs`."""
    from napari_synth.export.run import ExportRequest, export_pairs
    from napari_synth.synthesis.make import load_generator

    generator = load_generator(recipe.model, device)
    request = ExportRequest(recipe, Path(folder), format, overwrite)
    return export_pairs(request, generator, mask_reader(), on_progress, cancel)


def replay(source: str | Path, folder: str | Path, *, overwrite: bool = False, device: str = "auto") -> ExportResult:
    """Make again what a recipe file, or a file exported with one, describes."""
    return export_recipe(recipe_of(source), folder, overwrite=overwrite, device=device)


def recipe_of(source: str | Path) -> Recipe:
    """The recipe in a ``.yaml`` file or inside an exported TIFF."""
    from napari_synth.datasets.files import TIFF_SUFFIXES
    from napari_synth.export.tiff import embedded_recipe

    path = Path(source).expanduser()
    if path.suffix.lower() in TIFF_SUFFIXES:
        return embedded_recipe(path)
    return read_recipe(path)
