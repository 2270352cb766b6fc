"""What the user chose and what the window says, as plain evented data. Knows no widget."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Literal

from psygnal import evented

from napari_synth.core.errors import Cancelled, SynthError
from napari_synth.core.recipe import FieldSettings, Precision
from napari_synth.core.user_settings import Settings, load_settings, save_settings
from napari_synth.synthesis.latents.paths import PathKind
from napari_synth.synthesis.latents.sources import Drawn, Source

DEFAULT_FIELD = FieldSettings()


@dataclass(frozen=True)
class Note:
    """One message of a panel.

    Attributes
    ----------
    kind : {'hint', 'done', 'stopped', 'problem'}
    text : str
        One sentence: what happened.
    action : str
        One sentence: what to do next.
    details : str
        For a report: the traceback.
    """

    kind: Literal["hint", "done", "stopped", "problem"]
    text: str
    action: str = ""
    details: str = ""

    @classmethod
    def of(cls, error: SynthError, details: str = "") -> Note:
        """The message of an error."""
        kind = "stopped" if isinstance(error, Cancelled) else "problem"
        return cls(kind, error.problem, error.action, details)


@evented
@dataclass
class Notes:
    """The message of each panel."""

    masks: Note = Note("hint", "Sample a field of nuclei, or make a new mask and paint them.")
    synthesize: Note = Note("hint", "Choose the model and its look, then press Render.")
    export: Note = Note("hint", "Choose a folder and press Export.")
    inspect: Note = Note("hint", "Choose a layer of the network and press Show capsules, or rank them for a structure.")


@evented
@dataclass
class FieldChoices:
    """How a field of nuclei is sampled; see `core.recipe.FieldSettings`."""

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
    """Set by the Nuclei dock; see `ui.libraries`."""

    def take(self, settings: FieldSettings, preset: str = "") -> None:
        """Make settings the base, and all choices but the seed and the library theirs."""
        with self.events.paused():  # type: ignore[attr-defined]
            for name in (name for name in FIELD_CHOICES if name != "library"):
                setattr(self, name, getattr(settings, name))
            self.base, self.preset = settings, preset

    def settings(self, height: int, width: int) -> FieldSettings:
        """The settings for a canvas of this size."""
        base = self.base if self.base is not None else FieldSettings()
        chosen = {name: getattr(self, name) for name in FIELD_CHOICES}
        return FieldSettings.model_validate(base.model_dump() | chosen | {"height": height, "width": width})


FIELD_CHOICES = tuple(field.name for field in fields(FieldChoices) if field.name in FieldSettings.model_fields)


@evented
@dataclass
class LookChoices:
    """Model, look and noise of the images."""

    model: str = ""
    option: str = ""
    seed: int = 1
    noise: bool = True
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


@evented
@dataclass
class ExportChoices:
    """What is exported and where to."""

    folder: str = ""
    variants: int = 1
    options: tuple[str, ...] = ()
    format: str = "tiff"
    overwrite: bool = False


@evented
@dataclass
class InspectChoices:
    """What of the network is looked at."""

    layer: str = ""
    capsule: int = 0
    channel: int = -1
    """-1: all channels of the capsule."""
    everywhere: bool = False
    """Rank all layers, not the chosen one alone."""


@evented
@dataclass
class LatentChoices:
    """Three latent vectors, the place between them, and the walk from A to B."""

    a: Source = Drawn(1)  # noqa: RUF009
    b: Source = Drawn(2)  # noqa: RUF009
    c: Source = Drawn(3)  # noqa: RUF009
    u: float = 0.0
    v: float = 0.0
    steps: int = 16
    path: PathKind = "spherical"
    with_capsules: bool = True


class Remembered:
    """Keeps the choices that outlive a session in the settings file."""

    def __init__(self, look: LookChoices, export: ExportChoices):
        self._look = look
        self._export = export
        look.events.connect(self._save)
        export.events.connect(self._save)

    def _save(self) -> None:
        save_settings(
            Settings(
                device=self._look.device,
                model=self._look.model,
                option=self._look.option,
                seed=self._look.seed,
                export_folder=self._export.folder,
                variants=self._export.variants,
            )
        )


def remembered_choices() -> tuple[LookChoices, ExportChoices]:
    """The choices of the last session."""
    stored = load_settings()
    look = LookChoices(model=stored.model, option=stored.option, seed=max(stored.seed, 0), device=stored.device)
    return look, ExportChoices(folder=stored.export_folder, variants=stored.variants)
