"""Objective of a fine-tuned look: `StyledObjective` from trained weights, in stages, watched on what is held out.

A few pairs are soon known by heart, and the file of the start holds no discriminator: so statistics that need none are
compared besides, what the discriminator sees is augmented, and the weights kept are those that were best on the parts
that were held out.
"""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Literal, cast

import numpy as np
import torch
from lightning_fabric import Fabric
from pydantic import Field
from torch import Tensor, nn

from napari_synth.core.errors import InputError
from napari_synth.core.names import FileName
from napari_synth.core.seeds import derived_seed
from napari_synth.datasets.mask_encoding import from_network
from napari_synth.datasets.pairs import LoadedPair, OptionPairs
from napari_synth.models.architectures import build
from napari_synth.models.card import ModelCard, TrainingData
from napari_synth.nets.counter_noise import drawn_planes, noise_planes
from napari_synth.nets.discriminators import TwoScaleDiscriminator
from napari_synth.nets.pix2pix import option_plane
from napari_synth.nets.styled import StyledPix2Pix, StyleEncoder
from napari_synth.training.augment import Augmentation
from napari_synth.training.crops import DeviceCrops
from napari_synth.training.fine_tune.best import BestSoFar
from napari_synth.training.fine_tune.held_out import BLOCK, Divided, distances, divided_option, flat
from napari_synth.training.fine_tune.stages import StagedGenerator, stage_at
from napari_synth.training.fine_tune.start import nearest_option, options_of, with_looks, with_option_plane
from napari_synth.training.fine_tune.unchanged import apart_from_start, looks_unchanged
from napari_synth.training.fine_tune.unlabelled import UnlabelledCrops
from napari_synth.training.objectives.base import adversarial_optimizers, seeded
from napari_synth.training.objectives.styled import StyledObjective, StyledSettings, hinge_loss, weighted_l1
from napari_synth.training.objectives.texture import blurred, grey_value_distance, spectral_distance
from napari_synth.training.previews import label_picture, picture_sheet

WATCHED_CROPS = 6
"""Of what is held out of each look."""
SHOWN = 3
"""Of them in the preview."""
COMPARED = 4
"""Training crops by which the look to start from is chosen."""


class FineTuneSettings(StyledSettings):
    """Settings of `FineTuneObjective`; network and noise must be those of the start."""

    look: FileName = ""
    """Name of the look, where there is one; else the names of the folders."""
    start_options: str = ""
    """For each look the number of the option to start from, with commas between; chosen by the images if empty."""
    look_share: float = Field(0.15, ge=0, le=1)
    """Part of the run in which option, style and norms alone are trained."""
    outer_share: float = Field(0.25, ge=0, le=1)
    """Part after it in which the outer blocks are trained too."""
    grey_values: float = Field(5.0, ge=0)
    """Weight of the distance of grey values inside and outside the nuclei."""
    spectrum: float = Field(0.5, ge=0)
    """Weight of the distance of the spectra."""
    high_frequency: float = Field(0.0, ge=0)
    """Weight of L1 between what 3×3 means leave of both images: for detail that the mask does determine."""
    jitter: float = Field(0.1, ge=0, le=0.5)
    """How far gain and offset of the colours of half of the crops are changed: a few images have too few stains for an
    encoder that is to read others."""
    unchanged: str = ""
    """Looks that stay what the start makes of them, by name with commas between, while the others are trained."""
    as_before: float = Field(60.0, ge=0)
    """Weight of the distance between their images, spectra and codes now and at the start."""
    unconditional: float = Field(0.5, ge=0)
    """Weight of the discriminator that sees images alone, where there are images without labels."""
    check_every: int = Field(25, ge=1)
    """Steps between two looks at what is held out."""
    patience: int = Field(16, ge=1)
    """So many looks without a better one end the run, once all blocks are trained."""
    keep: Literal["best", "last"] = "best"
    """The weights that were best on what is held out, or those of the end, which then comes as planned: for many pairs,
    about which one image says little."""
    unlabelled: str = Field("", exclude=True)
    """Folder of images without labels; a card and a state have its hash alone."""
    unlabelled_hash: str = ""


class FineTuneObjective(StyledObjective):
    """Looks of one's own, from the weights of a generator with styles."""

    Settings = FineTuneSettings
    gpu_precision = "bf16-mixed"
    presets: ClassVar[dict[str, dict[str, Any]]] = {
        "fine-tune": {
            "steps": 1500,
            "minutes": 15.0,
            "crop": 128,
            "batch_size": 2,
            "ndf": 32,
            "average": 0.99,
            "memory": 64,
        }
    }

    def __init__(self, settings: FineTuneSettings, data: Path, seed: int):
        self.divided: list[Divided] = []
        super().__init__(settings, data, seed)
        s = self.settings
        self._watched = DeviceCrops([look.held_out for look in self.divided], s.crop, s.mask_meaning, seed)
        self.kept = BestSoFar(self.average, s.patience)
        self.memories["kept"] = self.kept
        self._start: StyledPix2Pix | None = None
        names = [option.source.name for option in self.options]
        self._unchanged = looks_unchanged(names, s.unchanged, s.batch_size)
        self._images = UnlabelledCrops(Path(s.unlabelled), s.crop, seed) if s.unlabelled else None
        if self._images is not None:
            self.networks["unconditional"] = seeded(
                lambda: TwoScaleDiscriminator(3, 1, s.ndf), derived_seed(seed, "unconditional")
            )
            self.optimizers |= adversarial_optimizers(
                {"unconditional": self.networks["unconditional"]}, s.discriminator_rate
            )
            self.remarks += self._images.remarks

    def take_pairs(self) -> list[list[LoadedPair]]:
        """The training pairs of each look, once what is held out of them is put aside."""
        self.options = named_looks(self.options, self.settings.look)
        for option, pairs in zip(self.options, super().take_pairs(), strict=True):
            found, remarks = divided_option(option, pairs)
            self.divided.append(found)
            self.remarks += remarks
        return [look.training for look in self.divided]

    @property
    def option_planes(self) -> int:
        """One for a single look too: the start reads it."""
        return 1

    @property
    def finished(self) -> bool:
        """Whether what is held out has not come nearer for long enough."""
        return self.settings.keep == "best" and self.kept.worn_out

    @property
    def start(self) -> StyledPix2Pix:
        """The network it began with, whose options are the looks to be.

        Raises
        ------
        InputError
            If there is none yet.
        """
        if self._start is None:
            raise InputError("A look is fine-tuned from a trained model.", "Name one to start from (--init).")
        return self._start

    def start_from(self, weights: dict[str, Tensor]) -> None:
        weights = with_option_plane(weights)
        chosen = self._chosen(weights)
        self.settings = self.settings.model_copy(update={"start_options": ",".join(map(str, chosen))})
        super().start_from(with_looks(weights, chosen, self.settings.bank_size))
        self._start = copy.deepcopy(self.average)
        self.kept.keep(self.average)

    def _chosen(self, weights: dict[str, Tensor]) -> list[int]:
        """The option of the start for each look."""
        count, looks = options_of(weights), len(self.options)
        if given := self.settings.start_options:
            numbers = [int(part) if part.strip().isdecimal() else -1 for part in given.split(",")]
            if len(numbers) != looks or not all(0 <= number < count for number in numbers):
                raise InputError(
                    f"The options to start from, {given!r}, do not fit {looks} look{'s' * (looks != 1)}.",
                    f"Give for each look a number from 0 to {count - 1}, with commas between.",
                )
            return numbers
        hyper = self.hyper | {"options": count, "bank_size": weights["bank"].shape[1]}
        network = cast(StyledPix2Pix, build("optional-pix2pix", **hyper).eval().requires_grad_(False))
        network.load_state_dict(weights)
        found = []
        for number in range(looks):
            masks, images = self.crops.upright(number, range(COMPARED))
            found.append(nearest_option(network, count, masks, images, self._noise(COMPARED, masks.device)))
        return found

    def _noise(self, count: int, device: torch.device) -> Tensor:
        side = self.settings.crop
        keys = [derived_seed(self.seed, "watched", number) for number in range(count)]
        return torch.stack([noise_planes(key, self._periods, 0, 0, side, side, device) for key in keys])

    def set_up(self, fabric: Fabric) -> None:
        first = copy.deepcopy(self.start)  # says at once that there is none
        super().set_up(fabric)
        device = fabric.device
        self._start = first.to(device)
        self.kept.to(device)
        self._watched.to(device)
        if self._images is not None:
            self._images.to(device)
        parts: list[Any] = [self.networks[name] for name in ("generator", "encoder")]
        generator, encoder = (getattr(part, "module", part) for part in parts)
        self._staged = StagedGenerator(generator, encoder, self._conditions, len(self._periods))
        self._fill_memory(encoder)
        self._began = self._away(first)

    @torch.no_grad()
    def _fill_memory(self, encoder: StyleEncoder) -> None:
        """Let drawn styles be those of training images from the first step on."""
        size = self.settings.memory
        for number in range(len(self.options)):
            masks, images = self.crops.upright(number, range(size))
            numbers = torch.full((size,), number, device=masks.device)
            mean, log_variance = encoder(self.inputs(masks, numbers), images)
            self._memory.mean[number], self._memory.spread[number] = mean, (log_variance / 2).exp()

    def at(self, position: float) -> None:
        super().at(position)
        s = self.settings
        self._stage = stage_at(position / s.steps, s.look_share, s.outer_share)

    def set_learning_rate(self, factor: float) -> None:
        super().set_learning_rate(factor)
        if "unconditional" in self.optimizers:
            for group in self.optimizers["unconditional"].param_groups:
                group["lr"] = self.settings.discriminator_rate * factor

    def batch(self, step: int, rank: int) -> tuple[Tensor, Tensor, Tensor]:
        trained = set(range(len(self.options))) - set(self._unchanged)
        masks, images, numbers = self.crops.batch(step, self.settings.batch_size, rank, trained)
        grey = torch.tensor([not rgb for rgb in self._rgb], device=images.device)[numbers]
        draw = torch.Generator(images.device).manual_seed(derived_seed(self.seed, "jitter", step, rank))
        return masks, jittered(images, grey, self.settings.jitter, draw), numbers

    def training_mode(self, generator: nn.Module) -> None:
        super().training_mode(generator)
        self._staged.enter(self._stage)

    def more_terms(self, masks: Tensor, real: Tensor, fake: Tensor, from_image: Tensor, step: int) -> dict[str, Tensor]:
        """Distances of grey values, spectra and detail where the style came from the image; images alone."""
        s = self.settings
        terms = {}
        same = from_image[:, 0] > 0
        if same.any():
            made, wanted, where = fake[same].float(), real[same].float(), masks[same]
            every = where.expand(-1, 3, -1, -1).flatten(0, 1)[:, None]
            one, other = flat(made), flat(wanted)
            if s.grey_values:
                terms["grey values"] = s.grey_values * grey_value_distance(one, other, every)
            if s.spectrum:
                terms["spectrum"] = s.spectrum * spectral_distance(one, other, BLOCK)
            if s.high_frequency:
                apart = weighted_l1(made - blurred(made), wanted - blurred(wanted), torch.ones_like(from_image[same]))
                terms["high frequency"] = s.high_frequency * apart
        if self._unchanged and s.as_before:
            terms["as before"] = s.as_before * self._as_before(step)
        if self._images is not None:
            terms["unconditional"] = s.unconditional * self._unconditional(fake, step)
        return terms

    def _as_before(self, step: int) -> Tensor:
        """How far the looks that stay unchanged are from what the start makes of them."""
        rank, device, side = self.fabric.global_rank, self.fabric.device, self.settings.crop
        masks, real, numbers = self.crops.batch(step, self.settings.batch_size, rank, self._unchanged)
        draw = torch.Generator(device).manual_seed(derived_seed(self.seed, "as before", step, rank))
        noise = drawn_planes(len(numbers), self._periods, side, side, draw)
        networks = self.networks["generator"], self.networks["encoder"]
        return apart_from_start(*networks, self.start, self.inputs(masks, numbers), real, noise, draw)

    def _unconditional(self, fake: Tensor, step: int) -> Tensor:
        """One step of the discriminator that sees images without labels, and the generator's loss against it."""
        assert self._images is not None
        discriminator = self.networks["unconditional"]
        rank, device = self.fabric.global_rank, self.fabric.device
        draw = torch.Generator(device).manual_seed(derived_seed(self.seed, "unconditional", step, rank))
        augment = Augmentation(fake.shape, draw)
        seen = augment.images(fake)
        real = augment.images(self._images.batch(step, len(fake), rank))
        numbers = torch.zeros(len(fake), dtype=torch.int64, device=device)
        _, logits = discriminator(torch.cat([real, seen.detach()]), torch.cat([numbers, numbers]))
        self.optimise("unconditional", hinge_loss(logits))
        discriminator.requires_grad_(False)
        _, logits = discriminator(seen, numbers)
        discriminator.requires_grad_(True)
        return -torch.stack([map_.float().mean() for map_ in logits]).mean()

    def step(self, step: int) -> dict[str, float]:
        """One step, and from time to time a look at what is held out: its distance as a part of that at the start."""
        losses = dict(super().step(step))
        if (step + 1) % self.settings.check_every == 0:
            share = float((self._away(self.average) / self._began.clamp(min=1e-6)).mean())
            self.kept.see(share, self.average, worn=self._stage.name == "all")
        if self.kept.seen:
            losses["held out"] = self.kept.last
        return losses

    @torch.no_grad()
    def _away(self, network: StyledPix2Pix) -> Tensor:
        """Distances of what is held out, rendered in the styles read off it, from the real images."""
        found = []
        for number in range(len(self.options)):
            masks, images, made = self._rendered(network, number, WATCHED_CROPS)
            found.append(distances(made, images, masks))
        return torch.stack(found).mean(0)

    @torch.no_grad()
    def _rendered(self, network: StyledPix2Pix, number: int, count: int) -> tuple[Tensor, Tensor, Tensor]:
        masks, images = self._watched.upright(number, range(count))
        plane = option_plane(torch.full((count,), number), len(self.options), *masks.shape[-2:]).to(masks)
        conditions = torch.cat([masks, plane], 1)
        style, _ = network.encoder(conditions, images)
        return masks, images, network.drawn(conditions, self._noise(count, masks.device), style).float()

    @property
    def exported(self) -> StyledPix2Pix:
        """The weights that were best on what is held out; the average where nothing was compared or the last count."""
        return self.kept.network if self.kept.seen and self.settings.keep == "best" else super().exported

    def complete(self) -> None:
        super().complete()
        for name in ("bank", "bank_spread"):
            now, before = getattr(self.exported, name), getattr(self.start, name)
            now[self._unchanged] = before[self._unchanged]

    def preview(self) -> np.ndarray:
        """For crops of what is held out: mask, real image, before, now."""
        rows = []
        for number in range(len(self.options)):
            masks, images, before = self._rendered(self.start, number, SHOWN)
            now = self._rendered(self.exported, number, SHOWN)[2]
            for mask, *pictures in zip(masks, images, before, now, strict=True):
                labels = mask[0].cpu().numpy().astype(np.int32)
                if not self._rgb[number]:
                    pictures = [picture.mean(0, keepdim=True).expand_as(picture) for picture in pictures]
                row = [from_network(picture.permute(1, 2, 0).cpu().numpy()) for picture in pictures]
                rows.append([label_picture(labels), *row])
        return picture_sheet(rows)

    def card(self, model_id: str) -> ModelCard:
        return super().card(model_id).model_copy(update={"notes": " ".join(self.remarks)})

    def training_data(self) -> list[TrainingData]:
        found = super().training_data()
        for entry, look in zip(found, self.divided, strict=True):
            entry.files, entry.held_out = len(look.training), len(look.held_out)
        return found


def jittered(images: Tensor, grey: Tensor, most: float, draw: torch.Generator) -> Tensor:
    """Images half of which have gain and offset of each colour changed by up to ``most`` (of 1).

    Parameters
    ----------
    images : Tensor, shape (B, 3, H, W)
        In [-1, 1].
    grey : Tensor, shape (B,), bool
        Those whose colours are changed alike.
    most : float
    draw : torch.Generator
        On the images' device.
    """
    size = (2, len(images), 3, 1, 1)
    change = most * (2 * torch.rand(size, generator=draw, device=images.device) - 1)
    change = torch.where(grey[:, None, None, None], change[:, :, :1].expand_as(change), change)
    change = change * (torch.rand(len(images), 1, 1, 1, generator=draw, device=images.device) < 0.5)
    return (images * (1 + change[0]) + change[1]).clamp(-1, 1)


def named_looks(options: list[OptionPairs], look: str) -> list[OptionPairs]:
    """The options, of which a single one bears the name ``look`` if that is given.

    Raises
    ------
    InputError
        If there are several and they are to have one name.
    """
    if not look:
        return options
    if len(options) > 1:
        raise InputError(
            f"The folder has {len(options)} looks, which cannot all be called {look}.",
            "Leave the name out: each look has that of its folder.",
        )
    (option,) = options
    return [replace(option, source=option.source.model_copy(update={"name": look}))]
