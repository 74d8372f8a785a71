"""Both sides of Eq. 4: several centroids of target, companion and background (ours, not in the paper)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from mars_pl.debias.clustering import kmeans
from mars_pl.debias.defaults import TEMPERATURE, UPSAMPLE, Upsample
from mars_pl.debias.kinds.sample import Sample
from mars_pl.debias.kinds.two_kinds import SEED, Kinds, TwoKinds
from mars_pl.debias.similarity import largest_cosine, map_pixels

TENSORS = ("targets", "biased", "background")


@dataclass(frozen=True)
class Sides:
    """Unit centroids, float32; rows of zeros where there are fewer.

    Attributes:
        targets: (num_classes, K, D) of the selected candidates.
        biased: (num_classes, K', D) of the near kind; zero for a class that is not parted.
        background: (K″, D) of all background.
    """

    targets: Tensor
    biased: Tensor
    background: Tensor

    @classmethod
    def of_sample(cls, sample: Sample, selected: Tensor, kinds: Kinds, settings: TwoKinds) -> Sides:
        """Cluster the sampled candidates of each side.

        Args:
            sample: of all candidates.
            selected: (N,) bool of all foreground candidates.
            kinds: what ``settings`` found.
            settings: how many centroids each side has.
        """
        num_classes, dim = sample.shown.shape[1], sample.vectors.shape[1]
        targets = torch.zeros(num_classes, settings.targets, dim)
        biased = torch.zeros(num_classes, settings.biased, dim)
        foreground = sample.classes > 0
        chosen, near = torch.zeros_like(foreground), foreground & kinds.near(sample.classes, sample.vectors)
        chosen[foreground] = selected[sample.places[foreground]]
        for index in sample.classes[foreground].unique().tolist():
            _fill(targets[index], sample.vectors[chosen & (sample.classes == index)])
            _fill(biased[index], sample.vectors[near & (sample.classes == index)])
        background = torch.zeros(settings.background, dim)
        _fill(background, sample.vectors[~foreground])
        return cls(targets, biased, background)

    @classmethod
    def of_tensors(cls, tensors: Mapping[str, Tensor]) -> Sides:
        """Take those of a file."""
        return cls(*(tensors[name].float() for name in TENSORS))

    def tensors(self) -> dict[str, Tensor]:
        """Return what a file holds."""
        return {name: getattr(self, name) for name in TENSORS}

    def of_classes(self, present: Tensor) -> tuple[Tensor, Tensor]:
        """Return the targets (K, D) of an image's classes, and what stands against them (K', D)."""
        targets, biased = self.targets[present].flatten(0, 1), self.biased[present].flatten(0, 1)
        others = torch.cat([biased, self.background])
        return targets[targets.any(dim=1)], others[others.any(dim=1)]


def _fill(rows: Tensor, vectors: Tensor) -> None:
    if len(vectors):
        means = kmeans(vectors, len(rows), SEED)[0]
        rows[: len(means)] = F.normalize(means, dim=1)


def both_sides_map(
    features: Tensor,
    targets: Tensor,
    others: Tensor,
    size: tuple[int, int],
    *,
    temperature: float = TEMPERATURE,
    upsample: Upsample = UPSAMPLE,
) -> Tensor:
    """Eq. 4 against both sides: σ((largest cosine to a target − largest cosine to anything else) / temperature).

    A pixel that is as near to one side as to the other has .5; γ of the refinement cuts below or at it.

    Args:
        features: (D, h, w) dense features that cover the whole image.
        targets: (K, D) unit centroids of the image's classes, K ≥ 1.
        others: (K', D) of their companions and of background, K' ≥ 1.
        size: (H, W) of the image.
        temperature: the difference of cosines that brings .5 to .73.
        upsample: see ``debiased_map``.

    Returns:
        (H, W) float32 in [0, 1].
    """
    targets, others = targets.to(features.device), others.to(features.device)

    def margin(cells: Tensor) -> Tensor:
        return largest_cosine(cells, targets) - largest_cosine(cells, others)

    return torch.sigmoid(map_pixels(features, size, margin, upsample) / temperature)
