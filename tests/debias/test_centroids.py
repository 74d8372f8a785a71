import pytest
import torch

from mars_pl.debias.centroids import Candidates, class_means, join, select, share


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
        (0, 0.4, 0),
    ],
)
def test_the_share_is_rounded_up_but_not_by_float_error(count, alpha, wanted):
    assert share(count, alpha) == wanted
    assert share(torch.tensor([count, count]), alpha).tolist() == [wanted, wanted]


@pytest.mark.parametrize("alpha", [0.0, -0.1, 1.1])
def test_alpha_is_a_share(alpha):
    with pytest.raises(ValueError, match=r"alpha is a share"):
        share(3, alpha)


def test_equation_3_takes_the_farthest_of_each_class():
    distances = torch.tensor([0.5, 0.2, 0.6, 0.1, 0.15])
    selected = select(torch.tensor([1, 1, 1, 2, 2]), distances, alpha=0.4)
    assert selected.tolist() == [True, False, True, False, True]  # ⌈1.2⌉ and ⌈0.8⌉


def test_ties_go_to_the_row_that_comes_first():
    selected = select(torch.tensor([1, 3, 1, 3, 1, 1, 1]), torch.full((7,), 0.3), alpha=0.4)
    assert selected.tolist() == [True, True, True, False, False, False, False]


def test_equation_2_averages_the_selected_at_unit_length():
    vectors = torch.tensor([[7.0, 0.0], [4.0, 0.0], [9.0, 9.0], [0.0, 1.0], [3.0, 4.0]])
    selected = torch.tensor([True, False, True, True])  # the first row is background
    centroids, counts = class_means([(torch.tensor([0, 1, 1, 1, 3]), vectors)], selected, num_classes=4)
    assert torch.allclose(centroids, torch.tensor([[0.0, 0.0], [0.5, 0.5], [0.0, 0.0], [0.6, 0.8]]))
    assert counts.tolist() == [0, 2, 0, 1]


def test_rows_are_taken_joined_and_ordered():
    candidates = table([("b", 1, 0), ("a", 2, 0), ("a", 1, 1), ("a", 1, 0)])
    assert candidates.order().tolist() == [3, 2, 1, 0]
    taken = candidates.take(torch.tensor([False, True, True, False]))
    assert taken.ids == ("a", "a")
    assert taken.pixels.tolist() == [1, 2]
    joined = join([taken, candidates])
    assert len(joined) == 6
    assert joined.classes.tolist() == [2, 1, 1, 2, 1, 1]
