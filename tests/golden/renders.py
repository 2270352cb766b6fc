"""Cases of images by the public names: every bundled model, small, odd and tiled, changed inside."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tests.golden.inputs import FILES, TILED_AXONS, TILED_BRAIN, TILED_COLOUR, latent, plane
from tests.golden.registry import AXONS, BRAIN, NUCLEI, Parts, case, model
from tests.golden.surface import Intervention, RenderRequest

SMALL = FILES / "small.safetensors"
MASKS: dict[str, Callable[[], np.ndarray]] = {
    "nuclei": lambda: plane("nuclei", 64, 64),
    "nuclei-odd": lambda: plane("nuclei", 75, 53),
    "dot": lambda: np.array([[0, 0, 0], [0, 7, 0], [0, 0, 0], [0, 0, 3], [0, 0, 0]]),
    "nuclei-bool": lambda: plane("nuclei", 64, 64) > 0,
    "nuclei-numbers": lambda: plane("nuclei", 64, 64).astype(np.float32) * 70001,
    "nuclei-tiled": lambda: plane("nuclei", *TILED_COLOUR),
    "axons": lambda: plane("axons", 64, 56),
    "axons-odd": lambda: plane("axons", 61, 47),
    "axons-tiled": lambda: plane("axons", *TILED_AXONS),
    "brain": lambda: plane("brain_labels"),
    "brain-empty": lambda: np.zeros((64, 64), np.uint8),
    "brain-odd": lambda: plane("brain_labels", 100, 70),
    "brain-tiled": lambda: plane("brain_labels", *TILED_BRAIN),
}
CONDITIONS: dict[str, Callable[[], np.ndarray]] = {
    "brain": lambda: plane("anatomy"),
    "brain-empty": lambda: plane("anatomy", 64, 64),
    "brain-odd": lambda: plane("anatomy", 100, 70),
    "brain-tiled": lambda: plane("anatomy", *TILED_BRAIN),
}
RENDERS: dict[str, tuple[str | Path, str, dict[str, Any]]] = {
    "nuclei he": (NUCLEI, "nuclei", {"option": "he", "seed": 7}),
    "nuclei he-dark": (NUCLEI, "nuclei", {"option": "he-dark", "seed": 7}),
    "nuclei purple": (NUCLEI, "nuclei", {"option": "purple", "seed": 7}),
    "nuclei fluorescence": (NUCLEI, "nuclei", {"option": "fluorescence", "seed": 7}),
    "nuclei he without noise": (NUCLEI, "nuclei", {"option": "he"}),
    "nuclei fluorescence without noise": (NUCLEI, "nuclei", {"option": "fluorescence", "seed": None}),
    "nuclei first option": (NUCLEI, "nuclei", {"seed": 2**40 + 1}),
    "nuclei odd": (NUCLEI, "nuclei-odd", {"option": "purple", "seed": 0}),
    "nuclei 5x3": (NUCLEI, "dot", {"option": "he", "seed": 1}),
    "nuclei bool mask": (NUCLEI, "nuclei-bool", {"option": "he", "seed": 7}),
    "nuclei large numbers": (NUCLEI, "nuclei-numbers", {"option": "he", "seed": 7}),
    "nuclei fast": (NUCLEI, "nuclei", {"option": "he-dark", "seed": 7, "precision": "fast"}),
    "nuclei tiled": (NUCLEI, "nuclei-tiled", {"option": "he", "seed": 3}),
    "nuclei tiled fluorescence without noise": (NUCLEI, "nuclei-tiled", {"option": "fluorescence"}),
    "file he": (SMALL, "nuclei-odd", {"option": "he", "seed": 5}),
    "file grey": (SMALL, "nuclei-odd", {"option": "grey", "seed": 5}),
    "axons": (AXONS, "axons", {"seed": 1}),
    "axons without seed": (AXONS, "axons", {}),
    "axons z": (AXONS, "axons", {"z": latent()}),
    "axons odd": (AXONS, "axons-odd", {"seed": 4}),
    "axons fast": (AXONS, "axons", {"seed": 1, "precision": "fast"}),
    "axons capsule off": (AXONS, "axons", {"seed": 1, "set": {("convcaps4", 2): 0.0}}),
    "axons channel set": (AXONS, "axons", {"seed": 1, "set": {("convcaps10", 0, 5): 1.5}}),
    "axons scaled": (AXONS, "axons-odd", {"seed": 1, "scale": {("deconvcaps2", 1): 3.0, ("caps8", 0, 3): -1.0}}),
    "axons tiled": (AXONS, "axons-tiled", {"seed": 2, "capture": ["convcaps5"]}),
    "axons tiled capsule off": (AXONS, "axons-tiled", {"seed": 2, "set": {("convcaps9", 1): 0.0}}),
    "brain": (BRAIN, "brain", {}),
    "brain empty": (BRAIN, "brain-empty", {"seed": 1}),
    "brain odd": (BRAIN, "brain-odd", {}),
    "brain fast": (BRAIN, "brain-odd", {"precision": "fast"}),
    "brain tiled": (BRAIN, "brain-tiled", {}),
    "physical axons": ("pbam-axons", "axons", {"seed": 1}),
    "physical axons without noise": ("pbam-axons", "axons", {}),
    "physical axons odd": ("pbam-axons", "axons-odd", {"seed": 9}),
}
SLOW_RENDERS = ("nuclei tiled", "nuclei tiled fluorescence without noise", "axons tiled capsule off", "brain tiled")


def parts_of(rendering: Any) -> Parts:
    """Image, condition, activations and routing of a rendering."""
    parts: Parts = {"image": rendering.image, "about": {"option": rendering.option, "tile": rendering.tile}}
    if rendering.condition is not None:
        parts["condition"] = rendering.condition
    parts |= {f"activations {name}": array for name, array in rendering.activations.items()}
    return parts | {f"routing {name}": array for name, array in rendering.routing.items()}


def _render(name: str) -> Callable[[Path], Parts]:
    def make(_: Path) -> Parts:
        which, mask, settings = RENDERS[name]
        beside = {"condition": CONDITIONS[mask]()} if mask in CONDITIONS else {}
        return parts_of(model(which).render(MASKS[mask](), **settings, **beside))

    return make


for render_name in RENDERS:
    case(f"render {render_name}", slow=render_name in SLOW_RENDERS)(_render(render_name))


@case("render brain from 8 bit and float")
def _(folder: Path) -> Parts:
    grey = plane("anatomy", 64, 64)
    conditions = {"uint8": (grey // 8).astype(np.uint8), "float32": (grey / 1000).astype(np.float32)}
    rendered = {name: model(BRAIN).render(plane("brain_labels", 64, 64), condition=c) for name, c in conditions.items()}
    return {f"{name} {part}": array for name, one in rendered.items() for part, array in parts_of(one).items()}


@case("render a request with several interventions, every layer captured")
def _(folder: Path) -> Parts:
    layers = tuple(stage.name for stage in model(AXONS).stages)
    changes = (
        Intervention(layer="convcaps4", capsule=2, channel=None, scale=0.0, value=None),
        Intervention(layer="convcaps4", capsule=2, channel=7, scale=1.0, value=0.5),
        Intervention(layer="conv1", capsule=0, channel=3, scale=1.5, value=None),
    )
    request = RenderRequest(
        plane("axons", 32, 40), seed=6, interventions=changes, capture=layers, routing=("convcaps5", "caps8")
    )
    return parts_of(model(AXONS).run(request))


@case("decode and encode nuclei")
def _(folder: Path) -> Parts:
    shapes = model("nucleus-dvae")
    decoded = shapes.decode(latent(40).reshape(4, 10))
    return {"decoded": decoded, "one": shapes.decode(latent(10)), "encoded": shapes.encode(decoded > 0.5)}
