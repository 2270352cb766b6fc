from __future__ import annotations

import threading
from pathlib import Path
from types import SimpleNamespace

import napari_builtins
import numpy as np
import pytest
from napari.components import ViewerModel
from npe2 import PluginManifest

import napari_synth
from napari_synth.models.card import Look, ModelCard
from napari_synth.synthesis.live.follower import LiveRenderer
from napari_synth.synthesis.request import Rendering, check_mask
from napari_synth.ui.context.loaded_models import LoadedModels
from napari_synth.ui.napari_bridge.preferences import Preferences
from napari_synth.ui.session import Session


@pytest.fixture
def plugins(npe2pm):
    """napari with its own readers and what this program contributes, and no other plugins."""
    for package, name in ((napari_builtins, "builtins.yaml"), (napari_synth, "napari.yaml")):
        npe2pm.register(PluginManifest.from_file(Path(package.__file__).with_name(name)))


@pytest.fixture
def viewer(qapp):
    return ViewerModel()


class StandInModels(LoadedModels):
    """The models in the files, until a stand-in renders instead of every generator; shapes wait at a gate."""

    def __init__(self):
        super().__init__()
        self.stand_in: LiveRenderer | None = None
        self.gate = open_gate()

    def generator(self, name, device):
        return self.stand_in or super().generator(name, device)

    def shapes(self, name):
        assert self.gate.wait(20)
        return super().shapes(name)


class ChosenPreferences:
    """The preferences, as a test sets them with ``now``."""

    def __init__(self, **now):
        self.now = Preferences(**now)

    def __call__(self):
        return self.now


@pytest.fixture
def models():
    models = StandInModels()
    yield models
    models.gate.set()


@pytest.fixture
def preferences():
    return ChosenPreferences()


@pytest.fixture
def opened(models, preferences, qapp):
    """Opens sessions, each on the given viewer or one of its own; closes them in the end."""
    sessions, viewers = [], []

    def open_one(viewer=None):
        viewers.append(viewer if viewer is not None else ViewerModel())
        sessions.append(Session(viewers[-1], models, preferences))
        return sessions[-1]

    yield open_one
    for session in sessions:
        session.close()


@pytest.fixture
def session(opened, viewer):
    return opened(viewer)


@pytest.fixture
def panel(session, qtbot):
    """Opens panels of the session, by the keys of their docks."""

    def open_one(key):
        panel = session.panel(key)
        qtbot.addWidget(panel)
        return panel

    return open_one


@pytest.fixture
def context(session):
    return session.context


def open_gate() -> threading.Event:
    gate = threading.Event()
    gate.set()
    return gate


def painted(shape=(64, 48)) -> np.ndarray:
    labels = np.zeros(shape, np.uint16)
    labels[10:30, 10:30] = 1
    labels[35:45, 20:40] = 2
    return labels


ANATOMY_SHAPE = painted().shape


def anatomy(seed=0, shape=ANATOMY_SHAPE) -> np.ndarray:
    return np.random.default_rng(seed).integers(50, 700, shape).astype(np.uint16)


class FakeGenerator:
    """Renders the labels in a colour per option; from call `wait_from` on it waits while `gate` is closed."""

    def __init__(self):
        names = ("he", "he-dark", "purple", "fluorescence")
        options = [Look(name=name, rgb=name != "fluorescence") for name in names]
        self.card = ModelCard(id="fake", architecture="fake", role="generator", looks=options)
        self.sha256 = "f" * 64
        self.path = Path("fake.safetensors")
        self.stages = ()
        self.device = "cpu"
        self.calls = 0
        self.wait_from = 1
        self.gate = open_gate()
        self.entered = threading.Event()
        self.failure: Exception | None = None

    def follower(self, limit, precision="exact") -> None:
        """Every render is a new one."""

    def run(self, request, steering=None) -> Rendering:
        self.calls += 1
        self.entered.set()
        assert self.calls < self.wait_from or self.gate.wait(20)
        if self.failure is not None:
            raise self.failure
        labels = check_mask(request.mask)
        option = next(o for o in self.card.looks if o.name == (request.option or "he"))
        grey = ((labels * 20 + (request.seed or 0) % 256) % 256).astype(np.uint8)
        image = np.stack([grey, grey // 2, grey // 3], -1) if option.rgb else grey
        return Rendering(image, 0.0125, option.name, request.seed)

    def render(self, mask, option=None, seed=None) -> Rendering:
        return self.run(SimpleNamespace(mask=mask, option=option, seed=seed))


@pytest.fixture
def fake(models):
    """A session that renders with a `FakeGenerator`."""
    generator = models.stand_in = FakeGenerator()
    yield generator
    generator.gate.set()


@pytest.fixture
def finish(qtbot):
    """Wait until jobs are done."""

    def wait(jobs, timeout=20_000):
        qtbot.waitUntil(lambda: not jobs.lane.state.running, timeout=timeout)

    return wait
