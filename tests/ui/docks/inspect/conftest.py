"""A session with a small capsule model."""

from __future__ import annotations

import threading

import pytest

from napari_synth.ui.docks.inspect.actions import InspectActions
from napari_synth.ui.docks.synthesize.actions import SynthesizeActions
from tests.helpers import small_capsules
from tests.ui.conftest import painted


@pytest.fixture(scope="package")
def model_file(tmp_path_factory):
    return small_capsules(tmp_path_factory.mktemp("model") / "axon-test.safetensors")


class Gated:
    """A generator that waits before it renders while its gate is closed."""

    def __init__(self, generator):
        self.inner = generator
        self.gate = threading.Event()
        self.gate.set()
        self.entered = threading.Event()
        self.calls = 0

    def __getattr__(self, name):
        return getattr(self.inner, name)

    def run(self, request, steering=None):
        self.calls += 1
        self.entered.set()
        assert self.gate.wait(20)
        return self.inner.run(request, steering)


@pytest.fixture(scope="package")
def loaded(model_file):
    from napari_synth.synthesis.recipes import load_generator

    return load_generator(model_file, "cpu")


@pytest.fixture
def generator(session, models, model_file, loaded):
    """A session that renders with a small capsule model; returns the model."""
    session.actions(SynthesizeActions).open_model(model_file)
    session.context.look.device = "cpu"
    gated = models.stand_in = Gated(loaded)
    yield gated
    gated.gate.set()


@pytest.fixture
def mask(viewer, generator):
    place = {"scale": (0.5, 0.25), "translate": (3, 4), "units": ("um", "um")}
    return viewer.add_labels(painted(), name="axons", **place)


@pytest.fixture
def inspecting(session, mask):
    return session.actions(InspectActions)


@pytest.fixture
def walking(session, mask):
    session.actions(InspectActions).walks.choices.steps = 4
    return session.actions(InspectActions).walks
