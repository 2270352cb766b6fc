"""A person's ways through the window, from the first start to files; they take the pictures of the documentation.

On a machine without a screen: xvfb-run -a -s "-screen 0 1600x1000x24" python docs/scripts/journeys.py [NAME...]

Without names, all of them are gone. Six are filmed. The environment variables ``JOURNEY_SIZE`` (``1280x800``),
``JOURNEY_THEME`` (``dark``) and ``JOURNEY_PICTURES`` (a folder) take others.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from person import Person
from recorder import Recorder

PICTURES = Path(__file__).parents[1] / "pictures"
SHOWN = (
    "capsules",
    "compared",
    "dropped",
    "exported",
    "fitted",
    "latent_map",
    "lesion",
    "my_look",
    "my_look_pairs",
    "my_look_rendered",
    "nuclei",
    "own_mask_offered",
    "painted_live",
    "sampled",
    "switched_off",
    "thirty",
    "walk",
    "window",
)
"""Pictures that the documentation shows; into another folder all of them are taken."""
FILMED = ("first_start", "own_mask", "compared", "fitted", "lesion", "capsule_off")
"""Ways of which the documentation shows a moving picture; into another folder all of them are filmed."""
REST_MS, END_MS = 900, 3000


def first_start(person: Person, folder: Path) -> list[Path]:
    """From the first start to four exported pairs; the pairs."""
    from napari_synth.ui.docks.synthesize.actions import SynthesizeActions

    session, column = person.session, person.column
    synthesize = session.actions(SynthesizeActions)
    person.wait(synthesize.jobs)
    person.viewer.fit_to_view()
    person.picture("first_start")
    person.skip_tour()
    person.click(column.steps.headers["synthesize"])
    person.wait_until(lambda: not synthesize.thumbnails.busy)
    person.picture("window")
    person.click(column.steps.headers["export"])
    export_into(person, folder / "pairs")
    person.picture("exported")
    return sorted((folder / "pairs" / "images").iterdir())


def export_into(person: Person, folder: Path) -> None:
    """Choose a folder in the Export section, which is open, and export into it."""
    from napari_synth.ui.docks.export.actions import ExportActions

    export = person.column.steps.panels["export"]
    with person.answering(folder):
        person.click(export.browse)
    person.click(export.export_button)
    person.wait(person.session.actions(ExportActions).jobs)


def dropped_export(person: Person, exported: Path) -> None:
    """An exported image dropped on the window: the mask and every choice come back."""
    from napari_synth.ui.docks.synthesize.actions import SynthesizeActions

    jobs = person.session.actions(SynthesizeActions).jobs
    person.skip_tour()
    person.drop(exported)
    person.wait_until(lambda: person.session.context.masks.layers)
    person.wait(jobs)
    person.click(person.column.steps.headers["synthesize"])
    person.wait_until(lambda: not person.session.actions(SynthesizeActions).thumbnails.busy)
    person.picture("dropped")


def png_of(mask: Path, folder: Path, name: str = "cells") -> Path:
    """The mask in a file as a PNG, such as other programs write."""
    import imageio.v3 as iio

    from napari_synth.datasets.image_files import read_labels

    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.png"
    iio.imwrite(path, read_labels(mask).astype("uint8"))
    return path


def own_mask(person: Person, path: Path, folder: Path) -> list[Path]:
    """A mask in a PNG dropped on the window, taken as a mask, its image, and pairs for Cellpose; their files."""
    from qtpy.QtWidgets import QPushButton

    from napari_synth.ui.docks.masks.actions import MaskActions
    from napari_synth.ui.docks.synthesize.actions import SynthesizeActions

    session, column = person.session, person.column
    person.skip_tour()
    person.drop(path)
    person.look_around(1.0)
    panel = column.steps.panels["masks"]
    if panel.isHidden():
        person.click(column.steps.headers["masks"])
    offers = [button for button in panel.data.findChildren(QPushButton) if path.stem in button.accessibleName()]
    person.picture("own_mask_offered")
    person.click(offers[0])
    person.wait(session.actions(MaskActions).jobs)
    person.click(column.steps.headers["synthesize"])
    look = column.steps.panels["synthesize"]
    person.click(look.render_button)
    person.wait(session.actions(SynthesizeActions).jobs)
    person.picture("own_mask")
    person.click(column.steps.headers["export"])
    formats = column.steps.panels["export"].form.combo("format")
    formats.setCurrentIndex(formats.findData("cellpose"))
    formats.activated.emit(formats.currentIndex())
    person.clicks += 2
    export_into(person, folder / "cellpose")
    person.picture("own_mask_exported")
    return sorted((folder / "cellpose" / "train").iterdir())


def compared(person: Person, folder: Path) -> None:
    """Paint with the image following, compare looks and styles, star two of them, export these."""
    from napari_synth.ui.docks.compare.actions import CompareActions
    from napari_synth.ui.docks.synthesize.actions import SynthesizeActions

    session, column = person.session, person.column
    person.skip_tour()
    masks = column.steps.panels["masks"]
    person.click(masks.cards.tabs["paint"])
    person.click(masks.paint.new)
    person.viewer.fit_to_view()
    mask = session.context.masks.current
    mask.brush_size = 28
    person.click(column.steps.headers["synthesize"])
    look = column.steps.panels["synthesize"]
    person.click(look.live)
    for number, (start, end) in enumerate((((60, 60), (70, 75)), ((150, 90), (160, 120)), ((100, 180), (125, 185))), 1):
        mask.selected_label = number
        person.viewer.layers.selection.active = mask
        person.stroke(start, end)
        person.wait(session.actions(SynthesizeActions).jobs)
    person.picture("painted_live")
    person.click(look.live)
    board, comparing = person.open_tab("compare"), session.actions(CompareActions)
    person.click(board.compare)
    person.wait(comparing.jobs)
    for place in (0, 2):
        board.tiles.setCurrentRow(place)
        person.clicks += 1
        person.click(board.star)
    person.picture("compared")
    with person.answering(folder / "stars"):
        person.click(board.stars)
    person.wait(comparing.jobs)
    person.picture("stars_exported")


def fitted(person: Person, masks: Path, folder: Path) -> None:
    """The field follows real masks; thirty masks like them are sampled and exported, some kept apart."""
    from napari_synth.ui.docks.export.actions import ExportActions
    from napari_synth.ui.docks.masks.actions import MaskActions
    from napari_synth.ui.docks.synthesize.actions import SynthesizeActions

    session, column = person.session, person.column
    person.skip_tour()
    card = column.steps.panels["masks"].sampling
    person.click(card.fit.head)
    with person.answering(masks):
        person.click(card.fit.folder)
    person.wait(session.actions(MaskActions).jobs)
    person.click(card.sample)
    person.wait(session.actions(MaskActions).jobs)
    person.picture("fitted")
    person.click(column.steps.headers["synthesize"])
    look = column.steps.panels["synthesize"]
    person.click(look.render_button)
    person.wait(session.actions(SynthesizeActions).jobs)
    person.click(column.steps.headers["export"])
    panel, chosen = column.steps.panels["export"], session.context.look.option
    for column, name in enumerate(session.context.catalogue.options(session.context.look.model), 1):
        person.tick(panel.table, panel.table.item(0, column), name == chosen)
    person.type_number(panel.form.controls["variants"], 30)
    person.click(panel.sample)
    panel.split.setValue((80, 90))
    person.clicks += 2
    with person.answering(folder / "thirty"):
        person.click(panel.browse)
    person.picture("thirty")
    person.click(panel.export_button)
    person.wait(session.actions(ExportActions).jobs)
    person.picture("thirty_exported")


def lesion(person: Person) -> None:
    """A lesion painted into a brain: the signal over the real anatomy follows."""
    from napari_synth.ui.docks.synthesize.actions import SynthesizeActions
    from napari_synth.ui.napari_bridge.window import PLUGIN

    session, synthesize = person.session, person.session.actions(SynthesizeActions)
    person.skip_tour()
    person.viewer.open_sample(PLUGIN, "brain_256")
    person.look_around()
    person.wait(synthesize.jobs)
    mask = session.context.masks.current
    person.viewer.layers.selection.active = mask
    person.viewer.fit_to_view()
    person.picture("brain")
    mask.mode, mask.brush_size = "paint", 12
    mask.selected_label = int(mask.data.max()) + 1
    person.stroke((150, 90), (156, 100))
    person.click(person.column.steps.headers["synthesize"])
    person.click(person.column.steps.panels["synthesize"].render_button)
    person.wait(synthesize.jobs)
    person.picture("lesion")


def capsule_off(person: Person, folder: Path) -> Path:
    """Axons of a capsule network: one capsule off, a walk saved; the file of the walk."""
    import numpy as np

    from napari_synth.ui.docks.inspect.actions import InspectActions
    from napari_synth.ui.docks.synthesize.actions import SynthesizeActions
    from napari_synth.ui.napari_bridge.window import PLUGIN

    session, inspecting = person.session, person.session.actions(InspectActions)
    person.skip_tour()
    person.viewer.open_sample(PLUGIN, "axons_256")
    person.wait(session.actions(SynthesizeActions).jobs)
    panel = person.open_tab("inspect")
    if panel.use_model.isVisible():
        person.click(panel.use_model)
    person.viewer.fit_to_view()
    mask = session.context.masks.current
    rows, columns = np.nonzero(mask.data)
    middle = int(rows[len(rows) // 2]), int(columns[len(rows) // 2])
    person.click(panel.ranks.pick)
    person.point(mask, middle)
    person.click_on_canvas(mask, middle)
    person.wait(inspecting.ranking.jobs)
    table = panel.ranks.table
    row = next(line for line in range(table.rowCount()) if table.unit(line)[2] is not None)
    table.selectRow(row)
    inspecting.show_unit(table.unit(row))
    person.clicks += 2
    person.wait(inspecting.jobs)
    person.picture("capsules")
    table.selectRow(next(line for line in range(table.rowCount()) if table.unit(line)[2] is None))
    person.clicks += 1
    person.click(panel.changes.off)
    person.wait(inspecting.jobs)
    person.picture("switched_off")
    panel.tabs.setCurrentWidget(panel.latents)
    person.clicks += 1
    person.click(panel.latents.walk)
    person.wait(inspecting.walks.jobs)
    inspecting.stacks.go_to(alpha=inspecting.walks.choices.steps // 2)
    walk = folder / "walk.tif"
    with person.answering(walk):
        person.click(panel.latents.save)
    person.wait(inspecting.walks.jobs)
    person.picture("walk")
    return walk


def single_nuclei(person: Person) -> None:
    """Nuclei stamped one by one, a place filled, one changed; then the map of their shapes."""
    from napari_synth.ui.docks.masks.actions import MaskActions
    from napari_synth.ui.docks.nuclei.actions import NucleusActions

    session, column = person.session, person.column
    person.skip_tour()
    masks = column.steps.panels["masks"]
    person.click(masks.sampling.sample)
    person.wait(session.actions(MaskActions).jobs)
    person.picture("sampled")
    person.click(masks.cards.tabs["paint"])
    person.click(masks.paint.new)
    person.click(masks.paint.single)
    panel: Any = column.opened["nuclei"]
    nuclei, mask = session.actions(NucleusActions), session.context.masks.current
    person.wait(nuclei.jobs)
    person.viewer.fit_to_view()
    person.click(panel.tools["stamp"])
    for number, place in enumerate(((60, 60), (50, 130), (120, 50), (110, 120), (60, 200))):
        nuclei.shapes.choose(number)
        person.click_on_canvas(mask, place)
    person.click(panel.tools["grow"])
    person.stroke((150, 20), (240, 240))
    person.wait(nuclei.jobs)
    person.click(panel.tools["edit"])
    person.click_on_canvas(mask, (110, 120))
    person.wait(nuclei.jobs)
    person.picture("nuclei")
    person.click(panel.tools["edit"])
    panel.tabs.setCurrentIndex(1)
    nuclei.shapes.choose(0)
    person.click(panel.mark_a)
    nuclei.shapes.choose(7)
    person.click(panel.mark_b)
    person.click(panel.walk)
    person.wait(nuclei.jobs)
    person.viewer.fit_to_view()
    person.viewer.dims.set_current_step(0, 12)
    person.picture("latent_map")


def my_pairs(folder: Path) -> tuple[Path, Path]:
    """Folders of five images and their masks, like those a person has: another microscope than those of the looks."""
    import imageio.v3 as iio
    import numpy as np
    from scipy.ndimage import gaussian_filter

    import napari_synth as ns
    from napari_synth.datasets.image_files import read_labels
    from napari_synth.ui.samples import sample_folder

    images, masks = folder / "images", folder / "masks"
    model = ns.load_model("optional-pix2pix-nuclei", "cpu")
    whole = read_labels(sample_folder() / "nuclei_512.tif")
    for kind in (images, masks):
        kind.mkdir(parents=True)
    for number, (top, left) in enumerate([(0, 0), (0, 256), (256, 0), (256, 256), (128, 128)], 1):
        labels = whole[top : top + 256, left : left + 256]
        grey = gaussian_filter(model.render(labels, "fluorescence", number).image.astype(float), 1.5)
        grey = grey if grey.ndim == 2 else grey.mean(-1)
        tinted = grey[..., None] * np.array([0.2, 0.9, 0.5]) + np.random.default_rng(number).normal(
            12, 5, (256, 256, 1)
        )
        iio.imwrite(images / f"field_{number}.png", np.clip(tinted, 0, 255).astype(np.uint8))
        iio.imwrite(masks / f"field_{number}_mask.png", labels.astype(np.uint16))
    return images, masks


def my_look(
    person: Person, pairs: tuple[Path, Path], folder: Path, steps: int = 40, minutes: float | None = None
) -> Path:
    """Five images and masks dropped on the window become a look, which renders and is exported; the model."""
    from qtpy.QtWidgets import QPushButton

    from napari_synth.ui.docks.masks.actions import MaskActions
    from napari_synth.ui.docks.synthesize.actions import SynthesizeActions
    from napari_synth.ui.docks.train.actions import TrainActions

    session, column = person.session, person.column
    training, synthesize = session.actions(TrainActions), session.actions(SynthesizeActions)
    person.skip_tour()
    for path in [path for kind in pairs for path in sorted(kind.iterdir())]:
        person.drop(path)
    masks = column.steps.panels["masks"]
    if masks.isHidden():
        person.click(column.steps.headers["masks"])
    for path in sorted(pairs[1].iterdir()):
        offers = masks.data.findChildren(QPushButton)
        next(one for one in offers if one.accessibleName() == f"Use as mask: {path.stem}").click()
        person.clicks += 1
        person.wait(session.actions(MaskActions).jobs)
    panel = person.open_tab("train")
    panel.form.combo("source").setCurrentIndex(1)
    panel.form.combo("source").activated.emit(1)
    panel.form.line("name").setText("my-microscope")
    training.choices.folder = str(folder / "looks")
    if minutes is not None:
        training.choices.minutes = minutes
    person.clicks += 2
    person.picture("my_look_pairs")
    person.click(panel.plan)
    person.wait(training.jobs)
    person.picture("my_look_planned")
    person.click(panel.begin)
    person.wait(training.jobs)
    for part in (1, steps // 2, steps):
        person.wait_until(lambda part=part: training.watching.run.step >= part)
    person.picture("my_look")
    person.click(panel.stop)
    person.wait_until(lambda: training.watching.run.ended and not panel.use.isHidden())
    person.picture("my_look_stopped")
    person.click(panel.use)
    person.click(column.steps.panels["synthesize"].render_button)
    person.wait(synthesize.jobs)
    person.picture("my_look_rendered")
    person.click(column.steps.headers["export"])
    export_into(person, folder / "pairs")
    person.picture("my_look_exported")
    return Path(session.context.look.model)


def my_masks(folder: Path) -> Path:
    """A folder of masks like those a person has."""
    from napari_synth.ui.samples import sample_folder

    for name in ("nuclei_256", "nuclei_512"):
        png_of(sample_folder() / f"{name}.tif", folder / "my_masks", name)
    return folder / "my_masks"


@dataclass
class Journeys:
    """All ways, each in a new window.

    Attributes
    ----------
    folder : Path
        What is exported lies here.
    pictures : Path
    size : (int, int)
    theme : str
    """

    folder: Path
    pictures: Path
    size: tuple[int, int]
    theme: str

    def go(self, name: str, way: Callable[..., object], *given: object, sample: bool = False) -> Any:
        """Go one way; what it ends with."""
        from napari_synth.ui.app import open_window

        os.environ["NAPARI_SYNTH_SETTINGS"] = str(Path(tempfile.mkdtemp()) / "settings.json")
        wanted = SHOWN if self.pictures == PICTURES else None
        viewer, others = open_window(sample, render_first=sample), (self.pictures, self.size, self.theme, wanted)
        filmed = wanted is None or name in FILMED
        person = Recorder(viewer, *others, rest=REST_MS) if filmed else Person(viewer, *others)
        end = way(person, *given)
        print(f"{name}: {person.clicks} clicks", flush=True)
        if isinstance(person, Recorder):
            person.frame(END_MS)
            person.save(self.pictures / f"{name}.webp")
        person.viewer.close()
        return end

    def first_start(self) -> None:
        """The first start, and what it exported dropped on another window."""
        pairs = self.go("first_start", first_start, self.folder, sample=True)
        self.go("dropped_export", dropped_export, pairs[0])

    def own_mask(self) -> None:
        """A PNG of somebody's own."""
        from napari_synth.ui.samples import sample_folder

        self.go("own_mask", own_mask, png_of(sample_folder() / "nuclei_256.tif", self.folder), self.folder)

    def compared(self) -> None:
        """Paint, compare, star."""
        self.go("compared", compared, self.folder)

    def fitted(self) -> None:
        """Masks like those in a folder."""
        self.go("fitted", fitted, my_masks(self.folder), self.folder)

    def lesion(self) -> None:
        """Two channels."""
        self.go("lesion", lesion)

    def capsule_off(self) -> None:
        """Inside the network."""
        self.go("capsule_off", capsule_off, self.folder)

    def single_nuclei(self) -> None:
        """Single nuclei."""
        self.go("single_nuclei", single_nuclei)

    def my_look(self) -> None:
        """A look of one's own, stopped in the last third of three minutes on two cores."""
        self.go("my_look", my_look, my_pairs(self.folder / "mine"), self.folder, 140, 3.0)


NAMES = ("first_start", "own_mask", "compared", "fitted", "lesion", "capsule_off", "single_nuclei", "my_look")


def main(names: list[str]) -> None:
    """Go the ways of these names."""
    width, _, height = os.environ.get("JOURNEY_SIZE", "1280x800").partition("x")
    pictures, theme = Path(os.environ.get("JOURNEY_PICTURES", PICTURES)), os.environ.get("JOURNEY_THEME", "dark")
    pictures.mkdir(parents=True, exist_ok=True)
    journeys = Journeys(Path(tempfile.mkdtemp()), pictures, (int(width), int(height)), theme)
    for name in names or NAMES:
        getattr(journeys, name)()


if __name__ == "__main__":
    os.environ["NAPARI_SYNTH_STATE"] = tempfile.mkdtemp()
    main(sys.argv[1:])
