"""The mask that the tools of the dock work on, and putting a nucleus into it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from napari_synth.core.errors import InputError
from napari_synth.masks.nucleus_table import features_of
from napari_synth.ui.napari_bridge.mask_layers import put_patch

if TYPE_CHECKING:
    from napari.layers import Labels

    from napari_synth.masks.single_nucleus import Nucleus, Patch
    from napari_synth.ui.napari_bridge.mask_layers import MaskLayers


def work_mask(masks: MaskLayers) -> Labels:
    """The current mask.

    Raises
    ------
    InputError
        If there is none, or it is not 2-D or has several resolutions.
    """
    layer = masks.current
    if layer is None or layer.data.ndim != 2:
        raise InputError("There is no 2-D mask to work on.", "Make a new mask under Mask.")
    if layer.multiscale:
        raise InputError(f"The layer {layer.name!r} has several resolutions.", "Make a new mask and work on that.")
    return layer


def put_nucleus(masks: MaskLayers, layer: Labels, nucleus: Nucleus, patch: Patch) -> None:
    """Change one nucleus of a mask and its row in the table, in one undoable step."""
    columns = features_of([nucleus.row(patch.label, patch.area)], len(nucleus.z))
    masks.edit(layer, partial(put_patch, patch=patch, columns=columns))
