from __future__ import annotations

import math

import pytest
import torch

from mars_pl.training.over_processes import sum_over_processes
from mars_pl.uss.leopart.sinkhorn import sinkhorn
from tests.processes.process_group import in_processes


def literal(scores, epsilon, iterations):
    """Leopart's own steps, number by number: row and column targets 1/K and 1/N, a last normalisation of each token."""
    tokens, prototypes = len(scores), len(scores[0])
    q = [[math.exp(scores[n][k] / epsilon) for n in range(tokens)] for k in range(prototypes)]
    total = sum(map(sum, q))
    q = [[value / total for value in row] for row in q]
    for _ in range(iterations):
        for k in range(prototypes):
            share = sum(q[k])
            q[k] = [value / share / prototypes for value in q[k]]
        for n in range(tokens):
            share = sum(q[k][n] for k in range(prototypes))
            for k in range(prototypes):
                q[k][n] /= share * tokens
    return [[q[k][n] / sum(q[j][n] for j in range(prototypes)) for k in range(prototypes)] for n in range(tokens)]


@pytest.fixture
def scores():
    return 2 * torch.rand(12, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) - 1


@pytest.mark.parametrize(("epsilon", "iterations"), [(0.05, 3), (0.05, 1), (0.5, 7)])
def test_the_same_as_the_literal_steps(scores, epsilon, iterations):
    expected = torch.tensor(literal(scores.tolist(), epsilon, iterations), dtype=torch.float64)
    torch.testing.assert_close(sinkhorn(scores, epsilon, iterations), expected)


def test_single_precision_is_enough(scores):
    found = sinkhorn(scores.half())
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, sinkhorn(scores.half().double()).float(), rtol=1e-4, atol=1e-6)


def test_tokens_sum_to_one_and_prototypes_share_them_evenly(scores):
    shares = sinkhorn(scores, iterations=200, epsilon=0.2)
    torch.testing.assert_close(shares.sum(1), torch.ones(12, dtype=torch.float64))
    torch.testing.assert_close(shares.sum(0), torch.full((5,), 12 / 5, dtype=torch.float64))
    assert (sinkhorn(scores).sum(1) - 1).abs().max() < 1e-12, "after three rounds too"


def test_a_prototype_that_all_tokens_prefer_does_not_take_all_of_them():
    scores = torch.zeros(8, 2)
    scores[:, 0] = 0.5
    torch.testing.assert_close(sinkhorn(scores), torch.full((8, 2), 0.5))


@pytest.mark.parametrize(("epsilon", "iterations"), [(0.05, 0), (0.0, 3)])
def test_no_round_or_no_smoothness_is_refused(epsilon, iterations):
    with pytest.raises(ValueError, match="iterations from 1 on and a positive epsilon"):
        sinkhorn(torch.zeros(2, 2), epsilon, iterations)


def share(rank, scores):
    return sinkhorn(scores.chunk(2)[rank]).tolist()


def test_two_processes_find_what_one_finds(scores):
    shares = in_processes(2, share, scores)
    found = torch.tensor(shares[0] + shares[1], dtype=torch.float64)
    torch.testing.assert_close(found, sinkhorn(scores))
    apart = torch.cat([sinkhorn(part) for part in scores.chunk(2)])
    assert not torch.allclose(found, apart, atol=1e-3), "each half alone would be balanced otherwise"


def test_one_process_keeps_its_sum():
    values = torch.arange(3.0)
    assert sum_over_processes(values) is values
