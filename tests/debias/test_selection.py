"""The selection by one sort and sums in parts, against the literal one: on random tables and on those of the edge."""

import pytest
import torch
from torch.nn.functional import normalize

from mars_pl.debias.centroids import Candidates, class_means, select
from mars_pl.debias.distance import find_background
from mars_pl.debias.selection import select_centroids
from tests.debias import literal_selection as literal


def random_table(seed, images, num_classes, dim=5, grid=None):
    """Candidates in no order, with ids whose order is not that of their numbers; `grid` rounds vectors into ties."""
    draw = torch.Generator().manual_seed(seed)
    keys = []
    for image in torch.randperm(images, generator=draw).tolist():
        name = ("ä" if image % 7 == 0 else "b/" if image % 3 else "B") + str(image)
        shown = torch.randperm(num_classes - 1, generator=draw)[: 1 + image % 3] + 1
        keys += [(name, index, cluster) for index in [0, *shown.tolist()] for cluster in range(1 + image % 2)]
    mixed = torch.randperm(len(keys), generator=draw).tolist()
    ids, classes, clusters = zip(*(keys[row] for row in mixed), strict=True)
    vectors = torch.randn(len(keys), dim, generator=draw) * 10
    if grid is not None:
        vectors = (vectors / grid).round() + (vectors.abs().sum(1) < grid)[:, None]
    pixels = torch.arange(len(keys))
    return Candidates(ids, torch.tensor(classes), torch.tensor(clusters), pixels, normalize(vectors, dim=1))


TABLES = {
    "random": (random_table(0, 200, 6), 6, 0.4),
    "ties": (random_table(1, 200, 5, dim=2, grid=12), 5, 0.4),
    "all selected": (random_table(2, 60, 4), 4, 1.0),
    "hardly any selected": (random_table(3, 60, 4), 4, 1e-6),
    "classes without candidates": (random_table(4, 10, 40), 300, 0.4),
    "one image": (random_table(5, 1, 3), 3, 0.4),
    "one number a vector": (random_table(6, 50, 4, dim=1), 4, 0.3),
}


@pytest.mark.parametrize("name", TABLES)
def test_the_same_rows_and_sums_as_the_literal_selection(name):
    candidates, num_classes, alpha = TABLES[name]
    found = select_centroids(candidates, num_classes, alpha)
    ordered = candidates.take(literal.order(candidates))
    foreground, background = ordered.take(ordered.classes > 0), ordered.take(ordered.classes == 0)
    assert found.foreground.ids == foreground.ids and torch.equal(found.foreground.vectors, foreground.vectors)
    assert torch.equal(found.foreground.pixels, foreground.pixels)
    assert torch.allclose(
        found.distances, literal.pair_distances(foreground.vectors, background.vectors), atol=1e-14, rtol=0
    )
    if candidates.vectors.shape[1] > 1:  # NumPy adds numbers of one column in pairs
        assert torch.equal(found.distances, literal.linear_distances(foreground.vectors, background.vectors))
    # ties of distances that are equal only in exact arithmetic are those of the distances at hand
    assert torch.equal(found.selected, literal.select(foreground, found.distances, alpha))
    wanted = literal.centroids(foreground, found.selected, num_classes)
    wanted[0] = literal.mean(background.vectors).float()
    if candidates.vectors.shape[1] > 1:
        assert torch.equal(found.centroids, wanted)
    assert torch.allclose(found.centroids, wanted, atol=1e-6)
    counts = foreground.classes[found.selected].bincount(minlength=num_classes)
    assert found.counts.tolist() == [len(background), *counts[1:].tolist()]


def test_the_random_tables_have_ties_and_classes_of_one_candidate():
    candidates, _, alpha = TABLES["ties"]
    distances = select_centroids(candidates, 5, alpha).distances
    assert len(distances.unique()) < len(distances) / 2
    assert 1 in TABLES["classes without candidates"][0].classes.bincount().tolist()


@pytest.mark.parametrize("distance", ["mean", "minimum", "nearest"])
@pytest.mark.parametrize("parts", [1, 7, 10_000])
def test_however_a_table_is_cut_its_selection_is_the_same_to_the_last_bit(parts, distance):
    candidates = random_table(7, 700, 6)
    candidates = candidates.take(candidates.order())
    size = -(-len(candidates) // parts)
    table = list(zip(candidates.classes.int().split(size), candidates.vectors.split(size), strict=True))
    background = find_background(table, distance, 3)
    distances = background.distances(iter(table))
    selected = select(candidates.classes[candidates.classes > 0], distances, 0.4)
    centroids, _ = class_means(table, selected, 6)
    whole = select_centroids(candidates, 6, 0.4, distance, 3)
    assert torch.equal(distances, whole.distances) and torch.equal(selected, whole.selected)
    assert torch.equal(centroids[1:], whole.centroids[1:])
    assert torch.equal(background.mean.float(), whole.centroids[0])


def test_the_order_of_rows_does_not_matter():
    candidates, num_classes, alpha = TABLES["random"]
    shuffled = candidates.take(torch.randperm(len(candidates), generator=torch.Generator().manual_seed(2)))
    first, second = (select_centroids(one, num_classes, alpha) for one in (candidates, shuffled))
    assert torch.equal(first.centroids, second.centroids)
    assert torch.equal(first.selected, second.selected) and first.foreground.ids == second.foreground.ids


def test_what_is_not_finite_reaches_the_centroid_and_is_not_passed_over():
    classes, vectors = torch.tensor([0, 1, 1, 1]), torch.eye(4)
    vectors[3] = torch.nan
    candidates = Candidates(("a", "a", "b", "c"), classes, torch.zeros(4).long(), torch.ones(4).long(), vectors)
    assert select_centroids(candidates, 2, 0.4).centroids[1].isnan().all()
