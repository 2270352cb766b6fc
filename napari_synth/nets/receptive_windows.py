"""Windows of feature maps: what an input window changes, what an output window needs, and a layer over a window."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor, nn
from torch.nn import functional as F

from napari_synth.core.boxes import Box


class Reach(NamedTuple):
    """Kernel, stride and padding of a convolution or a transposed one."""

    kernel: int
    stride: int
    padding: int
    transposed: bool = False

    @classmethod
    def of(cls, convolution: nn.Conv2d | nn.ConvTranspose2d) -> Reach:
        """That of a square convolution."""
        return cls(
            convolution.kernel_size[0],
            convolution.stride[0],
            int(convolution.padding[0]),
            isinstance(convolution, nn.ConvTranspose2d),
        )

    def affects(self, start: int, stop: int) -> tuple[int, int]:
        """First and last + 1 of the outputs that read any of the inputs ``start … stop - 1``."""
        kernel, stride, padding, transposed = self
        if transposed:
            return start * stride - padding, (stop - 1) * stride - padding + kernel
        return (start + padding - kernel) // stride + 1, (stop - 1 + padding) // stride + 1

    def needs(self, start: int, stop: int) -> tuple[int, int]:
        """First and last + 1 of the inputs that the outputs ``start … stop - 1`` read."""
        kernel, stride, padding, transposed = self
        if transposed:
            return -((kernel - 1 - padding - start) // stride), (stop - 1 + padding) // stride + 1
        return start * stride - padding, (stop - 1) * stride - padding + kernel

    def affected(self, box: Box) -> Box:
        """The output box that an input box changes, not cut to any canvas."""
        (top, bottom), (left, right) = self.affects(box.top, box.bottom), self.affects(box.left, box.right)
        return Box(top, left, bottom, right)

    def needed(self, box: Box) -> Box:
        """The input box that an output box needs, not cut to any canvas."""
        (top, bottom), (left, right) = self.needs(box.top, box.bottom), self.needs(box.left, box.right)
        return Box(top, left, bottom, right)


def convolved(convolution: nn.Module, x: Tensor, window: tuple[Box, Box] | None) -> Tensor:
    """A convolution of its whole input, or, given where x lies in it and a box of the output, over this window."""
    if window is None:
        out: Tensor = convolution(x)
        return out
    assert isinstance(convolution, nn.Conv2d | nn.ConvTranspose2d)
    return convolve_window(convolution, x, *window)


def convolve_window(convolution: nn.Conv2d | nn.ConvTranspose2d, x: Tensor, origin: Box, box: Box) -> Tensor:
    """A convolution over a window of its input, zero beyond what is given.

    Parameters
    ----------
    convolution : nn.Conv2d or nn.ConvTranspose2d
    x : Tensor, shape (B, C, H, W)
        The input over ``origin``: all that the output needs and the canvas has.
    origin : Box
        Where x lies in the input's canvas.
    box : Box
        Which part of the output to compute.

    Returns
    -------
    Tensor, shape (B, channels, box.height, box.width)
    """
    reach = Reach.of(convolution)
    needed = reach.needed(box)
    missing = (
        origin.left - needed.left,
        needed.right - origin.right,
        origin.top - needed.top,
        needed.bottom - origin.bottom,
    )
    if any(missing):
        x = F.pad(x, missing)
    if not reach.transposed:
        return F.conv2d(x, convolution.weight, convolution.bias, reach.stride)
    full = reach.affected(needed)
    margins = (box.top - full.top, box.left - full.left, full.bottom - box.bottom, full.right - box.right)
    cut = min(margins)  # inside of the convolution: what is left over costs a copy
    out = F.conv_transpose2d(x, convolution.weight, convolution.bias, reach.stride, cut)
    return out[(..., *box.seen_from(full.grown(-cut)))]
