"""Optional Pix2Pix of the thesis (Sirinaovakul 2018), rendered as published."""

from __future__ import annotations

from pathlib import Path

from napari_synth.core.errors import InputError
from napari_synth.models.importers import flat_unet
from napari_synth.models.importers.base import Imported, Importer, Wishes
from napari_synth.models.importers.pix2pix import looks, pix2pix_card
from napari_synth.models.importers.states import read_state


def convert(paths: tuple[Path, ...], wishes: Wishes) -> Imported:
    """The generator; its options are the numbers 1, 2, …, and its images lie in [0, 1].

    It reads a mask and an option, by which it is told from the pix2pix whose names it has.
    """
    weights, hyper = flat_unet.convert(read_state(paths[0], flat_unet.recognised, wishes.part), wishes.mode)
    if hyper["in_channels"] != 2:
        raise InputError(
            f"The checkpoint is no Optional Pix2Pix: it reads {hyper['in_channels']} channels, not a mask and an "
            "option.",
            "If it is a pix2pix of the kind that znxlwm published, import it with --from pix2pix.",
        )
    card = pix2pix_card(wishes, "optional-pix2pix", hyper, 2 ** hyper["levels"], readable=(2,))
    differences = {
        "looks": looks(wishes.options or ("1",), hyper["out_channels"]),
        "mask_meaning": "foreground",
        "network_range": (0.0, 1.0),
        "option_values": "number",
    }
    return Imported(weights, card.model_copy(update=differences))


THESIS_PIX2PIX = Importer("the Optional Pix2Pix of Sirinaovakul 2018", convert, True)
