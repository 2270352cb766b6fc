"""Ctrl+C, and what a cluster, a container and a closing desktop send instead."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

STOP_SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


class Stopped(BaseException):
    """The program was told to stop outside of a job that can be stopped after a step."""


def on_stop_signals(act: Callable[..., None]) -> dict[int, Any]:
    """Let signals that end a program do something else; returns what they did, for `put_back`.

    Those that are ignored, as under ``nohup``, stay ignored.
    """
    if threading.current_thread() is not threading.main_thread():
        return {}
    wanted = [number for number in STOP_SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    return {number: signal.signal(number, act) for number in wanted}


def put_back(previous: Mapping[int, Any]) -> None:
    """Give signals back to whom they belonged."""
    for number, act in previous.items():
        signal.signal(number, act)


@contextmanager
def stoppable() -> Iterator[None]:
    """Let every such signal raise `Stopped`, so that whatever is being written is cleared away."""

    def stop(*_: Any) -> None:
        raise Stopped

    previous = on_stop_signals(stop)
    try:
        yield
    finally:
        put_back(previous)


@contextmanager
def as_of_old() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end the process as in any program with a window, whose toolkit minds Ctrl+C."""
    previous = {number: signal.getsignal(number) for number in STOP_SIGNALS}
    for number, act in previous.items():
        if act is not signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
    try:
        yield
    finally:
        put_back(previous)
