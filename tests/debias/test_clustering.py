import math

import pytest
import torch
from threadpoolctl import threadpool_limits

from mars_pl.debias.clustering import cluster_regions, image_seed, kmeans

BOTH = pytest.mark.parametrize("clustering", ["scikit-learn", "batched"])


def blobs(*sizes, seed=0):
    """Points around (10, 0), (0, 10), (-10, 0), …: as many as `sizes` says."""
    generator = torch.Generator().manual_seed(seed)
    centres = [torch.tensor([10.0, 0.0]), torch.tensor([0.0, 10.0]), torch.tensor([-10.0, 0.0])]
    return torch.cat([c + 0.1 * torch.randn(n, 2, generator=generator) for c, n in zip(centres, sizes, strict=False)])


def cluster_region(cells, region, **settings):
    """Of one region alone, K 2."""
    (found,) = cluster_regions(cells, region[None], [2], seed=0, **settings)
    return found


def test_the_seed_of_an_image_is_the_same_on_every_machine():
    assert image_seed("123456789") == 0xCBF43926  # the check value of CRC-32


def test_kmeans_finds_the_blobs_the_largest_first():
    centroids, assignment = kmeans(blobs(5, 20), k=2, seed=1)
    assert torch.allclose(centroids, torch.tensor([[0.0, 10.0], [10.0, 0.0]]), atol=0.2)
    assert assignment.tolist() == [1] * 5 + [0] * 20


def test_kmeans_does_not_depend_on_threads_or_on_random_numbers_elsewhere():
    points = torch.randn(3000, 8, generator=torch.Generator().manual_seed(3))
    with threadpool_limits(2):
        first = kmeans(points, k=5, seed=7)
    torch.manual_seed(99)
    with threadpool_limits(1):
        second = kmeans(points, k=5, seed=7)
    assert torch.equal(first[0], second[0])
    assert torch.equal(first[1], second[1])


def test_fewer_points_than_clusters_give_a_cluster_a_point():
    centroids, assignment = kmeans(torch.tensor([[0.0, 1.0], [1.0, 0.0]]), k=5, seed=0)
    assert len(centroids) == 2
    assert sorted(assignment.tolist()) == [0, 1]


def test_equal_points_give_one_cluster_and_no_empty_one():
    centroids, assignment = kmeans(torch.ones(6, 3), k=2, seed=0)
    assert torch.equal(centroids, torch.ones(1, 3))
    assert assignment.tolist() == [0] * 6


@pytest.mark.parametrize(("points", "k"), [(0, 2), (3, 0)])
def test_nothing_to_cluster_is_an_error(points, k):
    with pytest.raises(ValueError, match="needs a point and a cluster"):
        kmeans(torch.ones(points, 2), k, seed=0)


@BOTH
def test_centroids_of_a_region_have_unit_length_and_ignore_the_rest(clustering):
    cells = torch.tensor([[2.0, 0.0], [4.0, 0.0], [0.0, 9.0], [0.0, -3.0]])
    region = torch.tensor([True, True, True, False])
    centroids, nearest = cluster_region(cells, region, clustering=clustering)
    assert torch.allclose(centroids, torch.tensor([[1.0, 0.0], [0.0, 1.0]]), atol=1e-6)
    assert nearest[:3].tolist() == [0, 0, 1]
    assert nearest[3] == 0  # (0, -1) is √2 from (1, 0) and 2 from (0, 1)


@BOTH
def test_pixels_are_brought_to_unit_length_first(clustering):
    # By direction there are two groups; by position the far point stands alone.
    cells = torch.tensor([[1.0, 0.0], [100.0, 0.0], [0.0, 1.0], [0.0, 1.1]])
    region = torch.ones(4, dtype=torch.bool)
    by_direction, _ = cluster_region(cells, region, clustering=clustering)
    assert torch.allclose(by_direction, torch.tensor([[1.0, 0.0], [0.0, 1.0]]), atol=1e-6) or torch.allclose(
        by_direction, torch.tensor([[0.0, 1.0], [1.0, 0.0]]), atol=1e-6
    )
    raw, nearest = cluster_region(cells, region, spherical=False, clustering=clustering)
    assert nearest.tolist() == [0, 1, 0, 0]
    mean = torch.tensor([1.0, 2.1]) / 3
    assert torch.allclose(raw, torch.stack([mean / math.hypot(*mean.tolist()), torch.tensor([1.0, 0.0])]), atol=1e-6)


@BOTH
def test_an_empty_region_has_no_centroid_and_leaves_the_others_theirs(clustering):
    cells = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
    regions = torch.tensor([[False] * 3, [True] * 3, [False] * 3])
    empty, full, last = cluster_regions(cells, regions, [2, 2, 2], seed=0, clustering=clustering)
    for centroids, nearest in (empty, last):
        assert centroids.shape == (0, 2)
        assert nearest.tolist() == [-1] * 3
    assert torch.allclose(full[0], torch.eye(2), atol=1e-6) and full[1].tolist() == [0, 1, 0]


@BOTH
def test_no_region_at_all_has_no_centroid(clustering):
    found = cluster_regions(torch.ones(4, 3), torch.zeros(2, 4, dtype=torch.bool), [2, 2], 0, clustering=clustering)
    assert [len(centroids) for centroids, _ in found] == [0, 0]


def test_regions_have_numbers_of_clusters_of_their_own():
    cells = torch.cat([torch.eye(4), torch.eye(4)])
    regions = torch.tensor([[True] * 4 + [False] * 4, [False] * 4 + [True] * 4])
    for clustering in ("scikit-learn", "batched"):
        found = cluster_regions(cells, regions, [1, 3], seed=0, clustering=clustering)
        assert [len(centroids) for centroids, _ in found] == [1, 3]


def test_another_clustering_is_refused():
    with pytest.raises(ValueError, match="'faiss' is none of scikit-learn, batched"):
        cluster_region(torch.ones(2, 2), torch.ones(2, dtype=torch.bool), clustering="faiss")
