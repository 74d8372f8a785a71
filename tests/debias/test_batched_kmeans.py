import pytest
import torch
import torch.nn.functional as F

from mars_pl.debias.batched_kmeans import batched_kmeans, largest_first
from mars_pl.debias.clustering import ITERATIONS, RESTARTS, kmeans


def batched(regions, clusters, seeds=None, restarts=RESTARTS, iterations=ITERATIONS):
    return batched_kmeans(regions, clusters, seeds or [0] * len(regions), restarts=restarts, iterations=iterations)


def groups(points, k, dim=12, spread=0.3, seed=0):
    """Points around k random directions."""
    generator = torch.Generator().manual_seed(seed)
    centres = torch.randn(k, dim, generator=generator)
    member = torch.randint(k, (points,), generator=generator)
    return centres[member] + spread * torch.randn(points, dim, generator=generator)


def inertia(points, centroids, assignment):
    return float((points.double() - centroids.double()[assignment]).square().sum())


@pytest.mark.parametrize("k", [1, 2, 3, 5])
def test_groups_are_those_of_scikit_learn(k):
    regions = [groups(points, k, seed=points) for points in (40, 7, 200, 90)]
    for points, (centroids, assignment) in zip(regions, batched(regions, [k] * 4), strict=True):
        wanted, members = kmeans(points, k, seed=0)
        # order is by size, and sizes may be equal: each is matched with the nearest
        match = torch.cdist(centroids, wanted).argmin(1)
        assert sorted(match.tolist()) == list(range(len(wanted)))
        assert torch.allclose(centroids, wanted[match], atol=1e-5)
        assert torch.equal(match[assignment], members)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e4])
@pytest.mark.parametrize("k", [2, 5, 9])
def test_points_without_groups_end_where_scikit_learn_ends_from_the_same_seed(k, scale):
    """Many ends are as good as others here: only the same start leads to the same one."""
    generator = torch.Generator().manual_seed(1)
    regions = [scale * (2 + torch.randn(points, 6, generator=generator)) for points in (60, 300, 20)] * 4
    found = batched(regions, [k] * 12, seeds=list(range(12)))
    wanted = [kmeans(points, k, seed) for seed, points in enumerate(regions)]
    ours = [inertia(points, *one) for points, one in zip(regions, found, strict=True)]
    theirs = [inertia(points, *one) for points, one in zip(regions, wanted, strict=True)]
    assert ours == pytest.approx(theirs, rel=0.01)
    # a point midway between two centroids may fall to either by rounding
    assert sum(torch.equal(one[1], other[1]) for one, other in zip(found, wanted, strict=True)) >= 11


def test_a_region_is_clustered_as_it_is_alone():
    regions = [F.normalize(torch.randn(points, 8), dim=1) for points in (50, 3, 120, 9)]
    together = batched(regions, [2, 4, 3, 1], seeds=[5, 6, 7, 8])
    for row, (points, k) in enumerate(zip(regions, (2, 4, 3, 1), strict=True)):
        ((centroids, assignment),) = batched([points, points[:4]], [k, 4], seeds=[5 + row, 0])[:1]
        assert torch.allclose(centroids, together[row][0], atol=1e-6)
        assert torch.equal(assignment, together[row][1])


def test_it_is_the_same_again_and_leaves_the_global_generator_alone():
    points = torch.randn(300, 8, generator=torch.Generator().manual_seed(3))
    torch.manual_seed(1)
    state = torch.get_rng_state()
    first, second = batched([points], [5], seeds=[7]), batched([points], [5], seeds=[7])
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(first[0][0], second[0][0]) and torch.equal(first[0][1], second[0][1])


def test_autocast_changes_nothing():
    points = groups(200, 3)
    (plain,) = batched([points], [3])
    with torch.autocast("cpu", torch.bfloat16):
        (mixed,) = batched([points], [3])
    assert torch.equal(plain[0], mixed[0])


def test_more_restarts_are_no_worse():
    points = torch.randn(80, 2, generator=torch.Generator().manual_seed(2))
    sums = [inertia(points, *batched([points], [8], restarts=restarts)[0]) for restarts in (1, 16)]
    assert sums[1] < sums[0]


def test_the_starts_alone_are_points_of_the_region():
    points = groups(30, 3)
    ((centroids, _),) = batched([points, groups(90, 3)], [3, 3], iterations=0)[:1]
    apart = (centroids[:, None] - points).abs().amax(2)
    assert (apart.amin(1) < 1e-6).all()


def test_one_point_one_cluster():
    (centroids, assignment), _ = batched([torch.tensor([[3.0, 4.0]]), groups(10, 2, dim=2)], [2, 2])
    assert torch.equal(centroids, torch.tensor([[3.0, 4.0]])) and assignment.tolist() == [0]


@pytest.mark.parametrize("value", [0.0, 1.0, 0.1, 1e6 / 3])
def test_equal_points_give_one_cluster_and_no_empty_one(value):
    (centroids, assignment), other = batched([torch.full((11, 3), value), groups(40, 2, dim=3)], [4, 2])
    assert torch.equal(centroids, torch.full((1, 3), value))
    assert assignment.tolist() == [0] * 11
    assert len(other[0]) == 2


def test_fewer_different_points_than_clusters_give_a_cluster_each():
    points = torch.eye(3)[[0, 1, 0, 2, 0, 1]] + 10
    ((centroids, assignment),) = batched([points], [5])
    assert torch.allclose(centroids, torch.eye(3) + 10)
    assert assignment.tolist() == [0, 1, 0, 2, 0, 1]


def test_fewer_points_than_clusters_give_a_cluster_a_point():
    ((centroids, assignment),) = batched([torch.tensor([[0.0, 1.0], [1.0, 0.0]])], [5])
    assert len(centroids) == 2 and sorted(assignment.tolist()) == [0, 1]


def test_points_that_hardly_differ_are_still_parted():
    points = torch.tensor([[1.0, 0.0], [1.0, 1e-6], [1.0, 0.0], [1.0, 1e-6], [1.0, 0.0]])
    ((centroids, assignment),) = batched([points], [2])
    assert len(centroids) == 2 and assignment.tolist() == [0, 1, 0, 1, 0]


def test_a_cluster_that_loses_its_points_starts_again_elsewhere():
    # Six clusters over many sets of few points: some lose all theirs on the way, and none comes back empty.
    for seed in range(40):
        points = torch.randn(12, 1, generator=torch.Generator().manual_seed(seed)).exp()
        ((centroids, assignment),) = batched([points], [6], seeds=[seed], restarts=1)
        assert len(centroids) == 6
        assert sorted(set(assignment.tolist())) == list(range(6))


def test_no_regions_have_no_clusters():
    assert batched([], []) == []


@pytest.mark.parametrize("value", [torch.nan, torch.inf, -torch.inf])
def test_what_is_not_finite_is_refused(value):
    spoilt = torch.ones(4, 2)
    spoilt[2, 1] = value
    with pytest.raises(ValueError, match="not finite"):
        batched([torch.ones(2, 2), spoilt], [2, 2])


@pytest.mark.parametrize(("points", "k"), [(0, 2), (3, 0)])
def test_nothing_to_cluster_is_an_error(points, k):
    with pytest.raises(ValueError, match="needs a point and a cluster"):
        batched([torch.ones(5, 2), torch.ones(points, 2)], [2, k])


def test_of_equal_sizes_the_first_stays_first():
    centroids, assignment = largest_first(torch.arange(4.0)[:, None], torch.tensor([3, 1, 3, 0, 0, 3]))
    assert centroids.flatten().tolist() == [3, 0, 1]
    assert assignment.tolist() == [0, 2, 0, 1, 1, 0]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="wants a GPU")
def test_a_gpu_finds_what_the_processor_finds():
    regions = [groups(points, 3, seed=points) for points in (60, 500)]
    here, there = batched(regions, [3, 3]), batched([points.cuda() for points in regions], [3, 3])
    for (centroids, assignment), (others, other_assignment) in zip(here, there, strict=True):
        assert others.is_cuda and torch.allclose(centroids, others.cpu(), atol=1e-5)
        assert torch.equal(assignment, other_assignment.cpu())
