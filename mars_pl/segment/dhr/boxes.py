"""The part of a crop that an image fills, in pixels and in the cells of a map."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from torch import Tensor

from mars_pl.segment.complement import valid_box


class Box(NamedTuple):
    """Borders, ends excluded."""

    top: int
    bottom: int
    left: int
    right: int

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        return self.bottom - self.top, self.right - self.left

    def of(self, maps: Tensor) -> Tensor:
        """Cut the box out of (…, H, W)."""
        return maps[..., self.top : self.bottom, self.left : self.right]

    def in_cells(self, grid: Sequence[int], size: Sequence[int]) -> Box:
        """Return the same box in a grid of (h, w) cells over (H, W) pixels, borders rounded down, at least one cell."""
        top, left = (
            min(border * cells // side, cells - 1)
            for border, cells, side in ((self.top, grid[0], size[0]), (self.left, grid[1], size[1]))
        )
        bottom = max(self.bottom * grid[0] // size[0], top + 1)
        right = max(self.right * grid[1] // size[1], left + 1)
        return Box(top, bottom, left, right)


def boxes_of(images: Tensor, valid: Tensor | None) -> list[Box]:
    """Return each image's box: of its valid pixels (B, H, W), or all of it."""
    whole = Box(0, images.shape[-2], 0, images.shape[-1])
    return [whole if valid is None else Box(*valid_box(valid[index])) for index in range(len(images))]
