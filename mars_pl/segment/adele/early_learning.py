"""When a network stops learning a class and begins to memorise its labels' errors (ADELE's train.py)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import curve_fit

Curve = NDArray[np.float64]

FEWEST_POINTS = 3
"""As many as the curve has parameters."""


def learning_curve(epoch: Curve, a: float, b: float, c: float) -> Curve:
    """Return a · (1 − exp(−epoch^b / c)), the IoU that a class is learnt to."""
    return a * (1 - np.exp(-(epoch**b) / c))


def slope(epoch: float, a: float, b: float, c: float) -> float:
    """Return the derivative of ``learning_curve``."""
    return float(a * b / c * np.exp(-(epoch**b) / c) * epoch ** (b - 1))


def fit_curve(ious: Sequence[float], points_per_epoch: float) -> tuple[float, float, float] | None:
    """Fit a, b in [0, 1] and c > 0 by least squares, a late point weighing up to ten times as much as an early one.

    Args:
        ious: evenly over the training so far.
        points_per_epoch: how many of them an epoch has.

    Returns:
        a, b and c; None where the points are too few, or the fit does not converge.
    """
    if len(ious) < FEWEST_POINTS:
        return None
    epochs = np.linspace(0, len(ious) / points_per_epoch, len(ious))
    try:
        found, _ = curve_fit(
            learning_curve,
            epochs,
            np.asarray(ious, np.float64),
            p0=(1, 1, 1),
            method="trf",
            sigma=np.geomspace(1, 0.1, len(ious)),
            absolute_sigma=True,
            bounds=([0, 0, 0], [1, 1, np.inf]),
        )
    except RuntimeError:
        return None
    a, b, c = map(float, found)
    return a, b, c


def early_learning_ended(ious: Sequence[float], points_per_epoch: float, epoch: int, change: float = 0.9) -> bool:
    """Tell whether the IoU's curve has flattened: its slope is by more than ``change`` smaller than after one epoch.

    Args:
        ious: between the network's predictions and a class's first labels, evenly over the training so far.
        points_per_epoch: how many of them an epoch has.
        epoch: at which the slope is taken, in epochs; ADELE takes the number of those before the one just ended.
        change: of the slope, relative to the one at epoch 1 (ADELE's r: .9).

    Returns:
        False too where there is no curve, as of a class that has not been learnt at all.
    """
    curve = fit_curve(ious, points_per_epoch) if epoch >= 1 else None
    if curve is None:
        return False
    first = slope(1.0, *curve)
    return bool(first > 0 and abs(slope(float(epoch), *curve) - first) / first > change)
