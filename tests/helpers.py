"""Small models and data that tests make for themselves."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import imageio.v3 as iio
import numpy as np
import tifffile
import torch

from napari_synth.core.intensity import Intensity
from napari_synth.models.architectures import build
from napari_synth.models.card import Look, ModelCard
from napari_synth.models.checkpoint import save_model


def set_whole_pixels(patch, architecture: str, pixels: int) -> None:
    """Let an architecture render so many pixels in one piece; ``patch`` is pytest's monkeypatch."""
    from napari_synth.synthesis.architectures import registry

    module, attribute = registry.RECORDS[architecture].split(":")
    changed = replace(registry.architecture(architecture), whole_pixels=pixels)
    patch.setattr(f"napari_synth.synthesis.architectures.{module}.{attribute}", changed)


GENERATOR_HYPER = {"in_channels": 2, "out_channels": 3, "ngf": 4, "levels": 3, "upsampling": "resize"}


def small_generator(path: Path, options: tuple[str, ...] = ("he", "grey"), seed: int = 0) -> Path:
    """A generator with random weights; its option called ``grey`` renders grey images."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = build("optional-pix2pix", **GENERATOR_HYPER)
    card = ModelCard(
        id=path.stem,
        architecture="optional-pix2pix",
        hyper=GENERATOR_HYPER,
        role="generator",
        mask_meaning="foreground-gap",
        looks=[Look(name=name, rgb=name != "grey") for name in options],
        tile_multiple=8,
    )
    save_model(path, card, network.state_dict())
    return path


STYLED_HYPER = GENERATOR_HYPER | {
    "dropout": 0.0,
    "noise_periods": "1,4,16",
    "style_size": 8,
    "options": 2,
    "bank_size": 6,
}


def small_styled(path: Path, seed: int = 0, gain: float = 2.0, **hyper: Any) -> Path:
    """A generator with noise planes and styles, with random weights and codes; ``grey`` renders grey images."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = build("optional-pix2pix", **STYLED_HYPER | hyper)
        for parameter in network.head.parameters():
            parameter.data.mul_(gain)
        network.bank.normal_()
        network.bank_spread.uniform_(0.1, 0.3)
    card = ModelCard(
        id=path.stem,
        architecture="optional-pix2pix",
        hyper=STYLED_HYPER | hyper,
        role="generator",
        mask_meaning="foreground-gap",
        looks=[Look(name="he"), Look(name="grey", rgb=False)],
        tile_multiple=2 ** int((STYLED_HYPER | hyper)["levels"]),
    )
    save_model(path, card, network.state_dict())
    return path


def small_capsules(path: Path, seed: int = 0, gain: float = 4.0) -> Path:
    """A capsule generator with random weights whose capsules have lengths of order 1.

    With a higher ``gain`` a single capsule in the middle of the network changes the image.
    """
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = build("capspix2pix")
        for name, parameter in network.named_parameters():
            if name.endswith("conv.weight"):
                parameter.data.mul_(gain)
    card = ModelCard(
        id=path.stem,
        architecture="capspix2pix",
        role="generator",
        structure="axon",
        mask_meaning="foreground",
        latent_size=100,
        tile_multiple=8,
    )
    save_model(path, card, network.state_dict())
    return path


def small_shapes(path: Path, seed: int = 0) -> Path:
    """A shape model with random weights, whose shapes are blobs around the centre."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = build("dvae", latent_size=10)
    card = ModelCard(id=path.stem, architecture="dvae", hyper={"latent_size": 10}, role="shapes", latent_size=10)
    save_model(path, card, network.state_dict())
    return path


def small_pairs(path: Path, bias: float = -3.0, **hyper: Any) -> Path:
    """A model of pairs with random weights, two looks and decided masks, mostly background."""
    hyper = {"size": 64, "latent_size": 100, "looks": 2, "width": 8, "upsampling": "resize", "noise": True} | hyper
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = build("ising-gan", **hyper)
    with torch.no_grad():
        network.mask[-1].weight.mul_(5000)
        network.mask[-1].bias.fill_(bias)
    card = ModelCard(
        id=path.stem,
        title="Pairs of noise",
        architecture="ising-gan",
        hyper=hyper,
        role="pairs",
        mask_meaning="foreground",
        latent_size=100,
        looks=[Look(name="he"), Look(name="grey", rgb=False)],
    )
    save_model(path, card, network.state_dict())
    return path


def nuclei(size: tuple[int, int] = (64, 64), count: int = 4, seed: int = 0) -> np.ndarray:
    """Instance labels of a few discs, int32."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[: size[0], : size[1]]
    labels = np.zeros(size, np.int32)
    for label in range(1, count + 1):
        cy, cx = rng.uniform(8, size[0] - 8), rng.uniform(8, size[1] - 8)
        labels[(y - cy) ** 2 + (x - cx) ** 2 < rng.uniform(4, 7) ** 2] = label
    return labels


def pair_folder(folder: Path, count: int = 3, size: tuple[int, int] = (64, 64), grey: bool = False) -> Path:
    """``images/`` and ``masks/`` of discs: dark on light in colour, or bright on dark in grey."""
    (folder / "images").mkdir(parents=True)
    (folder / "masks").mkdir()
    for number in range(count):
        labels = nuclei(size, seed=number)
        noise = np.random.default_rng(number).integers(0, 30, size)
        image = (np.where(labels > 0, 200, 20) + noise).astype(np.uint8)
        if not grey:
            image = np.stack([255 - image, 200 - image // 2, 255 - image // 3], -1).astype(np.uint8)
        iio.imwrite(folder / "images" / f"{number:02d}.png", image)
        iio.imwrite(folder / "masks" / f"{number:02d}.png", labels.astype(np.uint16))
    return folder


def triplet_folder(folder: Path, count: int = 3, size: tuple[int, int] = (64, 96), hold_out: str = "") -> Path:
    """``anatomy/``, ``signal/`` and ``labels/``: uint16, with bright discs in the signal where the labels are."""
    for name in ("anatomy", "signal", "labels"):
        (folder / name).mkdir(parents=True)
    for number in range(count):
        labels = nuclei(size, seed=number)
        rng = np.random.default_rng(number)
        slope = np.linspace(100, 600, size[1])[None]
        tifffile.imwrite(folder / "anatomy" / f"{number:02d}.tif", (slope + rng.normal(0, 40, size)).astype(np.uint16))
        signal = 150 + 0.2 * slope + 900 * (labels > 0) + rng.normal(0, 20, size)
        tifffile.imwrite(folder / "signal" / f"{number:02d}.tif", signal.astype(np.uint16))
        iio.imwrite(folder / "labels" / f"{number:02d}.png", labels.astype(np.uint16))
    (folder / "dataset.yaml").write_text(
        "title: Discs\noptions: [{name: discs, source: here, licence: CC0, attribution: us"
        + (f", hold_out: '{hold_out}'" if hold_out else "")
        + "}]"
    )
    return folder


METGAN_HYPER = {"width": 0.05, "blocks": 6}


def small_metgan(path: Path, seed: int = 0, **hyper: Any) -> Path:
    """A two-channel generator with random weights whose signal is uint16, from 100 to 1100."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = build("metgan", **METGAN_HYPER, **hyper)
    card = ModelCard(
        id=path.stem,
        title="Small brain",
        architecture="metgan",
        hyper=METGAN_HYPER | hyper,
        role="generator",
        mask_meaning="foreground",
        condition_channels=["anatomy"],
        output_channel="signal",
        intensities={
            "anatomy": Intensity(dtype="uint16", low=100, high=600),
            "signal": Intensity(dtype="uint16", low=100, high=1100),
        },
        tile_multiple=64,
        licence="CC0",
    )
    save_model(path, card, network.state_dict())
    return path
