"""Which script and which weights each picture of the documentation shows, and whether it is older than they are.

python docs/scripts/pictures.py            says which pictures are older
python docs/scripts/pictures.py NAME...    says of these that they are what their scripts make now

Scripts are compared without their white space. Of a picture of the window the weights count, and the captions that it
shows, all of which the window must still have.
"""

from __future__ import annotations

import hashlib
import json
import sys
from dataclasses import dataclass
from pathlib import Path

from captions import captions_of_pictures, gone  # a module beside this script

from napari_synth.models.checkpoint import file_hash
from napari_synth.models.registry import bundled_paths

SCRIPTS = Path(__file__).parent
PICTURES = SCRIPTS.parent / "pictures"
TABLE = PICTURES / "made.json"
NUCLEI, AXONS, BRAIN, SHAPES = "optional-pix2pix-nuclei", "capspix2pix-axons", "metgan-brain", "nucleus-dvae"


@dataclass(frozen=True)
class Made:
    """A script, and the models whose images it shows.

    A picture of the window is not older because another way through the window was added to its script.
    """

    script: str
    models: tuple[str, ...]
    of_window: bool = False


_SHEETS = Made("make_look_sheets.py", (NUCLEI,))
_CAPSULES = Made("make_capsule_pictures.py", (AXONS,))
_NUCLEI, _AXONS, _BRAIN, _SHAPES = (Made("journeys.py", (model,), True) for model in (NUCLEI, AXONS, BRAIN, SHAPES))
MADE = {
    "looks.png": Made("make_pictures.py", (NUCLEI,)),
    "painting.webp": Made("make_painting.py", (NUCLEI,)),
    **dict.fromkeys(("styles.jpg", "style_walk.jpg", "style_of_images.jpg"), _SHEETS),
    **dict.fromkeys((f"beside_{look}.jpg" for look in ("he", "he-dark", "purple", "fluorescence")), _SHEETS),
    **dict.fromkeys((f"capsules_{what}.png" for what in ("seeds", "features", "walk", "switched_off")), _CAPSULES),
    "fast_preset.jpg": Made("make_look_sheets.py", ()),
    "camera.jpg": Made("measure_camera.py", (NUCLEI,)),
    "ising-pairs.jpg": Made("make_model_sheets.py", ("ising-nuclei",)),
    "metgan.png": Made("make_metgan_pictures.py", (BRAIN,)),
    "model_nucleus-dvae.png": Made("make_model_sheets.py", (SHAPES,)),
    "model_metgan-brain-segmentor.png": Made("make_model_sheets.py", ("metgan-brain-segmentor",)),
    "model_pbam-axons.png": Made("make_model_sheets.py", ("pbam-axons",)),
    **dict.fromkeys(("window.png", "exported.png", "dropped.png", "painted_live.png", "compared.png"), _NUCLEI),
    **dict.fromkeys(("fitted.png", "thirty.png", "sampled.png", "own_mask_offered.png"), _NUCLEI),
    **dict.fromkeys(("my_look_pairs.png", "my_look.png", "my_look_rendered.png"), _NUCLEI),
    **dict.fromkeys((f"{way}.webp" for way in ("first_start", "own_mask", "compared", "fitted")), _NUCLEI),
    **dict.fromkeys(("nuclei.png", "latent_map.png"), _SHAPES),
    **dict.fromkeys(("lesion.png", "lesion.webp"), _BRAIN),
    **dict.fromkeys(("capsules.png", "switched_off.png", "walk.png", "capsule_off.webp"), _AXONS),
}


def state_of(made: Made) -> str:
    """A hash of the script without white space and of the weights."""
    text = made.script if made.of_window else (SCRIPTS / made.script).read_text(encoding="utf-8")
    weights = [file_hash(bundled_paths()[name]) for name in made.models]
    return hashlib.sha256("\n".join(["".join(text.split()), *weights]).encode()).hexdigest()[:16]


def table() -> dict[str, str]:
    """The state of script and weights when each picture was made."""
    return dict(json.loads(TABLE.read_text(encoding="utf-8"))) if TABLE.is_file() else {}


def older() -> dict[str, str]:
    """Why a picture is older, by its name."""
    known, shown = table(), captions_of_pictures(PICTURES)
    reasons = {}
    for name, made in MADE.items():
        lost = gone(shown.get(name, ()))
        if known.get(name) != state_of(made):
            reasons[name] = f"{made.script} or the weights have changed"
        elif lost:
            reasons[name] = f"{made.script}: the window has no {', '.join(lost)}"
        elif made.of_window and name not in shown:
            reasons[name] = f"{made.script}: which captions it shows is not known"
    return reasons


def main(names: list[str]) -> None:
    """Print the older ones, or enter the named ones."""
    if not names:
        print("\n".join(f"{name}: {why}." for name, why in older().items()) or "All are what their scripts make.")
        return
    entered = table() | {name: state_of(MADE[name]) for name in names}
    TABLE.write_text(json.dumps({name: entered[name] for name in MADE if name in entered}, indent=1) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
