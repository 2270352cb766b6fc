"""Libraries of single nucleus shapes: built from masks, kept in one file."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import BaseModel, Field, ValidationError

from napari_synth.core.errors import InputError, brief
from napari_synth.core.files import text_named, user_path, writing
from napari_synth.core.seeds import numpy_rng
from napari_synth.core.untrusted import first_problem
from napari_synth.datasets.image_files import read_labels
from napari_synth.datasets.instances import Instance, instances
from napari_synth.datasets.listing import mask_files
from napari_synth.datasets.numpy_files import read_arrays
from napari_synth.datasets.pairs import OptionSource, describe

SHAPE_SIZE = 64
MIN_BOX = 800
"""Smallest bounding box, in square pixels, of a nucleus that has an outline worth keeping."""
LIBRARY_SUFFIX = ".library.npz"
"""A model's own library lies beside its weights under this suffix."""
LIBRARY_SIZE = 2400
"""Shapes in a model's own library."""
DROPS = {
    "border": "touch the border",
    "small": "are too small",
    "parts": "have several parts",
    "cut": "are cut off straight",
}
LIBRARY_ARRAYS = ("packed", "shapes", "area_px", "about", "codes", "log_variances")
MAX_PACKED = 2**26
"""Bytes of the shapes as bits: 131 072 shapes."""
STRAIGHT = 0.7
"""A nucleus that fills so much of a side of its bounding box was cut off by the border of its image."""


@dataclass(frozen=True)
class ShapeLibrary:
    """Binary nucleus shapes.

    Attributes
    ----------
    shapes : ndarray, shape (N, 64, 64), uint8
        1 in the nucleus, 0 outside.
    area_px : ndarray, shape (N,), float32
        Area at the original scale, in pixels.
    dropped : dict of str to int
        Nuclei that were left out when it was built, by reason: a key of `DROPS`.
    attribution : str
        Where the shapes come from.
    codes, log_variances : ndarray, shape (N, latent), float32, or None
        What the shape model with hash ``coded_by`` encodes them to.
    coded_by : str
    """

    shapes: np.ndarray
    area_px: np.ndarray
    dropped: dict[str, int] = field(default_factory=dict)
    attribution: str = ""
    codes: np.ndarray | None = None
    log_variances: np.ndarray | None = None
    coded_by: str = ""

    def __len__(self) -> int:
        return len(self.shapes)

    @property
    def summary(self) -> str:
        """One sentence: how many there are and how many were left out why."""
        left = [f"{count} {DROPS[reason]}" for reason, count in self.dropped.items() if count]
        return f"{len(self)} nuclei" + (f"; left out: {', '.join(left)}" if left else "") + "."

    def subset(self, keep: np.ndarray) -> ShapeLibrary:
        """The shapes that ``keep``, an index or a boolean array, picks."""
        coded = {
            name: values[keep]
            for name, values in (("codes", self.codes), ("log_variances", self.log_variances))
            if values is not None
        }
        return replace(self, shapes=self.shapes[keep], area_px=self.area_px[keep], **coded)

    def thinned(self, count: int, seed: int = 1) -> ShapeLibrary:
        """At most ``count`` of the shapes, chosen by chance, in their order."""
        if len(self) <= count:
            return self
        return self.subset(np.sort(numpy_rng(seed, "library").choice(len(self), count, replace=False)))

    def save(self, path: Path) -> None:
        """Write as one compressed ``.npz`` file that `read_shapes` reads."""
        coded = {}
        if self.codes is not None and self.log_variances is not None:
            coded = {name: getattr(self, name).astype(np.float16) for name in ("codes", "log_variances")}
        about = {"dropped": self.dropped, "attribution": self.attribution, "coded_by": self.coded_by}
        with writing(path) as temporary, temporary.open("wb") as file:
            np.savez_compressed(
                file,
                packed=np.packbits(self.shapes.astype(bool).reshape(len(self), np.prod(self.shapes.shape[1:])), axis=1),
                area_px=self.area_px.astype(np.float32),
                about=np.array(json.dumps(about)),
                **coded,
            )


def read_shapes(path: Path) -> ShapeLibrary:
    """Read a library: one of `ShapeLibrary.save`, or an ``.npz`` file with ``shapes`` (N, 64, 64).

    Raises
    ------
    InputError
        If the file is missing, damaged, holds no shapes or shapes of another size.
    """
    try:
        arrays = read_arrays(path, LIBRARY_ARRAYS)
        if not {"shapes", "packed"} & set(arrays):
            raise ValueError("it has no array 'shapes'")
        shapes = arrays["shapes"] if "shapes" in arrays else _unpacked(arrays["packed"])
        about = _About.model_validate_json(str(arrays["about"])) if "about" in arrays else _About()
    except ValidationError as error:
        raise _no_library(path, ": ".join(first_problem(error, "about"))) from error
    except (ValueError, TypeError) as error:
        raise _no_library(path, brief(error)) from error
    if shapes.dtype.kind not in "biuf":
        raise _no_library(path, f"its shapes have the dtype {shapes.dtype}")
    if shapes.ndim != 3 or shapes.shape[1:] != (SHAPE_SIZE, SHAPE_SIZE):
        raise InputError(f"The shapes in {path} are {shapes.shape}, not (N, 64, 64).", "Use another library.")
    if not len(shapes):
        raise InputError(f"The shape library {path} is empty.", "Use another library.")
    shapes = (shapes > 0).astype(np.uint8)
    area = arrays.get("area_px", shapes.sum((1, 2)))
    codes, log_variances = (arrays.get(name) for name in ("codes", "log_variances"))
    if area.shape != (len(shapes),) or any(
        values is not None and (values.ndim != 2 or len(values) != len(shapes)) for values in (codes, log_variances)
    ):
        raise InputError(f"The arrays in {path} have different lengths.", "Build the library again.")
    if (codes is None) != (log_variances is None) or (codes is not None and codes.shape != log_variances.shape):  # type: ignore[union-attr]
        raise _no_library(path, "codes and log_variances do not belong together")
    numbers = [_numbers(path, values) for values in (area, codes, log_variances)]
    return ShapeLibrary(shapes, numbers[0], codes=numbers[1], log_variances=numbers[2], **about.model_dump())  # type: ignore[arg-type]


class _About(BaseModel):
    """What a library says of itself."""

    dropped: dict[Literal["border", "small", "parts", "cut"], int] = Field(default_factory=dict)
    attribution: str = ""
    coded_by: str = ""


def _no_library(path: Path, reason: str) -> InputError:
    return InputError(f"{path} is not a shape library ({reason}).", "Use an .npz file with an array 'shapes'.")


def _numbers(path: Path, values: np.ndarray | None) -> np.ndarray | None:
    """An array of a library as float32."""
    if values is None:
        return None
    if values.dtype.kind not in "biuf" or not np.isfinite(values).all():
        raise _no_library(path, "its numbers are not finite")
    return values.astype(np.float32)


def _unpacked(packed: np.ndarray) -> np.ndarray:
    if packed.dtype != np.uint8 or packed.ndim != 2 or packed.nbytes > MAX_PACKED:
        raise ValueError("its array 'packed' is not one of bits, or too large")
    return np.unpackbits(packed, axis=1).reshape(-1, SHAPE_SIZE, SHAPE_SIZE)


def joined(libraries: list[ShapeLibrary]) -> ShapeLibrary:
    """One library of several, without codes."""
    dropped: Counter[str] = Counter()
    for library in libraries:
        dropped.update(library.dropped)
    origins = dict.fromkeys(library.attribution for library in libraries if library.attribution)
    return ShapeLibrary(
        np.concatenate([library.shapes for library in libraries]),
        np.concatenate([library.area_px for library in libraries]),
        dict(dropped),
        "; ".join(origins),
    )


def library_from_labels(masks: Iterable[tuple[str, np.ndarray]], min_box: int = MIN_BOX) -> ShapeLibrary:
    """Cut single nuclei out of masks.

    A nucleus is centred in 64×64 pixels: padded where it is smaller, made smaller where it is
    larger. Those that touch the border, have a bounding box under ``min_box`` or several parts are
    left out and counted.

    Parameters
    ----------
    masks : iterable of (str, ndarray)
        Name and mask; a binary mask is split into its connected parts.
    min_box : int
        Square pixels.

    Raises
    ------
    InputError
        If a mask is unusable, or no nucleus is left.
    """
    shapes, areas, dropped, names = [], [], Counter({"border": 0, "small": 0, "parts": 0}), []
    for name, mask in masks:
        names.append(name)
        for nucleus in instances(mask, f"The mask {name!r}"):
            reason = _reason_to_drop(nucleus, min_box)
            if reason:
                dropped[reason] += 1
            else:
                shapes.append(framed(nucleus.mask))
                areas.append(nucleus.area)
    library = ShapeLibrary(np.array(shapes, np.uint8), np.array(areas, np.float32), dict(dropped))
    if not shapes:
        where = f"the mask {names[0]!r}" if len(names) == 1 else f"the {len(names)} masks"
        found = sum(dropped.values())
        problem = f"All {found} nuclei in {where} were left out" if found else f"There is no nucleus in {where}"
        why = library.summary.partition(": ")[2]
        raise InputError(
            f"{problem}: {why}" if found else f"{problem}.",
            "Allow a smaller bounding box, or use other masks." if dropped["small"] else "Use other masks.",
        )
    return library


def library_from_folder(folder: str | Path, min_box: int = MIN_BOX) -> ShapeLibrary:
    """A library of all masks in a folder, or in its ``masks/``; see `library_from_labels`."""
    return library_from_labels(((path.name, read_labels(path)) for path in mask_files(folder)), min_box)


def read_library(path: str | Path, min_box: int = MIN_BOX) -> ShapeLibrary:
    """The library in an ``.npz`` file, or made of a folder of masks."""
    path = user_path(path)
    return library_from_folder(path, min_box) if path.is_dir() else read_shapes(path)


def _reason_to_drop(nucleus: Instance, min_box: int) -> str:
    if nucleus.on_border:
        return "border"
    if nucleus.mask.size < min_box:
        return "small"
    return "parts" if nucleus.parts > 1 else ""


def framed(mask: np.ndarray, side: int | None = None) -> np.ndarray:
    """A cropped nucleus in the middle of 64×64 pixels.

    Parameters
    ----------
    mask : ndarray of bool, shape (h, w)
    side : int, optional
        Length its longer side gets; when not given, it keeps its size unless it is too large.

    Returns
    -------
    ndarray, shape (64, 64), uint8
    """
    longest = max(mask.shape)
    target = side or min(longest, SHAPE_SIZE)
    if target != longest:
        from skimage.transform import resize

        height, width = (max(round(length * target / longest), 1) for length in mask.shape)
        small: np.ndarray = resize(mask.astype(np.float32), (height, width), order=1, anti_aliasing=target < longest)
        mask = small > 0.5 if (small > 0.5).any() else small >= small.max()
    frame = np.zeros((SHAPE_SIZE, SHAPE_SIZE), np.uint8)
    top, left = ((SHAPE_SIZE - length) // 2 for length in mask.shape)
    frame[top : top + mask.shape[0], left : left + mask.shape[1]] = mask
    return frame


def with_side(shapes: np.ndarray, side: int) -> np.ndarray:
    """Shapes whose longer side is made ``side`` pixels, as `framed`; those that have it stay as they are."""
    result = shapes.copy()
    for index in np.flatnonzero(longest_sides(shapes) != side):
        rows, columns = (np.flatnonzero(shapes[index].any(axis)) for axis in (1, 0))
        if rows.size:
            crop = shapes[index, rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
            result[index] = framed(crop > 0, side)
    return result


def longest_sides(shapes: np.ndarray) -> np.ndarray:
    """The longer side of each bounding box, in pixels, shape (N,)."""
    sides = []
    for axis in (2, 1):
        present: np.ndarray = np.any(shapes, axis)
        last = present.shape[1] - present[:, ::-1].argmax(1)
        sides.append(np.where(present.any(1), last - present.argmax(1), 0))
    return np.maximum(*sides)


def common_side(shapes: np.ndarray) -> int:
    """The longer side that nearly all shapes share; 0 where they have their own sizes."""
    sides = longest_sides(shapes)
    usual = int(np.median(sides))
    return usual if np.mean(np.abs(sides - usual) <= 1) > 0.9 else 0


def find_shape_files(data: Path) -> list[Path]:
    """The ``.npz`` files of a folder, or the file itself."""
    paths = [data] if data.is_file() else [text_named(path) for path in sorted(data.glob("*.npz"))]
    if not paths:
        raise InputError(f"There is no shape library (.npz) in {data}.", "Check the path.")
    return paths


def training_shapes(data: Path) -> list[tuple[OptionSource, ShapeLibrary, ShapeLibrary]]:
    """For each shape file of ``data`` where it comes from, its training and its held-out shapes."""
    sources = {source.name: source for source in describe(data).options}
    found = []
    for path in find_shape_files(data):
        source = sources.get(path.stem, OptionSource(name=path.stem))
        library = replace(read_shapes(path), attribution=_origin(source))
        held_out = is_held_out_shape(len(library))
        found.append((source, library.subset(~held_out), library.subset(held_out)))
    return found


def model_library(data: Path, count: int = LIBRARY_SIZE) -> ShapeLibrary:
    """The library that goes with a model trained on ``data``: ``count`` training shapes, of each file alike many.

    Shapes that the border of their image cut off are left out.
    """
    parts = []
    for _, training, _ in training_shapes(data):
        whole = straightest_sides(training.shapes) < STRAIGHT
        parts.append(replace(training.subset(whole), dropped={"cut": int((~whole).sum())}))
    return joined([part.thinned(-(-count // len(parts))) for part in parts])


def straightest_sides(shapes: np.ndarray) -> np.ndarray:
    """The largest share of a side of its bounding box that each shape fills, shape (N,)."""
    largest = np.zeros(len(shapes))
    present: np.ndarray = shapes > 0
    for index, shape in enumerate(present):
        rows, columns = np.flatnonzero(shape.any(1)), np.flatnonzero(shape.any(0))
        if rows.size:
            sides = (
                shape[rows[0], columns],
                shape[rows[-1], columns],
                shape[rows, columns[0]],
                shape[rows, columns[-1]],
            )
            largest[index] = max(side.mean() for side in sides)
    return largest


def _origin(source: OptionSource) -> str:
    return ", ".join(filter(None, (source.attribution or source.source, source.licence)))


def is_held_out_shape(count: int) -> np.ndarray:
    """True for every 10th of ``count`` shapes; these are never trained on."""
    held_out: np.ndarray = np.arange(count) % 10 == 9
    return held_out
