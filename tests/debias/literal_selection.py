"""Eq. 1–3 as they are read: pairs, and one class after the other, in Python's own order of (id, class, cluster)."""

from __future__ import annotations

import torch
from torch.nn.functional import cosine_similarity, normalize

from mars_pl.debias.centroids import share


def order(candidates):
    keys = list(zip(candidates.ids, candidates.classes.tolist(), candidates.clusters.tolist(), strict=True))
    return torch.tensor(sorted(range(len(keys)), key=keys.__getitem__), dtype=torch.long)


def pair_distances(candidates, background, distance="mean", k=1):
    """All pairs, (N,) float64."""
    pairs = (1 - cosine_similarity(candidates.double()[:, None], background.double()[None], dim=2)) / 2
    if distance == "mean":
        return pairs.mean(dim=1)
    return pairs.topk(1 if distance == "minimum" else min(k, len(background)), largest=False).values.mean(dim=1)


def linear_distances(candidates, background):
    """With the mean of the unit background centroids, added by NumPy in their order."""
    centre = mean(normalize(background.double(), dim=1))
    return (1 - (normalize(candidates.double(), dim=1) * centre).sum(dim=1)) / 2


def mean(vectors):
    return torch.from_numpy(vectors.double().contiguous().numpy().sum(axis=0)) / len(vectors)


def select(candidates, distances, alpha):
    """A scan of all candidates for each class."""
    selected = torch.zeros(len(candidates), dtype=torch.bool)
    rows_in_order = order(candidates)
    for index in candidates.classes.unique().tolist():
        rows = rows_in_order[candidates.classes[rows_in_order] == index]
        farthest = rows[distances[rows].argsort(descending=True, stable=True)]
        selected[farthest[: share(len(rows), alpha)]] = True
    return selected


def centroids(candidates, selected, num_classes):
    found = torch.zeros(num_classes, candidates.vectors.shape[1])
    rows_in_order = order(candidates)
    for index in range(1, num_classes):
        rows = rows_in_order[(candidates.classes[rows_in_order] == index) & selected[rows_in_order]]
        if len(rows):
            found[index] = mean(normalize(candidates.vectors[rows].double(), dim=1)).float()
    return found
