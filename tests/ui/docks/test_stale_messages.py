"""What was said of another mask or another model is taken back."""

from __future__ import annotations

import pytest

from napari_synth.ui.docks.export.actions import ExportActions
from napari_synth.ui.docks.masks.actions import MaskActions
from napari_synth.ui.docks.nuclei.actions import NucleusActions
from napari_synth.ui.docks.synthesize.actions import SynthesizeActions
from tests.ui.conftest import painted


def test_a_problem_that_is_solved_is_no_longer_told(viewer, session):
    synthesize = session.actions(SynthesizeActions)
    synthesize.render()
    assert synthesize.note.kind == "problem"
    viewer.add_labels(painted())
    assert synthesize.note == synthesize.next_step


@pytest.mark.parametrize("change", ["another mask", "another model"])
def test_what_was_done_to_another_mask_or_by_another_model_is_no_longer_told(viewer, session, fake, finish, change):
    first, second = viewer.add_labels(painted()), viewer.add_labels(painted())
    viewer.layers.selection.active = first
    synthesize = session.actions(SynthesizeActions)
    synthesize.render()
    finish(synthesize.jobs)
    assert synthesize.note.kind == "done"
    if change == "another mask":
        viewer.layers.selection.active = second
    else:
        session.context.choose_model("capspix2pix-axons")
    assert synthesize.note == synthesize.next_step


def test_what_was_just_done_is_told(viewer, session):
    masks = session.actions(MaskActions)
    masks.new_mask(32, 32)
    assert masks.note.kind == "done"
    assert session.actions(ExportActions).note.kind == "hint"


def test_what_is_empty_says_the_one_next_thing(viewer, session):
    for dock in session.docks.values():
        assert dock.note.kind == "hint"
        assert dock.note.text
    synthesize = session.actions(SynthesizeActions)
    assert "Open Mask" in synthesize.note.action
    mask = viewer.add_labels(painted())
    assert "Open Mask" not in synthesize.note.action
    viewer.layers.remove(mask)
    assert "Open Mask" in synthesize.note.action


def test_a_hint_on_what_is_being_done_stays(viewer, session):
    nuclei = session.actions(NucleusActions)
    viewer.add_labels(painted(), name="mask")
    nuclei.use_tool("grow")
    hint = nuclei.note
    assert hint.kind == "hint"
    viewer.layers["mask"].name = "renamed"
    assert nuclei.note == hint
