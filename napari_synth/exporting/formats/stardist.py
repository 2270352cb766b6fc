"""StarDist: ``train/images/NAME.tif`` and ``train/masks/NAME.tif``; micro-SAM and BiaPy read the same folders.

Source: stardist 0.9.2, ``stardist.matching`` and ``stardist.geometry``; its example notebooks for the folders.
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from napari_synth.core.names import check_inside
from napari_synth.exporting.formats.base import Advice, Guide, Item, PairToWrite, Survey, Writer
from napari_synth.exporting.formats.rays import drawable
from napari_synth.exporting.formats.sequential import sequential, without_holes
from napari_synth.exporting.formats.shell import command, quoted
from napari_synth.exporting.formats.tiff import stored_labels, write_image_tiff, write_tiff
from napari_synth.exporting.survey import total

RAYS = 32
GOOD = 0.85
"""IoU below which a nucleus counts as one that rays cannot draw."""
MANY = 0.05
SMALLEST_FOR_SAM = 25
FIELD_OF_VIEW = 70.0
"""Extent in pixels above which a grid of 2 is too fine for the default network to see a whole nucleus."""


class StarDistWriter(Writer):
    """Images and label maps in a folder each, labels numbered from 1 without gaps or holes."""

    title: ClassVar[str] = "StarDist, micro-SAM, BiaPy"
    trains: ClassVar[str] = "StarDist"
    two_channels: ClassVar[bool] = True

    def files(self, folder: Path, item: Item) -> tuple[Path, ...]:
        place = folder / (item.role or "train")
        names = (place / "images" / f"{item.stem}.tif", place / "masks" / f"{item.stem}.tif")
        return check_inside(folder, names[0]), check_inside(folder, names[1])

    def write(self, folder: Path, pair: PairToWrite) -> None:
        image, mask = self.files(folder, pair.item)
        labels = stored_labels(without_holes(sequential(pair.labels)))
        write_tiff(mask, labels, pair.recipe_yaml, pair.pixel_size)
        write_image_tiff(image, pair)

    def check(self, survey: Survey) -> list[Advice]:
        advice = []
        if holed := total(survey.masks, "holed"):
            advice.append(
                Advice(f"{survey.share(holed)} have holes: StarDist has none, so they are filled.", lost=True)
            )
        if any(mask.gaps for mask in survey.masks):
            advice.append(Advice("Numbers with gaps are written from 1 without gaps, as StarDist wants them."))
        fits = [fit for labels in survey.labels for fit in drawable(sequential(labels), RAYS)]
        hard = sum(fit < GOOD for fit in fits)
        if fits and hard > MANY * len(fits):
            advice.append(
                Advice(
                    f"{hard} of {len(fits)} nuclei cannot be drawn by {RAYS} rays from their middle (IoU below "
                    f"{GOOD}). StarDist will not learn their outlines. Cellpose can.",
                    lost=True,
                )
            )
        small = sum(0 < mask.smallest < SMALLEST_FOR_SAM for mask in survey.masks)
        if small:
            advice.append(Advice(f"{small} masks have nuclei below {SMALLEST_FOR_SAM} px, which micro-SAM leaves out."))
        return advice

    def guide(self, folder: Path, survey: Survey) -> Guide:
        held = next((role for role in ("val", "test") if survey.has(role)), "train")
        grid = 2 if survey.extent <= FIELD_OF_VIEW else 4
        channels = 2 if survey.two_channels else 3 if survey.rgb else 1
        lines = [
            "from pathlib import Path",
            "from tifffile import imread",
            "from csbdeep.utils import normalize",
            "from stardist.models import Config2D, StarDist2D",
            f"root = Path({str(folder.resolve())!r})",
            "load = lambda role, kind: [imread(p) for p in sorted((root / role / kind).glob('*.tif'))]",
            "X, Y = [normalize(x, 1, 99.8, axis=(0, 1)) for x in load('train', 'images')], load('train', 'masks')",
            f"Xv, Yv = [normalize(x, 1, 99.8, axis=(0, 1)) for x in load('{held}', 'images')], load('{held}', 'masks')",
            f"config = Config2D(n_rays={RAYS}, grid=({grid}, {grid}), n_channel_in={channels})",
            "model = StarDist2D(config, name='stardist', basedir=root / 'models')",
            "model.train(X, Y, validation_data=(Xv, Yv))",
            "model.optimize_thresholds(Xv, Yv)",
        ]
        if survey.two_channels:
            lines[5] = lines[5].replace("imread(p)", "imread(p) if kind == 'masks' else imread(p).transpose(1, 2, 0)")
        sam = command(
            "micro_sam.train",
            f"--images {quoted(folder / 'train' / 'images')} --labels {quoted(folder / 'train' / 'masks')}",
            '--image_key "*.tif" --label_key "*.tif"',
            f"--val_images {quoted(folder / held / 'images')} --val_labels {quoted(folder / held / 'masks')}",
        )
        return Guide(
            "\n".join(lines),
            "stardist 0.9.2 (label_are_sequential, fill_label_holes, edt_prob, star_dist; training itself was not run)",
            (
                "This is Python: save it as train.py and start it where StarDist and TensorFlow are installed.",
                f"Nuclei are about {survey.extent:.0f} px wide, hence the grid of {grid}.",
                "Masks look black in most viewers: their numbers 1, 2, 3 … are dark. They are label images, not empty.",
                f"micro-SAM trains on the same folders:\n\n```bash\n{sam}\n```\n",
                "BiaPy: give DATA.TRAIN.PATH the folder train/images and DATA.TRAIN.GT_PATH the folder train/masks.",
            ),
        )
