"""What the user chose and more than one dock needs, as plain evented data. Knows no widget."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Annotated, ClassVar

from psygnal import SignalGroupDescriptor
from pydantic import Field

from napari_synth.core.recipe import CAMERA_FIELDS, CameraSettings, FieldSettings, Precision, Style

if TYPE_CHECKING:
    from napari_synth.synthesis.latents.sources import Source

DEFAULT_FIELD = FieldSettings()


@dataclass
class FieldChoices:
    """How a field of nuclei is sampled; see `core.recipe.FieldSettings`."""

    events: ClassVar[SignalGroupDescriptor] = SignalGroupDescriptor()

    count_mean: float = DEFAULT_FIELD.count_mean
    count_sd: float = DEFAULT_FIELD.count_sd
    count_law: str = DEFAULT_FIELD.count_law
    area_mean: float = DEFAULT_FIELD.area_mean
    area_sd: float = DEFAULT_FIELD.area_sd
    area_law: str = DEFAULT_FIELD.area_law
    orientation: str = DEFAULT_FIELD.orientation
    angle: float = DEFAULT_FIELD.angle
    angle_sd: float = DEFAULT_FIELD.angle_sd
    spacing: str = DEFAULT_FIELD.spacing
    touching_fraction: float = DEFAULT_FIELD.touching_fraction
    sampler: str = DEFAULT_FIELD.sampler
    spread: float = DEFAULT_FIELD.spread
    seed: int = 1
    base: FieldSettings | None = None
    """A preset, or settings that follow real masks; the choices above win over them."""
    preset: str = ""
    """Name of the preset that the base is; empty where it is none."""
    library: str = DEFAULT_FIELD.library
    library_title: str = ""
    """What a person knows the library by; empty: the bundled one."""

    def take(self, settings: FieldSettings, preset: str = "") -> None:
        """Make settings the base, and all choices but the seed and the library theirs."""
        with self.events.paused():
            for name in (name for name in FIELD_CHOICES if name != "library"):
                setattr(self, name, getattr(settings, name))
            self.base, self.preset = settings, preset

    def set_by_hand(self, name: str) -> None:
        """Let a number that was set by hand win over a measured law, or that of a preset."""
        if name.startswith("area"):
            self.area_law = "normal"
        elif name in ("count_mean", "count_sd") and self.count_law == "measured":
            self.count_law = "normal"

    def use_library(self, setting: str, title: str) -> None:
        """Take shapes from another library."""
        with self.events.paused():
            self.library, self.library_title = setting, title

    def settings(self, height: int, width: int) -> FieldSettings:
        """The settings for a canvas of this size."""
        base = self.base if self.base is not None else FieldSettings()
        chosen = {name: getattr(self, name) for name in FIELD_CHOICES}
        return FieldSettings.model_validate(base.model_dump() | chosen | {"height": height, "width": width})


FIELD_CHOICES = tuple(field.name for field in fields(FieldChoices) if field.name in FieldSettings.model_fields)

REMEMBERED_FIELD = tuple(name for name in FIELD_CHOICES if name not in ("library", "count_law", "area_law"))
"""What the next window begins with; laws and shapes belong to what was measured or opened in this one."""


@dataclass
class LookChoices:
    """Model, option, style and noise of the images.

    Attributes
    ----------
    style : int, tuple of float or None
        Member of the model's bank or code; None: drawn by the seed.
    latent : Source or None
        Where the latent vector comes from, when not from the seed.
    """

    events: ClassVar[SignalGroupDescriptor] = SignalGroupDescriptor()

    model: str = ""
    option: str = ""
    style: Style | None = None
    seed: int = 1
    noise: bool = True
    latent: Source | None = None
    device: str = "auto"
    fast: bool = False
    outline: bool = True

    @property
    def used_seed(self) -> int | None:
        """The seed, or None without noise."""
        return self.seed if self.noise else None

    @property
    def precision(self) -> Precision:
        """How the network computes."""
        return "fast" if self.fast else "exact"


DEFAULT_CAMERA = CameraSettings()


@dataclass
class CameraChoices:
    """What a camera does to the images; see `core.recipe.CameraSettings`.

    Attributes
    ----------
    on : bool
        False: the images are as the model makes them.
    fitted : tuple of str
        The settings that were found from images and not set by hand since.
    """

    events: ClassVar[SignalGroupDescriptor] = SignalGroupDescriptor()

    on: bool = False
    blur: float = DEFAULT_CAMERA.blur
    background_x: float = DEFAULT_CAMERA.background_x
    background_y: float = DEFAULT_CAMERA.background_y
    background_bowl: float = DEFAULT_CAMERA.background_bowl
    gain: float = DEFAULT_CAMERA.gain
    offset: float = DEFAULT_CAMERA.offset
    gamma: float = DEFAULT_CAMERA.gamma
    shot_noise: float = DEFAULT_CAMERA.shot_noise
    read_noise: float = DEFAULT_CAMERA.read_noise
    fitted: tuple[str, ...] = ()

    @property
    def settings(self) -> CameraSettings | None:
        """What is chosen; None while it is off."""
        return CameraSettings(**{name: getattr(self, name) for name in CAMERA_FIELDS}) if self.on else None

    def take(self, camera: CameraSettings | None, fitted: tuple[str, ...] = ()) -> None:
        """Take these settings and switch the camera on; off for None."""
        with self.events.paused():
            self.on = camera is not None
            for name, value in (camera.model_dump() if camera is not None else {}).items():
                setattr(self, name, value)
            self.fitted = fitted

    def set_by_hand(self, name: str) -> None:
        """What was moved is not as it was fitted."""
        self.fitted = tuple(other for other in self.fitted if other != name)


@dataclass
class ExportChoices:
    """What is exported and where to."""

    events: ClassVar[SignalGroupDescriptor] = SignalGroupDescriptor()

    folder: Annotated[
        str, Field(title="Folder", description="The folder the pairs are written to; made when missing")
    ] = ""
    variants: Annotated[
        int,
        Field(
            ge=1,
            le=100_000,
            title="Variants",
            description="Images per mask and look, each with other noise (seeds follow from that above)",
            json_schema_extra={"row": "Variants"},
        ),
    ] = 1
    options: tuple[str, ...] = ()
    sampled: int = 0
    """Masks that are sampled in place of those in layers; 0: none."""
    rounds: int = 1
    """How often the set was asked for, by *Add more*."""
    kept_apart: tuple[int, int] = (100, 100)
    """Percent at which training ends and testing begins; all train where both are 100."""
    real: str = ""
    """A folder of real pairs, which alone validate and test then; empty: none."""
    strict: Annotated[
        bool,
        Field(
            title="strict split",
            description="Also keep apart what sampled masks are made of (nuclei of your own library) and images beside "
            "masks: no nucleus and no image has two roles",
        ),
    ] = False
    format: Annotated[
        str,
        Field(
            title="To train",
            description="What you want to train: the pairs are stored as that program wants them",
        ),
    ] = "tiff"
    overwrite: Annotated[
        bool,
        Field(title="replace other pairs", description="Allow replacing the pairs of another export in this folder"),
    ] = False


@dataclass
class ColumnChoices:
    """What is open in the column.

    Attributes
    ----------
    section : str
        Key of the dock that is the open step.
    tabs : tuple of str
        Keys of the docks that are open as tabs.
    tab : str
        That in front; empty: the steps.
    tour : int
        Where the tour is, from 0; -1: there is none.
    """

    events: ClassVar[SignalGroupDescriptor] = SignalGroupDescriptor()

    section: str = "masks"
    tabs: tuple[str, ...] = ()
    tab: str = ""
    tour: int = 0

    def open_section(self, key: str) -> None:
        """Open a step and bring the steps to the front."""
        with self.events.paused():
            self.section, self.tab = key, ""

    def open_tab(self, key: str) -> None:
        """Open a dock as a tab, or bring it to the front."""
        with self.events.paused():
            self.tabs = self.tabs if key in self.tabs else (*self.tabs, key)
            self.tab = key

    def close_tab(self, key: str) -> None:
        """Close a tab; the steps come to the front where it was there."""
        with self.events.paused():
            self.tabs = tuple(other for other in self.tabs if other != key)
            self.tab = "" if self.tab == key else self.tab
