"""napari's Preferences page of the plugin, with its defaults where there is none."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from napari_synth.ui.napari_bridge.window import PLUGIN


@dataclass(frozen=True)
class Preferences:
    """How the image follows the brush, how often masks are kept, and what a new window begins with.

    napari asks for them, with these words and bounds, as napari.yaml has them.

    Attributes
    ----------
    budget_ms : int
        Time from a stroke to its pixels.
    memory_gb : float
        What may be kept of a mask that is followed.
    autosave_seconds : int
        Time between two autosaves; 0: none.
    device : {'auto', 'cuda', 'mps', 'cpu'}
        Where images are computed while the window says "auto".
    folder : str
        Where pairs are written and files are looked for before another folder was chosen.
    thumbnails : {'as napari', 'light', 'dark'}
        Background of small pictures of shapes.
    """

    budget_ms: Annotated[
        int,
        Field(
            title="Live image within (ms)",
            description="Time from a brush stroke to its pixels; missed three times, the image waits for the end of "
            "the stroke.",
            ge=20,
            le=5000,
        ),
    ] = 100
    memory_gb: Annotated[
        float,
        Field(
            title="Live image, memory (GB)",
            description="What may be kept of a mask that the image follows; a larger mask is rendered whole.",
            ge=0.1,
            le=256,
        ),
    ] = 4.0
    autosave_seconds: Annotated[
        int,
        Field(
            title="Keep masks every (s)",
            description="At most this often, changed masks are kept against a crash; 0 keeps none.",
            ge=0,
            le=3600,
        ),
    ] = 30
    device: Annotated[
        Literal["auto", "cuda", "mps", "cpu"],
        Field(title="Device", description="Where images are computed while the window says auto."),
    ] = "auto"
    folder: Annotated[
        str,
        Field(
            title="Folder of exports",
            description="Where pairs are written before you choose another folder; empty: nowhere.",
        ),
    ] = ""
    thumbnails: Annotated[
        Literal["as napari", "light", "dark"],
        Field(title="Pictures of shapes", description="The background of small pictures of shapes."),
    ] = "as napari"

    @property
    def memory_bytes(self) -> int:
        return int(self.memory_gb * 2**30)


NAMES = tuple(field.name for field in fields(Preferences))


def preferences_now() -> Preferences:
    """The page as it is now."""
    from napari.settings import get_plugin_settings

    try:
        page = get_plugin_settings(PLUGIN).live
        return TypeAdapter(Preferences).validate_python({name: getattr(page, name) for name in NAMES})
    except (AttributeError, KeyError, LookupError, ValueError):  # the plugin is not registered with napari
        return Preferences()
