"""Nearest neighbours among images, from which STEGO draws its positive pairs (STEGO section 3.3).

The released code leaves out a tenth of the tokens' channels at random (its network stands in training mode) and takes
crops resized by the nearest pixel; here nothing is left out. On the same images the 7 nearest have a third in common.
"""

from __future__ import annotations

import warnings

import torch
import torch.nn.functional as F
from torch import Tensor

from mars_pl.uss.stego.faiss_neighbours import REMEDY, faiss_neighbours, faiss_serves

MANY = 50_000
"""Images above which FAISS is asked, where it is installed."""


def pool(tokens: Tensor) -> Tensor:
    """Describe each image by the mean of its tokens: (B, D, h, w) to unit vectors (B, D)."""
    return F.normalize(tokens.mean(dim=(-2, -1)), dim=1)


def nearest_neighbours(vectors: Tensor, k: int = 30, block: int = 1024, many: int = MANY) -> Tensor:
    """Find the images nearest to each by cosine, itself first.

    All pairs are compared: the work grows with the square of N.

    Args:
        vectors: (N, D), of unit length.
        k: how many, itself counted; 30 in STEGO.
        block: rows compared at a time: memory is block × N. FAISS takes its own.
        many: of more than so many images FAISS finds the neighbours, where it is installed and knows their device.

    Returns:
        int64 (N, min(k, N)), by falling cosine; of equals the one with the lower row comes first, but that FAISS may
        leave out any of those that share the k-th cosine.

    Raises:
        ValueError: where k is below 1.
    """
    if k < 1:
        raise ValueError(f"k counts the image itself and must be at least 1, got {k}")
    k = min(k, len(vectors))
    if len(vectors) > many:
        if faiss_serves(vectors):
            return faiss_neighbours(vectors, k)
        if not vectors.is_cuda:
            words = f"neighbours of {len(vectors):,} images without FAISS take about twice as long; {REMEDY}"
            warnings.warn(words, stacklevel=2)
    return _all_pairs(vectors, k, block)


def _all_pairs(vectors: Tensor, k: int, block: int) -> Tensor:
    total = len(vectors)
    found = torch.empty(total, k, dtype=torch.int64)
    for start in range(0, total, block):
        cosine = vectors[start : start + block] @ vectors.T
        rows = torch.arange(len(cosine), device=cosine.device)
        cosine[rows, start + rows] = torch.inf  # itself, before an equal image
        found[start : start + block] = _largest(cosine, k).cpu()
    return found


def _largest(values: Tensor, k: int) -> Tensor:
    """Columns of the k largest of each row, by falling value, then by rising column (topk alone leaves ties open)."""
    # Columns rise before the stable sort by value, so equal values keep the lower column first.
    columns = values.topk(k, dim=1).indices.sort(dim=1).values
    order = values.gather(1, columns).sort(dim=1, descending=True, stable=True)
    columns = columns.gather(1, order.indices)
    # Where more columns equal the k-th value than fit, topk may have taken any of them: sort those rows in full.
    tied = (values >= order.values[:, -1:]).sum(dim=1) > k
    if tied.any():
        columns[tied] = values[tied].sort(dim=1, descending=True, stable=True).indices[:, :k]
    return columns
