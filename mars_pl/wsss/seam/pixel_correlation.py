"""The pixel correlation module (PCM): class maps corrected by the likeness of pixels (SEAM §3.3)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mars_pl.networks.intermediate_features import IntermediateFeatures
from mars_pl.networks.own_precision import in_own_precision
from mars_pl.wsss.seam.maps import EPSILON

COLUMNS = 2048
"""Cells that are corrected at once: bounds the memory of large images."""


def correlate(maps: Tensor, features: Tensor) -> Tensor:
    """Replace each cell's scores by the mean over all cells, weighted by the rectified cosine of their features.

    Args:
        maps: (B, K, h, w).
        features: (B, D, h, w).

    Returns:
        (B, K, h, w).
    """
    values, vectors = maps.flatten(2), features.flatten(2)
    vectors = vectors / (vectors.norm(dim=1, keepdim=True) + EPSILON)
    corrected = []
    for columns in vectors.split(COLUMNS, dim=2):
        affinity = F.relu(vectors.transpose(1, 2) @ columns)
        corrected.append(values @ (affinity / (affinity.sum(1, keepdim=True) + EPSILON)))
    return torch.cat(corrected, dim=2).reshape(maps.shape)


class PixelCorrelation(nn.Module):
    """Embeds image, second-last and third-last feature map, and corrects class maps by their likeness.

    The feature maps are detached: the correction teaches only its own three convolutions.

    Args:
        channels: of the two feature maps.
    """

    def __init__(self, channels: tuple[int, int]) -> None:
        super().__init__()
        self.shallow = nn.Conv2d(channels[0], 64, 1, bias=False)
        self.deep = nn.Conv2d(channels[1], 128, 1, bias=False)
        self.embed = nn.Conv2d(3 + 64 + 128, 192, 1, bias=False)
        nn.init.kaiming_normal_(self.shallow.weight)
        nn.init.kaiming_normal_(self.deep.weight)
        nn.init.xavier_uniform_(self.embed.weight, gain=4)

    def forward(self, maps: Tensor, image: Tensor, intermediate: IntermediateFeatures) -> Tensor:
        """Correct maps (B, K, h, w) by the normalised image (B, 3, H, W) and the intermediate features of h×w cells.

        The features may be in half precision; lengths and sums over thousands of cells are in the maps' precision.
        """
        colours = F.interpolate(image, maps.shape[-2:], mode="bilinear", align_corners=True)
        shallow = F.relu(in_own_precision(self.shallow, intermediate[0].detach()))
        deep = F.relu(in_own_precision(self.deep, intermediate[1].detach()))
        embedded = in_own_precision(self.embed, torch.cat([colours, shallow, deep], dim=1))
        with torch.autocast(maps.device.type, enabled=False):
            return correlate(maps, embedded)
