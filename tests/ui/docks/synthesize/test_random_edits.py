"""A long day of editing: whatever is done to a mask, the image that followed equals a fresh render."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from qtpy.QtWidgets import QApplication

from napari_synth.core.boxes import full_box
from napari_synth.core.recipe import Intervention
from napari_synth.nets.probe import Probe
from napari_synth.synthesis.capsules.access import CapsuleAccess
from napari_synth.synthesis.latents.vectors import latent_of
from napari_synth.synthesis.live.canvas import LiveCanvas
from napari_synth.synthesis.recipes import load_generator
from napari_synth.synthesis.request import RenderRequest
from napari_synth.ui.napari_bridge.label_edits import Edits
from napari_synth.ui.napari_bridge.result_layers import paste
from tests.helpers import nuclei, small_capsules

KINDS = {
    "paint": 40,
    "erase": 18,
    "stroke": 6,
    "fill": 3,
    "undo": 12,
    "redo": 8,
    "z": 6,
    "intervention": 5,
    "replace": 3,
    "resize": 4,
}
SIDES = (17, 20, 24, 30)
CHANGES = (
    (),
    (Intervention(layer="convcaps9", capsule=1, scale=0),),
    (
        Intervention(layer="conv1", capsule=0, channel=3, value=0.5),
        Intervention(layer="convcaps10", capsule=0, scale=2),
    ),
    (Intervention(layer="deconvcaps3", capsule=0, scale=0.5),),
)


class Editor:
    """A mask, what a user does to it, and the image that follows."""

    def __init__(self, viewer, labels, generator, random):
        self.viewer, self.generator, self.random = viewer, generator, random
        self.layer = layer = viewer.add_labels(labels)
        self.request = RenderRequest(np.zeros((0, 0), np.int32), None, 1)
        self.canvas, self.edits = LiveCanvas(), Edits()
        self.edits.edited.connect(self.canvas.put)
        self.edits.replaced.connect(self.canvas.reset)
        self.edits.watch(layer)
        self.image = np.zeros(layer.data.shape, np.uint8)
        self.modes = set()

    def place(self):
        return tuple(int(self.random.integers(side)) for side in self.layer.data.shape)

    def do(self, kind):
        layer, random = self.layer, self.random
        layer.brush_size = int(random.integers(1, 9))
        if kind in ("paint", "erase"):
            layer.paint(self.place(), int(random.integers(1, 4)) if kind == "paint" else 0)
        elif kind == "stroke":
            with layer.block_history():
                for _ in range(4):
                    layer.paint(self.place(), int(random.integers(0, 3)))
                    self.follow(settled=False)
        elif kind == "fill":
            layer.fill(self.place(), int(random.integers(0, 4)))
        elif kind in ("undo", "redo"):
            getattr(layer, kind)()
        elif kind == "z":
            self.request = replace(self.request, seed=int(random.integers(4)))
        elif kind == "intervention":
            self.request = replace(self.request, interventions=CHANGES[random.integers(len(CHANGES))])
        else:
            shape = tuple(int(side) for side in random.choice(SIDES, 2)) if kind == "resize" else layer.data.shape
            labels = nuclei(shape, 2, int(random.integers(1000))).astype(np.uint16)
            if kind == "resize":  # napari cannot undo what was painted in another size, so this is another layer
                self.layer = self.viewer.add_labels(labels)
                self.edits.watch(self.layer)
            else:
                layer.data = labels

    def follow(self, settled=True):
        rendering = self.canvas.follow(self.generator, self.request, settled=settled)
        if self.image.shape != rendering.shape:
            self.image = np.zeros(rendering.shape, np.uint8)
        paste(self.image, rendering.parts)
        self.canvas.shown()
        self.modes.add(rendering.mode)

    def check(self):
        """Compare with a render that knows nothing of what was before."""
        labels, request = self.layer.data, replace(self.request, mask=self.layer.data)
        probe = CapsuleAccess(request, self.generator.stages, self.generator.card.id).probe or Probe()
        padded = np.pad(labels, [(0, -side % 8) for side in labels.shape], mode="symmetric")
        mask = torch.from_numpy((padded > 0).astype(np.float32))[None, None]
        with torch.inference_mode():
            z = torch.from_numpy(latent_of(request.seed, self.generator.card.latent_size))[None]
            fresh = self.generator.network_for("exact").network(mask, z, probe=probe)[0, 0].numpy()
        fresh = fresh[: labels.shape[0], : labels.shape[1]]
        kept = self.canvas.followed.image(full_box(*labels.shape))
        np.testing.assert_allclose(kept, fresh, atol=1e-5, rtol=0)
        assert np.abs(self.image.astype(int) - self.generator.run(request).image).max() <= 1


def edit_at_random(viewer, tmp_path, count, every):
    random = np.random.default_rng(0)
    generator = load_generator(small_capsules(tmp_path / "axons.safetensors"), "cpu")
    editor = Editor(viewer, nuclei((24, 30), 3).astype(np.uint16), generator, random)
    share = np.array(list(KINDS.values())) / sum(KINDS.values())
    done = dict.fromkeys(KINDS, 0)
    editor.follow()
    for number in range(1, count + 1):
        kind = str(random.choice(list(KINDS), p=share))
        editor.do(kind)
        done[kind] += 1
        if random.random() < 0.5:
            QApplication.processEvents()
        if random.random() < 0.7 or number % every == 0:
            QApplication.processEvents()
            editor.follow()
        if number % every == 0:
            editor.check()
    assert min(done.values()) >= count // 50
    assert editor.modes == {"near", "partial", "full"}


def test_many_random_edits_equal_a_fresh_render(viewer, tmp_path):
    edit_at_random(viewer, tmp_path, 100, 10)


@pytest.mark.slow
def test_ten_thousand_random_edits_equal_a_fresh_render(viewer, tmp_path):
    edit_at_random(viewer, tmp_path, 10_000, 100)
