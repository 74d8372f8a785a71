"""PSA's AffinityNet (Ahn and Kwak 2018): features whose distance says whether two cells belong together."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mars_pl.networks.intermediate_features import IntermediateFeatureBackbone
from mars_pl.networks.normalise import IMAGENET_MEAN, IMAGENET_STD, Normalise
from mars_pl.training.weights import load_weights
from mars_pl.wsss.propagation.cells import pad_to_cells

WIDTHS = (64, 128, 256)
"""Channels to which the three intermediate feature maps are narrowed."""


class AffinityNet(nn.Module):
    """A backbone with three intermediate feature maps, each narrowed by a 1×1 convolution, and one more over all.

    Args:
        backbone: published with Wide ResNet-38 and a grid of 1/8.
        classifier_weights: safetensors of a finished fit whose ``backbone`` this one starts from; the published code
            starts from ImageNet instead.
        mean: of RGB in [0, 1], as the backbone was trained.
        std: likewise.
    """

    def __init__(
        self,
        backbone: IntermediateFeatureBackbone,
        classifier_weights: str | None = None,
        mean: Sequence[float] = IMAGENET_MEAN,
        std: Sequence[float] = IMAGENET_STD,
    ) -> None:
        super().__init__()
        self.normalise = Normalise(mean, std)
        self.backbone = backbone
        if classifier_weights is not None:
            load_weights(backbone, classifier_weights, part="backbone")
        self.narrow = nn.ModuleList(
            nn.Conv2d(channels, width, 1, bias=False) for channels, width in zip(backbone.channels, WIDTHS, strict=True)
        )
        self.merge = nn.Conv2d(sum(WIDTHS), sum(WIDTHS), 1, bias=False)
        for weight in self.narrow.parameters():
            nn.init.kaiming_normal_(weight)
        nn.init.xavier_uniform_(self.merge.weight, gain=4)

    @property
    def stride(self) -> int:
        """Pixels of a cell's side."""
        return self.backbone.stride

    def forward(self, image: Tensor) -> Tensor:
        """Map uint8 (B, 3, H, W) to features (B, 448, ⌈H / stride⌉, ⌈W / stride⌉); padding is right and below."""
        padded = pad_to_cells(self.normalise(image), self.stride)
        narrowed = [F.elu(narrow(maps)) for narrow, maps in zip(self.narrow, self.backbone(padded), strict=True)]
        return F.elu(self.merge(torch.cat(narrowed, dim=1)))


def pair_affinity(features: Tensor, offsets: Tensor) -> Tensor:
    """Return exp(−mean |f_i − f_j|) of every pair of cells on the grid.

    Args:
        features: (B, D, h, w).
        offsets: int64 (O, 2), down and right, as of `half_disc`.

    Returns:
        (B, O, h, w) in [0, 1]: between cell (y, x) and (y, x) + offset; 0 where that leaves the grid.
    """
    height, width = features.shape[-2:]
    affinities = []
    for down, right in offsets.tolist():
        rows, columns = height - down, width - abs(right)
        if rows <= 0 or columns <= 0:
            affinities.append(torch.zeros_like(features[:, 0]))
            continue
        left, start = max(-right, 0), max(right, 0)
        here = features[..., :rows, left : left + columns]
        there = features[..., down : down + rows, start : start + columns]
        affinity = (-(here - there).abs().mean(1)).exp()
        affinities.append(F.pad(affinity, (left, width - columns - left, 0, height - rows)))
    return torch.stack(affinities, dim=1)
