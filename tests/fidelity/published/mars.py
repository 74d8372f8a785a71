"""Equations 1 to 7 of MARS (ICCV 2023) by the letter in float64; what the paper leaves open is said beside it."""

from __future__ import annotations

import itertools
import math

import torch
import torch.nn.functional as F

BIASED, IGNORED = 254, 255


def unit(vector):
    return vector / vector.square().sum().sqrt()


def grow(maps, size):
    """Bring (D, h, w) to (D, H, W) bilinearly, pixels' centres on cells' centres."""
    return F.interpolate(maps[None], size, mode="bilinear", align_corners=False)[0]


def cell_classes(label, grid):
    """Left open: the class that covers most of a cell; every pixel is cut into h × w parts, so that none is halved."""
    parts = label.repeat_interleave(grid[0], 0).repeat_interleave(grid[1], 1)
    height, width = label.shape
    classes = []
    for row, column in itertools.product(*map(range, grid)):
        cell = parts[row * height : (row + 1) * height, column * width : (column + 1) * width]
        values, counts = cell.masked_fill(cell == BIASED, IGNORED).unique(return_counts=True)
        classes.append(int(values[counts == counts.max()].min()))
    return classes


def two_means(points):
    """The two (or one) centres that K-means seeks: of all partitions the one with the least squares within."""
    if len(points) < 2:
        return [points[0]]
    # All partitions, a row each: the squares within are all squares less those of the parts' sums over their sizes.
    partitions = torch.arange(1, 2 ** (len(points) - 1)).view(-1, 1) >> torch.arange(len(points)) & 1
    sums = [part.double() @ points for part in (partitions, 1 - partitions)]
    sizes = [part.sum(1) for part in (partitions, 1 - partitions)]
    explained = sum(vector.square().sum(1) / size for vector, size in zip(sums, sizes, strict=True))
    best = explained.argmax()
    return [vector[best] / size[best] for vector, size in zip(sums, sizes, strict=True)]


def image_centroids(features, label, classes):
    """§3.2, K_fg = K_bg = 2: centroids by class, of cells of unit length; of the image's classes and background."""
    grid = tuple(features.shape[1:])
    cells, of_class = features.flatten(1).T, cell_classes(label, grid)
    found = {}
    for index in [0, *classes]:
        points = [unit(cell) for cell, own in zip(cells, of_class, strict=True) if own == index]
        if points:
            found[index] = [unit(centre) for centre in two_means(torch.stack(points))]
    return found


def debiased_centroids(images, alpha):
    """Eq. 1–3 over the centroids of all images: one mean vector a class."""
    background = [vector for found in images for vector in found.get(0, [])]
    classes = sorted({index for found in images for index in found} - {0})
    result = {}
    for index in classes:
        vectors = [vector for found in images for vector in found.get(index, [])]
        distances = [
            sum((1 - float(unit(vector) @ unit(other))) / 2 for other in background) / len(background)
            for vector in vectors
        ]
        order = sorted(range(len(vectors)), key=lambda place: -distances[place])
        taken = order[: math.ceil(len(vectors) * alpha)]
        result[index] = sum(vectors[place] for place in taken) / len(taken)
    return result


def debiased_map(features, centroids, size):
    """Eq. 4: the features at the image's size, the largest cosine to the centroids of its classes, ReLU."""
    grown = grow(features, size)
    result = torch.zeros(size, dtype=torch.float64)
    for y, x in itertools.product(*map(range, size)):
        cosines = [float(unit(grown[:, y, x]) @ unit(centroid)) for centroid in centroids]
        result[y, x] = max(0.0, *cosines)
    return result


def debiased_label(label, similarity):
    """Eq. 5. Left open: the refinement, here none, and its background (1 − M)²."""
    result = label.clone()
    for y, x in itertools.product(*map(range, label.shape)):
        inside = similarity[y, x] >= (1 - similarity[y, x]) ** 2
        if 0 < label[y, x] < BIASED and not inside:
            result[y, x] = BIASED
    return result


def complemented(teacher_logits, label, classes):
    """Eq. 6 and the fill before it. Left open: Yᵗᵉ among background and the image's classes.

    Args:
        teacher_logits: (K, H, W) at the image's size.
        label: (H, W) Yᵈᵇ.
        classes: of the image, background not among them.
    """
    filled, weight = label.clone(), torch.ones(label.shape, dtype=torch.float64)
    probabilities = teacher_logits.softmax(0)
    for y, x in itertools.product(*map(range, label.shape)):
        if label[y, x] == BIASED:
            filled[y, x] = max([0, *classes], key=lambda index: float(probabilities[index, y, x]))
            weight[y, x] = max(float(probabilities[index, y, x]) for index in classes)
    return filled, weight


def weighted_cross_entropy(logits, label, weight):
    """Eq. 7 over a batch of logits at the image's size. Left open: divided by the pixels that are not ignored."""
    logarithms = logits.log_softmax(1)
    total, count = torch.zeros((), dtype=torch.float64), 0
    for image, y, x in itertools.product(*map(range, label.shape)):
        if label[image, y, x] != IGNORED:
            total = total - weight[image, y, x] * logarithms[image, label[image, y, x], y, x]
            count += 1
    return total / count
