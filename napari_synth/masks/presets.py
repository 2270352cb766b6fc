"""Named settings of the field composer."""

from __future__ import annotations

from typing import Any

from napari_synth.core.recipe import FieldSettings
from napari_synth.core.registry import Registry

PRESETS: Registry[dict[str, Any]] = Registry(
    "preset",
    {
        "thesis": {
            # 130.2 ± 21.34 per 1000², scaled by length: 45.57 ± 7.47 on 350²
            "count_law": "normal",
            "count_scaling": "length",
            "count_mean": 130.2 * 256 / 1000,
            "count_sd": 21.34 * 256 / 1000,
            "area_law": "scale",
            "scale_low": 0.5,
            "scale_high": 1.0,
            "orientation": "none",
            "spacing": "free",
            "sampler": "prior",
            "spread": 0.5,
        }
    },
)
"""``thesis``: as Sirinaovakul (2018) composed masks, except that overlapping nuclei keep their own numbers.

Its number grows with the side of the canvas, so that a field four times as large has only twice as
many nuclei; everything else here counts per area.
"""


def preset(name: str, height: int = 256, width: int = 256) -> FieldSettings:
    """The settings registered under ``name`` for a canvas of this size."""
    return FieldSettings(height=height, width=width, **PRESETS[name])
