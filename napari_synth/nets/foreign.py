"""A network of somebody else, as a TorchScript program."""

from __future__ import annotations

import io

import torch
from torch import Tensor, nn

AXES = "bcyx"


class ForeignProgram(nn.Module):
    """A TorchScript program from a mask to an image; its bytes are the only weights.

    Parameters
    ----------
    program_bytes : int
        Length of the program.
    in_channels, out_channels : int
        Channels that it reads and gives.
    background, object : float
        What it reads for background and object.
    axes : str
        Order of the axes that it reads: y, x and at most b and c.
    out_axes : str
        Order of those that it gives.
    side : int
        Height and width that it reads; 0 where it reads any.
    """

    program: Tensor

    def __init__(
        self,
        program_bytes: int,
        in_channels: int = 1,
        out_channels: int = 1,
        *,
        background: float = 0.0,
        object: float = 1.0,
        axes: str = AXES,
        out_axes: str = AXES,
        side: int = 0,
    ):
        super().__init__()
        self.in_channels, self.out_channels = in_channels, out_channels
        self.background, self.object = background, object
        self.axes, self.out_axes, self.side = axes, out_axes, side
        self.register_buffer("program", torch.zeros(program_bytes, dtype=torch.uint8))
        self._opened: dict[str, torch.jit.ScriptModule] = {}

    def __deepcopy__(self, memo: dict[int, object]) -> ForeignProgram:
        return self  # nothing of it changes, and what TorchScript opened cannot always be copied

    def forward(self, mask: Tensor, seed: int | None = None) -> Tensor:
        """Mask ``[1, 1, H, W]`` of 0 and 1 to ``[1, out_channels, H, W]`` in the range of the program.

        What the program draws at random it draws under the seed, 0 where there is none.

        Raises
        ------
        RuntimeError
            If the program fails, or gives something else than declared.
        """
        given = (self.background + (self.object - self.background) * mask).expand(1, self.in_channels, -1, -1)
        cuda = [given.device] if given.device.type == "cuda" else []
        with torch.random.fork_rng(devices=cuda), torch.autocast(given.device.type, enabled=False):
            torch.manual_seed(seed or 0)
            made = self._run(to_axes(given.contiguous(), self.axes))
        wanted = (1, self.out_channels, *mask.shape[-2:])
        if not isinstance(made, Tensor) or made.ndim != len(self.out_axes):
            raise RuntimeError(f"the program gives no tensor of the axes {self.out_axes}")
        image = from_axes(made, self.out_axes).float()
        if image.shape != wanted:
            raise RuntimeError(f"the program gives {tuple(image.shape)} instead of {wanted} as {AXES}")
        return image

    def _run(self, given: Tensor) -> object:
        try:
            return self._program(given.device)(given)
        except torch.jit.Error as error:  # which is no RuntimeError
            raise RuntimeError(f"the program fails: {str(error).strip().splitlines()[-1]}") from error

    def _program(self, device: torch.device) -> torch.jit.ScriptModule:
        """The program on a device; what it does not bring it cannot load, since TorchScript runs no Python."""
        if device.type not in self._opened:
            stored = io.BytesIO(self.program.cpu().numpy().tobytes())
            self._opened[device.type] = torch.jit.load(stored, map_location=device).eval()
        return self._opened[device.type]


def to_axes(image: Tensor, axes: str) -> Tensor:
    """``[1, C, H, W]`` in another order; axes that are not named must have the length 1."""
    kept = [name for name in AXES if name in axes]
    for position in reversed(range(len(AXES))):
        if AXES[position] not in axes:
            image = image.squeeze(position)
    return image.permute(*(kept.index(name) for name in axes))


def from_axes(image: Tensor, axes: str) -> Tensor:
    """What `to_axes` made, as ``[B, C, H, W]``."""
    kept = [name for name in AXES if name in axes]
    image = image.permute(*(axes.index(name) for name in kept))
    for position, name in enumerate(AXES):
        if name not in axes:
            image = image.unsqueeze(position)
    return image
