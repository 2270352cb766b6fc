"""The networks alone: by memory order and precision as a graph, through the compiler, and the routing kernel."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from functools import partial

import torch
from torch import nn

from benchmarks.device import clock
from benchmarks.device.split_products import split_convolutions
from benchmarks.models import NETWORKS
from benchmarks.timing import line
from napari_synth import api
from napari_synth.models.registry import TrainedModel
from napari_synth.nets import routing_gpu
from napari_synth.nets.capsule import route
from napari_synth.nets.capsule_stages import STAGES
from napari_synth.synthesis.precision import computing, halved

ORDERS = {"last": torch.channels_last, "first": torch.contiguous_format}


def inputs_of(model: TrainedModel, size: int, order: torch.memory_format) -> tuple[torch.Tensor, ...]:
    """Random input of a network."""
    card, network = model.card, model.network
    mask = (torch.rand(1, 1, size, size, device=model.device) > 0.8).float()
    if card.latent_size:
        return mask, torch.randn(1, card.latent_size, device=model.device)
    if card.condition_channels:
        image = torch.rand(1, 1, size, size, device=model.device) * 2 - 1
        return image.to(memory_format=order), mask
    channels = network.down[0].conv.in_channels
    return (torch.randn(1, channels, size, size, device=model.device).to(memory_format=order),)


def as_graph(run: Callable[[], object]) -> Callable[[], object]:
    """The launches of a call, recorded."""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(3):
            run()
    stream.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, stream=stream):
        run()
    return graph.replay


def variants(device: str, short: bool) -> None:
    """Each network as a graph, by memory order and arithmetic, with the limit of the card."""
    copy = clock.copy_rate(device)
    rate = {kind: clock.product_rate(device, kind) for kind in clock.RATES}
    line("ceilings", copy_gb_s=copy / 1e9, **{f"{kind}_tflop_s": 2 * value / 1e12 for kind, value in rate.items()})
    for name in NETWORKS:
        model = api.load_model(name, device).network_for("exact")
        for size in (256, 1024):
            figures: dict[str, float | str | None] = {}
            with torch.inference_mode():
                given = inputs_of(model, size, torch.channels_last)
                operations, moved = clock.needs(model.network, partial(model.network, *given))
            for kind in ("exact", "split", "tf32", "fast"):
                for order_name, order in ORDERS.items():
                    for searching in (False,) if short else (False, True):
                        label = f"{kind}_{order_name}{'_searched' if searching else ''}"
                        try:
                            figures[label] = _variant(model, size, kind, order, searching)
                        except RuntimeError as error:
                            figures[label] = str(error).splitlines()[0][:80]
            limits = {
                kind: 1000 * max(operations / rate[unit], moved / share / copy)
                for kind, unit, share in (("exact", "float32", 1), ("tf32", "tf32", 1), ("fast", "bfloat16", 2))
            }
            line(
                f"network-{name}-{size}",
                gmac=operations / 1e9,
                moved_gb=moved / 1e9,
                **{f"{kind}_limit": limit for kind, limit in limits.items()},
                **figures,
            )


def errors(device: str, short: bool) -> None:
    """How far each arithmetic is from float64, on one image, as ‖difference‖ / ‖image - its mean‖."""
    for name in NETWORKS:
        model = api.load_model(name, device).network_for("exact")
        given = inputs_of(model, 256, torch.channels_last)
        with torch.inference_mode():
            exact = deepcopy(model.network).double()(*(tensor.double() for tensor in given))
        found: dict[str, float | str | None] = {}
        for kind in ("exact", "split", "tf32", "fast"):
            network = deepcopy(model.network)
            if kind == "split":
                split_convolutions(network)
            changed = TrainedModel(model.card, network, model.path, model.sha256, model.device)
            with computing(model.device, "fast" if kind == "fast" else "exact"):
                torch.backends.cudnn.allow_tf32 = kind in ("tf32", "split")
                made = (halved(changed) if kind == "fast" else changed).network(*given).double()
            found[kind] = float((made - exact).norm() / (exact - exact.mean()).norm())
            found[f"{kind}_largest"] = float((made - exact).abs().max())
        line(f"errors-{name}-256", **found)


def _variant(model: TrainedModel, size: int, kind: str, order: torch.memory_format, searching: bool) -> float:
    network = deepcopy(model.network)
    if kind == "split":
        split_convolutions(network)
    network = network.to(memory_format=order)
    changed = TrainedModel(model.card, network, model.path, model.sha256, model.device)
    if kind == "fast":
        changed = halved(changed)
    given = inputs_of(changed, size, order)
    torch.backends.cudnn.benchmark = searching
    try:
        with computing(model.device, "fast" if kind == "fast" else "exact"):
            torch.backends.cudnn.allow_tf32 = kind in ("tf32", "split")
            return clock.in_a_row(as_graph(partial(changed.network, *given)), model.device.type)
    finally:
        torch.backends.cudnn.benchmark = False


def compiled(device: str, short: bool) -> None:
    """Each network through torch's compiler with graphs of its own."""
    torch._dynamo.config.recompile_limit = 64
    for name in NETWORKS:
        model = api.load_model(name, device).network_for("exact")
        network: nn.Module = model.network
        program = torch.compile(network, mode="reduce-overhead", dynamic=False)
        given = inputs_of(model, 256, torch.channels_last)
        with computing(model.device, "exact"):
            line(f"compiled-{name}-256", ms=clock.milliseconds(partial(program, *given), device))


def routing(device: str, short: bool) -> None:
    """The routing of each layer at 512²: the kernel and torch, forwards and with gradients."""
    copy = clock.copy_rate(device)
    counts = {stage.name: stage.capsules for stage in STAGES}
    line("routing-kernel", works=str(routing_gpu.works(torch.device(device))))
    for stage in STAGES[1:]:
        inputs, places = sum(counts[name] for name in stage.inputs), (512 // stage.factor) ** 2
        votes = torch.randn(1, inputs, places, stage.capsules, stage.channels, device=device)
        moved = 4 * (votes.numel() + votes.numel() / inputs)
        iterations = 3 if inputs > 1 else 1
        with torch.inference_mode():
            ours = clock.in_a_row(partial(route, votes, iterations), device)
            in_torch = clock.in_a_row(partial(route, votes, iterations, keep=True), device, 5)
        votes.requires_grad_()
        both = clock.in_a_row(lambda v=votes, n=iterations: route(v, n)[0].sum().backward(), device, 5)
        limit = 1000 * moved / copy
        line(
            f"routing-{stage.name}-512", ms=ours, plain_ms=in_torch, speedup=in_torch / ours, limit_ms=limit,
            percent_of_limit=100 * limit / ours, with_gradient_ms=both,
        )  # fmt: skip
