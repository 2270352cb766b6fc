"""Trained models by id: the bundled ones, and any file by its path."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from napari_synth.core.devices import resolve_device
from napari_synth.core.errors import InputError, brief, unknown_name
from napari_synth.core.files import user_path, writing
from napari_synth.core.user_settings import state_folder
from napari_synth.models.architectures import build
from napari_synth.models.card import ModelCard
from napari_synth.models.checkpoint import SUFFIX, file_hash, load_weights, read_card, stored_shapes
from napari_synth.models.hyper import check_hyper

if TYPE_CHECKING:
    import torch
    from torch import nn

WEIGHTS_FOLDER = Path(__file__).parent / "weights"
EARLIER_FOLDER = WEIGHTS_FOLDER / "earlier"
"""Weights that the program came with before, as ``ID.NUMBER.safetensors``: recipes made with them go on. Where only the
card was another, ``ID.NUMBER.header`` is what stood before the weights."""


@dataclass(frozen=True)
class TrainedModel:
    """A network in memory with its card, ready on ``device``."""

    card: ModelCard
    network: nn.Module
    path: Path
    sha256: str
    device: torch.device


class RoleModel:
    """A trained model in its role: base of what users call.

    Parameters
    ----------
    trained : TrainedModel
        A model whose card names one of this class' ``roles``.

    Raises
    ------
    InputError
        If the card names another role.
    """

    roles: ClassVar[tuple[str, ...]]
    does: ClassVar[str]
    """What a model of these roles does, for the sentence when it is the wrong one."""

    def __init__(self, trained: TrainedModel):
        if trained.card.role not in self.roles:
            raise wrong_role(trained.card, self.does)
        self._trained = trained

    @property
    def card(self) -> ModelCard:
        """What the model is."""
        return self._trained.card

    @property
    def sha256(self) -> str:
        """Hash of its weights file."""
        return self._trained.sha256

    @property
    def path(self) -> Path:
        """Its weights file."""
        return self._trained.path

    @property
    def parameters(self) -> int:
        """How many numbers were learned."""
        return sum(parameter.numel() for parameter in self._trained.network.parameters())

    @property
    def device(self) -> str:
        """Where it computes: cpu, cuda or mps."""
        return self._trained.device.type


def wrong_role(card: ModelCard, does: str) -> InputError:
    """The error for a model that was asked for what it does not do."""
    return InputError(
        f"{card.id} does not {does} (it is a {card.role} model).",
        "Choose another model; see: napari-synth models list.",
    )


def bundled_paths() -> dict[str, Path]:
    """Id to file of the models that come with the program."""
    return {path.name.removesuffix(SUFFIX): path for path in sorted(WEIGHTS_FOLDER.glob(f"*{SUFFIX}"))}


def bundled_cards() -> dict[str, ModelCard]:
    """Id to card of the models that come with the program; does not load torch."""
    return {name: model_card(name) for name in bundled_paths()}


def resolve_model(name: str | Path) -> Path:
    """The weights file for a bundled id or a path.

    Raises
    ------
    InputError
        If it is neither.
    """
    bundled = bundled_paths()
    if str(name) in bundled:
        return bundled[str(name)]
    path = user_path(name)
    if path.suffix or path.exists():
        return path
    raise unknown_name("model", str(name), list(bundled))


def recipe_weights(name: str, sha256: str) -> Path:
    """The weights file that a recipe names: that of the id or path, or an earlier one of the id with this hash.

    Raises
    ------
    InputError
        If there is no such model.
    """
    path = resolve_model(name)
    if not sha256 or name not in bundled_paths() or file_hash(path) == sha256:
        return path
    return earlier_file(name, sha256) or _with_earlier_card(path, name, sha256) or path


def earlier_file(name: str, sha256: str) -> Path | None:
    """An earlier file of a bundled model, by its hash; None where there is none."""
    found = (other for other in EARLIER_FOLDER.glob(f"{name}.*{SUFFIX}") if file_hash(other) == sha256)
    return next(found, None)


def _with_earlier_card(path: Path, name: str, sha256: str) -> Path | None:
    """The file with this hash, made of the weights of ``path`` and the header of an earlier file that had the same."""
    headers = [*EARLIER_FOLDER.glob(f"{name}.*.header")]
    if not headers:
        return None
    made = state_folder() / "earlier" / f"{sha256}{SUFFIX}"
    if made.is_file() and file_hash(made) == sha256:
        return made
    content = path.read_bytes()
    weights = content[8 + int.from_bytes(content[:8], "little") :]
    for header in headers:
        content = header.read_bytes() + weights
        if hashlib.sha256(content).hexdigest() == sha256:
            with writing(made) as temporary:
                temporary.write_bytes(content)
            return made
    return None


def model_card(name: str | Path) -> ModelCard:
    """The card of a bundled id or a path; does not load torch."""
    path = resolve_model(name)
    if not path.is_file():
        return read_card(path)  # says what is wrong with the path
    return _card_of(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=64)
def _card_of(path: Path, modified: int) -> ModelCard:
    return read_card(path)


def load_trained(name: str | Path, device: str = "auto") -> TrainedModel:
    """Load a model in eval mode.

    Raises
    ------
    InputError
        If the model is unknown, damaged, or its weights do not fit its card.
    """
    path = resolve_model(name)
    card = read_card(path)
    check_hyper(card, path.name)
    _check_shapes(card, path)
    weights = load_weights(path)
    target = resolve_device(device)
    network = build(card.architecture, **card.hyper)
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        raise _unfit(path, brief(error)) from error
    network.to(target).eval().requires_grad_(False)
    return TrainedModel(card, network, path, file_hash(path), target)


def _check_shapes(card: ModelCard, path: Path) -> None:
    """Refuse a file whose tensors are not those of the network that its card describes.

    Neither the network nor the file's tensors are made for that, so that a card which asks for a network
    of any size is refused at once.
    """
    from napari_synth.models.outline import outline

    stored = stored_shapes(path)
    try:
        expected = outline(card.architecture, **card.hyper)
    except (RuntimeError, TypeError, ValueError) as error:
        raise _unfit(path, brief(error)) from error
    for name in [*expected, *stored]:
        if expected.get(name) != stored.get(name):
            there, needed = (shapes.get(name, "none") for shapes in (stored, expected))
            raise _unfit(path, f"of {name} there is {there}, needed is {needed}")


def _unfit(path: Path, reason: str) -> InputError:
    return InputError(
        f"The weights in {path.name} do not fit its card: {brief(reason)}.", "Use a file made by napari-synth."
    )
