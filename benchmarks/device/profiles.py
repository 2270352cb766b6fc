"""Which kernels take the time of a render and of a training step."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable
from pathlib import Path

import torch
from torch.profiler import ProfilerActivity, profile

from benchmarks.device.steps import CASES, DATA, stepper
from benchmarks.models import NETWORKS, sample_request
from napari_synth import api
from napari_synth.core.devices import without_graphs


def shown(title: str, run: Callable[[], object]) -> None:
    """Print the table of a call."""
    for _ in range(4):
        run()
    torch.cuda.synchronize()
    with profile(activities=[ProfilerActivity.CPU, ProfilerActivity.CUDA]) as taken:
        run()
        torch.cuda.synchronize()
    averages = taken.key_averages()
    print(f"##### {title}")
    print(averages.table(sort_by="self_device_time_total", row_limit=16, max_name_column_width=70), flush=True)


def kernels(device: str, short: bool) -> None:
    """Renders kernel by kernel."""
    with without_graphs():
        for name in NETWORKS:
            model = api.load_model(name, device)
            for size, precision in ((256, "exact"), (1024, "exact"), (1024, "fast")):
                request = sample_request(name, size, precision)
                shown(f"{name} {size} {precision}", lambda model=model, request=request: model.run(request))


def steps(device: str, short: bool) -> None:
    """Training steps."""
    torch.backends.cudnn.benchmark = True
    with tempfile.TemporaryDirectory() as folder:
        made: dict[str, Path] = {}
        for case, (architecture, _, _) in CASES.items():
            if architecture not in made:
                made[architecture] = DATA[architecture](Path(folder) / architecture)
            objective, numbers = stepper(case, made[architecture], device, ""), itertools.count()
            shown(f"step {case}", lambda objective=objective, numbers=numbers: objective.step(next(numbers)))
