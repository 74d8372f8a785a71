"""Dense CRF in plain PyTorch: mean-field inference with both kernels on permutohedral lattices, on any device."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor

from mars_pl.refine.dense_crf import CRFSettings, named_settings
from mars_pl.refine.permutohedral import PermutohedralLattice
from mars_pl.refine.protocol import Refine

BLOCK_PIXELS = 2**22
"""Pixels refined at a time off the CPU: sixteen crops of 512 × 512."""


class TorchDenseCRF(Refine):
    """Refine batches by the dense CRF of `DenseCRF`, without pydensecrf and where the maps are.

    Args:
        preset: the settings of a published system, one of `NAMED`.
        scale: of both reaches in pixels, for images that are not of VOC's size (500 pixels).
        tolerance: share of an image's pixels whose label may differ from that of all steps: the image is done when the
            steps left, at the pace of the last one, would change the label of no more. Steps change ever fewer, so
            that fewer differ than it allows. ``None`` takes all steps.

    Raises:
        ValueError: where no settings have that name, or the tolerance is no share.
    """

    def __init__(self, preset: str = "deeplab", scale: float = 1.0, tolerance: float | None = None) -> None:
        if tolerance is not None and not 0 <= tolerance < 1:
            raise ValueError(f"the dense CRF's tolerance is a share of the pixels, in [0, 1), not {tolerance}")
        self.settings = named_settings(preset, scale)
        self.tolerance = tolerance

    @torch.no_grad()
    def __call__(self, images: Tensor, probabilities: Tensor) -> Tensor:
        """Refine (B, K, H, W) along uint8 RGB (B, 3, H, W); see `Refine`.

        Raises:
            ValueError: where the sizes of images and probabilities differ.
        """
        if images.shape[-2:] != probabilities.shape[-2:]:
            sizes = ["×".join(map(str, tensor.shape[-2:])) for tensor in (images, probabilities)]
            raise ValueError(f"images of {sizes[0]} cannot refine maps of {sizes[1]}; resize one of them")
        refined = probabilities.to(torch.float32, copy=True)
        present = refined.flatten(2).any(dim=2)
        counts = present.sum(dim=1)
        rows = (counts > 1).nonzero().flatten()  # one label has nothing to compete with
        pixels = images.to(refined.device, torch.uint8)
        # On a CPU an image at a time: its lattice stays in the cache.
        size = 1 if refined.device.type == "cpu" else max(1, BLOCK_PIXELS // max(1, refined.shape[-2:].numel()))
        for block in rows.split(size) if len(rows) else ():
            # An image's own labels come first, so that a batch holds as many as its fullest image.
            slots = int(counts[block].max())
            chosen = present[block].sort(dim=1, descending=True, stable=True).indices[:, :slots]
            places = (block[:, None], chosen)
            maps, taking_part = refined[places], present[places]
            found = mean_field(pixels[block], maps, taking_part, self.settings, self.tolerance)
            refined[places] = torch.where(taking_part[..., None, None], found, maps)
        return refined


def mean_field(
    images: Tensor,
    probabilities: Tensor,
    taking_part: Tensor,
    settings: CRFSettings,
    tolerance: float | None = None,
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
    unary = probabilities.clamp(1e-5, 1).log().flatten(2).masked_fill_(~taking_part[..., None], -torch.inf)
    unary = unary.transpose(0, 1).contiguous()  # (K, B, N)
    smoothness = _smoothness(height, width, settings.gaussian_sxy, settings.gaussian_compat, images.device)
    appearance = _appearance(images, settings)
    found = unary.softmax(dim=0)
    leading = found == found.amax(dim=0)
    moving = torch.ones(batch, 1, dtype=torch.bool, device=images.device)
    for left in range(settings.iterations - 1, -1, -1):
        # A softmax sees differences only: those to the first label are filtered, one channel fewer.
        differences = found[1:] - found[:1]
        messages = appearance.filter(differences.flatten(1)).view_as(differences)
        messages += smoothness.filter(differences.flatten(0, 1)).view_as(differences)
        logits = unary.clone()
        logits[1:] += messages
        before, found = found, logits.softmax(dim=0)
        if tolerance is None:
            continue
        found = torch.where(moving, found, before)  # a batch gives what single images give
        ahead = leading
        leading = found == found.amax(dim=0)
        moving &= left * (leading != ahead).any(dim=0).float().mean(dim=1, keepdim=True) > tolerance
        if not bool(moving.any()):
            break
    return found.transpose(0, 1).reshape(batch, labels, height, width)


@lru_cache(maxsize=4)
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


def _positions(height: int, width: int, sxy: float, device: torch.device) -> list[Tensor]:
    """Return the columns and the rows of all pixels, (H · W,) each, in reaches."""
    rows, columns = (torch.arange(side, dtype=torch.float32, device=device) / sxy for side in (height, width))
    return [columns.repeat(height), rows.repeat_interleave(width)]
