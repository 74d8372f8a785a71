"""From debiased centroids to debiased labels (paper §3.3, Eq. 4–5)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from mars_pl.debias.defaults import EXPONENT, LIFT, LIFT_QUANTILE, NORMALISE, UPSAMPLE, Upsample
from mars_pl.refine.protocol import Refine

BLOCK_VALUES = 2**24
"""Upsampled values held at a time: 64 MiB, where a 500 × 500 image with 384 channels has 366, several times."""

FAINT = 0.05
"""A similarity below which nothing is lifted further: noise would become an object."""


def debiased_map(
    features: Tensor,
    centroids: Tensor,
    size: tuple[int, int],
    *,
    upsample: Upsample = UPSAMPLE,
    normalise: bool = NORMALISE,
    regions: Tensor | None = None,
    lift: float = LIFT,
    lift_quantile: float = LIFT_QUANTILE,
) -> Tensor:
    """Eq. 4: each pixel's largest cosine to the debiased centroids of the image's classes, negative values cut off.

    Args:
        features: (D, h, w) dense features that cover the whole image.
        centroids: (K, D), the image's foreground classes only; K = 0 gives zeros: no class, no object.
        size: (H, W) of the image.
        upsample: ``features`` takes cosines at the image's size, as the paper writes it; ``similarity`` takes them on
            the grid and upsamples them, which is cheaper and nearly the same.
        regions: bool (K, H, W), each class's pixels in the pseudo label; None, as the paper has it, lifts nothing.
        lift: see ``lifted``.
        lift_quantile: likewise.
        normalise: spread the map to [0, 1] by its own minimum and maximum; for features whose cosines keep far from .5.

    Returns:
        (H, W) float32 in [0, 1].

    Raises:
        ValueError: where features and centroids differ in D.
    """
    if features.shape[0] != centroids.shape[1]:
        raise ValueError(
            f"features have {features.shape[0]} channels, centroids {centroids.shape[1]}: "
            "use the dense features the centroids were made with"
        )
    if len(centroids) == 0:
        return features.new_zeros(size, dtype=torch.float32)
    centroids = F.normalize(centroids.float(), dim=1)
    if regions is None:
        similarity = map_pixels(features, size, lambda cells: largest_cosine(cells, centroids), upsample)
        similarity = similarity.clamp(0, 1)  # ReLU; cosines pass 1 by float error only
    else:
        maps = map_pixels(features, size, lambda cells: cosines(cells, centroids), upsample).clamp(0, 1)
        similarity = lifted(maps, regions, lift, lift_quantile).amax(dim=0)
    if normalise:
        low, high = similarity.min(), similarity.max()
        similarity = (similarity - low) / (high - low) if high > low else similarity
    return similarity


def lifted(maps: Tensor, regions: Tensor, least: float, quantile: float) -> Tensor:
    """Multiply each class's map so that its region reaches ``least`` at a quantile; never down (ours).

    The image label says that the class is there. Where an object is unlike the class's one centroid, a grey horse among
    brown ones, Eq. 5 would take all of it; what is most like the class stays.

    Args:
        maps: (K, H, W) in [0, 1], of the image's classes.
        regions: bool (K, H, W); a class without region stays as it is.
        least: similarity in (0, 1].
        quantile: in (0, 1]; .9 looks at the tenth of the region that is most like the class.

    Returns:
        (K, H, W) in [0, 1].
    """
    factors = torch.ones(len(maps), dtype=maps.dtype, device=maps.device)
    for index, (similarity, region) in enumerate(zip(maps, regions, strict=True)):
        inside = similarity[region]
        if len(inside):
            reached = inside.kthvalue(max(1, math.ceil(quantile * len(inside)))).values
            factors[index] = (least / reached.clamp(min=FAINT)).clamp(min=1)
    return (maps * factors[:, None, None]).clamp(max=1)


def check_lift(lift: float, quantile: float) -> None:
    """Raise ValueError where ``lifted`` could not work with these."""
    if not (0 <= lift <= 1 and 0 < quantile <= 1):
        raise ValueError(f"lift {lift}, lift_quantile {quantile}: similarity and quantile go from 0 to 1")


def map_pixels(
    features: Tensor, size: tuple[int, int], measure: Callable[[Tensor], Tensor], upsample: Upsample = UPSAMPLE
) -> Tensor:
    """Measure every pixel of an image, (H, W) or (K, H, W) float32, from dense features (D, h, w).

    Args:
        features: of the whole image.
        size: (H, W).
        measure: float32 (D, h', w') to (h', w') or (K, h', w'); a pixel's values depend on its own features alone.
        upsample: see ``debiased_map``.
    """
    features = features.float()
    with torch.autocast(features.device.type, enabled=False):  # half-precision cosines would move the cut
        if upsample == "features":
            rows = max(1, BLOCK_VALUES // (features.shape[0] * size[1]))
            starts = range(0, size[0], rows)
            return torch.cat([measure(_upsample_rows(features, size, start, rows)) for start in starts], dim=-2)
        coarse = measure(features)
        several = coarse.reshape(1, -1, *coarse.shape[-2:])  # one map or one a class, as channels
        grown = F.interpolate(several, size, mode="bilinear", align_corners=False)
        return grown.reshape(*coarse.shape[:-2], *size)


def largest_cosine(features: Tensor, unit_centroids: Tensor) -> Tensor:
    """Map (D, h, w) and (K, D) to (h, w)."""
    return cosines(features, unit_centroids).amax(dim=0)


def cosines(features: Tensor, unit_centroids: Tensor) -> Tensor:
    """Map (D, h, w) and (K, D) to (K, h, w)."""
    return torch.einsum("kd,dhw->khw", unit_centroids, features) / features.norm(dim=0).clamp(min=1e-12)


def _upsample_rows(features: Tensor, size: tuple[int, int], start: int, count: int) -> Tensor:
    """Upsample (D, h, w) bilinearly to ``size``, corners not aligned, and return ``count`` rows from ``start`` on."""
    height = features.shape[1]
    row = torch.arange(start, min(start + count, size[0]), device=features.device, dtype=features.dtype)
    source = ((row + 0.5) * (height / size[0]) - 0.5).clamp(min=0)
    above = source.long().clamp(max=height - 1)
    below = (above + 1).clamp(max=height - 1)
    fraction = (source - above)[:, None]
    narrow = torch.lerp(features[:, above], features[:, below], fraction)
    return F.interpolate(narrow[None], (narrow.shape[1], size[1]), mode="bilinear", align_corners=False)[0]


def mask_probabilities(similarity: Tensor, exponent: float = EXPONENT) -> Tensor:
    """Turn the map M into two labels that sum to 1: not the object (1 − M)^γ, the object M.

    γ = 2 puts the even point at M = .382, γ = 1 at .5.

    Args:
        similarity: (H, W) in [0, 1].
        exponent: γ.

    Returns:
        (2, H, W) float32: background first.
    """
    both = torch.stack([(1 - similarity) ** exponent, similarity])
    return both / both.sum(dim=0, keepdim=True)


def debiased_mask(
    similarity: Tensor, image: Tensor, refine: Refine | None = None, exponent: float = EXPONENT
) -> Tensor:
    """Make the binary debiased mask Mᵈᵇ: the map as two labels, refined along the image, and the likelier one taken.

    Args:
        similarity: (H, W) in [0, 1].
        image: uint8 (3, H, W) RGB, for the refinement.
        refine: dense CRF or PAMR; None cuts the map where both labels are even.
        exponent: γ of ``mask_probabilities``.

    Returns:
        (H, W) bool; True, also where both are even: this pixel is the object.
    """
    probabilities = mask_probabilities(similarity, exponent)
    if refine is not None:
        probabilities = refine(image[None], probabilities[None])[0]
    return probabilities[1] >= probabilities[0]


def debiased_label(
    label: Tensor, mask: Tensor, *, biased_index: int, ignore_index: int, whole: Sequence[int] = ()
) -> Tensor:
    """Eq. 5: mark foreground pixels outside the debiased mask as biased, the paper's −1.

    Args:
        label: (H, W) class indices Yᵇ.
        mask: (H, W) bool Mᵈᵇ.
        biased_index: the code that stands for −1.
        ignore_index: stays as it is.
        whole: classes that lose nothing (ours; none in the paper).

    Returns:
        (H, W) Yᵈᵇ of ``label``'s type.
    """
    foreground = (label > 0) & (label != ignore_index)
    for index in whole:
        foreground &= label != index
    return torch.where(foreground & ~mask, torch.as_tensor(biased_index, dtype=label.dtype, device=label.device), label)
