"""Whether a class's candidates are of two kinds, and which of them is the target (ours, not in the paper)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from mars_pl.debias.centroids import share, take_farthest
from mars_pl.debias.clustering import kmeans
from mars_pl.debias.defaults import DISTANCE, NEAREST_COUNT, Distance
from mars_pl.debias.distance import BLOCK, unit
from mars_pl.debias.kinds.sample import Sample

FEWEST = 8
"""Candidates of a class below which nothing is parted."""

SEED = 0


@dataclass(frozen=True)
class Kinds:
    """Of each class the plane between its two kinds, and whether it parts the class.

    Attributes:
        parted: (num_classes,) bool; False: all of the class's candidates are one kind, and it loses nothing.
        axes: (num_classes, D) float64, across the plane, towards the target; zero where a class is not parted.
        offsets: (num_classes,) float64: a vector whose product with the axis is smaller is of the near kind.
        nearness: (num_classes, 2) float64 in [0, 1] of the far and the near kind, NaN where nothing was measured: the
            mean rank of its cosines to other images' background among those of background itself.
        apart: (num_classes,) float64, the distance of the kinds' means, (1 − cosine) / 2.
        effect: (num_classes,) float64, how far the kinds' cosines to background lie apart, in standard deviations.
    """

    parted: Tensor
    axes: Tensor
    offsets: Tensor
    nearness: Tensor
    apart: Tensor
    effect: Tensor

    def select(self, classes: Tensor, distances: Tensor, near: Tensor, alpha: float) -> Tensor:
        """Mark the α share of each parted class, none of its near kind among them, and all of every other class.

        Args:
            classes: (N,) of the foreground candidates, in the order of image id, class and cluster.
            distances: (N,) of Eq. 1.
            near: (N,) bool, see ``near``.
            alpha: share taken of a parted class; 1 is all of its target kind.

        Returns:
            (N,) bool.
        """
        counts = classes.bincount()
        parted = self.parted[: len(counts)]
        far = classes[~near].bincount(minlength=len(counts))
        wanted = torch.where(parted, share(counts, alpha).minimum(far), counts)
        return take_farthest(classes, distances.where(~near, -1), wanted)

    def near(self, classes: Tensor, vectors: Tensor) -> Tensor:
        """Return (n,) bool of candidates of any classes: of the kind that is nearer to the background."""
        # a sum along each row, so that equal candidates are of one kind
        return (unit(vectors) * self.axes[classes.long()]).sum(dim=1) < self.offsets[classes.long()]


class TwoKinds:
    """Parts each class's candidates by K-means in two, where one of the two looks like the background.

    A companion is background where its class is not shown, so only background of images without the class is asked: by
    the distance of Eq. 1, the mean or the nearest. The kind that lies farther is the target. The class is parted where
    the kinds are unlike one another and the other one is like background (``companion``), or where their distances to
    background hardly overlap (``effect``); a class of which neither holds has no companion to remove.

    Args:
        companion: parts a class; the near kind's nearness to background times the kinds' distance, in [0, 1].
        effect: parts a class; difference of the kinds' mean cosines, in standard deviations.
        most: candidates of a class, and of background, that are looked at: a sample where there are more. The
            nearest of more background would be nearer, so a much larger sample wants another ``companion``.
        targets: centroids of the target kind, for Eq. 4 against both sides.
        biased: centroids of the near kind, likewise.
        background: centroids of all background, likewise.
    """

    def __init__(
        self,
        companion: float = 0.055,
        effect: float = 2.0,
        most: int = 1024,
        targets: int = 4,
        biased: int = 3,
        background: int = 4,
    ) -> None:
        if min(most, targets, biased, background) < 1:
            raise ValueError(f"1 candidate and 1 centroid at least, got {most}, {targets}, {biased}, {background}")
        self.companion, self.effect, self.most = companion, effect, most
        self.targets, self.biased, self.background = targets, biased, background

    def find(self, sample: Sample, distance: Distance = DISTANCE, nearest_count: int = NEAREST_COUNT) -> Kinds:
        """Look at the candidates of all classes.

        Args:
            sample: of the candidates.
            distance: of Eq. 1, to the background of images without the class.
            nearest_count: how many, for ``nearest``.
        """
        num_classes = sample.shown.shape[1]
        axes = torch.zeros(num_classes, sample.vectors.shape[1], dtype=torch.float64)
        offsets = torch.zeros(num_classes, dtype=torch.float64)
        apart, effect = torch.full((2, num_classes), torch.nan, dtype=torch.float64)
        nearness = torch.full((num_classes, 2), torch.nan, dtype=torch.float64)
        is_background = sample.classes == 0
        background, elsewhere = sample.vectors[is_background], sample.images[is_background]
        other = elsewhere[:, None] != elsewhere
        if not other.any():
            return Kinds(torch.zeros(num_classes, dtype=torch.bool), axes, offsets, nearness, apart, effect)
        own = _likeness(background, background, other, distance, nearest_count).sort().values
        for index in sample.classes.unique().tolist():
            vectors = sample.vectors[sample.classes == index]
            without = ~sample.shown[is_background, index]
            if not index or len(vectors) < FEWEST or not without.any() or not bool(vectors.isfinite().all()):
                continue
            means, assignment = kmeans(vectors, 2, SEED)
            if len(means) < 2:
                continue
            cosines = _likeness(vectors, background, without, distance, nearest_count)
            groups = [cosines[assignment == kind] for kind in range(2)]
            far, near = sorted(range(2), key=lambda kind: float(groups[kind].mean()))
            spread = torch.stack([group.var(correction=0) for group in groups]).mean().sqrt().clamp(min=1e-6)
            effect[index] = (groups[near].mean() - groups[far].mean()) / spread
            for place, kind in enumerate((far, near)):
                below, upto = (torch.searchsorted(own, groups[kind], right=right) for right in (False, True))
                nearness[index, place] = (below + upto).double().mean() / (2 * len(own))
            # nearer to one mean than to the other, |x − m|² written out
            centres = means.double()
            apart[index] = (1 - torch.cosine_similarity(centres[0], centres[1], dim=0)) / 2
            axes[index] = centres[far] - centres[near]
            offsets[index] = (centres[far].square().sum() - centres[near].square().sum()) / 2
        parted = (nearness[:, 1] * apart >= self.companion) | (effect >= self.effect)
        return Kinds(parted, axes * parted[:, None], offsets * parted, nearness, apart, effect)


def _likeness(vectors: Tensor, others: Tensor, allowed: Tensor, distance: Distance, nearest_count: int) -> Tensor:
    """Return (n,) what Eq. 1's distance takes of the cosines of each unit vector to the others that it may have.

    Args:
        vectors: (n, D).
        others: (m, D).
        allowed: (n, m) or (m,) bool; one at least for each vector.
        distance: see ``find_background``.
        nearest_count: likewise.
    """
    found = []
    for start in range(0, len(vectors), BLOCK):
        cosines = vectors[start : start + BLOCK] @ others.T
        mask = allowed[start : start + BLOCK] if allowed.ndim == 2 else allowed.expand_as(cosines)
        if distance == "mean":
            found.append(cosines.where(mask, 0).sum(dim=1) / mask.sum(dim=1))
        else:
            most = 1 if distance == "minimum" else min(nearest_count, int(mask.sum(dim=1).min()))
            found.append(cosines.where(mask, -torch.inf).topk(most, dim=1).values.mean(dim=1))
    return torch.cat(found)
