"""``napari-synth activations`` and ``napari-synth walk``: a look inside the network."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from napari_synth.cli.console import check_free, out, watched
from napari_synth.core.errors import InputError
from napari_synth.core.names import check_inside
from napari_synth.models.defaults import DEFAULT_CAPSULES

if TYPE_CHECKING:
    from napari_synth.core.recipe import Intervention

Mask = Annotated[Path, typer.Argument(metavar="MASK", help="Label image.")]
Model = Annotated[str, typer.Option(help="Model id or file; one with capsules.")]
Device = Annotated[str, typer.Option(help="auto, cuda, mps or cpu.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace the file.")]
Set = Annotated[
    list[str],
    typer.Option("--set", help="Set a capsule or channel: LAYER,CAPSULE[,CHANNEL]=NUMBER. May be given several times."),
]
LAST_LAYER = "convcaps10"
MOST_STEPS = 100_000


class What(StrEnum):
    """What of a layer to write."""

    pose = "pose"
    length = "length"
    routing = "routing"


class Way(StrEnum):
    """How a walk goes."""

    spherical = "spherical"
    linear = "linear"


def activations(
    mask: Mask,
    layer: Annotated[str, typer.Option(help="Layer, such as convcaps4.")],
    out_file: Annotated[Path, typer.Option("--out", help="TIFF file to write.")],
    what: Annotated[What, typer.Option(help="Pose channels, capsule lengths or routing coefficients.")] = What.pose,
    model: Model = DEFAULT_CAPSULES,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the latent vector.")] = 1,
    set_: Set = [],  # noqa: B006
    device: Device = "auto",
    overwrite: Overwrite = False,
) -> None:
    """Write what a layer does for a mask: capsule × pose × y × x."""
    from napari_synth.datasets.image_files import read_labels
    from napari_synth.evaluation.ranking import capsule_lengths
    from napari_synth.exporting.formats.tiff import write_stack
    from napari_synth.synthesis.recipes import file_recipe, load_generator
    from napari_synth.synthesis.request import RenderRequest

    check_free([out_file], overwrite, "name")
    labels, generator = read_labels(mask), load_generator(model, device)
    capture, routing = ((), (layer,)) if what is What.routing else ((layer,), ())
    request = RenderRequest(
        labels, seed=seed, interventions=parse_interventions(set_), capture=capture, routing=routing
    )
    rendering = generator.run(request)
    if what is What.routing:
        array, axes = rendering.routing[layer], "QIJYX"
    elif what is What.length:
        array, axes = capsule_lengths(rendering.activations[layer]), "IYX"
    else:
        array, axes = rendering.activations[layer], "ICYX"
    write_stack(out_file, array, axes, file_recipe(generator, request, mask).to_yaml())
    out.print(f"{out_file}  {' × '.join(str(side) for side in array.shape)}")


def walk(
    mask: Mask,
    out_file: Annotated[Path, typer.Option("--out", help="File to write: .tif, .gif or .mp4.")],
    from_seed: Annotated[int, typer.Option(min=0, help="Seed of the first latent vector.")] = 1,
    to_seed: Annotated[int, typer.Option(min=0, help="Seed of the last one.")] = 2,
    steps: Annotated[int, typer.Option(max=MOST_STEPS, help="Number of images.")] = 32,
    path: Annotated[Way, typer.Option(help="How the walk goes.")] = Way.spherical,
    with_activations: Annotated[
        bool, typer.Option("--activations", help="Write the activations of LAYER beside it, as TIFF.")
    ] = False,
    layer: Annotated[str, typer.Option(help="Layer for --activations.")] = LAST_LAYER,
    model: Model = DEFAULT_CAPSULES,
    set_: Set = [],  # noqa: B006
    device: Device = "auto",
    overwrite: Overwrite = False,
) -> None:
    """Walk from one latent vector to another and write the images as a movie."""
    from napari_synth.datasets.image_files import read_labels
    from napari_synth.exporting.movie import check_movie, save_movie
    from napari_synth.models.registry import model_card
    from napari_synth.synthesis.architectures.registry import stages_of
    from napari_synth.synthesis.capsules.access import find_stage
    from napari_synth.synthesis.latents.paths import latent_path
    from napari_synth.synthesis.latents.vectors import latent_of
    from napari_synth.synthesis.latents.walk import Walk
    from napari_synth.synthesis.recipes import file_recipe, load_generator
    from napari_synth.synthesis.request import RenderRequest, check_mask

    check_movie(out_file)
    find_stage(stages_of(model_card(model)), layer, model)
    beside = check_inside(out_file.parent, out_file.with_name(f"{out_file.stem}_{layer}.tif"))
    check_free((out_file, beside) if with_activations else (out_file,), overwrite, "name")
    labels, generator = check_mask(read_labels(mask)), load_generator(model, device)
    start, end = (latent_of(number, generator.card.latent_size) for number in (from_seed, to_seed))
    z = latent_path(start, end, steps, path.value)
    request = RenderRequest(
        labels,
        seed=from_seed,
        interventions=parse_interventions(set_),
        capture=(layer,) if with_activations else (),
    )
    frames = Walk(generator, request, z)
    info = file_recipe(generator, request, mask).to_yaml()
    with watched("Walking") as (on_progress, cancel):
        save_movie((frames.frame(step).image for step in range(steps)), steps, out_file, info, on_progress, cancel)
        out.print(f"{out_file}  {steps} images")
        if with_activations:
            maps = (frames.frame(step).activations[layer] for step in range(steps))
            save_movie(maps, steps, beside, info, on_progress, cancel, axes="TICYX")
            out.print(f"{beside}  {steps} × {layer}")


def parse_interventions(texts: list[str]) -> tuple[Intervention, ...]:
    """``["convcaps10,0,5=0"]`` as interventions."""
    from napari_synth.synthesis.capsules.access import intervention

    found = []
    for text in texts:
        where, _, number = text.partition("=")
        layer, *numbers = where.split(",")
        try:
            key: tuple[str | int, ...] = (layer, *map(int, numbers))
            found.append(intervention(key, value=float(number)))
        except ValueError as error:
            raise InputError(
                f"The intervention {text!r} is not understood.", "Write it as LAYER,CAPSULE[,CHANNEL]=NUMBER."
            ) from error
    return tuple(found)
