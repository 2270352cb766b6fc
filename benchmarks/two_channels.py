"""MetGen at its published width: each arrangement beside the network as it is trained, and the machine's limit."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch

from benchmarks.renders import operations
from benchmarks.timing import interleaved, line, matrix_product
from napari_synth.nets.metgan import MetGen

PUBLISHED_MS = {256: 576.0, 512: 2521.0}
"""Forward of the authors' program on two cores."""


def main(sizes: tuple[int, ...] = (256, 512), rounds: int = 3) -> None:
    """Forward at 256² and 512², a label edited over the same image, and what the bundled width takes."""
    product = matrix_product()
    torch.manual_seed(0)
    plain = MetGen(blocks=7).eval().requires_grad_(False)
    six = MetGen(blocks=6).eval().requires_grad_(False)
    settled, narrow = MetGen(blocks=6), MetGen(blocks=6, width=0.25)
    for network in (settled, narrow):
        network.settle()
        network.requires_grad_(False).to(memory_format=torch.channels_last)
    for size in sizes:
        image, mask = torch.rand(1, 1, size, size) * 2 - 1, (torch.rand(1, 1, size, size) > 0.9).float()
        with torch.inference_mode():
            features = settled.encode(image)

        def run(call: Callable[[], object]) -> Callable[[], None]:
            def timed() -> None:
                with torch.inference_mode():
                    call()

            return timed

        times = interleaved(
            {
                "seven": run(lambda i=image, m=mask: plain(i, m)),
                "six": run(lambda i=image, m=mask: six(i, m)),
                "settled": run(lambda i=image, m=mask: settled(i, m)),
                "edit": run(lambda f=features, m=mask: settled.decode(f, m)),
                "narrow": run(lambda i=image, m=mask: narrow(i, m)),
            },
            rounds,
        )
        with torch.inference_mode():
            limit = operations(six, partial(six, image, mask)) / 1024**3 * product
        line(
            f"metgan-{size}",
            seven_blocks_ms=times["seven"],
            six_blocks_ms=times["six"],
            settled_ms=times["settled"],
            label_edit_ms=times["edit"],
            bundled_width_ms=times["narrow"],
            speedup=times["seven"] / times["settled"],
            published_ms=PUBLISHED_MS[size],
            limit_ms=limit,
        )
