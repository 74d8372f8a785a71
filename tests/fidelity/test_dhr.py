"""DHR's label making beside a literal one (shjo-april/DHR, core/ot_utils.py and train.py, with the slips it names).

The published train.py does not run: it reads `args.dataset[tag]`, stacks a tensor, and calls a transform's name.
"""

import numpy as np
import pytest
import torch

from mars_pl.segment.dhr.rebalancing import Rebalancing
from mars_pl.segment.dhr.seeds import activations, seed_maps
from mars_pl.segment.dhr.transport import class_shares

PATCH, GRID, CLASSES = 4, 10, 4


def literal_shares(similarity):
    """Sinkhorn without logarithms on (M, N), each column brought to [0, 1]."""
    kernel = np.exp((similarity - 1) / 0.1)
    cells, classes = kernel.shape
    row, column = np.ones(cells), np.ones(classes)
    for _ in range(100):
        before = row
        row = 1 / cells / (kernel @ column)
        column = 1 / classes / (kernel.T @ row)
        if abs(row - before).mean() < 1e-2:
            break
    plan = row[:, None] * kernel * column
    low, high = plan.min(axis=0), plan.max(axis=0)
    return (plan - low) / np.maximum(high - low, 1e-5)


def unit(vectors, axis):
    return vectors / np.linalg.norm(vectors, axis=axis, keepdims=True)


def unit_range(maps):
    low, high = maps.min(axis=(1, 2), keepdims=True), maps.max(axis=(1, 2), keepdims=True)
    return (maps - low) / (high - low)


def literal_vectors(features, label):
    """Patch by patch: each goes to the class of most of its pixels."""
    found = {}
    for y in range(GRID):
        for x in range(GRID):
            patch = label[y * PATCH : (y + 1) * PATCH, x * PATCH : (x + 1) * PATCH]
            classes, counts = np.unique(patch, return_counts=True)
            index = classes[counts.argmax()]
            if index != 255:
                found.setdefault(int(index), []).append(features[:, y, x])
    return {index: np.mean(found[index], axis=0) for index in sorted(found)}


def literal_cosines(features, vectors):
    return unit_range(np.einsum("kd,dhw->khw", unit(np.stack(vectors), 1), unit(features, 0)))


def times_shares(maps, of):
    shares = literal_shares(of.reshape(len(of), -1).T)
    return maps * shares.T.reshape(maps.shape)


def literal_maps(label, features, layers):
    means = literal_vectors(features, label)
    vectors = unit(np.stack(list(means.values())), 1)
    maps = literal_cosines(features, list(means.values()))
    finer = []
    for layer in layers:
        of_classes = literal_vectors(layer, label)
        finer.append(literal_cosines(layer, [of_classes[index] for index in means]))
    finer = unit_range(np.mean(finer, axis=0))
    for first in range(len(vectors)):
        group = [other for other in range(first, len(vectors)) if max(vectors[first] @ vectors[other], 0) > 0.8]
        if len(group) > 1:
            maps[group] = times_shares(maps[group], finer[group])
    return list(means), unit_range(times_shares(maps, maps))


@pytest.mark.parametrize("seed", range(10))
def test_similarities_to_shares_and_scores_to_seed_maps(seed):
    scores = torch.randn(3, 12, 12, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    positive = scores.clamp(min=0) / scores.amax(dim=(1, 2), keepdim=True)
    expected = times_shares(positive.numpy(), positive.numpy())
    assert np.allclose(seed_maps(activations(scores), class_shares), expected, atol=1e-12)


@pytest.mark.parametrize("seed", range(10))
def test_label_and_features_to_the_maps_of_super_and_sub_classes(seed):
    generator = torch.Generator().manual_seed(seed)
    cells = torch.randint(0, CLASSES, (GRID, GRID), generator=generator)
    label = cells.repeat_interleave(PATCH, 0).repeat_interleave(PATCH, 1)
    noisy = torch.rand(label.shape, generator=generator) < 0.2
    label = torch.where(noisy, torch.randint(0, CLASSES, label.shape, generator=generator), label)
    label[:PATCH] = 255
    means = torch.randn(CLASSES, 12, generator=generator, dtype=torch.float64)
    means[1] = means[0] + 0.2 * means[1]  # a super-class of two
    noise = torch.randn(3, 12, GRID, GRID, generator=generator, dtype=torch.float64)
    features = means[cells].permute(2, 0, 1) + 0.3 * noise[0]
    layers = [noise[1], noise[2]]
    classes, expected = literal_maps(label.numpy(), features.numpy(), [layer.numpy() for layer in layers])
    found, maps = Rebalancing().class_maps(label, features, layers, CLASSES)
    assert found == classes
    assert np.allclose(maps, np.maximum(expected, 1e-5), atol=1e-12)
