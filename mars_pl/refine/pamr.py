"""Pixel-adaptive mask refinement (Araslanov and Roth 2020): local diffusion along image edges, on any device."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mars_pl.refine.protocol import Refine


class PAMR(nn.Module, Refine):
    """Spread each pixel's probabilities over neighbours of like colour, in batches.

    Colours differ relative to their spread around the pixel, so that a weak edge in an even area counts as much as a
    strong one in a lively area. Every step is a weighted mean over neighbours: what sums to 1 still does, and a channel
    of zeros stays zero.

    Args:
        iterations: steps of diffusion.
        dilations: distances of the eight neighbours in pixels; the defaults are those of 1-stage-wseg
            (core/config.py); RS+EPM publishes the module without its values.
        scale: of the size at which to work; .5 costs a quarter and blurs by the resizing back.
    """

    def __init__(
        self, iterations: int = 10, dilations: Sequence[int] = (1, 2, 4, 8, 12, 24), scale: float = 1.0
    ) -> None:
        super().__init__()
        if not dilations or min(dilations) < 1:
            raise ValueError(f"PAMR's dilations are distances of 1 pixel and more, not {list(dilations)}")
        self.iterations = iterations
        self.dilations = tuple(dilations)
        self.scale = scale

    def __call__(self, images: Tensor, probabilities: Tensor) -> Tensor:
        """Refine (B, K, H, W) along uint8 RGB (B, 3, h, w); see `Refine`. The image is resized to the maps."""
        return cast(Tensor, super().__call__(images, probabilities))

    @torch.no_grad()
    def forward(self, images: Tensor, probabilities: Tensor) -> Tensor:
        """Work at ``scale`` times the size of the maps, and return to it."""
        dtype = torch.promote_types(probabilities.dtype, torch.float32)
        refined = torch.zeros_like(probabilities, dtype=dtype)
        # Channels that are zero in every image stay so: they are not diffused.
        present = probabilities.any(dim=3).any(dim=2).any(dim=0)
        maps = probabilities[:, present].to(dtype)
        if maps.shape[1] == 0:
            return refined
        height, width = maps.shape[-2:]
        size = (max(1, round(height * self.scale)), max(1, round(width * self.scale)))
        weights = affinities(_resize(images.to(dtype), size), self.dilations)
        maps = diffuse(_resize(maps, size), weights, self.dilations, self.iterations)
        refined[:, present] = _resize(maps, (height, width)).clamp_(0, 1)  # of a sum's rounding
        return refined


def affinities(images: Tensor, dilations: Sequence[int]) -> Tensor:
    """Weigh the neighbours of every pixel by likeness of colour.

    The softmax over all neighbours of the channel mean of −|difference| / (0.1 σ), where σ is the deviation over the
    pixel and its neighbours, the pixel counted once a dilation.

    Args:
        images: float of shape (B, 3, H, W), of any range.
        dilations: distances of the neighbours.

    Returns:
        Shape (B, 8 · len(dilations), H, W), positive, summing to 1 over the neighbours.
    """
    values = 9 * len(dilations)
    centres = len(dilations)
    # Two passes over shifted views: nine values a dilation side by side would be 54 times the image.
    mean = centres * images
    for neighbour in _neighbours(images, dilations):
        mean = mean + neighbour
    mean = mean / values
    variance = centres * (images - mean).square()
    for neighbour in _neighbours(images, dilations):
        variance += (neighbour - mean).square()
    spread = 1e-8 + 0.1 * (variance / (values - 1)).sqrt()
    unlikeness = [((neighbour - images).abs() / spread).mean(1) for neighbour in _neighbours(images, dilations)]
    return torch.stack(unlikeness, dim=1).neg_().softmax(dim=1)


def diffuse(maps: Tensor, weights: Tensor, dilations: Sequence[int], iterations: int) -> Tensor:
    """Replace each pixel of (B, K, H, W) by the weighted mean of its neighbours, ``iterations`` times."""
    for _ in range(iterations):
        spread = torch.zeros_like(maps)
        for index, neighbour in enumerate(_neighbours(maps, dilations)):
            spread.addcmul_(neighbour, weights[:, index : index + 1])  # one weight a pixel, for all channels
        maps = spread
    return maps


def _neighbours(maps: Tensor, dilations: Sequence[int]) -> Iterator[Tensor]:
    """Yield the maps shifted to each of the eight neighbours at each distance; the border repeats itself outwards."""
    height, width = maps.shape[-2:]
    reach = max(dilations)
    padded = F.pad(maps, (reach, reach, reach, reach), mode="replicate")
    for distance in dilations:
        for down in (-distance, 0, distance):
            for right in (-distance, 0, distance):
                if down or right:
                    yield padded[..., reach + down : reach + down + height, reach + right : reach + right + width]


def _resize(maps: Tensor, size: tuple[int, int]) -> Tensor:
    """Resize (B, K, H, W) as 1-stage-wseg does, corner to corner."""
    if maps.shape[-2:] == size:
        return maps
    return F.interpolate(maps, size=size, mode="bilinear", align_corners=True)
