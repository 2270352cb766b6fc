"""A trained model as a BioImage.IO package (specification 0.5), which other programs run without this one.

The weights are a TorchScript program, so that no code of ours need be there.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import imageio.v3 as iio
import numpy as np
import torch

from napari_synth.core.errors import InputError
from napari_synth.core.files import writing
from napari_synth.models.importers.bioimageio import CONFIG
from napari_synth.models.registry import load_trained
from napari_synth.synthesis.packaging.programs import PROGRAMS, Fixed, Port, Program
from napari_synth.synthesis.packaging.torchscript import repacked, traced

if TYPE_CHECKING:
    from napari_synth.models.card import ModelCard
    from napari_synth.models.registry import TrainedModel

PROGRAM = "napari-synth"
SITE = "https://github.com/napari-synth/napari-synth"
MADE = datetime(2026, 1, 1, tzinfo=UTC)
"""Said to be the time of every package, so that the same model gives the same bytes."""
LICENCES = {"CC BY 4.0": "CC-BY-4.0", "BSD-3-Clause": "BSD-3-Clause", "MIT": "MIT", "CC0 1.0": "CC0-1.0"}
"""Of a card to those of SPDX; of several the first here is that of the package."""
PAPERS = {
    "capspix2pix": ("Bass et al. 2019, CapsPix2Pix, MIDL", "https://proceedings.mlr.press/v102/bass19a.html"),
    "optional-pix2pix": ("Isola et al. 2017, pix2pix, CVPR", "https://arxiv.org/abs/1611.07004"),
    "metgan": ("Horvath et al. 2022, MetGAN, WACV", "https://arxiv.org/abs/2104.10993"),
    "ising-gan": ("Dimitrakopoulos et al. 2020, ISING-GAN, ISBI", "https://doi.org/10.1109/ISBI45749.2020.9098618"),
}
SMALLEST_COVER = 128


def export_package(name: str, out: Path, fixed: Fixed | None = None) -> Path:
    """Write a model as a package.

    Parameters
    ----------
    name : str
        Id or file of the model.
    out : Path
        The zip file; it is written beside and renamed.
    fixed : Fixed, optional
        What the package leaves no choice of.

    Returns
    -------
    Path
        ``out``. A process that does nothing else writes the same bytes for the same model, choices and versions of
        torch and bioimageio.spec; torch numbers the classes of further ones.

    Raises
    ------
    InputError
        If the library is missing, there is no such model, option or style, or the model has no network of its own.
    """
    _check_library()
    model = load_trained(name, "cpu")
    if model.card.architecture not in PROGRAMS:
        raise InputError(
            f"{model.card.id} has no network that a package could hold ({model.card.architecture}).",
            f"Choose a model of one of: {PROGRAMS.choices}.",
        )
    settled(model)
    fixed = fixed or Fixed()
    program = PROGRAMS[model.card.architecture](model, fixed)
    with tempfile.TemporaryDirectory() as folder, writing(out) as temporary:
        temporary.write_bytes(_package(Path(folder), model, fixed, program))
    return out


def _check_library() -> None:
    try:
        import bioimageio.spec  # noqa: F401
    except ImportError as error:
        raise InputError(
            "Writing a BioImage.IO package needs bioimageio.spec.", "Install it: pip install napari-synth[bioimageio]."
        ) from error


def settled(model: TrainedModel) -> None:
    """Bring a network into the form that it renders in."""
    settle = getattr(model.network, "settle", None)
    if settle is not None:
        settle()


def _package(folder: Path, model: TrainedModel, fixed: Fixed, program: Program) -> bytes:
    """The bytes of the zip file."""
    from bioimageio.spec import save_bioimageio_package

    weights = traced(program.module, program.examples)
    (folder / "weights.pt").write_bytes(weights)
    results = _results(weights, program)
    for port, example in zip((*program.inputs, *program.outputs), (*program.examples, *results), strict=True):
        np.save(folder / f"{port.name}.npy", example)
    (folder / "README.md").write_text(_readme(model.card, fixed, program), encoding="utf-8")
    iio.imwrite(folder / "cover.png", _cover(program, results))
    save_bioimageio_package(_description(folder, model, fixed, program), output_path=folder / "package.zip")
    return repacked((folder / "package.zip").read_bytes())


def _results(weights: bytes, program: Program) -> list[np.ndarray]:
    """What the stored program gives for the examples."""
    loaded = torch.jit.load(io.BytesIO(weights))
    with torch.no_grad():
        given = loaded(*(torch.from_numpy(example) for example in program.examples))
    return [tensor.numpy() for tensor in (given if isinstance(given, tuple) else (given,))]


def _description(folder: Path, model: TrainedModel, fixed: Fixed, program: Program) -> Any:
    from bioimageio.spec.model import v0_5

    card = model.card

    def file(name: str) -> Any:
        return v0_5.FileDescr(source=folder / name)

    return v0_5.ModelDescr(
        name=_title(card, fixed),
        description=_sentence(card, program),
        authors=[v0_5.Author(name="napari-synth contributors")],
        cite=[v0_5.CiteEntry(text=text, url=url) for text, url in _sources(card)],
        license=next((spdx for name, spdx in LICENCES.items() if name in card.licence), None),
        documentation=file("README.md"),
        covers=[file("cover.png")],
        tags=["synthetic-data", "image-generation", card.structure, "napari-synth"],
        git_repo=SITE,
        timestamp=v0_5.Datetime(MADE),
        version=version(PROGRAM),
        inputs=[_input(port, program, file(f"{port.name}.npy")) for port in program.inputs],
        outputs=[_output(port, program, file(f"{port.name}.npy")) for port in program.outputs],
        weights=v0_5.WeightsDescr(
            torchscript=v0_5.TorchscriptWeightsDescr(
                source=folder / "weights.pt", pytorch_version=torch.__version__.split("+")[0]
            )
        ),
        config=v0_5.Config(**{CONFIG: _config(model, fixed, program)}),
    )


def _input(port: Port, program: Program, test: Any) -> Any:
    from bioimageio.spec.model import v0_5

    size = program.side or v0_5.ParameterizedSize(min=program.multiple, step=program.multiple)
    space = [v0_5.SpaceInputAxis(id=name, size=size) for name in ("y", "x")] if port.spatial else []
    axes = [v0_5.BatchAxis(size=1), v0_5.ChannelAxis(channel_names=list(port.channels)), *space]
    return v0_5.InputTensorDescr(id=port.name, axes=axes, test_tensor=test, data=_values(port))


def _output(port: Port, program: Program, test: Any) -> Any:
    """Height and width are those of the first input, where that has them."""
    from bioimageio.spec.model import v0_5

    first = program.inputs[0]
    height, width = np.load(test.source.path if hasattr(test.source, "path") else test.source).shape[-2:]
    sizes = {"y": height, "x": width}
    if first.spatial and not program.side:
        sizes = {name: v0_5.SizeReference(tensor_id=first.name, axis_id=name) for name in ("y", "x")}
    space = [v0_5.SpaceOutputAxis(id=name, size=size) for name, size in sizes.items()]
    axes = [v0_5.BatchAxis(size=1), v0_5.ChannelAxis(channel_names=list(port.channels)), *space]
    return v0_5.OutputTensorDescr(id=port.name, axes=axes, test_tensor=test, data=_values(port))


def _values(port: Port) -> Any:
    from bioimageio.spec.model import v0_5

    return v0_5.IntervalOrRatioDataDescr(type="float32", range=port.range)


def _config(model: TrainedModel, fixed: Fixed, program: Program) -> dict[str, Any]:
    """What only this program asks for: which model it was, and how masks are to be read."""
    known = {"model": model.card.id, "sha256": model.sha256, "mask_meaning": model.card.mask_meaning}
    chosen = {"option": fixed.option or next(iter(model.card.options), ""), "seed": fixed.seed}
    return known | chosen | {"style": list(program.style), "version": version(PROGRAM)}


def _title(card: ModelCard, fixed: Fixed) -> str:
    look = fixed.option or next(iter(card.options), "")
    return f"napari-synth {card.id} {look}".strip()


def _sentence(card: ModelCard, program: Program) -> str:
    names = " and ".join(port.name for port in program.inputs)
    return f"{card.title or card.id}: {names} to {' and '.join(port.name for port in program.outputs)}"


def _sources(card: ModelCard) -> Iterable[tuple[str, str]]:
    if card.architecture in PAPERS:
        yield PAPERS[card.architecture]
    yield f"{PROGRAM} {version(PROGRAM)}", SITE


def _readme(card: ModelCard, fixed: Fixed, program: Program) -> str:
    """What a person must know to use it elsewhere."""
    lines = [f"# {_title(card, fixed)}", "", f"{_sentence(card, program)}.", "", "## Inputs and outputs", ""]
    for what, ports in (("reads", program.inputs), ("gives", program.outputs)):
        lines += [f"- {what} `{port.name}`, {port.range[0]:g} to {port.range[1]:g}" for port in ports]
    if program.side:
        lines += ["", f"Height and width are {program.side}."]
    lines += ["", "Noise, style and look are fixed: the same input gives the same output.", ""]
    lines += ["## Notes", "", card.notes or "None.", "", "## Data and licence", "", f"Weights: {card.licence}.", ""]
    for data in card.training.data if card.training else []:
        lines.append(f"- {data.name}: {data.source}. {data.attribution} ({data.licence})")
    return "\n".join([*lines, "", "## Validation", "", f"See {SITE}.", ""])


def _cover(program: Program, results: list[np.ndarray]) -> np.ndarray:
    """Inputs and outputs beside each other, ``(Y, X, 3)`` uint8."""
    tensors = zip((*program.inputs, *program.outputs), (*program.examples, *results), strict=True)
    pictures = [_picture(port, tensor) for port, tensor in tensors if port.spatial]
    cover = np.concatenate(pictures, axis=1)
    enlarge = -(-SMALLEST_COVER // cover.shape[0])
    return np.kron(cover, np.ones((enlarge, enlarge, 1), np.uint8))


def _picture(port: Port, tensor: np.ndarray) -> np.ndarray:
    low, high = port.range
    grey = (255 * np.clip((tensor[0] - low) / (high - low), 0, 1)).round().astype(np.uint8).transpose(1, 2, 0)
    return np.broadcast_to(grey, (*grey.shape[:2], 3))
