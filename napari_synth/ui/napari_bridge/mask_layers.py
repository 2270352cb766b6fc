"""Mask layers of a viewer: which there are, undoable edits, files."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from napari.layers import Image, Labels
from psygnal import Signal

from napari_synth.core.errors import InputError
from napari_synth.exporting.formats.base import PixelSize
from napari_synth.ui.napari_bridge.layer_list import LayerList
from napari_synth.ui.napari_bridge.nucleus_table import NucleusTables, put_rows
from napari_synth.ui.napari_bridge.placement import LayerPlacement, finest, placement, plane

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.components import ViewerModel

    from napari_synth.masks.nucleus_table import NucleusField
    from napari_synth.masks.single_nucleus import Patch

LENGTH_UNITS = {"micrometer": "micron", "nanometer": "nm", "millimeter": "mm"}
"""napari's names to those ImageJ writes; other units are passed on as they are."""


class MaskLayers(LayerList):
    """The Labels layers of a viewer, and the one the panels work on.

    The current mask follows the layer selected in napari, and stays when another kind of layer is
    selected.
    """

    changed = Signal()
    """The layers, their order, a name or the size of a pixel changed."""
    added = Signal(object)
    """A mask layer that is in the viewer now."""
    current_changed = Signal()
    selected = Signal()
    """Another layer, of whatever kind, was selected in napari."""

    def __init__(self, viewer: ViewerModel):
        super().__init__(viewer)
        self._current: weakref.ref[Labels] | None = None
        self._tables = NucleusTables()
        events = viewer.layers.events
        events.inserted.connect(self._on_inserted)
        events.removed.connect(self._on_removed)
        events.reordered.connect(self._on_changed)
        events.moved.connect(self._on_changed)
        viewer.layers.selection.events.active.connect(self._follow_selection)
        for layer in self.layers:
            self._watch(layer, True)
        self._follow_selection()
        if self._current is None:
            self._choose_any()

    @property
    def layers(self) -> list[Labels]:
        """All Labels layers, the topmost first."""
        viewer = self._viewer()
        return [layer for layer in reversed(viewer.layers) if isinstance(layer, Labels)] if viewer else []

    @property
    def current(self) -> Labels | None:
        layer = self._current() if self._current else None
        return layer if layer is not None and self.holds(layer) else None

    @current.setter
    def current(self, layer: Labels | None) -> None:
        before = self._current() if self._current else None
        self._current = None if layer is None else weakref.ref(layer)
        if before is not layer:
            self.current_changed.emit()

    def edit(self, layer: Labels, edit: Callable[[Labels], object]) -> None:
        """Change a mask so that its table comes back with its nuclei on undo."""
        self._tables.remember(layer)
        edit(layer)
        self._tables.remember(layer)

    @property
    def selected_canvas(self) -> tuple[tuple[int, int], LayerPlacement] | None:
        """Size and placement of the image selected in napari; None where no 2-D image is."""
        viewer = self._viewer()
        return canvas_of(viewer.layers.selection.active) if viewer else None

    def _follow_selection(self) -> None:
        viewer = self._viewer()
        active = viewer.layers.selection.active if viewer else None
        if isinstance(active, Labels):
            self.current = active
        self.selected.emit()

    def _choose_any(self) -> None:
        self.current = next(iter(self.layers), None)

    def _on_inserted(self, event: Any) -> None:
        if isinstance(event.value, Labels):
            self._watch(event.value, True)
            if self.current is None:
                self.current = event.value
            self.changed.emit()
            self.added.emit(event.value)

    def _on_removed(self, event: Any) -> None:
        if not isinstance(event.value, Labels):
            return
        self._watch(event.value, False)
        if self.current is None:
            self._choose_any()
        self.changed.emit()

    def _watch(self, layer: Labels, on: bool) -> None:
        for emitter in (layer.events.name, layer.events.scale, layer.events.units):
            (emitter.connect if on else emitter.disconnect)(self._on_changed)

    def _on_changed(self) -> None:
        self.changed.emit()


def mask_array(layer: Labels) -> np.ndarray:
    """A copy of a mask that later painting does not change; layers of more than one plane come uncopied."""
    data = plane(layer)
    return np.array(data) if data.ndim == 2 else data


def place_in_view(viewer: ViewerModel, layer: Labels) -> tuple[float, float] | None:
    """The pixel (y, x) of a 2-D layer in the middle of the canvas; None for another layer."""
    if layer.ndim != 2:
        return None
    y, x = layer.world_to_data(np.array(viewer.scene.camera.center)[-2:])[-2:]
    return float(y), float(x)


def show_whole(viewer: ViewerModel, layer: Any) -> None:
    """Fit the view to a new layer that reaches out of it; where another layer lies in its place, the view is kept."""
    place = layer.extent.world[:, -2:]
    others = (other.extent.world[:, -2:] for other in viewer.layers if other is not layer)
    if any(np.allclose(place, other) for other in others):
        return
    camera = viewer.scene.camera
    reach = np.array(viewer.canvas.size) / 2 / camera.zoom
    if np.any(np.abs(place - np.array(camera.center)[-2:]) > reach):
        viewer.fit_to_view(layers=[layer])


def canvas_of(layer: Any) -> tuple[tuple[int, int], LayerPlacement] | None:
    """Height, width and placement of a 2-D image layer; None for any other layer."""
    if not isinstance(layer, Image) or layer.ndim != 2:
        return None
    shape = finest(layer).shape
    return (int(shape[0]), int(shape[1])), placement(layer)


def pixel_size(layer: Labels) -> PixelSize:
    """Size of a pixel for export; the last two axes count."""
    y, x = (abs(float(value)) for value in layer.scale[-2:])
    units = [str(unit) for unit in layer.units[-2:]]
    if units[0] != units[1]:
        raise InputError(
            f"The layer {layer.name!r} counts y in {units[0]} and x in {units[1]}.", "Give both axes the same unit."
        )
    return PixelSize(y, x, LENGTH_UNITS.get(units[0], units[0]))


def file_of(layer: Labels) -> str:
    """The path of the file that a layer was opened from; empty where there is none."""
    return str(layer.source.path or "")


def add_mask(
    viewer: ViewerModel,
    shape: tuple[int, ...],
    name: str,
    place: LayerPlacement | None = None,
    labels: np.ndarray | None = None,
) -> Labels:
    """Add an empty mask, or one of these labels, on top, selected and ready to paint; each number is one nucleus."""
    data = np.zeros(shape, np.uint16)
    if labels is not None:
        data = labels.astype(np.uint16) if labels.max(initial=0) < 2**16 else labels
    layer = Labels(data, name=name, **(place or {}))
    put_on_top(viewer, layer)
    layer.selected_label = int(data.max(initial=0)) + 1
    return layer


def put_on_top(viewer: ViewerModel, layer: Labels) -> None:
    """Add a mask on top, selected and ready to paint."""
    viewer.add_layer(layer)
    viewer.layers.selection.active = layer
    layer.n_edit_dimensions = 2
    layer.preserve_labels = True  # a new nucleus must not eat into its neighbours
    layer.brush_size = 14
    layer.mode = "paint"


def replace_labels(layer: Labels, labels: np.ndarray) -> None:
    """Put other labels into a layer as one step that Ctrl+Z takes back.

    Raises
    ------
    InputError
        If the layer has another size, holds too few different numbers, or cannot be written to.
    """
    if layer.multiscale:
        raise InputError(f"The layer {layer.name!r} has several resolutions and cannot be edited.", "Make a new mask.")
    shape = tuple(layer.data.shape)
    if shape != labels.shape:
        raise InputError(
            f"The layer {layer.name!r} is now {shape}, but the field was made for {labels.shape}.", "Sample again."
        )
    changed = np.nonzero(np.asarray(layer.data) != labels)
    change_labels(layer, changed, labels[changed])


def put_field(layer: Labels, field: NucleusField) -> None:
    """Write a sampled field and its table into a layer; the next painted nucleus gets a new number."""
    replace_labels(layer, field.labels)
    layer.features = feature_table(field)
    layer.selected_label = field.placed + 1


def put_patch(layer: Labels, patch: Patch, columns: dict[str, np.ndarray]) -> None:
    """Change one nucleus of a mask in one undoable step, and its row in the table."""
    change_labels(layer, (patch.rows, patch.columns), patch.values)
    put_rows(layer, columns)


def put_field_into(layer: Labels, field: NucleusField) -> None:
    """Add the new nuclei of a field to a mask, where it is still free, in one undoable step."""
    data = np.asarray(layer.data)
    if data.shape != field.labels.shape:
        raise InputError(f"The layer {layer.name!r} has another size now.", "Drag the rectangle again.")
    new = np.isin(field.labels, field.features["index"]) & (data == 0)
    change_labels(layer, np.nonzero(new), field.labels[new])
    put_rows(layer, field.features)


def change_labels(layer: Labels, where: tuple[np.ndarray, ...], values: np.ndarray) -> None:
    """Write labels in one undoable step.

    Raises
    ------
    InputError
        If the layer cannot hold them or be edited.
    """
    if layer.multiscale:
        raise InputError(f"The layer {layer.name!r} has several resolutions and cannot be edited.", "Make a new mask.")
    dtype = np.dtype(layer.data.dtype)
    if dtype.kind in "iu" and values.size and values.max() > np.iinfo(dtype).max:
        raise InputError(
            f"The layer {layer.name!r} ({dtype}) holds at most {np.iinfo(dtype).max} nuclei.", "Make a new mask."
        )
    try:
        with layer.block_history():
            layer.data_setitem(where, values.astype(dtype))
    except (ValueError, TypeError, NotImplementedError) as error:
        raise InputError(f"The layer {layer.name!r} cannot be edited.", "Make a new mask and work on that.") from error


def add_stack(viewer: ViewerModel, data: np.ndarray, name: str, axes: tuple[str, ...]) -> Image:
    """Add pictures of shapes in [0, 1] as a grey layer with named axes, right of all others; the active layer stays."""
    right = float(viewer.layers.extent.world[1][-1]) + 8 if viewer.layers else 0.0
    place = (0.0,) * (data.ndim - 1) + (right,)
    layer = Image(data, name=name, axis_labels=axes, contrast_limits=(0, 1), interpolation2d="linear", translate=place)
    active = viewer.layers.selection.active
    viewer.add_layer(layer)
    if active is not None:
        viewer.layers.selection.active = active
    return layer


def feature_table(field: NucleusField) -> pd.DataFrame:
    """One row per nucleus, after one for the background."""
    table = pd.DataFrame(field.features)
    background = {name: [0 if values.dtype.kind in "iu" else np.nan] for name, values in field.features.items()}
    return pd.concat([pd.DataFrame(background), table], ignore_index=True)


def clear_labels(layer: Labels) -> None:
    """Empty a mask, undoably."""
    replace_labels(layer, np.zeros(layer.data.shape, np.uint8))
    layer.features = pd.DataFrame()
    layer.selected_label = 1


def count_nuclei(layer: Labels) -> int:
    """How many different numbers but 0 a mask has."""
    present = np.unique(np.asarray(finest(layer)))
    return int(np.count_nonzero(present))


def outline(layer: Labels, on: bool) -> None:
    """Show a mask as outlines, so that the image below is seen, or filled."""
    if on and layer.contour == 0:
        layer.contour = 1
    elif not on and layer.contour:
        layer.contour = 0
