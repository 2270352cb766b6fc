"""Plots as SVG text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

import numpy as np

COLOURS = ("#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b", "#17becf")
WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT = 460, 260, 60, 40, 12, 12


class _Axes:
    """Numbers to places on a canvas, and the frame with its ticks."""

    def __init__(self, x: tuple[float, float], y: tuple[float, float], height: int = HEIGHT):
        self.x, self.y, self.height = _widened(*x), _widened(*y), height

    def at(self, x: float, y: float) -> tuple[float, float]:
        across = LEFT + (x - self.x[0]) / (self.x[1] - self.x[0]) * (WIDTH - LEFT - RIGHT)
        up = (y - self.y[0]) / (self.y[1] - self.y[0]) * (self.height - TOP - BOTTOM)
        return round(across, 1), round(self.height - BOTTOM - up, 1)

    def frame(self, x_name: str, y_name: str, y_ticks: bool = True) -> list[str]:
        parts = [
            f'<rect x="{LEFT}" y="{TOP}" width="{WIDTH - LEFT - RIGHT}" height="{self.height - TOP - BOTTOM}" '
            'fill="none" stroke="#bbb"/>',
            f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{self.height - 6}" text-anchor="middle">'
            f"{escape(x_name)}</text>",
            f'<text x="14" y="{self.height / 2}" text-anchor="middle" '
            f'transform="rotate(-90 14 {self.height / 2})">{escape(y_name)}</text>',
        ]
        for value in np.linspace(*self.x, 5):
            x, y = self.at(value, self.y[0])
            parts.append(f'<text x="{x}" y="{y + 16}" text-anchor="middle">{_number(value)}</text>')
        for value in np.linspace(*self.y, 5) if y_ticks else ():
            x, y = self.at(self.x[0], value)
            parts.append(f'<text x="{x - 5}" y="{y + 4}" text-anchor="end">{_number(value)}</text>')
        return parts


def lines(series: Mapping[str, tuple[Sequence[float], Sequence[float]]], x_name: str, y_name: str) -> str:
    """Named curves, each of x and y."""
    if not series:
        return ""
    xs, ys = (np.concatenate([np.asarray(pair[place], float) for pair in series.values()]) for place in (0, 1))
    axes = _Axes(_range(xs), _range(ys))
    parts = axes.frame(x_name, y_name)
    for number, (name, (x, y)) in enumerate(series.items()):
        colour = COLOURS[number % len(COLOURS)]
        places = " ".join(f"{a},{b}" for a, b in (axes.at(u, v) for u, v in zip(x, y, strict=True) if np.isfinite(v)))
        parts.append(f'<polyline points="{places}" fill="none" stroke="{colour}" stroke-width="1.5"/>')
        parts.append(_legend(number, name, colour))
    return _svg(parts)


def points(sets: Mapping[str, np.ndarray], x_name: str, y_name: str) -> str:
    """Named clouds of points, each ``(N, 2)``."""
    every = np.concatenate(list(sets.values()))
    axes = _Axes(_range(every[:, 0]), _range(every[:, 1]))
    parts = axes.frame(x_name, y_name)
    for number, (name, cloud) in enumerate(sets.items()):
        colour = COLOURS[number % len(COLOURS)]
        for x, y in (axes.at(*place) for place in cloud):
            parts.append(f'<circle cx="{x}" cy="{y}" r="3" fill="{colour}" fill-opacity="0.6"/>')
        parts.append(_legend(number, name, colour))
    return _svg(parts)


def histograms(sets: Mapping[str, Sequence[float]], x_name: str, bins: int = 30) -> str:
    """Shares of values, as steps on the same bins."""
    every = np.concatenate([np.asarray(values, float) for values in sets.values()])
    edges = np.linspace(*_widened(*_range(every)), bins + 1)
    series: dict[str, tuple[list[float], list[float]]] = {}
    for name, values in sets.items():
        shares = np.histogram(values, edges)[0] / max(len(values), 1)
        series[name] = (list(np.repeat(edges, 2)[1:-1]), list(np.repeat(shares, 2)))
    return lines(series, x_name, "share")


def intervals(rows: Sequence[tuple[str, float, float, float]], x_name: str) -> str:
    """Named values with their intervals, and a line at zero."""
    height = TOP + BOTTOM + 30 * len(rows)
    finite = [value for row in rows for value in row[1:] if np.isfinite(value)]
    axes = _Axes(_range(np.array([0.0, *finite])), (0.0, float(len(rows))), height)
    parts = axes.frame(x_name, "", y_ticks=False)
    zero = axes.at(0, 0)[0]
    parts.append(
        f'<line x1="{zero}" x2="{zero}" y1="{TOP}" y2="{height - BOTTOM}" stroke="#888" stroke-dasharray="4"/>'
    )
    for number, (name, mean, low, high) in enumerate(rows):
        y = TOP + 30 * number + 15
        a, b, m = axes.at(low, 0)[0], axes.at(high, 0)[0], axes.at(mean, 0)[0]
        parts.append(f'<line x1="{a}" x2="{b}" y1="{y}" y2="{y}" stroke="{COLOURS[0]}" stroke-width="2"/>')
        parts.append(f'<circle cx="{m}" cy="{y}" r="4" fill="{COLOURS[0]}"/>')
        parts.append(f'<text x="{LEFT + 4}" y="{y - 5}">{escape(name)}</text>')
    return _svg(parts, height)


def _legend(number: int, name: str, colour: str) -> str:
    return f'<text x="{LEFT + 8}" y="{TOP + 14 + 14 * number}" fill="{colour}">{escape(name)}</text>'


def _svg(parts: Sequence[str], height: int = HEIGHT) -> str:
    start = f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" font-size="11" '
    return "".join([start, 'font-family="system-ui,sans-serif">', *parts, "</svg>"])


def _range(values: np.ndarray) -> tuple[float, float]:
    finite = values[np.isfinite(values)]
    return (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 1.0)


def _widened(low: float, high: float) -> tuple[float, float]:
    margin = 0.03 * (high - low) or 0.5
    return low - margin, high + margin


def _number(value: float) -> str:
    return f"{value:.3g}"
