from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F

from mars_pl.uss.stego.neighbours import nearest_neighbours, pool


def _at(*degrees):
    angles = torch.tensor(degrees) * math.pi / 180
    return torch.stack([angles.cos(), angles.sin()], dim=1)


def test_pooled_vectors_are_unit_means():
    tokens = torch.tensor([[[[1.0, 5.0]], [[4.0, 4.0]]]])
    torch.testing.assert_close(pool(tokens), torch.tensor([[0.6, 0.8]]))


def test_nearest_by_hand():
    assert nearest_neighbours(_at(0.0, 10.0, 25.0, 90.0), k=3).tolist() == [[0, 1, 2], [1, 0, 2], [2, 1, 0], [3, 2, 1]]


def test_of_equals_the_lower_row_comes_first_and_itself_before_all():
    vectors = torch.eye(4)[[0, 1, 0, 0, 1, 0]]
    assert nearest_neighbours(vectors, k=3).tolist() == [
        [0, 2, 3],
        [1, 4, 0],
        [2, 0, 3],
        [3, 0, 2],
        [4, 1, 0],
        [5, 0, 2],
    ]


@pytest.mark.parametrize("block", [1, 7, 64])
def test_blocks_do_not_change_the_answer(block):
    vectors = F.normalize(torch.randn(50, 8, generator=torch.Generator().manual_seed(0)), dim=1)
    found = nearest_neighbours(vectors, k=30, block=block)
    cosine = vectors.double() @ vectors.double().T
    cosine.fill_diagonal_(2)
    assert found.dtype == torch.int64
    assert torch.equal(found, cosine.argsort(dim=1, descending=True)[:, :30])


def test_few_images_have_few_neighbours():
    assert nearest_neighbours(_at(0.0, 10.0), k=30).tolist() == [[0, 1], [1, 0]]


def test_no_neighbours_at_all_are_refused():
    with pytest.raises(ValueError, match="at least 1"):
        nearest_neighbours(_at(0.0), k=0)
