import torch

from mars_pl.debias.patch_labels import majority_label


def majority(rows, grid):
    return majority_label(torch.tensor(rows), grid, ignore_index=255, biased_index=254).tolist()


def test_the_class_of_most_pixels_wins():
    assert majority([[1, 1, 0, 0], [1, 0, 0, 2]], (1, 2)) == [[1, 0]]


def test_a_tie_goes_to_the_lowest_class_and_never_to_the_ignored():
    assert majority([[2, 1], [2, 1]], (1, 1)) == [[1]]
    assert majority([[255, 3], [255, 3]], (1, 1)) == [[3]]


def test_ignored_and_biased_pixels_count_together():
    assert majority([[255, 254, 254, 1, 1]], (1, 1)) == [[255]]
    assert majority([[255, 254, 1, 1, 1]], (1, 1)) == [[1]]


def test_parts_of_pixels_count_by_their_area():
    # Three columns in two cells: each cell holds one whole column and half of the middle one.
    assert majority([[1, 2, 3]], (1, 2)) == [[1, 3]]
    # Five columns in two cells, 2.5 columns each: 1.0 of class 1, 1.5 of class 2; then .5 of 2 and 2.0 of 3.
    assert majority([[1, 2, 2, 3, 3]], (1, 2)) == [[2, 3]]


def test_thirds_of_pixels_are_counted_without_float_error():
    # Cell 0 holds 2/3 of the pixels' first 2/3 …: 2 columns in 3 cells, the middle one half and half: a tie.
    assert majority([[2, 1]], (1, 3)) == [[2, 1, 1]]


def test_a_grid_finer_than_the_image_repeats_it():
    assert majority([[1, 2]], (2, 4)) == [[1, 1, 2, 2], [1, 1, 2, 2]]
