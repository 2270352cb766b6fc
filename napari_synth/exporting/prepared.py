"""Before the first pair: hashes of the masks, a look at them, the recipe as it is stored, the folder made ready."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_synth.core.errors import InputError
from napari_synth.core.files import holds_other, write_error, writing
from napari_synth.core.manifest import Manifest, State
from napari_synth.core.names import check_inside
from napari_synth.core.progress import CancelToken
from napari_synth.core.recipe import (
    RECIPE_NAME,
    ConditionSource,
    FileSource,
    ImageFileSource,
    MadeSource,
    MaskSource,
    Recipe,
    image_hash,
    mask_hash,
    parse_recipe,
)
from napari_synth.exporting.formats.base import Item, PixelSize, Survey, Writer
from napari_synth.exporting.formats.tiff import stored_labels, write_tiff
from napari_synth.exporting.parts import SOURCES
from napari_synth.exporting.plan import Plan
from napari_synth.exporting.split import ROLES
from napari_synth.exporting.survey import TRIAL, MaskFacts, facts_of
from napari_synth.exporting.tables import PairTable
from napari_synth.synthesis.request import check_condition, needed_condition

if TYPE_CHECKING:
    import numpy as np

    from napari_synth.masks.mask_reader import MaskReader
    from napari_synth.models.card import ModelCard

SETTINGS_NAME = "export.json"
TRIAL_PIXELS = 4 << 20
"""Of all masks that are looked at together, beside the first."""
KEPT = 8
"""Masks that formats may try what they lose on."""


@dataclass(frozen=True)
class Settings:
    """What tells two exports of one recipe apart; stored in ``export.json``."""

    format: str
    split: str = ""
    strict: bool = False
    split_seed: int = 0
    with_real: str = ""
    told_names: bool = False

    def save(self, folder: Path) -> None:
        with writing(folder / SETTINGS_NAME) as temporary:
            temporary.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")


def read_settings(folder: Path) -> Settings:
    """What a folder was exported with; an export of the time before there was such a file was one of TIFF pairs."""
    path = folder / SETTINGS_NAME
    if not path.is_file():
        return Settings("tiff")
    try:
        return Settings(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise InputError(f"{path} is damaged.", "Choose another folder.") from error


def surveyed(
    recipe: Recipe, masks: MaskReader, card: ModelCard, cancel: CancelToken | None = None
) -> tuple[Recipe, Survey]:
    """The recipe with the hashes of all its masks and images, and a look at some of the masks.

    Images beside masks are as the model takes them, and have no place yet. Raises `Cancelled` if ``cancel`` is set.
    """
    facts: list[MaskFacts] = []
    kept: list[np.ndarray] = []
    pixels = 0

    def look_at(labels: np.ndarray) -> None:
        nonlocal pixels
        if not facts or (len(facts) < TRIAL and pixels + labels.size <= TRIAL_PIXELS):
            pixels += labels.size
            facts.append(facts_of(labels))
            if len(kept) < KEPT:
                kept.append(labels)

    sources: list[MaskSource] = []
    conditions: list[ImageFileSource] = []
    for position, source in enumerate(recipe.masks):
        if cancel is not None:
            cancel.raise_if_cancelled()
        labels = masks.labels(source)
        look_at(labels)
        sources.append(source.model_copy(update={"sha256": source.sha256 or mask_hash(labels)}))
        if position < len(recipe.conditions):
            beside = recipe.conditions[position]
            image = check_condition(card, masks.image(beside), labels.shape)
            if image is not None:
                conditions.append(image_source(image))
    looks = [look for look in card.looks if look.name in recipe.options] or card.looks[:1]
    colours = {look.rgb for look in looks}
    channel = card.intensities.get(card.output_channel)
    survey = Survey(
        masks=tuple(facts),
        labels=tuple(kept),
        dtype=channel.dtype if channel else "uint8",
        rgb=True in colours,
        mixed=len(colours) > 1,
        two_channels=bool(card.condition_channels),
    )
    return recipe.model_copy(update={"masks": sources, "conditions": conditions}), survey


def image_source(image: np.ndarray) -> ImageFileSource:
    """An image beside a mask, whose place is not known yet."""
    dtype: Any = image.dtype.name
    return ImageFileSource(path="", dtype=dtype, sha256=image_hash(image))


def portable(hashed: Recipe, plan: Plan, out: Writer) -> Recipe:
    """The recipe as it is stored in the export folder: every mask is a field or a file in there.

    So is every image beside a mask: the first channel of what is exported.
    """
    masks = [
        source
        if isinstance(source, MadeSource)  # so that more pairs than masks are still new ones
        else FileSource(path=places(plan.first_of_mask(position), position, out)[1].as_posix(), sha256=source.sha256)
        for position, source in enumerate(hashed.masks)
    ]
    conditions = [
        stored_condition(beside, places(plan.first_of_mask(position), position, out)[0], out)
        for position, beside in enumerate(hashed.conditions)
    ]
    return hashed.model_copy(update={"masks": masks, "conditions": conditions})


def places(item: Item, position: int, out: Writer) -> tuple[Path, Path]:
    """Where in the export folder the image beside a mask (its first channel), and the mask, are found again."""
    if out.exact:
        image, mask, *_ = out.files(Path(), item)
        return image, mask
    return Path(SOURCES) / f"image_{position + 1:04d}.tif", Path(SOURCES) / f"mask_{position + 1:04d}.tif"


def stored_condition(beside: ConditionSource, path: Path, out: Writer) -> ImageFileSource:
    """An image beside a mask as a file of the export, where it may be the first of two channels."""
    if not isinstance(beside, ImageFileSource):
        raise TypeError("an image in a layer has no hash of its own before `surveyed`")
    return beside.model_copy(update={"path": path.as_posix(), "channel": 0 if out.exact else None})


def prepare(
    folder: Path,
    stored: Recipe,
    plan: Plan,
    settings: Settings,
    out: Writer,
    manifest: Manifest,
    table: PairTable,
    overwrite: bool,
) -> None:
    """Make the folder ready, or refuse it when it holds something else."""
    path = folder / RECIPE_NAME
    try:
        present = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else None
    except OSError as error:
        raise write_error(path, error) from error
    old = None
    if present is not None:
        try:
            old = parse_recipe(present, RECIPE_NAME)
        except InputError:
            old = None
        if old is not None and read_settings(folder) == settings and continues(old, stored):
            if old.model_copy(update={"versions": stored.versions}) != stored:
                stored.save(path)
            return
    if not overwrite and (present is not None or any(_present_files(folder, plan, out))):
        raise holds_other(folder, "pairs")
    plans = [plan] if old is None else [plan, Plan(old, plain_names=out.plain_names)]
    _remove(folder, [*manifest.listed(), *(found for one in plans for found in _present_files(folder, one, out))])
    manifest.clear()
    table.clear()
    stored.save(path)
    settings.save(folder)


def continues(old: Recipe, new: Recipe) -> bool:
    """Whether the pairs of ``old`` are the first ones of ``new``, under the same names."""
    same = old.model_copy(update={"versions": new.versions})
    if same == new:
        return True
    if (
        (old.format == 1 and old.count() == 1)
        or new.count() < old.count()
        or len(str(max(old.count(), 9999))) != len(str(max(new.count(), 9999)))
    ):
        return False
    if same.masks == new.masks:
        return same.model_copy(update={"n": new.n}) == new
    count = len(old.masks)
    whole = old.count() == count * old.per_mask and new.count() == len(new.masks) * new.per_mask
    longer = {"masks": new.masks, "n": new.n, "conditions": new.conditions}
    beside = len(old.conditions) < 2 or new.conditions[:count] == old.conditions
    return whole and beside and new.masks[:count] == old.masks and same.model_copy(update=longer) == new


def _present_files(folder: Path, plan: Plan, out: Writer) -> Iterator[Path]:
    """The files in the folder that bear the names of planned pairs; found there, however many pairs are planned."""
    for role in ("", *ROLES):
        for place in {path.parent for path in out.files(folder, Item("x", role))}:
            for found in sorted(place.iterdir()) if place.is_dir() else ():
                number = found.name.partition("_")[0].partition(".")[0]
                if not number.isdecimal() or not 0 < int(number) <= plan.synthetic:
                    continue
                if found in out.files(folder, Item(plan.stem(int(number) - 1), role)):
                    yield check_inside(folder, found)


def _remove(folder: Path, paths: list[Path]) -> None:
    """Remove the files of an earlier export, and nothing else; folders that are empty then go too."""
    for path in dict.fromkeys(paths):
        check_inside(folder, path)
        try:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
            for parent in (parent for parent in path.parents if parent.is_relative_to(folder) and parent != folder):
                with suppress(OSError):
                    parent.rmdir()
        except OSError as error:
            raise write_error(path, error) from error


def write_sources(
    folder: Path,
    recipe: Recipe,
    stored: Recipe,
    masks: MaskReader,
    card: ModelCard,
    manifest: Manifest,
    out: Writer,
) -> list[Path]:
    """Keep the masks, and images beside them, that a format changes; the files that are there then."""
    written = []
    for position, source in enumerate(stored.masks):
        if isinstance(source, FileSource):
            path = folder / source.path
            if manifest.state(path) is not State.WHOLE:
                write_tiff(path, stored_labels(masks.labels(recipe.masks[position])), "", PixelSize())
                manifest.add([path])
            written.append(path)
    for position in range(len(stored.conditions)):
        path = folder / places(Item(""), position, out)[0]
        if manifest.state(path) is not State.WHOLE:
            labels = masks.labels(recipe.masks[position])
            image = needed_condition(card, masks.image(recipe.conditions[position]), labels.shape)
            write_tiff(path, image, "", PixelSize())
            manifest.add([path])
        written.append(path)
    return written
