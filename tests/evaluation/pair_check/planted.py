"""A small data set with drawn nuclei, and one fault planted in it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import tifffile
from PIL import Image
from scipy import ndimage

SIDE = 160
STEMS = ("a", "b", "c", "d", "e", "f")


def draw(seed: int, side: int = SIDE, count: int = 12) -> tuple[np.ndarray, np.ndarray]:
    """Labels of nuclei that do not touch, and their image: bright, blurred, with noise and an uneven background."""
    rng = np.random.default_rng(seed)
    labels = np.zeros((side, side), np.uint16)
    y, x = np.mgrid[:side, :side]
    number = 0
    for _ in range(400):
        if number == count:
            break
        cy, cx, a, b, t = *rng.uniform(14, side - 14, 2), *rng.uniform(7, 12, 2), rng.uniform(0, np.pi)
        u, v = (y - cy) * np.cos(t) + (x - cx) * np.sin(t), (x - cx) * np.cos(t) - (y - cy) * np.sin(t)
        shape = (u / a) ** 2 + (v / b) ** 2 < 1
        if not labels[ndimage.binary_dilation(shape, iterations=3)].any():
            number += 1
            labels[shape] = number
    levels = np.concatenate([[0], rng.uniform(110, 170, number)])
    image = 40 + 20 * x / side + ndimage.gaussian_filter(levels[labels], 1.2) + rng.normal(0, 6, labels.shape)
    return labels, image.clip(0, 255).astype(np.uint8)


class Data:
    """A data folder that faults are planted in."""

    def __init__(self, root: Path, seed: int = 0):
        self.root = root
        for name in ("images", "masks"):
            (root / name).mkdir(parents=True)
        self.pairs = {stem: draw(100 * seed + number) for number, stem in enumerate(STEMS)}
        for stem in STEMS:
            self.put(stem)

    def mask_path(self, stem: str, suffix: str = ".tif") -> Path:
        return self.root / "masks" / f"{stem}{suffix}"

    def image_path(self, stem: str, suffix: str = ".png") -> Path:
        return self.root / "images" / f"{stem}{suffix}"

    def put(self, stem: str, labels: np.ndarray | None = None, image: np.ndarray | None = None) -> None:
        """Write a pair, as it is or with other pixels."""
        own = self.pairs.setdefault(stem, (labels, image))
        labels, image = (given if given is not None else kept for given, kept in zip((labels, image), own, strict=True))
        tifffile.imwrite(self.mask_path(stem), labels)
        Image.fromarray(image).save(self.image_path(stem))

    def labels(self, stem: str) -> np.ndarray:
        return self.pairs[stem][0]


def shifted(array: np.ndarray, dy: int, dx: int) -> np.ndarray:
    return np.roll(array, (dy, dx), (0, 1))


def _mask(change):
    return lambda data: data.put("b", change(data.labels("b").copy()))


def _replace(data: Data, array: np.ndarray, suffix: str, **given) -> None:
    data.mask_path("b").unlink()
    Image.fromarray(array).save(data.mask_path("b", suffix), **given)


def _colours(data: Data) -> None:
    table = np.random.default_rng(0).integers(60, 255, (40, 3)).astype(np.uint8)
    table[0] = 0
    _replace(data, table[data.labels("b")], ".png")


def _shared(labels: np.ndarray) -> np.ndarray:
    labels[labels == 5] = 2
    labels[labels == labels.max()] = 5
    return labels


def _wrapped(data: Data) -> None:
    disc = np.hypot(*np.mgrid[-8:8, -8:8]) < 6
    labels = np.kron(np.arange(1, 301).reshape(15, 20), disc)
    image = (40 + 120 * ndimage.gaussian_filter((labels > 0).astype(float), 1)).astype(np.uint8)
    data.put("b", ((labels - 1) % 255 + 1).astype(np.uint8) * (labels > 0), image)


def _holes(labels: np.ndarray) -> np.ndarray:
    for y, x in ndimage.center_of_mass(labels > 0, labels, range(1, 6)):
        labels[round(y), round(x)] = 0
    return labels


def _specks(labels: np.ndarray) -> np.ndarray:
    free = np.argwhere(ndimage.distance_transform_edt(labels == 0) > 6)[::60]
    labels[tuple(free.T)] = 3
    return labels


def _touching_binary(labels: np.ndarray) -> np.ndarray:
    return (255 * (labels > 0)).astype(np.uint8)


def _swap(data: Data) -> None:
    data.put("b", data.labels("c"))
    data.put("c", data.labels("b"))


def _rotate_four(data: Data) -> None:
    for stem, other in zip("bcd", "cdb", strict=True):
        data.put(stem, data.labels(other))


def _stack(data: Data) -> None:
    data.put("b", np.stack([data.labels("b"), data.labels("c")]))
    data.image_path("b").unlink()
    tifffile.imwrite(data.image_path("b", ".tif"), np.stack([data.pairs["b"][1], data.pairs["c"][1]]))


def _unlabelled(labels: np.ndarray) -> np.ndarray:
    labels[np.isin(labels, (2, 4, 6, 8))] = 0
    return np.searchsorted(np.unique(labels), labels).astype(np.uint16)


def _held_out_twin(data: Data) -> None:
    (data.root / "dataset.yaml").write_text("options:\n- name: data\n  hold_out: every:3\n")
    brighter = (data.pairs["c"][1].astype(float) * 0.8 + 30).astype(np.uint8)
    data.put("b", data.labels("c"), brighter)


def _scaled(data: Data) -> None:
    data.put("b", data.labels("b")[::2, ::2])


def _write(data: Data, path: Path, content: bytes) -> None:
    path.write_bytes(content)


SHIFTS = ((6, 0), (0, -9), (-12, 5), (14, 14), (3, 0))
FAULTS = {
    # Name: (kind that must be found, what plants it)
    **{f"shifted {s}": ("shifted", _mask(lambda m, s=s: shifted(m, *s))) for s in SHIFTS},
    "mirrored": ("turned", _mask(lambda m: m[:, ::-1].copy())),
    "upside down": ("turned", _mask(lambda m: m[::-1].copy())),
    "turned by 180": ("turned", _mask(lambda m: m[::-1, ::-1].copy())),
    "turned by 90": ("turned", _mask(lambda m: np.rot90(m).copy())),
    "turned by 270": ("turned", _mask(lambda m: np.rot90(m, 3).copy())),
    "transposed": ("turned", _mask(lambda m: m.T.copy())),
    "two masks exchanged": ("swapped", _swap),
    "three masks exchanged": ("wrong pair", _rotate_four),
    "mask of a strange image": ("wrong pair", lambda d: d.put("b", draw(77)[0])),
    "binary": ("binary", _mask(_touching_binary)),
    "inverted": ("inverted", _mask(lambda m: np.where(m > 0, 0, 1).astype(np.uint8))),
    "colour-mapped PNG": ("strange numbers", _colours),
    "JPEG": ("strange numbers", lambda d: _replace(d, _touching_binary(d.labels("b")), ".jpg")),
    "JPEG of numbers": ("strange numbers", lambda d: _replace(d, (d.labels("b") * 20).astype(np.uint8), ".jpg")),
    "fractions": ("strange numbers", _mask(lambda m: ((m > 0) * np.float32(0.7)))),
    "negative numbers": ("strange numbers", _mask(lambda m: np.where(m == 3, -1, m.astype(np.int32)))),
    "8 bits overflow": ("wrapped", _wrapped),
    "one number twice": ("shared number", _mask(_shared)),
    "gaps": ("gaps", _mask(lambda m: (m * 3).astype(np.uint16))),
    "specks": ("specks", _mask(_specks)),
    "holes": ("holes", _mask(_holes)),
    "empty mask": ("empty", _mask(lambda m: m * 0)),
    "empty mask of nuclei": ("empty mask of nuclei", _mask(lambda m: m * 0)),
    "image of nothing": (
        "blank image",
        lambda d: d.put("b", image=np.random.default_rng(1).normal(50, 6, (SIDE, SIDE)).clip(0, 255).astype(np.uint8)),
    ),
    "nuclei without labels": ("unlabelled", _mask(_unlabelled)),
    "near-duplicate held out": ("duplicate", _held_out_twin),
    "duplicate, mirrored": (
        "duplicate", lambda d: d.put("b", d.labels("c")[:, ::-1].copy(), d.pairs["c"][1][:, ::-1].copy()),
    ),
    "half the size": ("sizes differ", _scaled),
    "cropped": ("sizes differ", _mask(lambda m: m[:-9].copy())),
    "stacks": ("stack", _stack),
    "mask missing": ("no mask", lambda d: d.mask_path("b").unlink()),
    "image missing": ("no image", lambda d: d.image_path("b").unlink()),
    "two masks of one name": ("doubled name", lambda d: Image.fromarray(d.labels("c").astype(np.uint8)).save(
        d.mask_path("b", ".png"))),
    "0 bytes": ("unreadable", lambda d: _write(d, d.image_path("b"), b"")),
    "cut off": ("unreadable", lambda d: _write(d, d.mask_path("b"), d.mask_path("b").read_bytes()[:300])),
    "alpha": ("read with care", lambda d: _replace(
        d, np.dstack([0 * d.labels("b").astype(np.uint8)] * 3 + [_touching_binary(d.labels("b"))]), ".png")),
}  # fmt: skip
