"""What the user chose to compare."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from psygnal import SignalGroupDescriptor
from pydantic import Field


@dataclass
class EvaluateChoices:
    """Folders and settings of a comparison."""

    events: ClassVar[SignalGroupDescriptor] = SignalGroupDescriptor()

    real: Annotated[str, Field(title="Real", description="Folder of real pairs: images/ and masks/")] = ""
    synthetic: Annotated[str, Field(title="Synthetic", description="Folder of synthetic pairs, such as an export")] = ""
    out: Annotated[str, Field(title="Report", description="New folder for report.html and tables")] = ""
    predictions: Annotated[
        str,
        Field(
            title="Predictions",
            description="Folder of what Cellpose or StarDist found in the synthetic images: NAME_seg.npy, "
            "NAME_cp_masks, or label images called as the images",
        ),
    ] = ""
    groups: Annotated[
        str,
        Field(
            title="Groups",
            description="What belongs together (slide, patient, day): a pattern in the file names, such as ^[^_]+; "
            "empty: each file alone",
        ),
    ] = ""
    budget: Annotated[
        str,
        Field(
            title="Budget",
            description="How long the segmenters are trained: quick sees only large differences",
            json_schema_extra={"row": "Budget"},
        ),
    ] = "quick"
    overwrite: Annotated[
        bool, Field(title="replace another report", description="Allow replacing another report in this folder")
    ] = False
