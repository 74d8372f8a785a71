import pytest
import torch
from torch.nn.functional import cosine_similarity

from mars_pl.debias import distance as module
from mars_pl.debias.distance import (
    background_distance,
    mean_distance,
    mean_in_order,
    minimum_distance,
    nearest_distance,
)

BACKGROUND = torch.tensor([[2.0, 0.0], [0.0, 5.0]])
CANDIDATES = torch.tensor([[3.0, 0.0], [-1.0, 0.0], [0.0, -7.0], [1.0, 1.0]])


def random(n, dim, seed):
    return torch.randn(n, dim, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_equation_1_by_hand():
    # Distances (1 − cos)/2 to the x-axis and to the y-axis: (0, ½), (1, ½), (½, 1), and twice (1 − 1/√2)/2.
    assert mean_distance(CANDIDATES, BACKGROUND).tolist() == pytest.approx([0.25, 0.75, 0.75, 0.1464466094])


def test_the_linear_mean_is_the_mean_of_all_pairs():
    candidates, background = random(40, 7, 1), random(30, 7, 2)
    pairs = (1 - cosine_similarity(candidates[:, None], background[None], dim=2)) / 2
    assert torch.allclose(mean_distance(candidates, background), pairs.mean(dim=1), atol=1e-14, rtol=0)


def test_lengths_do_not_matter():
    assert torch.allclose(mean_distance(CANDIDATES, BACKGROUND), mean_distance(9 * CANDIDATES, 0.1 * BACKGROUND))


def test_the_minimum_by_hand():
    assert minimum_distance(CANDIDATES, BACKGROUND).tolist() == pytest.approx([0.0, 0.5, 0.5, 0.1464466094])


def test_the_nearest_are_averaged_and_may_be_fewer():
    background = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]])
    candidate = torch.tensor([[1.0, 0.0]])
    assert nearest_distance(candidate, background, k=3).item() == pytest.approx(0.5 / 3)
    assert nearest_distance(candidate, background, k=99).item() == pytest.approx(1.5 / 4)


def test_blocks_do_not_show(monkeypatch):
    candidates, background = random(40, 7, 1), random(30, 7, 2)
    whole = nearest_distance(candidates, background, k=3)
    monkeypatch.setattr(module, "BLOCK", 7)
    assert torch.allclose(nearest_distance(candidates, background, k=3), whole, atol=1e-15, rtol=0)


def test_equal_candidates_have_equal_distances():
    candidates = random(1, 70, 5).repeat(33, 1)
    assert len(mean_distance(candidates, random(50, 70, 6)).unique()) == 1


def test_distances_by_name():
    assert torch.equal(background_distance(CANDIDATES, BACKGROUND), mean_distance(CANDIDATES, BACKGROUND))
    minimum = background_distance(CANDIDATES, BACKGROUND, "minimum")
    assert torch.equal(minimum, minimum_distance(CANDIDATES, BACKGROUND))
    nearest = background_distance(CANDIDATES, BACKGROUND, "nearest", k=2)
    assert torch.allclose(nearest, mean_distance(CANDIDATES, BACKGROUND))
    with pytest.raises(ValueError, match="'median' is none of"):
        background_distance(CANDIDATES, BACKGROUND, "median")


def test_no_background_is_an_error():
    for measure in (mean_distance, minimum_distance):
        with pytest.raises(ValueError, match="no background centroid"):
            measure(CANDIDATES, torch.zeros(0, 2))


def test_the_mean_is_taken_in_the_rows_order():
    vectors = torch.tensor([[1e17], [1.0], [-1e17]], dtype=torch.float64)
    assert mean_in_order(vectors).item() == 0.0  # the 1 is lost in the large number
    assert mean_in_order(vectors[[0, 2, 1]]).item() == pytest.approx(1 / 3)
