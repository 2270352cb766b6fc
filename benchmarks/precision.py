"""The fast choice beside the exact one: what it costs in grey levels and what it saves in time."""

from __future__ import annotations

from functools import partial

import numpy as np

from benchmarks.models import NETWORKS, sample_request
from benchmarks.timing import interleaved, line
from napari_synth import api


def main(rounds: int = 7) -> None:
    """A line per bundled model with a network, on its own sample."""
    for name in NETWORKS:
        model = api.load_model(name, "cpu")
        requests = {precision: sample_request(name, 256, precision) for precision in ("exact", "fast")}
        exact, fast = (model.run(request).image.astype(np.float64) for request in requests.values())
        difference = np.abs(exact - fast)
        low, high = model.card.value_range
        runs = {precision: partial(model.run, request) for precision, request in requests.items()}
        times = interleaved(runs, rounds)
        line(
            f"precision-{name}-256",
            ms=times["fast"],
            exact_ms=times["exact"],
            speedup=times["exact"] / times["fast"],
            largest_difference=difference.max(),
            mean_difference=difference.mean(),
            percent_of_range=100 * difference.max() / (high - low),
        )


if __name__ == "__main__":
    main()
