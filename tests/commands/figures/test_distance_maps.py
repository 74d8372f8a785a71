"""Distances of cells, followed by hand."""

import numpy as np
import pytest
import torch

from mars_pl.commands.figures.distance_maps import (
    Nearest,
    background_distances,
    cell_centre,
    map_pair,
    nearest_background,
    vector_distances,
)
from mars_pl.commands.report.candidate_vectors import Pair
from mars_pl.debias.distance import find_background

EAST, NORTH, WEST = [1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]
PAIR = Pair("a", 1, np.array([EAST, NORTH], dtype=np.float32), (0.6, 0.1), ("target", "biased"))


def cells(*rows):
    """Features (2, h, w) from rows of vectors."""
    return torch.tensor(rows).permute(2, 0, 1)


def test_a_cell_is_measured_as_a_candidate_is():
    table = [(torch.tensor([0, 0, 1]), torch.tensor([EAST, NORTH, EAST]))]
    features = cells([EAST, NORTH, WEST])
    mean = background_distances(features, find_background(table))
    assert mean == pytest.approx(np.array([[0.25, 0.25, 0.75]])), "(1 − S) / 2 is 0, .5 and 1 to either"
    least = background_distances(features, find_background(table, "minimum"))
    assert least == pytest.approx(np.array([[0.0, 0.0, 0.5]]))


def test_a_vector_is_at_no_distance_from_its_own_direction():
    found = vector_distances(cells([EAST, NORTH], [WEST, [3.0, 0.0]]), torch.tensor(EAST))
    assert found == pytest.approx(np.array([[0.0, 0.5], [1.0, 0.0]]))


def test_the_nearest_background_is_of_another_image_and_no_object():
    table = [
        (["a", "b", "b"], torch.tensor([0, 0, 1]), torch.tensor([EAST, NORTH, EAST])),
        (["c"], torch.tensor([0]), torch.tensor([[1.0, 1.0]])),
        (["d"], torch.tensor([2]), torch.tensor([EAST])),
    ]
    (first, away), (second, none) = nearest_background(table, PAIR)
    assert (first, second) == ("c", "b")
    assert away == pytest.approx((1 - 0.5**0.5) / 2) and none == pytest.approx(0)
    with pytest.raises(ValueError, match="a: no other image has a background centroid"):
        nearest_background(table[2:], PAIR)


def test_a_cross_stands_within_the_region_where_the_candidate_is_nearest():
    label = np.zeros((4, 8), dtype=np.uint8)
    label[:2, 4:] = 1  # the upper right of 2 × 4 cells
    features = {
        "a": cells([EAST, NORTH, NORTH, [1.0, 0.2]], [EAST, NORTH, EAST, WEST]),
        "b": cells([NORTH, EAST, WEST, WEST], [WEST, WEST, WEST, EAST]),
    }
    image = np.zeros((4, 8, 3), dtype=np.uint8)
    background = find_background([(torch.tensor([0, 1]), torch.tensor([WEST, EAST]))])
    made = map_pair(
        PAIR, [("b", 0.0), ("b", 0.2)], background, features.__getitem__, lambda name: image, lambda name: label
    )
    assert made.places == (cell_centre(3, (2, 4)), cell_centre(2, (2, 4)))
    assert made.distances[0, 0] == pytest.approx(1) and made.distances[1, 3] == pytest.approx(0)
    assert [one.away for one in made.nearest] == [0.0, 0.2]
    assert made.nearest[0].place == cell_centre(1, (2, 4)), "the first of two alike; the cell of the object is none"


def test_an_image_that_is_all_object_has_its_nearest_cell_marked_all_the_same():
    label = np.ones((2, 4), dtype=np.uint8)
    nearest = Nearest("b", np.zeros((2, 4, 3), dtype=np.uint8), label, 0.1, np.array([[0.3, 0.1]]))
    assert nearest.place == (0.5, 0.75)
