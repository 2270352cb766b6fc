"""Record the moving picture of the README from a real window: nuclei are painted, the image follows, the look changes.

On a machine without a screen: xvfb-run -a -s "-screen 0 1600x1000x24" python docs/scripts/make_painting.py
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import numpy as np
from recorder import Recorder  # a module beside this script
from scipy import ndimage

TARGET = Path(__file__).parents[1] / "pictures" / "painting.webp"
NUCLEI = 5
BRUSH = 26
REST_MS = 1600
LOOKS = ("purple", "fluorescence")
BUDGET_MS = 5000
"""A machine that takes pictures of its window after every movement is slower than one that does not."""


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
    from napari_synth.ui.napari_bridge.preferences import Preferences

    person = Recorder(open_window(render_first=True))
    session = person.session
    session.context.preferences = lambda: Preferences(budget_ms=BUDGET_MS)
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
    person.save(TARGET)
    person.viewer.close()


if __name__ == "__main__":
    os.environ["NAPARI_SYNTH_SETTINGS"] = str(Path(tempfile.mkdtemp()) / "settings.json")
    os.environ["NAPARI_SYNTH_STATE"] = tempfile.mkdtemp()
    sys.exit(main())
