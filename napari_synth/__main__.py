"""``python -m napari_synth`` and ``napari-synth`` are the same program."""

from __future__ import annotations

import os
import signal
from typing import Any


def run() -> None:
    """Start the program; while its modules load nothing is open, so it can be left at once."""
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _leave)
    from napari_synth.cli.main import run as program

    program()


def _leave(*_: Any) -> None:
    os.write(2, b"Stopped.\n")
    os._exit(1)


if __name__ == "__main__":
    run()
