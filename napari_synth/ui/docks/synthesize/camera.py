"""The camera after the generator: set by hand, or fitted to images of one's own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import QTimer

from napari_synth.ui.context.notes import Note
from napari_synth.ui.docks.synthesize.jobs import FitCameraWork
from napari_synth.ui.jobs.lanes import delete
from napari_synth.ui.napari_bridge.placement import plane_shown

if TYPE_CHECKING:
    import numpy as np
    from napari.layers import Image

    from napari_synth.evaluation.microscope import FittedCamera
    from napari_synth.ui.context.context import Context
    from napari_synth.ui.jobs.delivery import Jobs

EVALUATIONS = 200
SLIDE_MS = 120
"""A slider that moves is waited for this long."""
STOPPED = Note("stopped", "Fitting the camera was cancelled.", "Nothing was changed.")


class Camera:
    """What can be done with the camera.

    Parameters
    ----------
    context : Context
    jobs : Jobs
    say : callable
    render : callable
        Renders the current mask again, where there is one.
    """

    def __init__(self, context: Context, jobs: Jobs, say: Callable[[Note], object], render: Callable[[], object]):
        self._context, self._jobs, self._say, self._render = context, jobs, say, render
        self._soon = QTimer(singleShot=True, interval=SLIDE_MS)
        self._soon.timeout.connect(self._render_now)

    @property
    def words(self) -> str:
        """What the camera does, in short."""
        settings = self._context.camera.settings
        if settings is None:
            return "off"
        done = [f"blur {settings.blur:.1f} px"] if settings.blur else []
        done += ["noise"] if settings.shot_noise or settings.read_noise else []
        done += ["exposure"] if settings.changed.keys() - {"blur", "shot_noise", "read_noise"} else []
        return ", ".join(done) or "on, changes nothing"

    def set_by_hand(self, name: str) -> None:
        """A setting was moved: the camera is on, and the setting no longer the fitted one."""
        camera = self._context.camera
        with camera.events.paused():
            camera.set_by_hand(name)
            camera.on = True
        self._soon.start()

    def close(self) -> None:
        """Stop for good."""
        delete(self._soon)

    def switch(self, on: bool) -> None:
        """Put the camera before the images, or not."""
        self._context.camera.on = on
        self._render()

    def reset(self) -> None:
        """Every setting at its start, and the camera off."""
        from napari_synth.core.recipe import CameraSettings

        with self._context.camera.events.paused():
            self._context.camera.take(CameraSettings())
            self._context.camera.on = False
        self._render()

    def fit_folder(self, folder: str) -> None:
        """Fit to the images in a folder."""
        self._fit(Path(folder), repr(Path(folder).name))

    def fit_layers(self, layers: Sequence[Image]) -> None:
        """Fit to images that are open."""
        viewer = self._context.viewer
        name = repr(layers[0].name) if len(layers) == 1 else f"{len(layers)} open images"
        self._fit([plane_shown(viewer, layer)[0] for layer in layers], name)

    def _render_now(self) -> None:
        self._render()

    def _fit(self, images: Path | list[np.ndarray], name: str) -> None:
        context, look = self._context, self._context.look
        card = context.catalogue.card(look.model)
        style = look.style if card is not None and card.style_size else None
        field = context.field.settings(256, 256)
        work = FitCameraWork(context.models, look.model, look.device, look.option, style, images, field)

        def fitted(found: FittedCamera) -> None:
            context.camera.take(found.camera, found.fitted)
            if found.field is not None:
                context.field.take(found.field)
            self._say(Note("done", _told(found, name), _advice(found)))
            self._render()

        self._jobs.run(f"Fitting to {name}", work, fitted, total=EVALUATIONS, cancelled=STOPPED)


def _told(found: FittedCamera, name: str) -> str:
    camera, field = found.camera, found.field
    text = f"The camera is that of {name} now: blur {camera.blur:.1f} px, read noise {camera.read_noise:.1f}"
    if field is not None:
        return f"{text}; sampled masks have {field.count_mean:.0f} nuclei per 256² of {field.area_mean:.0f} px²."
    return f"{text}."


def _advice(found: FittedCamera) -> str:
    apart = [one.title.split(" (")[0] for one in found.agreement if one.after > 3]
    unlike = f"Still unlike your images: {', '.join(apart)}; another look or style may be closer." if apart else ""
    return " ".join([*found.remarks, unlike]).strip() or "Sample a field under Mask, or go on to Export."
