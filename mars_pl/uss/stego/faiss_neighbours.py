"""Nearest neighbours among many crops by FAISS: exact, on the processor or a GPU."""

from __future__ import annotations

from importlib.util import find_spec

import torch
from torch import Tensor

REMEDY = "pip install 'mars-pl[faiss]'"


def faiss_serves(vectors: Tensor) -> bool:
    """Tell whether FAISS is installed and searches where ``vectors`` lie; its builds for processors know no GPU."""
    if find_spec("faiss") is None:
        return False
    import faiss

    return not vectors.is_cuda or (hasattr(faiss, "StandardGpuResources") and faiss.get_num_gpus() > 0)


def faiss_neighbours(vectors: Tensor, k: int) -> Tensor:
    """Find the images nearest to each by cosine, itself first, as ``nearest_neighbours`` does.

    FAISS compares all pairs as well, but sorts while it multiplies, so that no row of N cosines is held. Of equals at
    the k-th place it may keep another than the lowest row.

    Args:
        vectors: (N, D) float32 of unit length, where ``faiss_serves`` says so.
        k: how many, itself counted, 1 ≤ k ≤ N.

    Returns:
        int64 (N, k), by falling cosine; of equals the one with the lower row comes first.
    """
    import faiss

    points = vectors.detach().float().cpu().contiguous().numpy()
    if vectors.is_cuda:
        resources = faiss.StandardGpuResources()
        cosines, rows = faiss.knn_gpu(
            resources, points, points, k, metric=faiss.METRIC_INNER_PRODUCT, device=vectors.device.index or 0
        )
    else:
        faiss.omp_set_num_threads(torch.get_num_threads())  # the share of the cores that this process has
        cosines, rows = faiss.knn(points, points, k, metric=faiss.METRIC_INNER_PRODUCT)
    return itself_first(torch.from_numpy(rows).long(), torch.from_numpy(cosines))


def itself_first(rows: Tensor, cosines: Tensor) -> Tensor:
    """Bring each row's own number to the front and the others into order; one that is not there takes the last's place.

    Args:
        rows: int64 (N, k), the nearest of row i.
        cosines: (N, k), theirs.
    """
    own = torch.arange(len(rows))[:, None]
    found = rows == own
    # Of more than k equal images FAISS may have left out the image itself: it takes the place of the least.
    found[:, -1] |= ~found.any(dim=1)
    rows, cosines = torch.where(found, own, rows), cosines.masked_fill(found, torch.inf)
    # Rows rise before the stable sort by cosine, so equal cosines keep the lower row first.
    rows, order = rows.sort(dim=1)
    order = cosines.gather(1, order).sort(dim=1, descending=True, stable=True).indices
    return rows.gather(1, order)
