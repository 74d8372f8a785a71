from __future__ import annotations

import math

import pytest
import torch

from mars_pl.uss.leopart.alignment import align, overlap, within


def bilinear(plane, y, x):
    """A value between tokens; what lies beyond the outer centres repeats the border."""
    height, width = len(plane), len(plane[0])
    y, x = max(y, 0.0), max(x, 0.0)
    top, left = min(int(y), height - 1), min(int(x), width - 1)
    bottom, right = min(top + 1, height - 1), min(left + 1, width - 1)
    down = y - top if bottom > top else 0.0
    across = x - left if right > left else 0.0
    upper = (1 - across) * plane[top][left] + across * plane[top][right]
    lower = (1 - across) * plane[bottom][left] + across * plane[bottom][right]
    return (1 - down) * upper + down * lower


def literal(plane, box, side):
    """RoIAlign with half-pixel centres: each bin's mean over a grid of ⌈bin⌉ × ⌈bin⌉ samples."""
    height, width = len(plane), len(plane[0])
    left, top, right, bottom = box[0] * width - 0.5, box[1] * height - 0.5, box[2] * width - 0.5, box[3] * height - 0.5
    down, across = (bottom - top) / side, (right - left) / side
    rows, columns = math.ceil((bottom - top) / side), math.ceil((right - left) / side)
    result = [[0.0] * side for _ in range(side)]
    for i in range(side):
        for j in range(side):
            for r in range(rows):
                for c in range(columns):
                    y = top + down * (i + (r + 0.5) / rows)
                    x = left + across * (j + (c + 0.5) / columns)
                    result[i][j] += bilinear(plane, y, x) / (rows * columns)
    return result


@pytest.mark.parametrize("size", [(14, 14), (6, 9)])
@pytest.mark.parametrize("box", [(0.0, 0.0, 1.0, 1.0), (0.1, 0.25, 0.63, 0.9), (0.4, 0.5, 0.45, 0.52)])
def test_the_same_as_the_literal_reading(size, box):
    maps = torch.rand(2, 3, *size, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    boxes = torch.tensor([[0.0, 0.0, 1.0, 1.0], box], dtype=torch.float64)
    found = align(maps, boxes, side=4)
    for b in range(2):
        for channel in range(3):
            expected = literal(maps[b, channel].tolist(), boxes[b].tolist(), 4)
            torch.testing.assert_close(found[b, channel], torch.tensor(expected, dtype=torch.float64))


def test_shares_stay_shares_and_gradients_flow():
    maps = torch.rand(2, 5, 6, 6).softmax(dim=1).requires_grad_()
    aligned = align(maps, torch.tensor([[0.0, 0.0, 0.3, 1.0], [0.7, 0.2, 1.0, 0.25]]))
    assert aligned.shape == (2, 5, 7, 7)
    torch.testing.assert_close(aligned.sum(1), torch.ones(2, 7, 7))
    aligned[:, 0].sum().backward()
    assert maps.grad.abs().sum() > 0


def test_half_precision_is_read_in_single():
    assert align(torch.rand(1, 2, 6, 6).bfloat16(), torch.tensor([[0.0, 0.0, 1.0, 1.0]])).dtype == torch.float32


def test_what_two_crops_share_in_each_of_them():
    first = torch.tensor([[0.0, 0.0, 100.0, 50.0]])
    second = torch.tensor([[50.0, 10.0, 70.0, 90.0]])
    common = overlap(first, second)
    assert common.tolist() == [[50, 10, 70, 50]]
    torch.testing.assert_close(within(common, first), torch.tensor([[0.5, 0.2, 0.7, 1.0]]))
    torch.testing.assert_close(within(common, second), torch.tensor([[0.0, 0.0, 1.0, 0.5]]))


def test_two_crops_of_one_picture_agree_where_they_overlap():
    """Each token says where in the image it lies; read in the overlap, both crops say the same."""

    def crop(left, top, right, bottom, tokens):
        across = left + (torch.arange(tokens) + 0.5) * (right - left) / tokens
        down = top + (torch.arange(tokens) + 0.5) * (bottom - top) / tokens
        return torch.stack(torch.meshgrid(down, across, indexing="ij"))[None]

    first, second = torch.tensor([[0.0, 0.0, 140.0, 140.0]]), torch.tensor([[35.0, 21.0, 119.0, 105.0]])
    common = overlap(first, second)
    here = align(crop(0, 0, 140, 140, 20), within(common, first))
    there = align(crop(35, 21, 119, 105, 24), within(common, second))
    inner = (..., slice(1, -1), slice(1, -1))  # the outermost places lie beyond the small crop's outer centres
    torch.testing.assert_close(here[inner], there[inner], rtol=1e-4, atol=1e-2)
