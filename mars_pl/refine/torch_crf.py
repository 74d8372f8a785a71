"""Dense CRF in plain PyTorch: mean-field inference with both kernels on permutohedral lattices, on any device."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import torch
from torch import Tensor

from mars_pl.refine.dense_crf import CRFSettings, named_settings
from mars_pl.refine.permutohedral import PermutohedralLattice
from mars_pl.refine.protocol import Refine

BLOCK_PIXELS = 2**22
"""Pixels refined at a time off the CPU, sixteen crops of 512 × 512: their lattices take 2 GiB with DeepLab's settings."""


class TorchDenseCRF(Refine):
    """Refine batches by the dense CRF of `DenseCRF`, without pydensecrf and where the maps are.

    Args:
        preset: the settings of a published system, one of `NAMED`.
        scale: of both reaches in pixels, for images that are not of VOC's size (500 pixels).
        tolerance: an image is done when no probability changes by more in a mean-field step; 0 takes all steps.

    Raises:
        ValueError: where no settings have that name.
    """

    def __init__(self, preset: str = "deeplab", scale: float = 1.0, tolerance: float = 0.0) -> None:
        self.settings = named_settings(preset, scale)
        self.tolerance = tolerance

    @torch.no_grad()
    def __call__(self, images: Tensor, probabilities: Tensor) -> Tensor:
        """Refine (B, K, H, W) along uint8 RGB (B, 3, H, W); see `Refine`.

        Raises:
            ValueError: where the sizes of images and probabilities differ.
        """
        if images.shape[-2:] != probabilities.shape[-2:]:
            sizes = (f"{tuple(maps.shape[-2:])}" for maps in (images, probabilities))
            raise ValueError("images of {} cannot refine maps of {}; resize one of them".format(*sizes))
        refined = probabilities.to(torch.float32, copy=True)
        present = refined.flatten(2).any(dim=2)
        counts = present.sum(dim=1)
        rows = (counts > 1).nonzero().flatten()  # one label has nothing to compete with
        pixels = refined.shape[-2] * refined.shape[-1]
        # On a CPU an image at a time: its lattice stays in the cache.
        size = 1 if refined.device.type == "cpu" else max(1, BLOCK_PIXELS // max(1, pixels))
        for block in rows.split(size):
            # An image's own labels come first, so that a batch holds as many as its fullest image.
            slots = int(counts[block].max())
            chosen = present[block].sort(dim=1, descending=True, stable=True).indices[:, :slots]
            places = (block[:, None], chosen)
            maps, taking_part = refined[places], present[places]
            found = mean_field(images[block].to(refined.device), maps, taking_part, self.settings, self.tolerance)
            refined[places] = torch.where(taking_part[..., None, None], found, maps)
        return refined


def mean_field(
    images: Tensor, probabilities: Tensor, taking_part: Tensor, settings: CRFSettings, tolerance: float = 0.0
) -> Tensor:
    """Run mean-field inference on a batch.

    Args:
        images: uint8 RGB of shape (B, 3, H, W).
        probabilities: float32 of shape (B, K, H, W) in [0, 1]; the first label takes part in each image.
        taking_part: bool (B, K), False for labels that do not compete in that image.
        settings: of the pairwise potentials.
        tolerance: see `TorchDenseCRF`.

    Returns:
        Shape (B, K, H, W), summing to 1 over the labels; 0 for those that do not take part.
    """
    batch, labels, height, width = probabilities.shape
    energy = -probabilities.clamp(1e-5, 1).log().flatten(2)
    unary = energy.masked_fill_(~taking_part[..., None], torch.inf).neg_().transpose(0, 1).contiguous()
    smoothness = _smoothness(height, width, settings.gaussian_sxy, settings.gaussian_compat, images.device)
    appearance = _appearance(images, settings)
    found = unary.softmax(dim=0)  # (K, B, N)
    moving = torch.ones(batch, dtype=torch.bool, device=images.device)
    for _ in range(settings.iterations):
        # A softmax sees differences only: those to the first label are filtered, one channel fewer.
        differences = found[1:] - found[:1]
        messages = appearance.filter(differences.flatten(1)).view_as(differences)
        messages += smoothness.filter(differences.flatten(0, 1)).view_as(differences)
        logits = unary.clone()
        logits[1:] += messages
        after = logits.softmax(dim=0)
        if tolerance > 0:
            change = (after - found).abs().amax(dim=(0, 2))
            after = torch.where(moving[:, None], after, found)  # a batch gives what single images give
            moving &= change > tolerance
        found = after
        if tolerance > 0 and not bool(moving.any()):
            break
    return found.transpose(0, 1).reshape(batch, labels, height, width)


@lru_cache(maxsize=2)
def _smoothness(height: int, width: int, sxy: float, compat: float, device: torch.device) -> PermutohedralLattice:
    """Build the kernel of the smoothness term, the same for all images of a size."""
    points = torch.stack(_positions(height, width, sxy, device))
    return PermutohedralLattice.around(points[None]).normalised(compat)


def _appearance(images: Tensor, settings: CRFSettings) -> PermutohedralLattice:
    """Build the kernel of the appearance term; of one image on a CPU it is kept, for labels at other scores."""
    reaches = (settings.bilateral_sxy, settings.bilateral_srgb, settings.bilateral_compat)
    if images.device.type == "cpu" and len(images) == 1:
        return _kept_appearance(images.numpy().tobytes(), *images.shape[-2:], *reaches)
    return _bilateral(images, *reaches)


@lru_cache(maxsize=1)
def _kept_appearance(image: bytes, height: int, width: int, *reaches: float) -> PermutohedralLattice:
    pixels = torch.frombuffer(bytearray(image), dtype=torch.uint8).view(1, 3, height, width)
    return _bilateral(pixels, *reaches)


def _bilateral(images: Tensor, sxy: float, srgb: float, compat: float) -> PermutohedralLattice:
    batch, _, height, width = images.shape
    positions = torch.stack(_positions(height, width, sxy, images.device)).expand(batch, -1, -1)
    points = torch.cat([positions, images.flatten(2) / srgb], dim=1)
    return PermutohedralLattice.around(points).normalised(compat)


def _positions(height: int, width: int, sxy: float, device: torch.device) -> Sequence[Tensor]:
    """Return the columns and the rows of all pixels, (H · W,) each, in reaches."""
    rows, columns = (torch.arange(side, dtype=torch.float32, device=device) / sxy for side in (height, width))
    return columns.repeat(height), rows.repeat_interleave(width)
