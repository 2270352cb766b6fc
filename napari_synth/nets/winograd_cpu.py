"""Capsule layers on the CPU as one native loop: convolution by Winograd's filtering, and routing, tile by tile.

A strip of tiles goes through everything while it is in the cache, so the votes never lie in memory. A convolution
of stride 2 reads the four phases of its input as four times the channels, a transposed one makes the four phases of
its output so; both have kernels of 3 then. Every tile is computed alike wherever it lies in its strip, so the result
does not depend on the number of threads.
"""

from __future__ import annotations

from functools import cache, partial
from typing import NamedTuple
from weakref import WeakKeyDictionary, ref

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from napari_synth.core.boxes import Box, full_box
from napari_synth.nets.native_loops import native, remark
from napari_synth.nets.native_vectors import LANES, ROWS, combination, multiply_rows
from napari_synth.nets.routing_cpu import TILE, route_tiles, spread
from napari_synth.nets.winograd import POINTS, at_points, enter, leave

Floats = npt.NDArray[np.float32]
F = np.float32
Convolution = nn.Conv2d | nn.ConvTranspose2d
STRIP = 20
"""Most tiles that go through together, a multiple of `ROWS`."""
FREQUENCIES = POINTS * POINTS
enter_vectors = combination(enter, POINTS)
leave_4_vectors, leave_6_vectors = (combination(partial(leave, outputs=count), POINTS) for count in (4, 6))


class Form(NamedTuple):
    """How a convolution becomes one of stride 1.

    Attributes
    ----------
    outputs : int
        Outputs of a tile along an axis: 4 of a kernel of 5, 6 of one of 3.
    parts_in, parts_out : int
        Phases of the input and of the output along an axis.
    """

    outputs: int
    parts_in: int
    parts_out: int


FORMS: dict[tuple[object, ...], Form] = {
    (nn.Conv2d, (5, 5), (1, 1), (2, 2)): Form(4, 1, 1),
    (nn.Conv2d, (5, 5), (2, 2), (2, 2)): Form(6, 2, 1),
    (nn.ConvTranspose2d, (4, 4), (2, 2), (1, 1)): Form(6, 1, 2),
}
"""Type, kernel, stride and padding of the convolutions that are done so."""


def form_of(convolution: Convolution) -> Form | None:
    """How a convolution is done here; None if it is not."""
    kind = (type(convolution), convolution.kernel_size, convolution.stride, convolution.padding)
    return FORMS.get(kind)


def fits(convolution: Convolution, pose: int, x: Tensor) -> bool:
    """Whether a layer is computed here: in inference, float32 on the CPU, in channels by sixteen."""
    return (
        not torch.is_grad_enabled()
        and x.device.type == "cpu"
        and x.dtype == torch.float32
        and form_of(convolution) is not None
        and convolution.weight.dtype == torch.float32
        and not convolution.weight.is_inference()  # whose changes are not counted
        and x.shape[2] % LANES == 0
        and pose % LANES == 0
        and not torch.is_autocast_enabled("cpu")
        and works()
    )


@cache
def works() -> bool:
    """Whether the loop can be compiled here; if not, torch convolves, slower."""
    try:
        with torch.inference_mode(False), torch.no_grad():
            convolution = nn.Conv2d(LANES, LANES, 5, 1, 2)
            capsules(convolution, LANES, torch.zeros(1, 1, LANES, 1, 1), 1, False)
    except Exception as error:  # no memory that may be run, a full disk under the cache, no compiler for this machine
        remark(f"The convolutions of capsules could not be compiled, so they are slower ({error}).")
        return False
    return True


def capsules(
    convolution: Convolution,
    pose: int,
    x: Tensor,
    iterations: int,
    keep: bool,
    window: tuple[Box, Box] | None = None,
) -> tuple[Tensor, Tensor]:
    """A capsule layer: convolution and routing.

    Parameters
    ----------
    convolution : nn.Conv2d or nn.ConvTranspose2d
        One that `fits`, its channels ordered ``j · pose + c``.
    pose : int
        Channels of an output capsule.
    x : Tensor, shape (B, I, C, H, W)
    iterations : int
    keep : bool
        Keep the routing coefficients.
    window : tuple of two Box, optional
        Where x lies in the layer's input, and the box of its output to compute; by default all.

    Returns
    -------
    capsules : Tensor, shape (B, H', W', J, pose)
    coefficients : Tensor, shape (iterations, B, I, H', W', J)
        Of length 0 unless kept.
    """
    form = form_of(convolution)
    assert form is not None
    spectra, bias = kernels(convolution, pose, form)
    height, width = x.shape[3:]
    if window is None:
        out_height, out_width = (-(-size * form.parts_out // form.parts_in) for size in (height, width))
        window = full_box(height, width), full_box(out_height, out_width)
    origin, box = window
    batch, inputs, outputs = *x.shape[:2], len(bias) // pose
    out = x.new_empty(batch, box.height, box.width, outputs, pose)
    coefficients = x.new_empty(iterations if keep else 0, batch, inputs, box.height, box.width, outputs)
    tiles = tiles_along(box.top, box.bottom, form) * tiles_along(box.left, box.right, form)
    threads = torch.get_num_threads()
    strip = ROWS * -(-tiles // (ROWS * threads * -(-tiles // (threads * STRIP))))
    spread(
        route_strips,
        batch * -(-tiles // strip),
        x.permute(0, 1, 3, 4, 2).contiguous().numpy(),
        spectra,
        bias,
        out.numpy(),
        coefficients.numpy(),
        iterations,
        form,
        strip,
        (box.top, box.left, origin.top, origin.left),
    )
    return out, coefficients


def tiles_along(start: int, stop: int, form: Form) -> int:
    """Tiles of the canvas in which the outputs ``start … stop - 1`` along an axis lie."""
    size = form.outputs * form.parts_out
    return -(-stop // size) - start // size


class Kernels(NamedTuple):
    """What a convolution's weights became, and of which state of them."""

    weight: ref[Tensor]
    state: tuple[int, int]
    spectra: Floats


_kernels: WeakKeyDictionary[Convolution, Kernels] = WeakKeyDictionary()


def kernels(convolution: Convolution, pose: int, form: Form) -> tuple[Floats, Floats]:
    """The convolution's kernels as `route_strips` reads them, kept until its weights change, and its bias."""
    weight, bias = convolution.weight, convolution.bias
    assert bias is not None
    state, known = (weight.data_ptr(), weight._version), _kernels.get(convolution)
    if known is None or known.weight() is not weight or known.state != state:
        known = Kernels(ref(weight), state, arranged(weight.detach(), pose, form))
        _kernels[convolution] = known
    return known.spectra, bias.detach().numpy()


def arranged(weight: Tensor, pose: int, form: Form) -> Floats:
    """Weights of a convolution at the points, ``(J · 64 · blocks · depth · 16,)`` float32.

    The kernels of a capsule are ordered (point, block of 16 output channels, input channel, output channel), where
    the channels count the phases: (row, column, channel).
    """
    if form.parts_out == 2:  # output 2y + a reads input y - 1 + t with the weight a + 3 - 2t
        phases = nn.functional.pad(weight.transpose(0, 1), (1, 1, 1, 1)).flip(2, 3).unflatten(3, (3, 2))
        phases = phases.unflatten(2, (3, 2)).flip(3, 5)  # (J · pose, C, t, a, t, a)
        split = phases.unflatten(0, (-1, pose)).permute(0, 4, 6, 1, 2, 3, 5).flatten(1, 3)
    elif form.parts_in == 2:  # output y reads phase p of the input at y - 1 + t with the weight 2t + p
        phases = nn.functional.pad(weight, (0, 1, 0, 1)).unflatten(3, (3, 2)).unflatten(2, (3, 2))
        split = phases.permute(0, 3, 5, 1, 2, 4).flatten(1, 3).unflatten(0, (-1, pose))
    else:
        split = weight.unflatten(0, (-1, pose))
    points = at_points(split).unflatten(1, (-1, LANES))  # (J, blocks, 16, depth, 64)
    spectra: Floats = points.permute(0, 4, 1, 3, 2).flatten().float().numpy()
    return spectra


def route_strips(
    x: Floats,
    spectra: Floats,
    bias: Floats,
    capsules: Floats,
    coefficients: Floats,
    iterations: int,
    form: Form,
    strip: int,
    place: tuple[int, int, int, int],
    first: int,
    last: int,
) -> None:
    """Capsules, and coefficients where there is room for them, in strips first … last - 1."""
    inputs, pose, kept = x.shape[1], capsules.shape[4], len(coefficients)
    depth, wide = x.shape[4] * form.parts_in**2, pose * form.parts_out**2
    pixels = strip * form.outputs**2 * form.parts_out**2
    votes = np.empty((1, inputs, pixels, 1, pose), F)
    route_strips_in(
        x,
        spectra,
        bias,
        capsules,
        coefficients,
        np.empty(FREQUENCIES * depth, F),
        np.empty(POINTS * (POINTS * max(depth, wide) + LANES), F),
        np.zeros(FREQUENCIES * (inputs * strip * depth + LANES), F),  # rows beyond the last tile are read too
        np.empty(FREQUENCIES * (strip * wide + LANES), F),
        votes,
        votes.reshape(-1),
        np.empty((1, pixels, 1, pose), F),
        np.empty((kept, 1, inputs, pixels, 1), F),
        iterations,
        (*form, strip, *place),
        first,
        last,
    )


@native
def route_strips_in(
    x: Floats,
    spectra: Floats,
    bias: Floats,
    capsules: Floats,
    coefficients: Floats,
    patch: Floats,
    half: Floats,
    entered: Floats,
    products: Floats,
    votes: Floats,
    flat: Floats,
    routed: Floats,
    weights: Floats,
    iterations: int,
    plan: tuple[int, int, int, int, int, int, int, int],
    first: int,
    last: int,
) -> None:
    """The strips, given room to work in."""
    size, parts_in, parts_out, strip, top, left, origin_top, origin_left = plan
    inputs, channels = x.shape[1], x.shape[4]
    height, width, outputs, pose = capsules.shape[1], capsules.shape[2], capsules.shape[3], capsules.shape[4]
    depth, wide = channels * parts_in * parts_in, pose * parts_out * parts_out
    pixels = size * size * parts_out * parts_out
    step = size * parts_out
    above, before = top // step, left // step
    across = (left + width - 1) // step + 1 - before
    tiles = ((top + height - 1) // step + 1 - above) * across
    strips = (tiles + strip - 1) // strip
    pitch, step_of_products = inputs * strip * depth + LANES, strip * wide + LANES
    for s in range(first, last):
        b = s // strips
        begin = (s - b * strips) * strip
        count = min(strip, tiles - begin)
        rows = (count + ROWS - 1) // ROWS * ROWS
        for i in range(inputs):
            for t in range(count):
                y = (above + (begin + t) // across) * size - (POINTS - size) // 2
                z = (before + (begin + t) % across) * size - (POINTS - size) // 2
                cut(x, b, i, y * parts_in - origin_top, z * parts_in - origin_left, parts_in, patch)
                enter_tile(patch, half, entered, (i * strip + t) * depth, pitch, depth)
        for j in range(outputs):
            for i in range(inputs):
                for f in range(FREQUENCIES):
                    multiply(
                        products, f * step_of_products, entered, f * pitch + i * strip * depth,
                        spectra, (j * FREQUENCIES + f) * depth * wide, rows, depth, wide,
                    )  # fmt: skip
                for t in range(count):
                    at = (i * strip + t) * pixels * pose
                    leave_tile(products, t * wide, step_of_products, half, flat, at, size, wide)
                    add_bias(flat, at, bias, j * pose, pixels, pose)
            route_tiles(votes, routed, weights, iterations, 0, (count * pixels + TILE - 1) // TILE)
            for t in range(count):
                y = (above + (begin + t) // across) * step - top
                z = (before + (begin + t) % across) * step - left
                put(routed, weights, capsules, coefficients, t * pixels, b, y, z, j, size, parts_out)


@native
def add_bias(flat: Floats, at: int, bias: Floats, of_bias: int, pixels: int, pose: int) -> None:
    """The bias to a tile's votes."""
    for p in range(pixels):
        for c in range(pose):
            flat[at + p * pose + c] += bias[of_bias + c]


@native
def put(
    routed: Floats, weights: Floats, capsules: Floats, coefficients: Floats,
    p: int, b: int, top: int, left: int, j: int, size: int, parts: int,
) -> None:  # fmt: skip
    """A tile's capsules and coefficients to their places, where they are in the box."""
    height, width, pose = capsules.shape[1], capsules.shape[2], capsules.shape[4]
    for y in range(size):
        for z in range(size):
            for a in range(parts):
                for e in range(parts):
                    row, column = top + y * parts + a, left + z * parts + e
                    if 0 <= row < height and 0 <= column < width:
                        for c in range(pose):
                            capsules[b, row, column, j, c] = routed[0, p, 0, c]
                        for r in range(coefficients.shape[0]):
                            for i in range(coefficients.shape[2]):
                                coefficients[r, b, i, row, column, j] = weights[r, 0, i, p, 0]
                    p += 1


@native
def cut(x: Floats, b: int, i: int, top: int, left: int, parts: int, patch: Floats) -> None:
    """A tile of 8 × 8 inputs, 0 beyond the map, its phases as channels."""
    height, width, channels = x.shape[2], x.shape[3], x.shape[4]
    at = 0
    for y in range(POINTS):
        for z in range(POINTS):
            for p in range(parts):
                for q in range(parts):
                    row, column = top + y * parts + p, left + z * parts + q
                    if 0 <= row < height and 0 <= column < width:
                        for c in range(channels):
                            patch[at + c] = x[b, i, row, column, c]
                    else:
                        for c in range(channels):
                            patch[at + c] = F(0)
                    at += channels


@native
def enter_tile(patch: Floats, half: Floats, to: Floats, at: int, pitch: int, depth: int) -> None:
    """A tile of inputs at the points, each point ``pitch`` after the one before."""
    row = POINTS * depth
    line = row + LANES
    for y in range(POINTS):
        for c in range(0, depth, LANES):
            enter_vectors(half, y * line + c, depth, patch, y * row + c, depth)
    for u in range(POINTS):
        for c in range(0, depth, LANES):
            enter_vectors(to, at + u * pitch + c, POINTS * pitch, half, u * depth + c, line)


@native
def multiply(to: Floats, at: int, a: Floats, of_a: int, b: Floats, of_b: int, rows: int, depth: int, wide: int) -> None:
    """The product of a matrix ``(rows, depth)`` and one ``(depth, wide)`` that lies in blocks of 16 columns."""
    for n in range(0, wide, LANES):
        for r in range(0, rows, ROWS):
            multiply_rows(to, at + r * wide + n, wide, a, of_a + r * depth, depth, b, of_b + n * depth, depth)


@native
def leave_tile(
    products: Floats, begin: int, pitch: int, half: Floats, to: Floats, at: int, size: int, wide: int
) -> None:
    """A tile of outputs of the products at the points, as (pixel, channel)."""
    line = POINTS * wide + LANES
    for u in range(POINTS):
        for c in range(0, wide, LANES):
            if size == 4:
                leave_4_vectors(half, u * wide + c, line, products, begin + u * pitch + c, POINTS * pitch)
            else:
                leave_6_vectors(half, u * wide + c, line, products, begin + u * pitch + c, POINTS * pitch)
    for y in range(size):
        for c in range(0, wide, LANES):
            if size == 4:
                leave_4_vectors(to, at + y * size * wide + c, wide, half, y * line + c, wide)
            else:
                leave_6_vectors(to, at + y * size * wide + c, wide, half, y * line + c, wide)
