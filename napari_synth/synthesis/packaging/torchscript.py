"""A module as the bytes of a TorchScript program, the same ones for the same module."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import torch
from torch import nn

EPOCH = (1980, 1, 1, 0, 0, 0)
"""The first time that a zip file can say."""
MACHINE = ".debug_pkl"
"""Names of entries that say where the source lay on this machine, and are for error messages alone."""


def traced(module: nn.Module, examples: tuple[np.ndarray, ...]) -> bytes:
    """The program of a module that does the same for inputs of any value, and of other sizes.

    Parameters
    ----------
    module : Module
        On the CPU. What it does must not depend on the values of its inputs.
    examples : tuple of ndarray, float32

    Returns
    -------
    bytes
        What `torch.jit.load` reads.
    """
    given = tuple(torch.from_numpy(example) for example in examples)
    with torch.no_grad():
        program = torch.jit.trace(module.eval(), given, check_trace=False)
    stored = io.BytesIO()
    torch.jit.save(program, stored)
    return repacked(stored.getvalue())


def repacked(stored: bytes) -> bytes:
    """A zip file without times, and without entries that differ from machine to machine."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(stored)) as source, zipfile.ZipFile(out, "w") as target:
        for name in sorted(source.namelist()):
            if not name.endswith(MACHINE):
                target.writestr(zipfile.ZipInfo(name, EPOCH), source.read(name))
    return out.getvalue()
