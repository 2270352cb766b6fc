"""Record the moving picture of the README from a real window: nuclei are painted, the image follows, the look changes.

On a machine without a screen: xvfb-run -a -s "-screen 0 1600x1000x24" python docs/scripts/make_painting.py
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from person import Person  # a module beside this script
from PIL import Image
from scipy import ndimage

TARGET = Path(__file__).parents[1] / "pictures" / "painting.webp"
WIDTH = 960
NUCLEI = 5
BRUSH = 26
STEP_MS, REST_MS = 90, 1600
LOOKS = ("purple", "fluorescence")


class Painter(Person):
    """A person whose window is looked at after every movement."""

    def __init__(self, viewer: Any):
        self.frames: list[Image.Image] = []
        self.times: list[int] = []
        super().__init__(viewer)

    def frame(self, milliseconds: int = STEP_MS) -> None:
        """Keep a picture of the window, unless nothing changed."""
        pixels = self.viewer.screenshot(canvas_only=False, flash=False)[..., :3]
        picture = Image.fromarray(pixels)
        small = picture.resize((WIDTH, round(WIDTH * picture.height / picture.width)), Image.Resampling.LANCZOS)
        if self.frames and np.array_equal(np.asarray(small), np.asarray(self.frames[-1])):
            self.times[-1] += milliseconds
            return
        self.frames.append(small)
        self.times.append(milliseconds)

    def look_around(self, seconds: float = 0.3) -> None:
        """Let the window draw, and look at it."""
        super().look_around(seconds)
        if hasattr(self, "column"):
            self.frame()


def free_places(labels: np.ndarray) -> list[tuple[int, int]]:
    """Middles of the largest free discs, each taken before the next is looked for."""
    taken, places = labels > 0, []
    taken[[0, -1]] = taken[:, [0, -1]] = True
    for _ in range(NUCLEI):
        distance = ndimage.distance_transform_edt(~taken)
        y, x = np.unravel_index(int(distance.argmax()), distance.shape)
        places.append((int(y), int(x)))
        rows, columns = np.ogrid[: labels.shape[0], : labels.shape[1]]
        taken |= (rows - y) ** 2 + (columns - x) ** 2 < (1.2 * BRUSH) ** 2
    return places


def main() -> None:
    """Paint, and write the frames."""
    from napari_synth.ui.app import open_window
    from napari_synth.ui.docks.synthesize.actions import SynthesizeActions

    person = Painter(open_window(render_first=True))
    session = person.session
    session.context.column.tour = -1
    jobs = session.actions(SynthesizeActions).jobs
    session.context.column.open_section("synthesize")
    person.wait(jobs)
    mask = session.context.masks.current
    person.click(person.column.steps.panels["synthesize"].live)
    person.viewer.layers.selection.active = mask
    person.viewer.fit_to_view()
    mask.mode, mask.brush_size = "paint", BRUSH
    person.frames, person.times = [], []
    person.frame(REST_MS)
    for y, x in free_places(mask.data):
        mask.selected_label = int(mask.data.max()) + 1
        person.stroke((y - 4, x - 6), (y + 4, x + 7))
        person.wait(jobs)
    person.times[-1] = REST_MS
    for option in LOOKS:
        session.context.look.option = option
        session.actions(SynthesizeActions).render()
        person.wait(jobs)
        person.times[-1] = REST_MS
    first, *others = person.frames
    first.save(TARGET, save_all=True, append_images=others, duration=person.times, loop=0, quality=70, method=4)
    print(f"{TARGET}: {len(person.frames)} frames, {TARGET.stat().st_size / 1e6:.2f} MB")
    person.viewer.close()


if __name__ == "__main__":
    os.environ["NAPARI_SYNTH_SETTINGS"] = str(Path(tempfile.mkdtemp()) / "settings.json")
    os.environ["NAPARI_SYNTH_STATE"] = tempfile.mkdtemp()
    sys.exit(main())
