"""Which script and which weights each picture of the documentation shows, and whether it is older than they are.

python docs/scripts/pictures.py            says which pictures are older
python docs/scripts/pictures.py NAME...    says of these that they are what their scripts make now

Scripts are compared without their white space, and the window itself is not part of what a picture of it shows: a
picture is taken anew when somebody looks at it, and this table says when somebody must.
"""

from __future__ import annotations

import hashlib
import json
import sys
from dataclasses import dataclass
from pathlib import Path

from napari_synth.models.checkpoint import file_hash
from napari_synth.models.registry import bundled_paths

SCRIPTS = Path(__file__).parent
PICTURES = SCRIPTS.parent / "pictures"
TABLE = PICTURES / "made.json"
NUCLEI, AXONS, BRAIN, SHAPES = "optional-pix2pix-nuclei", "capspix2pix-axons", "metgan-brain", "nucleus-dvae"


@dataclass(frozen=True)
class Made:
    """A script, and the models whose images it shows."""

    script: str
    models: tuple[str, ...]


_SHEETS = Made("make_look_sheets.py", (NUCLEI,))
_CAPSULES = Made("make_capsule_pictures.py", (AXONS,))
_WINDOW = Made("make_screenshots.py", (NUCLEI,))
_INSPECT = Made("make_screenshots.py", (AXONS,))
MADE = {
    "looks.png": Made("make_pictures.py", (NUCLEI,)),
    "painting.webp": Made("make_painting.py", (NUCLEI,)),
    **dict.fromkeys(("styles.jpg", "style_walk.jpg", "style_of_images.jpg"), _SHEETS),
    **dict.fromkeys((f"beside_{look}.jpg" for look in ("he", "he-dark", "purple", "fluorescence")), _SHEETS),
    **dict.fromkeys((f"capsules_{what}.png" for what in ("seeds", "features", "walk", "switched_off")), _CAPSULES),
    "metgan.png": Made("make_metgan_pictures.py", (BRAIN,)),
    "model_nucleus-dvae.png": Made("make_model_sheets.py", (SHAPES,)),
    "model_pbam-axons.png": Made("make_model_sheets.py", ("pbam-axons",)),
    **dict.fromkeys(("window.png", "sampled.png", "fluorescence.png", "exported.png"), _WINDOW),
    **dict.fromkeys(("nuclei.png", "latent_map.png"), Made("make_screenshots.py", (SHAPES,))),
    **dict.fromkeys(("capsules.png", "switched_off.png", "walk.png"), _INSPECT),
}


def state_of(made: Made) -> str:
    """A hash of the script without white space and of the weights."""
    text = "".join((SCRIPTS / made.script).read_text(encoding="utf-8").split())
    weights = [file_hash(bundled_paths()[name]) for name in made.models]
    return hashlib.sha256("\n".join([text, *weights]).encode()).hexdigest()[:16]


def table() -> dict[str, str]:
    """The state of script and weights when each picture was made."""
    return dict(json.loads(TABLE.read_text(encoding="utf-8"))) if TABLE.is_file() else {}


def older() -> list[str]:
    """Pictures whose script or weights have changed since."""
    known = table()
    return [name for name, made in MADE.items() if known.get(name) != state_of(made)]


def main(names: list[str]) -> None:
    """Print the older ones, or enter the named ones."""
    if not names:
        print("\n".join(f"{name}: {MADE[name].script}" for name in older()) or "All are what their scripts make.")
        return
    entered = table() | {name: state_of(MADE[name]) for name in names}
    TABLE.write_text(json.dumps({name: entered[name] for name in MADE if name in entered}, indent=1) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
