import pytest
import torch

from mars_pl.debias import distance as module
from mars_pl.debias.distance import add_in_order, find_background
from tests.debias.literal_selection import pair_distances

BACKGROUND = torch.tensor([[2.0, 0.0], [0.0, 5.0]])
CANDIDATES = torch.tensor([[3.0, 0.0], [-1.0, 0.0], [0.0, -7.0], [1.0, 1.0]])


def measure(candidates, background, distance="mean", k=1):
    classes = torch.tensor([0] * len(background) + [1] * len(candidates))
    table = [(classes, torch.cat([background, candidates]))]
    return find_background(table, distance, k).distances(table)


def random(n, dim, seed):
    return torch.randn(n, dim, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_equation_1_by_hand():
    # Distances (1 − cos)/2 to the x-axis and to the y-axis: (0, ½), (1, ½), (½, 1), and twice (1 − 1/√2)/2.
    assert measure(CANDIDATES, BACKGROUND).tolist() == pytest.approx([0.25, 0.75, 0.75, 0.1464466094])


@pytest.mark.parametrize(("distance", "k"), [("mean", 1), ("minimum", 5), ("nearest", 3), ("nearest", 99)])
def test_every_distance_is_that_of_all_pairs(distance, k):
    candidates, background = random(40, 7, 1), random(30, 7, 2)
    found = measure(candidates, background, distance, k)
    assert torch.allclose(found, pair_distances(candidates, background, distance, k), atol=1e-14, rtol=0)


def test_lengths_do_not_matter():
    assert torch.allclose(measure(CANDIDATES, BACKGROUND), measure(9 * CANDIDATES, 0.1 * BACKGROUND))


def test_the_minimum_by_hand():
    assert measure(CANDIDATES, BACKGROUND, "minimum").tolist() == pytest.approx([0.0, 0.5, 0.5, 0.1464466094])


def test_the_nearest_are_averaged_and_may_be_fewer():
    background = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]])
    candidate = torch.tensor([[1.0, 0.0]])
    assert measure(candidate, background, "nearest", k=3).item() == pytest.approx(0.5 / 3)
    assert measure(candidate, background, "nearest", k=99).item() == pytest.approx(1.5 / 4)


def test_blocks_do_not_show(monkeypatch):
    candidates, background = random(40, 7, 1), random(30, 7, 2)
    whole = measure(candidates, background, "nearest", k=3)
    monkeypatch.setattr(module, "BLOCK", 7)
    assert torch.allclose(measure(candidates, background, "nearest", k=3), whole, atol=1e-15, rtol=0)


def test_equal_candidates_have_equal_distances():
    candidates = random(1, 70, 5).repeat(module.BLOCK + 33, 1)
    assert len(measure(candidates, random(50, 70, 6)).unique()) == 1


def test_a_distance_of_another_name_is_an_error():
    with pytest.raises(ValueError, match="'median' is none of"):
        measure(CANDIDATES, BACKGROUND, "median")


@pytest.mark.parametrize("distance", ["mean", "minimum"])
def test_no_background_is_an_error(distance):
    with pytest.raises(ValueError, match="0 background and 4 foreground centroids"):
        measure(CANDIDATES, BACKGROUND[:0], distance)


def test_sums_are_taken_in_the_rows_order():
    vectors = torch.tensor([[1e17], [1.0], [-1e17], [4.0]], dtype=torch.float64)

    def sums(*rows):
        places = torch.tensor([0, 0, 0, 2])[list(rows)]
        return add_in_order(torch.zeros(3, 1, dtype=torch.float64), places, vectors[list(rows)]).flatten().tolist()

    assert sums(0, 1, 2, 3) == [0.0, 0.0, 4.0]  # the 1 is lost in the large number
    assert sums(3, 0, 2, 1) == [1.0, 0.0, 4.0]
