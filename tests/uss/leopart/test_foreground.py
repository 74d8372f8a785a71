from __future__ import annotations

import math

import pytest
import torch

from mars_pl.uss.leopart.foreground import foreground, neighbours, without_specks


def literal(plane, mass, sigma):
    """Blur with mirrored edges, keep the strongest tokens, drop groups below three, all in plain numbers."""
    height, width = len(plane), len(plane[0])
    weights = [math.exp(-((step / sigma) ** 2) / 2) for step in range(-3, 4)]
    weights = [weight / sum(weights) for weight in weights]

    def mirror(place, side):
        place = abs(place)
        return 2 * (side - 1) - place if place >= side else place

    blurred = {}
    for y in range(height):
        for x in range(width):
            blurred[y, x] = sum(
                weights[i + 3] * weights[j + 3] * plane[mirror(y + i, height)][mirror(x + j, width)]
                for i in range(-3, 4)
                for j in range(-3, 4)
            )
    total, reached, kept = sum(blurred.values()), 0.0, set()
    for place in sorted(blurred, key=blurred.get):
        reached += blurred[place] / total
        if reached > 1 - mass:
            kept.add(place)
    groups, rest = [], set(kept)
    while rest:
        group, edge = set(), {rest.pop()}
        while edge:
            group |= edge
            edge = {(y, x) for y, x in rest if any(max(abs(y - v), abs(x - u)) == 1 for v, u in edge)}
            rest -= edge
        groups.append(group)
    large = set().union(*[group for group in groups if len(group) > 2])
    return [[(y, x) in large for x in range(width)] for y in range(height)]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("mass", "blur"), [(0.6, 0.6), (0.2, 0.6), (0.9, 1.5)])
def test_the_same_as_the_literal_rule(seed, mass, blur):
    attention = torch.rand(2, 9, 7, generator=torch.Generator().manual_seed(seed)) ** 3
    found = foreground(attention, mass, blur)
    for b in range(2):
        assert found[b].tolist() == literal(attention[b].tolist(), mass, blur)


def test_an_object_stands_out():
    attention = torch.full((1, 12, 12), 0.01)
    attention[0, 3:7, 4:9] = 1
    mask = foreground(attention, mass=0.6)
    assert 0.5 < mask[0, 3:7, 4:9].float().mean() <= 1
    mask[0, 3:7, 4:9] = False
    assert not mask.any()


def test_groups_of_one_and_two_go_and_corners_connect():
    rows = ["#...##", "......", "#.....", ".#...#", "..#..#", "......"]
    left = ["......", "......", "#.....", ".#....", "..#...", "......"]
    mask, expected = (torch.tensor([[[letter == "#" for letter in row] for row in shape]]) for shape in (rows, left))
    assert torch.equal(without_specks(mask), expected)
    assert neighbours(mask)[0, 3].tolist() == [2, 2, 2, 1, 2, 1]


def test_a_map_too_small_to_blur_is_refused():
    with pytest.raises(ValueError, match=r"3×8 tokens.*4×4.*larger crops"):
        foreground(torch.ones(1, 3, 8))
