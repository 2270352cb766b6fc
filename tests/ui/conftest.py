from __future__ import annotations

import threading
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_synth.models.card import Look, ModelCard
from napari_synth.synthesis.request import Rendering, check_mask
from napari_synth.ui.context.loaded_models import LoadedModels, Renderer
from napari_synth.ui.session import Session


@pytest.fixture(autouse=True)
def settings_file(tmp_path, monkeypatch):
    """No test reads or writes the settings and autosaved masks of the person who runs it."""
    path = tmp_path / "settings" / "settings.json"
    monkeypatch.setenv("NAPARI_SYNTH_SETTINGS", str(path))
    monkeypatch.setenv("NAPARI_SYNTH_STATE", str(tmp_path / "state"))
    return path


@pytest.fixture
def viewer(qapp):
    return ViewerModel()


class StandInModels(LoadedModels):
    """The models in the files, until a stand-in renders instead of every generator."""

    def __init__(self):
        super().__init__()
        self.stand_in: Renderer | None = None

    def generator(self, name: str, device: str) -> Renderer:
        return self.stand_in or super().generator(name, device)


@pytest.fixture
def models():
    return StandInModels()


@pytest.fixture
def session(viewer, models):
    session = Session(viewer, models)
    yield session
    session.close()


@pytest.fixture
def context(session):
    return session.context


def painted(shape=(64, 48)) -> np.ndarray:
    labels = np.zeros(shape, np.uint16)
    labels[10:30, 10:30] = 1
    labels[35:45, 20:40] = 2
    return labels


class FakeGenerator:
    """Renders the labels in a colour per option; from call `wait_from` on it waits while `gate` is closed."""

    def __init__(self):
        names = ("he", "he-dark", "purple", "fluorescence")
        options = [Look(name=name, rgb=name != "fluorescence") for name in names]
        self.card = ModelCard(id="fake", architecture="fake", role="generator", looks=options)
        self.sha256 = "f" * 64
        self.path = Path("fake.safetensors")
        self.device = "cpu"
        self.calls = 0
        self.wait_from = 1
        self.gate = threading.Event()
        self.gate.set()
        self.entered = threading.Event()
        self.failure: Exception | None = None

    def run(self, request, follow=None) -> Rendering:
        self.calls += 1
        self.entered.set()
        assert self.calls < self.wait_from or self.gate.wait(20)
        if self.failure is not None:
            raise self.failure
        labels = check_mask(request.mask)
        option = next(o for o in self.card.looks if o.name == (request.option or "he"))
        grey = ((labels * 20 + (request.seed or 0)) % 256).astype(np.uint8)
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
    """Wait until a lane is idle."""

    def wait(jobs, timeout=20_000):
        qtbot.waitUntil(lambda: not jobs.lane.state.running, timeout=timeout)

    return wait
