"""Forms for lists of parameters: magicgui makes a control of each annotated field, nobody writes it by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from magicgui.widgets import create_widget
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QAbstractButton, QAbstractSpinBox, QComboBox, QDoubleSpinBox, QLineEdit, QWidget
from superqt import QLabeledDoubleSlider

from napari_synth.ui.napari_bridge.magicgui_widgets import own_helpers
from napari_synth.ui.widgets.binding import Binding, bind
from napari_synth.ui.widgets.controls import BOX_WIDTH
from napari_synth.ui.widgets.panel import beside, described

if TYPE_CHECKING:
    from magicgui.widgets import Widget

W = TypeVar("W", bound=QWidget)

LARGEST = 100_000
"""Upper bound of a number whose field names none."""

SHORTEST = 6
"""Letters of a list that has little room."""

Choice = tuple[str, str]
"""What the user reads, and the value."""


class Form:
    """A control for each of some fields of a record, tied to evented choices of the same names.

    The title, the description and the bounds of a field become its accessible name, its tooltip and its range; a
    Literal becomes a list. ``json_schema_extra`` of a field may hold ``row``, ``sign``, ``titles``, ``min``, ``max``,
    ``step``, ``decimals``, ``suffix``, ``percent`` and ``slider``.

    Parameters
    ----------
    record : type
        A pydantic model, or a dataclass whose fields are ``Annotated`` with a pydantic ``Field``.
    choices : evented dataclass
    names : sequence of str
    lists : mapping, optional
        The entries of a field that is a name in a registry.
    edited : callable, optional
        Told the name of a field that the user set by hand, after it is stored.

    Attributes
    ----------
    controls : dict of QWidget
        By the name of the field.
    """

    def __init__(
        self,
        record: type,
        choices: Any,
        names: Sequence[str],
        lists: Mapping[str, Sequence[Choice]] | None = None,
        edited: Callable[[str], object] | None = None,
    ):
        self._choices, self._edited = choices, edited
        self._fields = {name: _field(record, name) for name in names}
        self._made: list[Widget] = []  # magicgui's own objects; the Qt controls live as long as these
        self._ties: dict[str, Binding] = {}
        self.controls: dict[str, QWidget] = {}
        for name, field in self._fields.items():
            control = self._make(name, field, (lists or {}).get(name, ()))
            self.controls[name] = control
            factor = 100 if _extra(field).get("percent") else 1
            shown, stored = (partial(_times, factor), partial(_times, 1 / factor)) if factor > 1 else (None, None)
            self._ties[name] = bind(
                choices, name, control, shown=shown, stored=stored, store=partial(self._store, name)
            )

    def rows(self) -> dict[str, QWidget]:
        """The controls of each row beside each other, by its label, in the order of the fields."""
        parts: dict[str, list[QWidget | str]] = {}
        for name, field in self._fields.items():
            extra = _extra(field)
            row = parts.setdefault(str(extra.get("row") or field.title or name), [])
            row += [extra["sign"], self.controls[name]] if "sign" in extra else [self.controls[name]]
        return {label: _beside(controls) for label, controls in parts.items()}

    def combo(self, name: str) -> QComboBox:
        """The control of a field with a list."""
        return _as(QComboBox, self.controls[name])

    def box(self, name: str) -> QDoubleSpinBox:
        """The control of a field with a number."""
        return _as(QDoubleSpinBox, self.controls[name])

    def line(self, name: str) -> QLineEdit:
        """The control of a field with a text."""
        return _as(QLineEdit, self.controls[name])

    def show(self, name: str) -> None:
        """Show again what is stored, where the control shows it in another way now."""
        self._ties[name].show()

    def _store(self, name: str, value: Any) -> None:
        setattr(self._choices, name, value)
        if self._edited is not None:
            self._edited(name)

    def _make(self, name: str, field: FieldInfo, entries: Sequence[Choice]) -> QWidget:
        if _extra(field).get("slider"):
            return _slider(name, field)
        widget = create_widget(name=name, annotation=_annotation(field), options=_options(field, entries))
        self._made.append(widget)
        control: QWidget = widget.native
        own_helpers(widget, control)
        extra = _extra(field)
        if isinstance(control, QAbstractSpinBox):
            control.setKeyboardTracking(False)
            control.setMinimumWidth(BOX_WIDTH)
        if isinstance(control, QComboBox):
            control.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            control.setMinimumContentsLength(SHORTEST)
        if isinstance(control, QDoubleSpinBox):
            control.setDecimals(extra.get("decimals", 2))
            control.setSuffix(extra.get("suffix", ""))
        if isinstance(control, QLineEdit):
            control.setMinimumWidth(BOX_WIDTH)
        if isinstance(control, QAbstractButton):
            control.setText(field.title or name)
        described(control, field.title or name, field.description or "")
        return control


def _slider(name: str, field: FieldInfo) -> QWidget:
    """A slider with its number; magicgui's has no value of its own in Qt that could be bound."""
    options, slider = _options(field, ()), QLabeledDoubleSlider(Qt.Orientation.Horizontal)
    slider.setDecimals(_extra(field).get("decimals", 2))
    slider.setRange(options["min"], options["max"])
    slider.setSingleStep(options["step"])
    slider.setMinimumWidth(BOX_WIDTH)
    described(slider, field.title or name, field.description or "")
    for part in slider.findChildren(QWidget):  # the number among them, which superqt lets the mouse alone reach
        described(part, field.title or name, field.description or "")
        part.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    return slider


def _beside(controls: list[QWidget | str]) -> QWidget:
    return controls[0] if len(controls) == 1 and isinstance(controls[0], QWidget) else beside(*controls)


def _field(record: type, name: str) -> FieldInfo:
    if issubclass(record, BaseModel):
        return record.model_fields[name]
    return FieldInfo.from_annotation(get_type_hints(record, include_extras=True)[name])


def _annotation(field: FieldInfo) -> Any:
    return str if get_origin(field.annotation) is Literal else field.annotation


def _options(field: FieldInfo, entries: Sequence[Choice]) -> dict[str, Any]:
    """What magicgui is told about a field."""
    extra = _extra(field)
    if get_origin(field.annotation) is Literal:
        titles = extra.get("titles", {})
        entries = [(titles[value], value) for value in get_args(field.annotation) if value in titles]
    if entries:
        return {"choices": list(entries)}
    if field.annotation not in (int, float):
        return {}
    scale = 100 if extra.get("percent") else 1
    bounds = {"min": 0.0, "max": float(LARGEST)}
    for rule in field.metadata:
        for bound, names in (("min", ("ge", "gt")), ("max", ("le", "lt"))):
            values = [getattr(rule, name) for name in names if hasattr(rule, name)]
            bounds |= {bound: float(values[0]) * scale} if values else {}
    kind = field.annotation
    limits = {key: kind(extra.get(key, value)) for key, value in bounds.items()} | {"step": kind(extra.get("step", 1))}
    return limits


def _extra(field: FieldInfo) -> dict[str, Any]:
    return field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}


def _times(factor: float, value: float) -> float:
    return round(value * factor, 12)


def _as(kind: type[W], control: QWidget) -> W:
    if not isinstance(control, kind):
        raise TypeError(f"The control is a {type(control).__name__}, no {kind.__name__}.")
    return control
