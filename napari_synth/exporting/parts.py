"""What masks are made of, split too: each role is composed from label maps and shapes of its own."""

from __future__ import annotations

from pathlib import Path

from napari_synth.core.errors import InputError
from napari_synth.core.recipe import FieldSource, MaskSource, Recipe, RecombinedSource, mask_hash
from napari_synth.datasets.image_files import read_labels
from napari_synth.datasets.listing import mask_files
from napari_synth.datasets.shape_library import library_from_labels, read_shapes
from napari_synth.exporting.split import Split

SOURCES = "sources"
"""Folder in an export for what its masks were made of."""


class Parts:
    """Label maps and libraries by role, for a strict split.

    Parts of a library are written into ``sources/`` of the export, where its recipes find them.

    Raises
    ------
    InputError
        If there are fewer maps or nuclei than roles.
    """

    def __init__(self, folder: Path, recipe: Recipe, split: Split):
        self._split = split
        self._maps: dict[str, str] = {}
        self._libraries: dict[tuple[str, str], str] = {}
        for source in recipe.masks:
            if isinstance(source, RecombinedSource) and not {*source.maps} <= self._maps.keys():
                self._maps |= self._roles_of_maps([*{*self._maps, *source.maps}])
            elif isinstance(source, FieldSource) and source.settings.library:
                self._write_parts(folder, source.settings.library)

    def of(self, source: MaskSource, role: str) -> MaskSource:
        """The source of a mask, made from what this role has."""
        if isinstance(source, RecombinedSource):
            own = [path for path in source.maps if self._maps[path] == role]
            if not own:
                raise InputError(
                    f"The strict split leaves no label map for {role} among the {len(source.maps)} of a mask.",
                    "Give more label maps, or --no-split-strict.",
                )
            return source.model_copy(update={"maps": own, "sha256": ""})
        if isinstance(source, FieldSource) and source.settings.library:
            library = self._libraries[source.settings.library, role]
            settings = source.settings.model_copy(update={"library": library})
            return source.model_copy(update={"settings": settings, "sha256": ""})
        return source

    def _roles_of_maps(self, paths: list[str]) -> dict[str, str]:
        """Equal maps share a role, under whatever names they lie."""
        groups = {path: mask_hash(read_labels(Path(path))) for path in paths}
        roles = self._split.assigned(groups.values())
        return {path: roles[group] for path, group in groups.items()}

    def _write_parts(self, folder: Path, name: str) -> None:
        if any(library == name for library, _ in self._libraries):
            return
        path = Path(name)
        number = len({library for library, _ in self._libraries}) + 1
        if path.is_dir():  # whole masks stay together
            roles = self._roles_of_maps([str(file) for file in mask_files(path)])
            made = {
                role: library_from_labels(
                    (Path(file).name, read_labels(Path(file))) for file in roles if roles[file] == role
                )
                for role in self._split.wanted
            }
        else:
            whole = read_shapes(path)
            groups = [mask_hash(shape) for shape in whole.shapes]
            found = self._split.assigned(groups)
            made = {
                role: whole.subset([found[group] == role for group in groups])  # type: ignore[arg-type]
                for role in self._split.wanted
            }
        for role, library in made.items():
            if not len(library):
                raise InputError(
                    f"The strict split leaves no nuclei of {name} for {role}.",
                    "Use a larger library, or --no-split-strict.",
                )
            target = folder / SOURCES / f"library-{number}-{role}.npz"
            library.save(target)
            self._libraries[name, role] = str(target.resolve())


def made_of_real_data(recipe: Recipe) -> bool:
    """Whether masks are made of label maps or of a library that somebody brought."""
    return any(
        isinstance(source, RecombinedSource) or (isinstance(source, FieldSource) and bool(source.settings.library))
        for source in recipe.masks
    )
