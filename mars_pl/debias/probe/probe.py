"""A linear probe on frozen tokens: is this cell an object, whichever, or anything else (ours, not in the paper)?

Eq. 4 asks one centroid a class. The probe asks all images at once: what they call background, what is removed from
them and what is kept. It learns first what Eq. 5 kept; then it judges all cells of Yᵇ's objects by itself, those that
were removed too, and learns from its own verdict, some times over.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from mars_pl.debias.clustering import one_thread
from mars_pl.debias.probe.cells import BACKGROUND, OBJECT, Cells

FITS = 4
"""How often it learns: once from Eq. 5, then from its own verdict."""

PENALTY = 0.1
"""Of the squared weights of standardised tokens, beside the mean log loss of a cell.

Chosen on train of photographs, for tokens of hundreds of channels; a few channels bear less.
"""

EVEN = 0.38
"""Probability from which a cell stays an object for the next fit: where γ = 2 has its even point."""

ITERATIONS = 500


@dataclass(frozen=True)
class Probe:
    """Log odds of an object, linear in a token of unit length.

    Attributes:
        weight: (D,) floating.
        bias: (1,) likewise.
    """

    weight: Tensor
    bias: Tensor

    def objectness(self, features: Tensor) -> Tensor:
        """Map features (D, h, w) to the probability of an object, (h, w) float32 in [0, 1].

        Raises:
            ValueError: where they are of another D.
        """
        if len(features) != len(self.weight):
            raise ValueError(
                f"features of {len(features)} channels, a probe of {len(self.weight)}; make the probe again with them"
            )
        tokens = F.normalize(features.float(), dim=0)
        return self.of_tokens(tokens.flatten(1).T).reshape(features.shape[1:])

    def of_tokens(self, tokens: Tensor) -> Tensor:
        """Map tokens of unit length (n, D) to the probability of an object, (n,), in their precision."""
        return (tokens @ self.weight.to(tokens) + self.bias.to(tokens)).sigmoid()


@dataclass(frozen=True)
class Taught:
    """A probe and how it came about.

    Attributes:
        probe: after the last fit.
        kept: share of the cells of Yᵇ's objects that are objects: by Eq. 5, and then by each fit.
    """

    probe: Probe
    kept: tuple[float, ...]


def teach(cells: Cells, fits: int = FITS, penalty: float = PENALTY) -> Taught:
    """Fit the probe, and fit it again on what it keeps itself of Yᵇ's objects.

    It stops where nothing changes any more, or nothing would be left. Logistic regression (scikit-learn, L-BFGS) on one
    thread: the same cells give the same probe.

    Args:
        cells: of all images, in their order.
        fits: how many at most, 1 or more.
        penalty: see ``PENALTY``.

    Raises:
        ValueError: where the cells have no background or no object.
    """
    counts = cells.kinds.bincount(minlength=3).tolist()
    if not counts[BACKGROUND] or not counts[OBJECT]:
        raise ValueError(f"{counts[BACKGROUND]} cells of background and {counts[OBJECT]} of objects; it needs both")
    tokens = F.normalize(cells.tokens.double(), dim=1)
    mean, spread = tokens.mean(dim=0), tokens.std(dim=0, correction=0).clamp(min=1e-6)
    tokens.sub_(mean).div_(spread)  # in place: there can be a gigabyte of them
    inside, kept = cells.kinds != BACKGROUND, cells.kinds == OBJECT
    shares = [float(kept[inside].double().mean())]
    for _ in range(fits):
        standardised = _fit(tokens, kept, penalty)
        again = inside & (standardised.of_tokens(tokens) >= EVEN)
        shares.append(float(again[inside].double().mean()))
        if not again.any() or torch.equal(again, kept):
            break
        kept = again
    weight = standardised.weight / spread
    probe = Probe(weight.float(), (standardised.bias - weight @ mean).float())
    return Taught(probe, tuple(shares))


def _fit(tokens: Tensor, objects: Tensor, penalty: float) -> Probe:
    """Fit a probe of these very tokens, in their precision."""
    from sklearn.linear_model import LogisticRegression

    # scikit-learn weighs the sum of all losses by C, beside half the squared weights
    model = LogisticRegression(C=1 / (2 * penalty * len(tokens)), max_iter=ITERATIONS)
    with one_thread():
        model.fit(tokens.numpy(), objects.numpy())
    return Probe(torch.from_numpy(model.coef_[0]), torch.from_numpy(model.intercept_))
