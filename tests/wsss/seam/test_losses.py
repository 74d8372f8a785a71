import math

import pytest
import torch
import torch.nn.functional as F

from mars_pl.wsss.seam.losses import Losses, largest_differences, minimum_pooling, seam_losses
from mars_pl.wsss.seam.network import Maps


def test_minimum_pooling_takes_the_lowest_quarter_of_the_strongest_class_by_hand():
    maps = torch.tensor([[[0.5, 0.1, -0.3, 0.9], [0.2, 0.4, 0.6, 0.8]], [[0.0, 0.3, -0.1, 0.2], [0.0] * 4]])
    assert minimum_pooling(maps.view(1, 2, 2, 4)[:, :1]).item() == pytest.approx((0.0 + 0.1) / 2)
    assert minimum_pooling(maps.view(1, 2, 2, 4)).item() == pytest.approx((0.0 + 0.2) / 2)


def test_the_largest_fifth_of_the_differences_is_averaged_by_hand():
    target = torch.zeros(2, 1, 2, 5)
    maps = torch.stack([torch.arange(10.0), -torch.arange(10.0) * 2]).view(2, 1, 2, 5)
    assert largest_differences(target, maps).item() == pytest.approx((9 + 8 + 18 + 16) / 4)


def at(map_, y, x, height, width):
    """Corner-aligned bilinear sample of a 2-D list for cell (y, x) of a height×width grid."""
    down = y * (len(map_) - 1) / (height - 1)
    right = x * (len(map_[0]) - 1) / (width - 1)
    top, left = min(int(down), len(map_) - 2), min(int(right), len(map_[0]) - 2)
    down, right = down - top, right - left
    upper = map_[top][left] * (1 - right) + map_[top][left + 1] * right
    lower = map_[top + 1][left] * (1 - right) + map_[top + 1][left + 1] * right
    return upper * (1 - down) + lower * down


def slow_losses(first, second, classes):
    """The published training step, image by image in plain numbers."""
    batch, channels = first.activation.shape[:2]
    height, width = second.activation.shape[-2:]
    label = [[1.0, *classes[b].tolist()] for b in range(batch)]

    def stretched(plane):
        positive = [[max(value, 0.0) for value in row] for row in plane.tolist()]
        low, high = min(map(min, positive)), max(map(max, positive))
        return [[max(value - low - 1e-5, 0.0) / (high - low + 1e-5) for value in row] for row in positive]

    def compared(maps):
        return [
            [
                [
                    [at(stretched(maps[b, k]), y, x, height, width) * label[b][k] for x in range(width)]
                    for y in range(height)
                ]
                for k in range(channels)
            ]
            for b in range(batch)
        ]

    def target(maps):
        chosen = []
        for y in range(height):
            for x in range(width):
                values = [maps[k][y][x] for k in range(1, channels)]
                chosen.append([1 - max(values), *(value if value == max(values) else 0.0 for value in values)])
        return chosen

    def cross(targets, corrected):
        total = []
        for b in range(batch):
            wanted = target(targets[b])
            found = [[corrected[b][k][y][x] for k in range(channels)] for y in range(height) for x in range(width)]
            pairs = zip(wanted, found, strict=True)
            gaps = sorted((abs(p - q) for w, f in pairs for p, q in zip(w, f, strict=True)), reverse=True)
            total += gaps[: int(channels * height * width * 0.2)]
        return sum(total) / len(total)

    def classification(maps):
        margins = []
        for b in range(batch):
            for k in range(1, channels):
                logit = maps.activation[b, k].mean().item()
                chance = 1 / (1 + math.exp(-logit))
                margins.append(-math.log(chance if label[b][k] else 1 - chance))
        lowest = []
        for b in range(batch):
            masked = torch.stack([maps.corrected[b, k] * label[b][k] for k in range(1, channels)])
            values = sorted(masked.max(0).values.flatten().tolist())
            lowest += [max(value, 0.0) for value in values[: len(values) // 4]]
        return sum(margins) / len(margins) + sum(lowest) / len(lowest)

    cams = [compared(maps.activation) for maps in (first, second)]
    corrected = [compared(maps.corrected) for maps in (first, second)]
    gaps = [
        abs(cams[0][b][k][y][x] - cams[1][b][k][y][x])
        for b in range(batch)
        for k in range(1, channels)
        for y in range(height)
        for x in range(width)
    ]
    return (
        (classification(first) + classification(second)) / 2,
        sum(gaps) / len(gaps),
        cross(cams[1], corrected[0]) + cross(cams[0], corrected[1]),
    )


def random_views():
    torch.manual_seed(0)
    options = {"dtype": torch.float64, "requires_grad": True}
    first = Maps(torch.randn(2, 4, 8, 9, **options), torch.rand(2, 4, 8, 9, **options))
    second = Maps(torch.randn(2, 4, 4, 5, **options), torch.rand(2, 4, 4, 5, **options))
    return first, second, torch.tensor([[1.0, 0.0, 1.0], [0.0, 1.0, 0.0]], dtype=torch.float64)


def test_losses_agree_with_a_literal_transcription():
    first, second, classes = random_views()
    losses = seam_losses(first, second, classes)
    expected = slow_losses(first, second, classes)
    assert [value.item() for value in losses] == pytest.approx(list(expected), abs=1e-10)
    assert losses.total().item() == pytest.approx(sum(expected), abs=1e-10)


def test_the_cross_term_teaches_the_corrected_maps_alone():
    first, second, classes = random_views()
    seam_losses(first, second, classes).cross.backward()
    assert first.activation.grad is None and second.activation.grad is None
    assert first.corrected.grad.any() and second.corrected.grad.any()


def test_maps_that_follow_the_resizing_cost_nothing():
    torch.manual_seed(0)
    maps = torch.rand(1, 3, 5, 5)
    larger = F.interpolate(maps, (9, 9), mode="bilinear", align_corners=True)  # 5 of its 9 cells are the 5 of the other
    losses = seam_losses(Maps(larger, larger), Maps(maps, maps), torch.ones(1, 2))
    assert losses.equivariance.item() == pytest.approx(0, abs=1e-5)
    assert losses.cross.item() > 0.01


def test_absent_classes_are_not_compared():
    first, second, _ = random_views()
    none = torch.zeros(2, 3, dtype=torch.float64)
    assert seam_losses(first, second, none).equivariance.item() == 0


def test_total_is_the_plain_sum():
    assert Losses(*(torch.tensor(value) for value in (1.0, 2.0, 4.0))).total().item() == 7
