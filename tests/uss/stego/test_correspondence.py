from __future__ import annotations

import math

import pytest
import torch

from mars_pl.uss.stego.correspondence import centre, correlation, correspondence_loss, random_points, read_at


def test_points_are_uniform_in_the_square():
    torch.manual_seed(0)
    points = random_points(50, 11)
    assert points.shape == (50, 11, 11, 2)
    assert points.min() >= -1 and points.max() <= 1
    assert points.mean().abs() < 0.02
    assert abs(points.var().item() - 1 / 3) < 0.01


def test_sampling_reads_between_the_centres_of_the_outer_tokens():
    maps = torch.tensor([[[[0.0, 10.0], [20.0, 30.0]]]])
    places = torch.tensor([[[[-1.0, -1.0], [1.0, -1.0]], [[0.0, 0.0], [-1.0, 0.5]]]])  # x, y
    assert read_at(maps, places).flatten().tolist() == [0, 10, 15, 15]


def test_correlation_is_the_cosine_of_all_pairs():
    first = torch.tensor([[[[3.0, 0.0]], [[4.0, 0.0]]]])  # (3, 4) and the zero vector
    second = torch.tensor([[[[1.0], [-6.0]], [[0.0], [-8.0]]]])  # (1, 0) above (-6, -8)
    found = correlation(first, second)
    assert found.shape == (1, 1, 2, 2, 1)
    torch.testing.assert_close(found.flatten(), torch.tensor([0.6, -1.0, 0.0, 0.0]))


def test_centring_by_hand():
    cosine = torch.tensor([[0.9, 0.5], [0.2, 0.4]]).view(1, 1, 2, 1, 2)
    # rows less their means .7 and .3, plus the mean .5 of everything
    torch.testing.assert_close(centre(cosine).flatten(), torch.tensor([0.7, 0.3, 0.4, 0.6]))


def test_loss_by_hand():
    cosine = torch.tensor([[0.9, 0.5], [0.2, 0.4]]).view(1, 1, 2, 1, 2)
    code = torch.tensor([[1.0, -1.0], [0.5, 0.25]]).view(1, 1, 2, 1, 2)
    # −1·(.7−.5), 0 below zero, −.5·(.4−.5), −.25·(.6−.5)
    found = correspondence_loss(cosine, code, 0.5)
    torch.testing.assert_close(found.flatten(), torch.tensor([-0.2, 0.0, 0.05, -0.025]))


def test_gradient_pulls_agreeing_codes_and_pushes_others():
    cosine = torch.tensor([[0.9, 0.5], [0.2, 0.4]]).view(1, 1, 2, 1, 2).requires_grad_()
    code = torch.full((1, 1, 2, 1, 2), 0.1).requires_grad_()
    correspondence_loss(cosine, code, 0.5).sum().backward()
    assert cosine.grad is None
    torch.testing.assert_close(code.grad.flatten(), torch.tensor([-0.2, 0.2, 0.1, -0.1]))


@pytest.mark.parametrize("shift", [-0.1, 0.12, 1.0])
def test_loss_agrees_with_loops_in_double_precision(shift):
    generator = torch.Generator().manual_seed(3)
    f, g = (torch.randn(2, 5, 3, 2, generator=generator, dtype=torch.float64) for _ in range(2))
    c, d = (torch.randn(2, 4, 3, 2, generator=generator, dtype=torch.float64) for _ in range(2))
    found = correspondence_loss(correlation(f, g), correlation(c, d), shift)

    def cosine(a, b):
        dot = sum(x * y for x, y in zip(a, b, strict=True))
        return dot / math.sqrt(sum(x * x for x in a)) / math.sqrt(sum(y * y for y in b))

    places = [(b, h, w) for b in range(2) for h in range(3) for w in range(2)]
    pairs = {(b, h, w, i, j): cosine(f[b, :, h, w].tolist(), g[b, :, i, j].tolist())
             for b, h, w in places for i in range(3) for j in range(2)}  # fmt: skip
    over_second = {p: sum(pairs[(*p, i, j)] for i in range(3) for j in range(2)) / 6 for p in places}
    mean = sum(pairs.values()) / len(pairs)
    mean_centred = sum(value - over_second[key[:3]] for key, value in pairs.items()) / len(pairs)
    for key, value in pairs.items():
        b, h, w, i, j = key
        alike = max(cosine(c[b, :, h, w].tolist(), d[b, :, i, j].tolist()), 0)
        expected = -alike * (value - over_second[key[:3]] - mean_centred + mean - shift)
        assert found[key].item() == pytest.approx(expected, abs=1e-12)
