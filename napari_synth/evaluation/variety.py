"""Whether the variants of a mask differ as real images of the option do."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from napari_synth.core.boxes import fullest_part
from napari_synth.core.seeds import derived_seed
from napari_synth.datasets.pairs import LoadedPair
from napari_synth.evaluation.metrics.variety import mean_distance
from napari_synth.synthesis.recipes import read_request
from napari_synth.synthesis.request import RenderRequest, Steering, option_name

if TYPE_CHECKING:
    from napari_synth.core.recipe import Recipe
    from napari_synth.masks.mask_reader import MaskReader
    from napari_synth.models.card import ModelCard
    from napari_synth.synthesis.request import Renderer

REFERENCES = Path(__file__).parent / "real_distances.yaml"
"""For the bundled models, whose files stay as they are since recipes name their hashes."""
FIGURE = "real_distance"
"""The entry of an option in a card's figures: ``OPTION.real_distance``."""
SIDE = 128
VARIANTS = 4
ALIKE = 0.35
ALIKE_GREY_VALUES = 4.0
"""Where nothing is known of real images."""


@dataclass(frozen=True)
class Variety:
    """How different the variants of a mask are.

    Attributes
    ----------
    distance : float
        Mean absolute difference of two of them, in grey levels.
    real : float or None
        The same between real images of the option, where their masks agree; None where it was not measured.
    """

    distance: float
    real: float | None

    @property
    def ratio(self) -> float | None:
        """The distance as a part of the real one."""
        return self.distance / self.real if self.real else None

    @property
    def alike(self) -> bool:
        """Whether the variants are nearly alike."""
        return self.distance < ALIKE_GREY_VALUES if self.ratio is None else self.ratio < ALIKE

    @property
    def advice(self) -> str:
        """What to say and do where the variants are nearly alike; else empty."""
        if not self.alike:
            return ""
        return f"{self.words} They are nearly alike: more masks teach a program more than more variants of one."

    @property
    def words(self) -> str:
        """One sentence."""
        text = f"Variants of a mask differ by {self.distance:.0f} of 255 grey levels"
        return f"{text}." if self.real is None else f"{text}, real images of this look by {self.real:.0f}."


def real_distance(pairs: list[LoadedPair], rgb: bool = True) -> float:
    """Mean distance of real images at pixels where their masks agree, in grey levels."""
    images = [pair.image if rgb else pair.image[..., 0] for pair in pairs]
    return mean_distance(images, [pair.labels for pair in pairs])


def known_distance(card: ModelCard, option: str) -> float | None:
    """What was measured between real images of an option; None where nothing was."""
    name = f"{option}.{FIGURE}" if option else FIGURE
    found = card.figures.get(name)
    if found is None:
        table: dict[str, Any] = yaml.safe_load(REFERENCES.read_text(encoding="utf-8"))
        found = table.get(card.id, {}).get(option or FIGURE)
    return None if found is None else float(found)


def variety_of(
    generator: Renderer, request: RenderRequest, variants: int = VARIANTS, steering: Steering | None = None
) -> Variety:
    """How different the images are that other seeds give a request.

    Rendered are variants of the part of 128×128 with most objects, or of a whole pair from noise.

    Parameters
    ----------
    generator : Generator
    request : RenderRequest
        Its mask, option, style, and z; of the seed only whether there is one.
    variants : int
        At least 2.
    steering : Steering, optional
        ``cancel`` is asked between two images.
    """
    steering = steering or Steering()
    part = fullest_part(request.labels, max(request.labels.shape) if generator.card.role == "pairs" else SIDE)
    condition = None if request.condition is None else request.condition[part]
    images = []
    for number in range(variants):
        steering.cancel.raise_if_cancelled()
        seed = None if request.seed is None else derived_seed(request.seed, "variety", number)
        images.append(generator.run(replace(request, mask=request.labels[part], seed=seed, condition=condition)).image)
    option = option_name(generator.card, request.option)
    return Variety(255 * mean_distance(images) / _range(generator.card), known_distance(generator.card, option))


def batch_variety(recipe: Recipe, generator: Renderer, masks: MaskReader) -> Variety | None:
    """How different the variants of the first mask of a batch are; None where each mask has one."""
    if recipe.variants < 2:
        return None
    return variety_of(generator, read_request(recipe.item(0), masks))


def _range(card: ModelCard) -> float:
    """From black to white in the images of a model."""
    if card.condition_channels:
        scale = card.intensities[card.output_channel]
        return scale.high - scale.low
    return card.value_range[1] - card.value_range[0]
