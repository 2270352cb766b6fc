"""What the user chose to train on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from psygnal import SignalGroupDescriptor
from pydantic import Field


@dataclass
class TrainChoices:
    """Pairs, start and name of a look."""

    events: ClassVar[SignalGroupDescriptor] = SignalGroupDescriptor()

    source: Annotated[
        Literal["folder", "layers"],
        Field(
            title="Pairs",
            description="Images with their masks: a folder of files, or the layers that are open",
            json_schema_extra={"titles": {"folder": "from a folder", "layers": "open layers"}},
        ),
    ] = "folder"
    data: Annotated[
        str,
        Field(title="Folder", description="images/ and masks/ with the same file names, or one such folder per look"),
    ] = ""
    name: Annotated[str, Field(title="Name", description="What your look is called, and the file of its model")] = ""
    start: Annotated[str, Field(title="Start from", description="The model that your look begins as")] = ""
    start_look: Annotated[
        str, Field(title="As its look", description="Which of its looks; the most similar one is found by your images")
    ] = ""
    minutes: Annotated[
        float,
        Field(
            ge=0.5,
            le=1440,
            title="Minutes",
            description="Time to train; it ends before if nothing gets better",
            json_schema_extra={"decimals": 1, "suffix": " min"},
        ),
    ] = 15.0
    unlabelled: Annotated[
        str, Field(title="More images", description="Folder of images without masks that join; may be empty")
    ] = ""
    high_frequency: Annotated[
        float,
        Field(
            ge=0,
            le=100,
            title="Fine detail",
            description="How much fine detail is compared pixel by pixel: for images in which the mask decides it; "
            "0: not at all",
        ),
    ] = 0.0
    folder: Annotated[str, Field(title="Keep in", description="Folder for the model and what lies beside it")] = ""
    run: str = ""
    """The model whose training is shown."""


@dataclass
class FindChoices:
    """A mixed folder, and how it is divided."""

    events: ClassVar[SignalGroupDescriptor] = SignalGroupDescriptor()

    images: Annotated[
        str, Field(title="Mixed folder", description="Folder of images, or one with images/ and masks/")
    ] = ""
    count: Annotated[
        int,
        Field(ge=0, le=20, title="Number of looks", description="How many looks to divide it into; 0: found by itself"),
    ] = 0
    out: Annotated[
        str, Field(title="Write to", description="New folder with one folder of pairs per look, to train on")
    ] = ""
