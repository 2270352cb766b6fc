"""From what a case made to what is kept of it, and back: is it still the same?

Integer arrays and bytes are the same when their SHA-256 is, on the kind of machine and with the libraries they were
made with. Anywhere else, and for floats everywhere, some of the numbers are compared with a tolerance: networks are
computed with other instructions there. Plain values are the same when all that was there is there; there may be more.
"""

from __future__ import annotations

import hashlib
import math
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

SAMPLES = 48
FLOAT_TOLERANCE = 1e-3
"""As a part of the largest number."""
LEVEL_TOLERANCE = 0.02
"""As a part of the range of the numbers, at least one grey level."""
MAY_DIFFER = 0.05
"""Part of the numbers of an integer array that may be off by more on another machine."""
LIBRARIES = ("torch", "numpy", "scipy", "scikit-image", "tifffile", "monai")


def machine() -> dict[str, str]:
    """What bits depend on."""
    import torch

    found = {name: version(name) for name in LIBRARIES}
    return found | {
        "system": platform.system(),
        "processor": f"{_processor()} {torch.backends.cpu.get_cpu_capability()}",
        "arithmetic": _arithmetic(),
    }


def _arithmetic() -> str:
    """How the processor rounds: a hash of convolutions and products. Its name may be that of a whole family."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        draw = torch.Generator().manual_seed(0)
        images, kernels = (torch.randn(*shape, generator=draw) for shape in ((1, 32, 48, 48), (32, 32, 3, 3)))
        digest = hashlib.sha256()
        for dtype in (torch.float32, torch.bfloat16):
            x, w = images.to(dtype), kernels.to(dtype)
            laid_out = x.contiguous(memory_format=torch.channels_last)
            matrix = x.flatten(2)[0]
            for made in (torch.conv2d(x, w), torch.conv2d(laid_out, w), torch.tanh(matrix @ matrix.T / 100)):
                digest.update(made.float().contiguous().numpy().tobytes())
    finally:
        torch.set_num_threads(threads)
    return digest.hexdigest()[:16]


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith(("model name", "model\t", "stepping"))]
    return " ".join(names[:3]) or platform.processor() or platform.machine()


def describe(part: Any) -> dict[str, Any]:
    """What is kept of a part of a case: an array, bytes or plain values."""
    if isinstance(part, bytes):
        return {"bytes": len(part), "sha256": hashlib.sha256(part).hexdigest()}
    if not isinstance(part, np.ndarray):
        return {"plain": _plain(part)}
    digest = hashlib.sha256(f"{part.dtype.str} {part.shape}".encode())
    digest.update(np.ascontiguousarray(part).tobytes())
    places = np.linspace(0, part.size - 1, min(SAMPLES, part.size)).round().astype(int)
    return {
        "dtype": part.dtype.str,
        "shape": list(part.shape),
        "sha256": digest.hexdigest(),
        "mean": _short(part.astype(np.float64).mean()),
        "peak": _short(np.abs(part.astype(np.float64)).max(initial=0)),
        "some": [_short(value) for value in part.ravel()[places]],
    }


def difference(kept: dict[str, Any], part: Any, same_machine: bool) -> str:
    """What is not as it was, in words; empty where all is."""
    now = describe(part)
    if set(now) != set(kept):
        return f"was {sorted(kept)}, is {sorted(now)}"
    if "plain" in kept:
        return _plain_difference(kept["plain"], now["plain"])
    if "bytes" in kept:
        return f"{kept['bytes']} bytes became {now['bytes']} others" if same_machine and now != kept else ""
    if (now["dtype"], now["shape"]) != (kept["dtype"], kept["shape"]):
        return f"was {kept['dtype']} {kept['shape']}, is {now['dtype']} {now['shape']}"
    if now["sha256"] == kept["sha256"]:
        return ""
    if np.dtype(kept["dtype"]).kind == "f":
        return _outside(kept, now, FLOAT_TOLERANCE * kept["peak"], 0)
    if same_machine:
        return "other values"
    return _outside(kept, now, max(1.0, LEVEL_TOLERANCE * np.ptp(kept["some"])), MAY_DIFFER)


def _outside(kept: dict[str, Any], now: dict[str, Any], tolerance: float, may_differ: float) -> str:
    """Compare mean, peak and some numbers."""
    off = np.abs(np.subtract(now["some"], kept["some"])) > tolerance
    if off.mean() > may_differ:
        return f"{np.count_nonzero(off)} of {off.size} numbers are off by more than {tolerance:.3g}"
    if abs(now["mean"] - kept["mean"]) > tolerance:
        return f"the mean was {kept['mean']}, is {now['mean']}"
    return ""


def _short(value: Any) -> float | int:
    return int(value) if np.asarray(value).dtype.kind in "biu" else float(f"{float(value):.7g}")


def _plain(value: Any) -> Any:
    """Plain values as YAML keeps them; of an absolute path only the name, which alone is the same everywhere."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items() if key != "versions"}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, str | Path):
        return Path(value).name if Path(value).is_absolute() else str(value)
    return value


def _plain_difference(kept: Any, now: Any, where: str = "") -> str:
    if isinstance(kept, dict) and isinstance(now, dict):
        pairs = [(f"{where}.{key}", item, now[key]) for key, item in kept.items() if key in now]
        gone = [f"{where}.{key} is gone" for key in kept if key not in now]
    elif isinstance(kept, list) and isinstance(now, list) and len(kept) == len(now):
        pairs = [(f"{where}[{number}]", *items) for number, items in enumerate(zip(kept, now, strict=True))]
        gone = []
    elif isinstance(kept, float) and isinstance(now, float | int):
        return "" if math.isclose(kept, now, rel_tol=1e-6, abs_tol=1e-9) else f"{where} was {kept}, is {now}"
    else:
        return "" if kept == now else f"{where} was {kept!r}, is {now!r}"
    return "; ".join([*gone, *filter(None, (_plain_difference(old, new, name) for name, old, new in pairs))])
