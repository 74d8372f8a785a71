import pytest
import torch

from mars_pl.segment.dhr.super_classes import cell_classes, class_vectors, likeness_maps, super_classes


def test_a_cell_has_the_class_of_most_of_its_pixels():
    label = torch.tensor([[0, 0, 2, 2], [0, 1, 2, 254], [255, 255, 1, 1], [255, 0, 0, 0]])
    assert cell_classes(label, (2, 2), 3).tolist() == [[0, 2], [3, 0]]  # of two zeros and two ones the lower


def test_codes_that_are_no_class_count_as_one_together():
    assert cell_classes(torch.tensor([[254, 255], [254, 1]]), (1, 1), 3).item() == 3


def test_vectors_are_the_means_of_their_cells_at_unit_length():
    features = torch.tensor([[[1.0, 3.0, 9.0]], [[0.0, 4.0, 9.0]]])
    vectors = class_vectors(features, torch.tensor([[1, 1, 0]]), [0, 1])
    assert torch.allclose(vectors, torch.tensor([[0.5**0.5, 0.5**0.5], [0.5**0.5, 0.5**0.5]]))


def test_likeness_is_the_cosine_over_the_range_of_each_class():
    features = torch.tensor([[[5.0, 0.0, -1.0]], [[0.0, 2.0, 0.0]]])  # cosines 1, 0, −1 with the first axis
    assert torch.allclose(likeness_maps(features, torch.tensor([[1.0, 0.0]])), torch.tensor([[[1, 0.5, 0]]]))


def test_classes_that_are_alike_are_one_super_class_and_a_chain_is_two():
    angles = torch.tensor([0.0, 30.0, 60.0, 150.0]).deg2rad()  # cosines .87 between neighbours, .5 between ends
    vectors = torch.stack([angles.cos(), angles.sin()], dim=1)
    assert [group.tolist() for group in super_classes(vectors, 0.8)] == [[0, 1], [1, 2]]
    assert [group.tolist() for group in super_classes(vectors, 0.4)] == [[0, 1, 2], [1, 2]]
    assert super_classes(vectors, 0.9) == []


def test_opposite_classes_are_not_alike():
    assert super_classes(torch.tensor([[1.0, 0.0], [-1.0, 0.0]]), 0.8) == []


@pytest.mark.parametrize("grid", [(1, 1), (3, 5), (4, 4)])
def test_a_grid_that_does_not_divide_the_label_is_filled(grid):
    cells = cell_classes(torch.randint(0, 3, (7, 9), generator=torch.Generator().manual_seed(0)), grid, 3)
    assert cells.shape == grid
    assert cells.max() < 3
