"""What is to be rendered, in one record: render, live, capsules, export and "Copy as Python" all start from it."""

from __future__ import annotations

import shlex
import weakref
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_synth.core.errors import InputError
from napari_synth.core.recipe import CameraSettings, Intervention, Precision, Style, camera_text
from napari_synth.ui.context.notes import Note

if TYPE_CHECKING:
    from napari.layers import Image

    from napari_synth.synthesis.latents.sources import Source
    from napari_synth.synthesis.request import RenderRequest

MASK_FIRST = Note("hint", "There is no mask yet.", "Open Mask: paint one, sample one, or open your own.")
NO_MASK = Note("problem", "There is no mask layer.", "Press New mask or Sample a field under Mask.")
NO_IMAGE = Note(
    "problem",
    "There is no image layer to put the objects into.",
    "Open one, or see File ▸ Open Sample ▸ Brain, two channels.",
)
NO_MODEL = Note("problem", "There is no model to render with.", "Open a .safetensors file made by napari-synth.")


@dataclass(frozen=True, eq=False)
class Condition:
    """The image beside the mask.

    Attributes
    ----------
    name : str
        Of its layer.
    pixels : ndarray, shape (Y, X)
        A copy; the same array as long as the pixels of the layer are the same.
    layer : weakref to Image
    """

    name: str
    pixels: np.ndarray
    layer: weakref.ref[Image]


@dataclass(frozen=True)
class RenderOrder:
    """All that the image of a mask depends on, beside its labels; made by `Context.order` alone.

    Attributes
    ----------
    model : str
        Bundled id or path of a generator.
    device : str
    mask : str
        Name of the mask's layer.
    option : str
        Empty for a model without options.
    seed : int or None
        None: no noise.
    latent : Source or None
        Where the latent vector comes from, when not from the seed.
    style : int, tuple of float or None
        Member of the model's bank or code; None: drawn by the seed, or the model has none.
    precision : {'exact', 'fast'}
    interventions : tuple of Intervention
        Changes inside the network.
    condition : Condition or None
    camera : CameraSettings or None
    """

    model: str
    device: str
    mask: str
    option: str
    seed: int | None
    latent: Source | None
    precision: Precision
    interventions: tuple[Intervention, ...]
    condition: Condition | None
    style: Style | None = None
    camera: CameraSettings | None = None

    @property
    def beside(self) -> Image | None:
        """The layer of the image beside the mask, while it exists."""
        return self.condition.layer() if self.condition is not None else None

    def z(self, size: int) -> np.ndarray | None:
        """The chosen latent vector, ``(size,)`` float32; None: that of the seed."""
        return None if self.latent is None else self.latent.vector(size)

    def request(
        self, labels: np.ndarray, latent_size: int, capture: tuple[str, ...] = (), routing: tuple[str, ...] = ()
    ) -> RenderRequest:
        """What the generator is asked for, for these labels."""
        from napari_synth.synthesis.request import RenderRequest

        return RenderRequest(
            labels,
            self.option or None,
            self.seed,
            z=self.z(latent_size),
            style=self.style,
            condition=None if self.condition is None else self.condition.pixels,
            interventions=self.interventions,
            capture=capture,
            routing=routing,
            precision=self.precision,
            camera=self.camera,
        )

    def as_command(self, mask: str) -> str:
        """The command that makes the same image of a mask in a file.

        Raises
        ------
        InputError
            If the command line has no option for something that was chosen.
        """
        if self.interventions or self.latent is not None:
            raise InputError(
                "Changes inside the network and chosen latent vectors have no option of the command.",
                "Export a pair, and give its file to: napari-synth replay.",
            )
        words = ["napari-synth", "synthesize", mask, "--out", "images", "--model", self.model]
        words += ["--option", self.option] if self.option else []
        words += ["--no-noise"] if self.seed is None else ["--seed", str(self.seed)]
        if self.style is not None:
            numbers = (self.style,) if isinstance(self.style, int) else self.style
            words.append(f"--style={','.join(map(repr, numbers))}")
        words += ["--condition", f"{self.condition.name}.tif"] if self.condition is not None else []
        words += ["--camera", camera_text(self.camera)] if self.camera is not None else []
        words += ["--fast"] if self.precision == "fast" else []
        words += ["--device", self.device] if self.device != "auto" else []
        return shlex.join(words)

    def as_python(self, latent_size: int) -> str:
        """The lines that make the same image in a script or in napari's console."""
        asked = [f"option={self.option!r}"] if self.option else []
        asked.append(f"seed={self.seed}")
        lines = ["import napari_synth as ns", ""]
        z = self.z(latent_size)
        if z is not None:
            lines = ["import numpy as np", "", *lines]
        lines += [
            f"model = ns.load_model({self.model!r}, device={self.device!r})",
            f"mask = viewer.layers[{self.mask!r}].data",
        ]
        if z is not None:
            lines.append(f"z = np.array({[float(value) for value in z]}, np.float32)")
            asked.append("z=z")
        if self.style is not None:
            asked.append(f"style={self.style!r}")
        if self.condition is not None:
            asked.append(f"condition=viewer.layers[{self.condition.name!r}].data")
        if self.precision != "exact":
            asked.append(f"precision={self.precision!r}")
        if self.camera is not None:
            given = ", ".join(f"{name}={value!r}" for name, value in self.camera.changed.items())
            asked.append(f"camera=ns.CameraSettings({given})")
        if not self.interventions:
            return "\n".join([*lines, f"image = model.render(mask, {', '.join(asked)}).image", ""])
        changes = [f"    ns.{change!r}," for change in self.interventions]
        asked.append("interventions=changes")
        return "\n".join(
            [
                *lines,
                "changes = (",
                *changes,
                ")",
                f"request = ns.RenderRequest(mask, {', '.join(asked)})",
                "image = model.run(request).image",
                "",
            ]
        )
