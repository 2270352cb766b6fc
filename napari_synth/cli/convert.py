"""``napari-synth convert``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from napari_synth.cli.console import check_free, err, out, watched
from napari_synth.core.files import copy_whole
from napari_synth.core.names import check_inside
from napari_synth.core.progress import Stopwatch


def convert(
    source: Annotated[Path, typer.Argument(help="File or folder of masks that another program wrote.")],
    out_dir: Annotated[Path, typer.Option("--out", help="Folder for images/ and masks/.")],
    images: Annotated[Path | None, typer.Option(help="Folder of the images, where they are not beside.")] = None,
    format_: Annotated[
        str,
        typer.Option("--format", help="cellpose, ome-zarr, dsb2018, stardist, coco, labelme, qupath, imagej. Found."),
    ] = "",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace masks of the same name.")] = False,
) -> None:
    """Turn masks of Cellpose, StarDist, COCO, DSB 2018, ImageJ, QuPath, labelme into pairs to train on."""
    from napari_synth.datasets.foreign_masks import read_foreign
    from napari_synth.datasets.listing import numbered_names
    from napari_synth.exporting.formats.base import PixelSize
    from napari_synth.exporting.formats.tiff import stored_labels, write_tiff

    found = read_foreign(source, format_, images)
    names = numbered_names([mask.stem for mask in found], ".tif")
    paths = [check_inside(out_dir, out_dir / "masks" / name) for name in names]
    copies = [_copy_path(mask.image, out_dir / "images", path.stem) for mask, path in zip(found, paths, strict=True)]
    check_free([*paths, *filter(None, copies)], overwrite)
    with watched("Converting") as (on_progress, cancel):
        watch = Stopwatch(len(found), on_progress)
        for done, (mask, path, copy) in enumerate(zip(found, paths, copies, strict=True), 1):
            cancel.raise_if_cancelled()
            for remark in mask.remarks:
                err.print(f"{mask.stem}: {remark}")
            write_tiff(path, stored_labels(mask.labels), "", PixelSize())
            if mask.image is not None and copy is not None:
                copy_whole(mask.image, copy)
            watch.report(done, "")
    nuclei = sum(len(set(mask.labels.flat) - {0}) for mask in found)
    without = sum(mask.image is None for mask in found)
    out.print(f"{len(found)} masks with {nuclei} nuclei in {out_dir / 'masks'}")
    if without:
        out.print(f"{without} of them came without their image: name its folder with --images.")


def _copy_path(image: Path | None, folder: Path, stem: str) -> Path | None:
    """Where the copy of an image goes; None where there is no image, or it lies there already."""
    if image is None:
        return None
    path = folder / f"{stem}{image.suffix}"
    return None if path.resolve() == image.resolve() else path
