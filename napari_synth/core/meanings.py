"""What a generator sees of a mask, by name."""

from __future__ import annotations

from typing import Literal

MaskMeaning = Literal["foreground", "foreground-gap", "foreground-signed"]
MASK_MEANINGS: dict[MaskMeaning, str] = {
    "foreground": "1 in nuclei, 0 elsewhere",
    "foreground-gap": "1 in nuclei, 0 elsewhere, with a one-pixel gap drawn between touching instances",
    "foreground-signed": "1 in nuclei, -1 elsewhere",
}
