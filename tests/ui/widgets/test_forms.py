"""Forms made of annotated fields."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import pytest
from psygnal import SignalGroupDescriptor
from pydantic import BaseModel, Field
from qtpy.QtWidgets import QCheckBox, QComboBox, QDoubleSpinBox, QFormLayout, QLabel, QLineEdit, QWidget
from superqt import QLargeIntSpinBox

from napari_synth.core.recipe import FieldSettings
from napari_synth.ui.context.choices import FieldChoices
from napari_synth.ui.widgets.forms import LARGEST, Form


class Record(BaseModel):
    count: int = Field(3, ge=1, le=9, title="Count", description="How many", json_schema_extra={"row": "Row"})
    width: float = Field(
        0.5, gt=0, title="Width", json_schema_extra={"row": "Row", "sign": "±", "step": 0.25, "suffix": " px"}
    )
    share: float = Field(0.25, ge=0, le=1, title="Share", json_schema_extra={"percent": True, "decimals": 0})
    kind: Literal["a", "b", "hidden"] = Field("a", json_schema_extra={"titles": {"a": "First", "b": "Second"}})
    law: str = Field("normal", title="Law")
    path: str = Field("", title="Path")
    on: bool = Field(False, title="Switch")


@dataclass
class Choices:
    events: ClassVar[SignalGroupDescriptor] = SignalGroupDescriptor()

    count: int = 3
    width: float = 0.5
    share: float = 0.25
    kind: str = "b"
    law: str = "measured"
    path: str = ""
    on: bool = False


@dataclass
class Plain:
    count: Annotated[int, Field(ge=2, title="Plain")] = 3


@pytest.fixture
def choices():
    return Choices()


@pytest.fixture
def edited():
    return []


@pytest.fixture
def make(qtbot):
    """Makes forms, each with its rows in a widget that owns them."""

    made = []

    def make(*args):
        form, owner = Form(*args), QWidget()
        made.append((form, owner))
        layout = QFormLayout(owner)
        for label, row in form.rows().items():
            layout.addRow(label, row)
        qtbot.addWidget(owner)
        return form

    yield make
    for _, owner in made:
        owner.close()


@pytest.fixture
def form(choices, edited, make):
    laws = {"law": [("Normal", "normal"), ("As measured", "measured")]}
    return make(Record, choices, list(Record.model_fields), laws, edited.append)


def test_each_field_has_the_control_of_its_type(form):
    kinds = [QLargeIntSpinBox, QDoubleSpinBox, QDoubleSpinBox, QComboBox, QComboBox, QLineEdit, QCheckBox]
    assert list(form.controls) == list(Record.model_fields)
    for control, kind in zip(form.controls.values(), kinds, strict=True):
        assert isinstance(control, kind)


def test_titles_bounds_and_steps_are_those_of_the_fields(form):
    count, width, share = form.controls["count"], form.box("width"), form.box("share")
    assert (count.minimum(), count.maximum(), count.accessibleName()) == (1, 9, "Count")
    assert "How many" in count.toolTip()
    assert (width.minimum(), width.maximum(), width.singleStep(), width.suffix()) == (0, LARGEST, 0.25, " px")
    assert (share.minimum(), share.maximum(), share.decimals()) == (0, 100, 0)
    assert form.controls["on"].text() == "Switch"
    kind, law = form.combo("kind"), form.combo("law")
    assert [(kind.itemText(i), kind.itemData(i)) for i in range(kind.count())] == [("First", "a"), ("Second", "b")]
    assert [law.itemText(i) for i in range(law.count())] == ["Normal", "As measured"]


def test_controls_show_the_choices_and_store_into_them(form, choices, edited):
    assert (form.box("share").value(), form.combo("kind").currentData()) == (25, "b")
    assert form.combo("law").currentData() == "measured"
    form.box("share").setValue(30)
    form.controls["on"].click()
    assert (choices.share, choices.on, edited) == (0.3, True, ["share", "on"])
    choices.width = 1.5
    choices.path = "folder"
    assert (form.box("width").value(), form.line("path").text()) == (1.5, "folder")
    assert edited == ["share", "on"], "what is shown is no edit"


def test_fields_of_one_row_lie_beside_each_other(form):
    labels = form.controls["share"].parentWidget().findChildren(QLabel)
    words = [label.text() for label in labels]
    assert [word for word in words if word != "±"] == ["Row", "Share", "kind", "Law", "Path", "Switch"]
    assert form.controls["count"].parentWidget() is form.controls["width"].parentWidget()


def test_a_list_with_other_entries_shows_what_is_stored_again(form):
    law = form.combo("law")
    law.clear()
    law.addItem("As measured", "measured")
    law.addItem("Normal", "normal")
    law.setCurrentIndex(1)
    form.show("law")
    assert law.currentData() == "measured"


def test_the_control_of_another_kind_is_refused(form):
    with pytest.raises(TypeError, match="no QComboBox"):
        form.combo("path")


def test_a_dataclass_with_annotated_fields_is_a_record_too(choices, make):
    form = make(Plain, choices, ["count"])
    assert (form.controls["count"].minimum(), form.controls["count"].accessibleName()) == (2, "Plain")


def test_the_settings_of_a_field_of_nuclei_keep_their_bounds(make):
    choices = FieldChoices()
    form = make(FieldSettings, choices, ["count_mean", "touching_fraction"])
    form.box("count_mean").setValue(-5)
    assert choices.settings(64, 64).count_mean == choices.count_mean >= 0
