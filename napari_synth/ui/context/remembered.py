"""The choices that outlive a window. Knows no widget."""

from __future__ import annotations

from typing import Any

from napari_synth.core.user_settings import Settings, load_settings, save_settings
from napari_synth.ui.context.choices import ExportChoices, LookChoices


class Remembered:
    """Keeps choices in the settings file, and brings back those of the last window.

    Attributes
    ----------
    look, export : LookChoices, ExportChoices
        As they were left.
    """

    def __init__(self) -> None:
        self._stored = load_settings()
        self._kept: dict[str, tuple[Any, tuple[str, ...]]] = {}
        stored = self._stored
        self.look = LookChoices(
            model=stored.model,
            option=stored.option,
            style=tuple(stored.style) if isinstance(stored.style, list) else stored.style,
            seed=max(stored.seed, 0),
            device=stored.device,
        )
        self.export = ExportChoices(folder=stored.export_folder, variants=stored.variants)

    def keep(self, key: str, choices: Any, names: tuple[str, ...]) -> None:
        """Bring back these fields of evented choices, and keep them from now on.

        What is stored and has another type than the field is passed over.

        Parameters
        ----------
        key : str
            What the choices are stored under.
        choices : evented dataclass
        names : tuple of str
            Fields with a number, a text, a truth value or texts.
        """
        stored = self._stored.choices.get(key, {})
        with choices.events.paused():
            for name in names:
                value: Any = stored.get(name)
                now: Any = getattr(choices, name)
                if isinstance(now, tuple) and isinstance(value, list) and all(isinstance(one, str) for one in value):
                    setattr(choices, name, tuple(value))
                elif type(value) is type(now) or (type(now) is float and type(value) is int):
                    setattr(choices, name, type(now)(value))
        self._kept[key] = choices, names
        choices.events.connect(self.save)

    def save(self) -> None:
        """Store everything as it is now."""
        kept = {key: {name: getattr(choices, name) for name in names} for key, (choices, names) in self._kept.items()}
        settings = Settings(
            device=self.look.device,
            model=self.look.model,
            option=self.look.option,
            seed=self.look.seed,
            style=list(self.look.style) if isinstance(self.look.style, tuple) else self.look.style,
            export_folder=self.export.folder,
            variants=self.export.variants,
            choices=self._stored.choices | kept,
        )
        if settings != self._stored:
            self._stored = settings
            save_settings(settings)
