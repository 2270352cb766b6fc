"""Search the camera under which patches have the moments of those of the microscope."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

import numpy as np
from scipy.optimize import least_squares

from napari_synth.core.recipe.camera import CameraSettings
from napari_synth.evaluation.microscope.estimators import Background
from napari_synth.evaluation.microscope.moments import BANDS, SHARES, THIRDS

FLOORS = np.concatenate([np.full(len(SHARES), 0.4), np.full(BANDS, 0.01), np.full(len(THIRDS), 0.005)])
"""Differences of moments that do not matter: grey levels, decades, decades."""
UNSURE = 0.1
"""Of the area that nuclei cover: how far it may be wrong."""


@dataclass(frozen=True)
class Variable:
    """A number that is searched: its bounds, and how far it is moved to see what it does."""

    name: str
    low: float
    high: float
    step: float
    share: float


VARIABLES = (
    Variable("blur²", 0.0, 64.0, 0.06, 0.06),
    Variable("log gain", -3.0, 3.0, 0.03, 0.0),
    Variable("offset", -200.0, 200.0, 1.0, 0.0),
    Variable("log gamma", -1.2, 1.2, 0.03, 0.0),
    Variable("shot noise", 0.0, 60.0, 0.03, 0.06),
    Variable("read noise²", 0.0, 6000.0, 0.2, 0.06),
)
"""Variances stand for their roots: what they do does not vanish at 0."""
LOWS, HIGHS = (np.array([getattr(variable, end) for variable in VARIABLES]) for end in ("low", "high"))


def camera_at(values: np.ndarray, background: Background) -> CameraSettings:
    """The camera of the values of `VARIABLES`; its background is the one that is seen through them."""
    blur, gain, offset, gamma, shot, read = (float(value) for value in values)
    camera = CameraSettings(
        blur=np.sqrt(blur),
        gain=np.exp(gain),
        offset=offset,
        gamma=np.exp(gamma),
        shot_noise=shot,
        read_noise=np.sqrt(read),
    )
    return camera.model_copy(update=background.before(camera))


def values_of(camera: CameraSettings) -> np.ndarray:
    """The values of `VARIABLES` of a camera, within their bounds."""
    values = [
        camera.blur**2,
        np.log(camera.gain),
        camera.offset,
        np.log(camera.gamma),
        camera.shot_noise,
        camera.read_noise**2,
    ]
    inside: np.ndarray = np.clip(np.array(values), LOWS + 1e-6, HIGHS - 1e-6)
    return inside


def _whitening(real: np.ndarray, made: np.ndarray, covered: np.ndarray) -> np.ndarray:
    """What turns differences of mean moments into independent ones of standard deviation 1.

    What varies from patch to patch together counts little. All that somewhat more or fewer nuclei do counts less still,
    for how many there are is not known better: else their lack would be taken for another exposure.
    """
    from sklearn.covariance import ledoit_wolf

    scale = np.sqrt(real.var(0) + made.var(0)) + FLOORS
    rows = np.concatenate([real - real.mean(0), made - made.mean(0)]) / scale
    covariance = ledoit_wolf(rows, assume_centered=True)[0] * np.outer(scale, scale)
    error = covariance * (1 / len(real) + 1 / len(made)) + np.diag(FLOORS**2)
    around = covered - covered.mean()
    if around.any():
        rise = around @ (made - made.mean(0)) / (around @ around)
        error += np.outer(rise, rise) * (UNSURE * covered.mean()) ** 2
    inverse: np.ndarray = np.linalg.inv(np.linalg.cholesky(error))
    return inverse


def search(
    real: np.ndarray,
    moments_at: Callable[[CameraSettings], np.ndarray],
    start: CameraSettings,
    background: Background,
    covered: np.ndarray,
    evaluations: int,
    fixed: Collection[str] = (),
) -> CameraSettings:
    """The camera whose moments come closest, in standard errors, from a start (trust region, Gauss-Newton).

    Parameters
    ----------
    real : ndarray, shape (N, K)
        Moments of the patches of the microscope.
    moments_at : callable
        Those of patches under a camera.
    start : CameraSettings
    background : Background
    covered : ndarray, shape (M,)
        Share of each of those patches that nuclei cover.
    evaluations : int
        How often ``moments_at`` may be called.
    fixed : collection of str
        Names of `VARIABLES` that stay as at the start.
    """
    target = real.mean(0)
    first = values_of(start)
    free = [number for number, variable in enumerate(VARIABLES) if variable.name not in fixed]

    def every(values: np.ndarray) -> np.ndarray:
        filled = first.copy()
        filled[free] = values
        return filled

    made = moments_at(camera_at(first, background))
    whiten = _whitening(real, made, covered)
    known: dict[bytes, np.ndarray] = {first[free].tobytes(): whiten @ (made.mean(0) - target)}

    def off(values: np.ndarray) -> np.ndarray:
        key = values.tobytes()
        if key not in known:
            known[key] = whiten @ (moments_at(camera_at(every(values), background)).mean(0) - target)
        return known[key]

    def slopes(values: np.ndarray) -> np.ndarray:
        here, columns = off(values), []
        for number, variable in enumerate(VARIABLES[place] for place in free):
            step = variable.step + variable.share * abs(values[number])
            moved = values.copy()
            moved[number] += step if values[number] + step < variable.high else -step
            columns.append((off(moved) - here) / (moved[number] - values[number]))
        return np.stack(columns, 1)

    scale = np.array(
        [variable.step + variable.share * abs(value) for variable, value in zip(VARIABLES, first, strict=True)]
    )[free]
    rounds = max(1, evaluations // (len(free) + 1))
    found = least_squares(
        off,
        first[free],
        jac=slopes,
        bounds=(LOWS[free], HIGHS[free]),
        x_scale=20 * scale,
        max_nfev=rounds,
        xtol=1e-3,
        ftol=1e-3,
    )
    return camera_at(every(found.x), background)
