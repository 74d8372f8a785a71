from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F

from mars_pl.uss.stego import faiss_neighbours, neighbours
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


def _random(count, dim=16, seed=0):
    return F.normalize(torch.randn(count, dim, generator=torch.Generator().manual_seed(seed)), dim=1)


@pytest.fixture
def asked(monkeypatch):
    """What FAISS was asked, as numbers of images; it answers."""
    pytest.importorskip("faiss")
    counts = []

    def ask(vectors, k):
        counts.append(len(vectors))
        return faiss_neighbours.faiss_neighbours(vectors, k)

    monkeypatch.setattr(neighbours, "faiss_neighbours", ask)
    return counts


@pytest.mark.parametrize("k", [1, 2, 30])
@pytest.mark.parametrize("count", [31, 500])
def test_faiss_finds_what_all_pairs_find(asked, count, k):
    vectors = _random(count)
    assert torch.equal(nearest_neighbours(vectors, k, many=count - 1), nearest_neighbours(vectors, k))
    assert asked == [count]


def test_faiss_is_asked_above_50_000_images(monkeypatch):
    pytest.importorskip("faiss")
    asked = []
    monkeypatch.setattr(neighbours, "_all_pairs", lambda vectors, k, block: torch.zeros(1))
    monkeypatch.setattr(neighbours, "faiss_neighbours", lambda vectors, k: asked.append(len(vectors)))
    nearest_neighbours(torch.ones(50_000, 1), 1)
    assert asked == []
    nearest_neighbours(torch.ones(50_001, 1), 1)
    assert asked == [50_001]


def test_of_equals_faiss_too_has_itself_first_and_the_lower_row_before_the_higher(asked):
    vectors = torch.eye(4)[[0, 1, 0, 0, 1, 0]]
    found = nearest_neighbours(vectors, k=6, many=0)
    assert found.tolist() == nearest_neighbours(vectors, k=6).tolist()
    few = nearest_neighbours(vectors, k=2, many=0)
    assert few[:, 0].tolist() == list(range(6))
    assert (vectors[few[:, 1]] == vectors).all(), "of those that share the second place any may come"


def test_an_image_that_is_left_out_of_its_own_equals_takes_the_last_place():
    rows, cosines = torch.tensor([[1, 2], [1, 0], [0, 1]]), torch.tensor([[1.0, 1.0], [1.0, 1.0], [1.0, 1.0]])
    assert faiss_neighbours.itself_first(rows, cosines).tolist() == [[0, 1], [1, 0], [2, 0]]


def test_without_faiss_all_pairs_do_and_it_is_said(monkeypatch):
    monkeypatch.setattr(faiss_neighbours, "find_spec", lambda name: None)
    vectors = _random(40)
    with pytest.warns(UserWarning, match=r"neighbours of 40 images without FAISS .*pip install 'mars-pl\[faiss\]'"):
        found = nearest_neighbours(vectors, 5, many=39)
    assert torch.equal(found, nearest_neighbours(vectors, 5))


@pytest.mark.filterwarnings("error")
def test_few_images_need_no_faiss_and_nothing_is_said(monkeypatch):
    monkeypatch.setattr(faiss_neighbours, "find_spec", lambda name: None)
    assert len(nearest_neighbours(_random(40), 5, many=40)) == 40


@pytest.mark.skipif(not torch.cuda.is_available(), reason="wants a GPU")
def test_on_a_gpu_the_answer_is_the_same():
    vectors = _random(500)
    assert torch.equal(nearest_neighbours(vectors.cuda(), 30, many=0), nearest_neighbours(vectors, 30))
