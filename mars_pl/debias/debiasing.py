"""One image, from its features to its debiased label (paper §3.3, Eq. 4–5)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from mars_pl.debias.defaults import (
    BIASED_INDEX,
    EXPONENT,
    IGNORE_INDEX,
    LIFT,
    LIFT_QUANTILE,
    NORMALISE,
    TEMPERATURE,
    UPSAMPLE,
    Upsample,
)
from mars_pl.debias.kinds.sides import Sides, both_sides_map
from mars_pl.debias.similarity import debiased_label, debiased_map, debiased_mask
from mars_pl.refine.protocol import Refine


def map_image(
    features: Callable[[], Tensor],
    classes: Tensor,
    centroids: Tensor,
    size: tuple[int, int],
    *,
    upsample: Upsample = UPSAMPLE,
    normalise: bool = NORMALISE,
    sides: Sides | None = None,
    temperature: float = TEMPERATURE,
    label: Tensor | None = None,
    lift: float = LIFT,
    lift_quantile: float = LIFT_QUANTILE,
) -> Tensor:
    """Make M̂ᵈᵇ of one image from the debiased centroids of its classes.

    An image none of whose classes has a centroid cannot be judged: its map is all ones, its label stays as it is.
    An image without classes has an empty maximum: its map is all zeros.

    Args:
        features: gives (D, h, w) dense features of the whole image; called only where there is something to judge.
        classes: (C,), not zero where the image shows the foreground class of that place.
        centroids: (1 + C, D), a row of zeros where a class has none; row 0, background's, takes no part.
        size: (H, W) of the image.
        upsample: see ``debiased_map``.
        normalise: see ``debiased_map``.
        sides: hold the target against companions and background (ours); None, as the paper does, against nothing.
        temperature: see ``both_sides_map``.
        label: (H, W) class indices Yᵇ, which ``lift`` asks for.
        lift: see ``lifted``; not for ``sides``.
        lift_quantile: likewise.

    Returns:
        (H, W) float32 in [0, 1], where the features are.
    """
    present = classes.nonzero().flatten() + 1
    rows = centroids[present]
    known = rows.any(dim=1)
    if len(present) and not bool(known.any()):
        return torch.ones(size, device=centroids.device)
    dense = features()
    if sides is not None:
        targets, others = sides.of_classes(present)
        if len(targets):  # a class of which none was sampled has its one centroid alone
            return both_sides_map(dense, targets, others, size, temperature=temperature, upsample=upsample)
    regions = None
    if lift and label is not None:
        regions = label.to(dense.device) == present[known].to(dense.device)[:, None, None]
    return debiased_map(
        dense,
        rows[known].to(dense.device),
        size,
        upsample=upsample,
        normalise=normalise,
        regions=regions,
        lift=lift,
        lift_quantile=lift_quantile,
    )


def label_image(
    label: Tensor,
    similarity: Tensor,
    image: Tensor,
    refine: Refine | None = None,
    exponent: float = EXPONENT,
    *,
    biased_index: int = BIASED_INDEX,
    ignore_index: int = IGNORE_INDEX,
    whole: Sequence[int] = (),
) -> Tensor:
    """Mark the biased pixels of one pseudo label: the map refined along the image, and Eq. 5.

    Args:
        label: (H, W) class indices Yᵇ.
        similarity: (H, W) in [0, 1], M̂ᵈᵇ; the refinement works where it is.
        image: uint8 (3, H, W) RGB.
        refine: see ``debiased_mask``.
        exponent: γ, see ``mask_probabilities``.
        biased_index: the code that stands for −1.
        ignore_index: stays as it is.
        whole: see ``debiased_label``.

    Returns:
        (H, W) Yᵈᵇ of ``label``'s type, where ``label`` is.
    """
    mask = debiased_mask(similarity, image.to(similarity.device), refine, exponent).to(label.device)
    return debiased_label(label, mask, biased_index=biased_index, ignore_index=ignore_index, whole=whole)
