"""From the number of a pair to the pair: what shards and data sets for training have in common."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from napari_synth.core.errors import InputError
from napari_synth.core.recipe import FieldSource, mask_hash
from napari_synth.exporting.formats.base import PairToWrite
from napari_synth.exporting.parts import Parts
from napari_synth.exporting.shard_plan import Placed, ShardPlan
from napari_synth.exporting.tables import PairRow, count_and_median
from napari_synth.synthesis.recipes import check_model, load_generator, read_request

if TYPE_CHECKING:
    from napari_synth.masks.mask_reader import MaskReader
    from napari_synth.synthesis.request import Renderer


class PairMaker:
    """What a process needs for all pairs of a plan: the model in memory, and where masks come from.

    Parameters
    ----------
    plan : ShardPlan
    generator : Renderer
    masks : MaskReader
    folder : Path, optional
        Where parts of a shape library go, for a strict split.
    """

    def __init__(self, plan: ShardPlan, generator: Renderer, masks: MaskReader, folder: Path | None = None):
        check_model(plan.recipe, generator)
        self.plan, self.generator, self.masks = plan, generator, masks
        self.made_on = made_on(generator.device)
        self.rendering = 0.0
        """Seconds in the generator so far."""
        self.composing = 0.0
        """Seconds in which masks were composed or read so far."""
        self._parts = parts_of(plan, folder)

    def pair(self, placed: Placed) -> tuple[PairToWrite, PairRow]:
        """Make one pair; the hash of its image file is not known yet."""
        item, recipe, group = placed
        card = self.generator.card
        if self._parts is not None:
            recipe = recipe.model_copy(update={"masks": [self._parts.of(recipe.masks[0], item.role)]})
        begun = time.perf_counter()
        request = read_request(recipe, self.masks)
        labels = request.labels
        start = time.perf_counter()
        self.composing += start - begun
        rendering = self.generator.run(request)
        self.rendering += time.perf_counter() - start
        sha256 = recipe.masks[0].sha256 or mask_hash(labels)
        source = recipe.masks[0].model_copy(update={"sha256": sha256})
        channels = (*card.condition_channels, card.output_channel) if card.condition_channels else ()
        text = recipe.model_copy(update={"masks": [source]}).model_dump_json()  # YAML too, and written in no time
        pair = PairToWrite(item, rendering.image, labels, text, self.plan.pixel_size, rendering.condition, channels)
        count, median = count_and_median(labels)
        row = PairRow(
            stem=item.stem,
            index=item.index,
            role=item.role or "train",
            group=group,
            option=next(iter(recipe.options), ""),
            seed="" if recipe.seed is None else str(recipe.seed),
            model_sha256=self.generator.sha256,
            mask_sha256=sha256,
            image_sha256="",
            n_nuclei=count,
            area_median=median,
            synthetic=1,
        )
        return pair, row


def load_maker(plan: ShardPlan, folder: Path | None = None) -> PairMaker:
    """A maker with a model of its own."""
    from napari_synth.masks.mask_reader import MaskReader
    from napari_synth.masks.shape_model import ShapeModel
    from napari_synth.models.registry import load_trained, recipe_weights
    from napari_synth.synthesis.pairs import PairModel

    recipe, device = plan.recipe, plan.device
    generator = load_generator(recipe_weights(recipe.model, recipe.model_sha256), device)
    if plan.compile:
        generator.compile()
    masks = MaskReader(
        lambda name: ShapeModel(load_trained(name, device)),
        load_pairs=lambda name: PairModel(load_trained(name, device)),
    )
    return PairMaker(plan, generator, masks, folder)


def parts_of(plan: ShardPlan, folder: Path | None) -> Parts | None:
    """What each role is made of where the split is strict.

    Raises
    ------
    InputError
        If a library would have to be split where there is no folder for its parts.
    """
    if plan.split is None or not plan.split.strict:
        return None
    libraries = [source for source in plan.recipe.masks if isinstance(source, FieldSource) and source.settings.library]
    if libraries and folder is None:
        raise InputError(
            "A strict split writes the parts of the shape library into the folder of the export, and there is none.",
            "Export to a folder, or let the roles share the library: --no-split-strict, split_strict=False.",
        )
    return Parts(folder or Path(), plan.recipe, plan.split)


def made_on(device: str) -> dict[str, str]:
    """What the last bits of an image depend on."""
    import torch

    name = torch.cuda.get_device_name() if device == "cuda" else torch.backends.cpu.get_cpu_capability()
    return {"device": device, "processor": name, "torch": torch.__version__, "threads": str(torch.get_num_threads())}
