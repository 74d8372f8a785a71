import pytest
import torch

from mars_pl.debias.centroids import Candidates, debiased_centroids, join, select, share


def table(rows, vectors=None):
    """Rows are (image id, class, cluster)."""
    ids, classes, clusters = zip(*rows, strict=True)
    vectors = torch.eye(len(rows)) if vectors is None else torch.tensor(vectors)
    pixels = torch.arange(len(rows))
    return Candidates(tuple(ids), torch.tensor(classes), torch.tensor(clusters), pixels, vectors)


@pytest.mark.parametrize(
    ("count", "alpha", "wanted"),
    [
        (5, 0.4, 2),
        (6, 0.4, 3),
        (1, 0.4, 1),
        (10, 0.7, 7),
        (15, 0.2, 3),
        (25, 0.28, 7),
        (100, 0.07, 7),
        (4, 1.0, 4),
        (3, 0.01, 1),
    ],
)
def test_the_share_is_rounded_up_but_not_by_float_error(count, alpha, wanted):
    assert share(count, alpha) == wanted


@pytest.mark.parametrize("alpha", [0.0, -0.1, 1.1])
def test_alpha_is_a_share(alpha):
    with pytest.raises(ValueError, match=r"alpha is a share"):
        share(3, alpha)


def test_equation_3_takes_the_farthest_of_each_class():
    candidates = table([("a", 1, 0), ("a", 1, 1), ("b", 1, 0), ("b", 2, 0), ("b", 2, 1)])
    distances = torch.tensor([0.5, 0.2, 0.6, 0.1, 0.15])
    assert select(candidates, distances, alpha=0.4).tolist() == [True, False, True, False, True]  # ⌈1.2⌉ and ⌈0.8⌉


def test_ties_go_to_the_lower_image_id_and_cluster_in_any_order_of_rows():
    rows = [("b", 1, 0), ("a", 1, 1), ("c", 1, 0), ("a", 1, 0), ("b", 1, 1)]
    selected = select(table(rows), torch.full((5,), 0.3), alpha=0.4)
    assert {row for row, taken in zip(rows, selected.tolist(), strict=True) if taken} == {("a", 1, 0), ("a", 1, 1)}


def test_equation_2_averages_the_selected_at_unit_length():
    candidates = table(
        [("a", 1, 0), ("a", 1, 1), ("b", 1, 0), ("b", 3, 0)], [[4.0, 0.0], [9.0, 9.0], [0.0, 1.0], [3.0, 4.0]]
    )
    centroids = debiased_centroids(candidates, torch.tensor([True, False, True, True]), num_classes=4)
    assert torch.allclose(centroids, torch.tensor([[0.0, 0.0], [0.5, 0.5], [0.0, 0.0], [0.6, 0.8]]))


def test_centroids_do_not_hang_on_the_order_of_rows():
    vectors = torch.randn(300, 5, generator=torch.Generator().manual_seed(0))
    rows = [(f"{i // 2:03}", 1, i % 2) for i in range(300)]
    candidates = table(rows, vectors.tolist())
    distances = torch.rand(300, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    shuffled = torch.randperm(300, generator=torch.Generator().manual_seed(2))
    first = debiased_centroids(candidates, select(candidates, distances), 2)
    taken = candidates.take(shuffled)
    assert torch.equal(first, debiased_centroids(taken, select(taken, distances[shuffled]), 2))


def test_rows_are_taken_joined_and_ordered():
    candidates = table([("b", 1, 0), ("a", 2, 0), ("a", 1, 1), ("a", 1, 0)])
    assert candidates.order().tolist() == [3, 2, 1, 0]
    taken = candidates.take(torch.tensor([False, True, True, False]))
    assert taken.ids == ("a", "a")
    assert taken.pixels.tolist() == [1, 2]
    joined = join([taken, candidates])
    assert len(joined) == 6
    assert joined.classes.tolist() == [2, 1, 1, 2, 1, 1]
