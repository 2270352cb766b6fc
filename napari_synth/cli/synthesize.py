"""``napari-synth synthesize``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from napari_synth.cli.console import Fast, check_free, out, watched
from napari_synth.cli.given_camera import GivenCamera, camera_asked
from napari_synth.cli.given_masks import Plane, Repair, read_masks
from napari_synth.cli.given_style import GivenStyle, StyleFrom, StyleMask, style_asked
from napari_synth.core.progress import Stopwatch
from napari_synth.models.defaults import DEFAULT_GENERATOR

Device = Annotated[str, typer.Option(help="auto, cuda, mps or cpu.")]


def synthesize(
    masks: Annotated[list[Path], typer.Argument(metavar="MASK...", help="Label images, or folders of them.")],
    out_dir: Annotated[Path, typer.Option("--out", help="Folder for the images.")],
    model: Annotated[str, typer.Option(help="Model id or file.")] = DEFAULT_GENERATOR,
    option: Annotated[
        list[str], typer.Option(help="Look; may be given several times. The first one if not given.")
    ] = [],  # noqa: B006
    seed: Annotated[int, typer.Option(min=0, help="Seed of the noise.")] = 1,
    no_noise: Annotated[bool, typer.Option("--no-noise", help="Switch the noise off.")] = False,
    z: Annotated[Path | None, typer.Option(help="Latent vector: a text file of numbers, or .npy.")] = None,
    style: GivenStyle = None,
    style_from: StyleFrom = None,
    style_mask: StyleMask = None,
    camera: GivenCamera = None,
    condition: Annotated[
        Path | None,
        typer.Option(help="Image beside the masks, for a model that needs one, such as metgan-brain the anatomy."),
    ] = None,
    plane: Plane = None,
    repair: Repair = False,
    device: Device = "auto",
    fast: Fast = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace images of the same name.")] = False,
) -> None:
    """Render masks: OUT/MASK_OPTION.tif, each carrying its recipe."""
    from napari_synth.core.recipe import Precision
    from napari_synth.datasets.image_files import read_channel, read_latent
    from napari_synth.datasets.listing import check_outputs
    from napari_synth.exporting.formats.tiff import write_tiff
    from napari_synth.models.registry import model_card
    from napari_synth.synthesis.latents.vectors import check_latent
    from napari_synth.synthesis.recipes import file_recipe, image_file, load_generator
    from napari_synth.synthesis.request import RenderRequest, check_condition, check_option

    card = model_card(model)
    for name in option:
        check_option(card, name)
    options = list(option) or card.options[:1] or [""]
    latent = None if z is None else check_latent(read_latent(z), card.latent_size)
    asked = style_asked(style, style_from, style_mask)
    asked.check(card)
    seen_by = camera_asked(camera)
    read = read_masks(masks, plane, repair, may_be_empty=bool(card.condition_channels))
    targets = [(mask, name, _target(out_dir, mask.stem, name)) for mask in read for name in options]
    written = [(mask.path, target) for mask, _, target in targets]
    written += [(mask.path, mask.kept_path(out_dir)) for mask in read if mask.made]
    check_outputs(written)
    check_free([target for _, target in written], overwrite)
    image, source = None, None
    if condition is not None:
        image = read_channel(condition)
        source = image_file(condition, image)
    for mask in read:
        check_condition(card, image, mask.labels.shape)
    generator = load_generator(model, device)
    noise = None if no_noise else seed
    precision: Precision = "fast" if fast else "exact"
    styles = {name: asked.of(generator, name) for name in options}
    with watched("Rendering") as (on_progress, cancel):
        watch = Stopwatch(len(targets), on_progress)
        for done, (mask, name, target) in enumerate(targets, start=1):
            cancel.raise_if_cancelled()
            request = RenderRequest(
                mask.labels,
                name,
                noise,
                z=latent,
                style=styles[name],
                condition=image,
                precision=precision,
                camera=seen_by,
            )
            rendering = generator.run(request)
            recipe = file_recipe(generator, request, mask.kept(out_dir).path, source)
            write_tiff(target, rendering.image, recipe.to_yaml(), mask.pixel_size)
            watch.report(done)
            out.print(f"{target}  {1000 * rendering.seconds:.0f} ms")


def _target(folder: Path, stem: str, option: str) -> Path:
    from napari_synth.core.names import check_inside
    from napari_synth.datasets.listing import output_name

    return check_inside(folder, folder / output_name(stem, f"_{option}.tif" if option else ".tif"))
