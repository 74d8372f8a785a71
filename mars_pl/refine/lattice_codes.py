"""Points of a permutohedral lattice as numbers: which corners are the same point, and which points are neighbours."""

from __future__ import annotations

import torch
from torch import Tensor

LARGEST_CODE = 2**62
"""Codes of lattice points and of their neighbours stay below it in absolute value: int64 with room."""

HASH_FACTOR = -7046029254386353131
"""2⁶⁴ divided by the golden ratio, odd, as int64 (Knuth's multiplicative hashing)."""


def corner_codes(origin: Tensor, rank: Tensor, batch: int) -> tuple[Tensor, Tensor]:
    """Number the corners: two of one image have the same code where they are the same lattice point.

    A code is linear in the first d coordinates (the last follows from them), so that a step on the lattice adds the
    same number everywhere.

    Args:
        origin: (d + 1, n) each point's corner with remainder 0, whole numbers.
        rank: (d + 1, n) int64 rank of each coordinate by its distance from there.
        batch: images that the n points belong to, in equal parts, one after the other.

    Returns:
        (d + 1, n) int64 codes by remainder, and the (d + 1,) int64 stride of each coordinate, 0 for the last.

    Raises:
        ValueError: where int64 cannot hold the codes.
    """
    sides, count = origin.shape
    low, high = origin.amin(dim=1).long(), origin.amax(dim=1).long()
    # Corners lie up to d from the one with remainder 0, their neighbours another d: room on both sides.
    spans = (high - low + 1 + 4 * sides).tolist()
    strides, stride = [0] * sides, 1
    for axis in range(sides - 2, -1, -1):
        strides[axis] = stride
        stride *= spans[axis]
    if stride * batch > LARGEST_CODE:
        raise ValueError(
            f"points of {sides - 1} dimensions that lie up to {max(spans)} lattice steps apart cannot be numbered; "
            "take a longer reach"
        )
    steps = torch.tensor(strides, device=origin.device)
    shifted = origin.long() - low[:, None]
    codes = torch.empty_like(rank)
    codes[0] = (shifted * steps[:, None]).sum(dim=0)
    codes[0] += stride * torch.arange(batch, device=origin.device).repeat_interleave(count // batch)
    # From one remainder to the next all coordinates grow by 1, and the one whose turn it is falls by d + 1.
    turn = torch.empty_like(rank).scatter_(0, sides - 1 - rank, steps[:, None].expand_as(rank))
    for remainder in range(1, sides):
        codes[remainder] = codes[remainder - 1] + (steps.sum() - sides * turn[remainder - 1])
    return codes, steps


def neighbours_of(lattice: Tensor, strides: Tensor) -> Tensor:
    """Find the two neighbours along each of the d + 1 axes among the sorted (L,) codes of all lattice points."""
    sides, count = len(strides), len(lattice)
    places = torch.arange(count, dtype=torch.int32, device=lattice.device)
    # A hash table with one seat a slot finds most in one look, many times quicker than a search among all.
    bits = (2 * count).bit_length()
    hashed = lattice * HASH_FACTOR
    table = places.new_full((2**bits,), count)
    slots = _slots(hashed.clone(), bits)
    table[slots] = places
    seatless = (table.index_select(0, slots) != places).nonzero().flatten()
    padded = torch.cat([lattice, lattice.new_full((1,), -LARGEST_CODE)])  # of an empty slot: the code of no point
    nowhere = places.new_tensor(count)
    neighbours = places.new_empty(sides, 2, count + 1)
    for axis in range(sides):
        step = sides * strides[axis] - strides.sum()
        first, second = neighbours[axis].fill_(count)
        met = torch.index_select(table, 0, _slots(torch.add(hashed, step * HASH_FACTOR, out=slots), bits))
        there = torch.index_select(padded, 0, met, out=slots).sub_(lattice) == step
        torch.where(there, met, nowhere, out=first[:count])
        # Points without a seat are found by none: they look themselves for the point whose neighbour they are.
        wanted = lattice[seatless] - step
        found = torch.searchsorted(lattice, wanted).clamp_(max=count - 1)
        there = lattice[found] == wanted
        first[found[there]] = seatless[there].int()
        second.scatter_(0, slots.copy_(first[:count]), places)  # where I am a neighbour, mine is on the other side
        second[count] = count  # where those without one wrote
    return neighbours


def _slots(hashed: Tensor, bits: int) -> Tensor:
    """Turn multiplied codes into slots, in place: their highest bits, which depend on all of a code's."""
    return hashed.bitwise_right_shift_(64 - bits).bitwise_and_(2**bits - 1)
