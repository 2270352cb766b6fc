"""What strangers put into files and arguments."""

from __future__ import annotations

import copy
import io
import struct
import zipfile
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

NUMBERS = [-1, 0, 1, 2, 3, 7, 64, 65535, 2**31, 2**63, 2**64, 10**12, 10**30, 0.5, 1.9, -0.5, 1e-320, 1e308]
NO_NUMBERS = [float("nan"), float("inf"), float("-inf")]
TEXTS = [
    "", "x", "7", "he", ".", "..", "/", "/../../escaped", "a/b", "C:x", "\0", "a\0b", "[/b]", "²", "\ud800", "é" * 200,
    "x" * 300, "/" + "y/" * 3000, "~nosuchuser/x", "uint8", "float128", "prior", "1e9", "%s", "{}",
]  # fmt: skip
SHORT = st.text(max_size=8)
SCALARS = st.one_of(
    st.none(), st.booleans(), st.sampled_from(NUMBERS), st.sampled_from(NO_NUMBERS), st.sampled_from(TEXTS), SHORT,
    st.integers(-10, 300), st.floats(),
)  # fmt: skip
VALUES = st.recursive(
    SCALARS, lambda parts: st.lists(parts, max_size=3) | st.dictionaries(SHORT, parts, max_size=3), max_leaves=5
)


class Odd:
    """An object that is none of what is asked for, and says so badly."""

    def __array__(self, *_: Any, **__: Any) -> np.ndarray:
        raise RuntimeError("no array")

    def __repr__(self) -> str:
        return "<odd\nobject>" * 100


ARRAYS = st.one_of(
    arrays.arrays(
        st.sampled_from(["bool", "uint8", "int8", "uint16", "int32", "int64", "uint64", "float16", "float32", "float64",
                         "complex64", "U3", "S2", "datetime64[D]"]),
        arrays.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=40),
    ),
    st.builds(lambda value: np.full((4, 4), value), st.sampled_from([2.0**31, np.float32(2**31), -1, 0.5, np.nan])),
    st.builds(lambda side: np.broadcast_to(np.uint8(1), (side, side)), st.sampled_from([1, 1000, 10**6])),
)  # fmt: skip
ARGUMENTS = st.one_of(
    VALUES,
    ARRAYS,
    st.just(()),
    st.tuples(SCALARS, SCALARS),
    st.dictionaries(st.tuples(st.sampled_from(["convcaps10", "x"]), st.integers(-1, 2)), SCALARS, max_size=2),
    st.builds(Odd),
    st.just(int),
    st.just(1j),
    st.just(b"x"),
    st.just(np.datetime64("2020")),
)


def places(record: Any, before: tuple = ()) -> list[tuple]:
    """The keys that lead to every value in a record."""
    if isinstance(record, dict):
        inside = record.items()
    elif isinstance(record, list):
        inside = enumerate(record)
    else:
        return [before]
    return [before, *(place for key, part in inside for place in places(part, (*before, key)))]


@st.composite
def changed(draw: Any, record: Any) -> Any:
    """A record with up to three values replaced, removed or added."""
    record = copy.deepcopy(record)
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.sampled_from([place for place in places(record) if place] or [()]))
        if not place:
            return draw(VALUES)
        parent = record
        for key in place[:-1]:
            parent = parent[key]
        what = draw(st.sampled_from(["replace"] * 6 + ["remove", "add", "multiply"]))
        if what == "remove":
            del parent[place[-1]]
        elif what == "add" and isinstance(parent, dict):
            parent[draw(SHORT)] = draw(VALUES)
        elif what == "multiply" and isinstance(parent[place[-1]], int | float):
            parent[place[-1]] *= draw(st.sampled_from([-1, 0, 10, 1000, 10**7]))
        else:
            parent[place[-1]] = draw(VALUES)
    return record


@st.composite
def damaged(draw: Any, content: bytes) -> bytes:
    """Bytes of a file with some of them changed, or its end missing."""
    content = bytearray(content)
    for _ in range(draw(st.integers(0, 8))):
        place = draw(st.integers(0, min(len(content) - 1, 400)) | st.integers(0, len(content) - 1))
        content[place] = draw(st.sampled_from([0, 1, 2, 127, 128, 255]) | st.integers(0, 255))
    if draw(st.integers(0, 3)) == 0:
        del content[draw(st.integers(0, len(content))) :]
    return bytes(content)


@st.composite
def tiff_files(draw: Any) -> bytes:
    """A TIFF of one page whose tags say anything at all."""
    number = st.sampled_from([0, 1, 2, 3, 8, 16, 32, 40, 255, 65535, 10**5, 2**31, 2**32 - 1])
    tags = {256: 40, 257: 40, 258: 8, 259: 1, 262: 1, 273: 8, 277: 1, 278: 40, 279: 1600}
    for code in draw(st.lists(st.sampled_from([*tags, 254, 266, 282, 284, 317, 322, 323, 324, 325, 338, 339, 320]))):
        tags[code] = draw(number)
    entries = b""
    for code, value in sorted(tags.items()):
        kind = draw(st.sampled_from([4] * 20 + [0, 1, 2, 3, 5, 12, 16, 99]))
        count = draw(st.sampled_from([1] * 20 + [0, 2, 10**6, 2**32 - 1]))
        entries += struct.pack("<HHII", code, kind, count, value)
    ifd = struct.pack("<H", len(tags)) + entries + struct.pack("<I", draw(st.sampled_from([0] * 8 + [8, 2**31])))
    content = struct.pack("<2sHI", b"II", 42, 8 + 1600) + bytes(1600) + ifd
    return content


USUAL = {"packed": (2, 512), "area_px": (2,), "about": (), "codes": (2, 10), "log_variances": (2, 10)}
"""Shapes of the arrays of a library of two shapes."""


def npy_header(shape: tuple[int, ...], dtype: str = "|u1") -> bytes:
    """The beginning of a ``.npy`` file of any shape."""
    text = f"{{'descr': {dtype!r}, 'fortran_order': False, 'shape': {shape!r}, }}".encode()
    text += b" " * (-(len(text) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text


def zipped(members: dict[str, bytes]) -> bytes:
    """A compressed archive."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


@st.composite
def npz_files(draw: Any, names: list[str]) -> bytes:
    """An archive of arrays, some of which are none or larger than they say."""
    members = {}
    for name in draw(st.lists(st.sampled_from(names), max_size=4, unique=True)):
        if draw(st.integers(0, 3)) == 0:
            shape = tuple(draw(st.lists(st.sampled_from([-1, 0, 1, 64, 10**5, 10**12]), max_size=4)))
            dtype = draw(st.sampled_from(["|u1", "<f8", "|O", "<U9", "x", "<i4"]))
            members[f"{name}.npy"] = npy_header(shape, dtype) + bytes(draw(st.integers(0, 200)))
        else:
            buffer = io.BytesIO()
            usual = USUAL.get(name, (2, 64, 64))
            odd = st.sampled_from([(), (0,), (1,), (2,), (2, 10), (2, 512), (2, 64, 64), (1, 64, 64), (0, 64, 64)])
            kind = st.sampled_from(["u1"] * 4 + ["i4", "f2", "f4", "U4", "?", "c8"])
            shape = draw(odd) if draw(st.integers(0, 4)) == 0 else usual
            np.save(buffer, np.full(shape, draw(st.sampled_from([0, 1, 7, 255]))).astype(draw(kind)))
            members[f"{name}.npy"] = buffer.getvalue()
    return zipped(members)
