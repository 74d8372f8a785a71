from __future__ import annotations

import copy
import math

import pytest
import torch

from mars_pl.uss.backbone import FrozenViT
from mars_pl.uss.dino_positions import interpolate_positions

SMALL = {"depth": 2, "embed_dim": 48, "num_heads": 3}


def weight(distance):
    """Keys' cubic, with a slope of -0.75."""
    distance = abs(distance)
    if distance <= 1:
        return 1.25 * distance**3 - 2.25 * distance**2 + 1
    return -0.75 * (distance**3 - 5 * distance**2 + 8 * distance - 4) if distance < 2 else 0.0


def along(values, wanted):
    """Read a row of numbers at `wanted` places as DINO does; beyond the ends the last one repeats."""
    factor = (wanted + 0.1) / len(values)
    read = []
    for place in range(wanted):
        where = (place + 0.5) / factor - 0.5
        near = range(math.floor(where) - 1, math.floor(where) + 3)
        read.append(sum(weight(where - k) * values[min(max(k, 0), len(values) - 1)] for k in near))
    return read


@pytest.mark.parametrize("new", [(3, 3), (8, 5), (7, 7), (5, 6)])
def test_the_same_as_the_literal_reading_of_rows_and_columns(new):
    torch.manual_seed(0)
    positions = torch.randn(1, 1 + 30, 2, dtype=torch.float64)
    found = interpolate_positions(positions, (5, 6), new)
    assert torch.equal(found[:, 0], positions[:, 0]) and found.shape == (1, 1 + new[0] * new[1], 2)
    for channel in range(2):
        own = positions[0, 1:, channel].view(5, 6)
        rows = [along(row, new[1]) for row in own.tolist()]
        columns = [along([row[x] for row in rows], new[0]) for x in range(new[1])]
        expected = own if new == (5, 6) else torch.tensor(columns, dtype=torch.float64).T
        torch.testing.assert_close(found[0, 1:, channel].view(new), expected, rtol=1e-12, atol=1e-12)


def test_as_many_tokens_in_another_shape_are_interpolated_and_gradients_flow():
    positions = torch.randn(1, 17, 3, requires_grad=True)
    other = interpolate_positions(positions, (4, 4), (2, 8))
    assert other.shape == positions.shape and not torch.equal(other, positions)
    other.sum().backward()
    assert positions.grad.abs().sum() > 0
    assert interpolate_positions(positions, (4, 4), (4, 4)) is positions


def tokens(name, size):
    torch.manual_seed(0)
    vit = FrozenViT(name, model_kwargs={**SMALL, "img_size": 64, "patch_size": 16})
    with torch.no_grad():
        vit.network.pos_embed.normal_()
    image = torch.randint(0, 256, (1, 3, size, size), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    assert torch.equal(copy.deepcopy(vit)(image), vit(image))
    return vit(image)


def test_only_dinos_networks_take_them_and_only_where_the_grid_is_another():
    assert torch.equal(tokens("vit_small_patch16_224.dino", 64), tokens("vit_small_patch16_224", 64))
    assert not torch.allclose(tokens("vit_small_patch16_224.dino", 32), tokens("vit_small_patch16_224", 32), atol=1e-3)
    timms, ours = (FrozenViT(name).network for name in ("vit_small_patch14_dinov2", "test_vit"))
    assert type(timms) is type(ours), "DINOv2's transformer and others are timm's own"
